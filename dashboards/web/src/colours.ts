// A service's colour is fixed: the same in every figure, month and market.

export const slots = 12;

const fixed: Record<string, number> = {
  msn: 1, signal: 1,
  aim: 2, kakaotalk: 2,
  yahoo: 3, viber: 3,
  icq: 4, whatsapp: 4,
  jabber: 5, teams: 5,
  voila: 6, wechat: 6,
  telegram: 7,
  messenger: 8,
  skype: 9,
  discord: 10,
  line: 11,
  matrix: 12,
};

export interface Colour {
  fill: string; // for CSS
  dashed: boolean; // another service in view has the same colour
}

/** colours gives each service in view its colour; `any` is ink. A service that
    has no fixed slot takes the lowest that is free, in the catalogue's order. */
export function colours(services: readonly string[], catalogue: readonly string[]): Map<string, Colour> {
  const inView = services.filter((id) => id !== "any");
  const slot = new Map<string, number>();
  const taken = new Set<number>();
  for (const id of inView) {
    const of = fixed[id];
    if (of !== undefined) taken.add(of);
  }
  const rest = catalogue.filter((id) => inView.includes(id) && fixed[id] === undefined);
  rest.push(...inView.filter((id) => fixed[id] === undefined && !rest.includes(id)));
  let next = 0;
  for (const id of rest) {
    slot.set(id, lowestFree(taken) ?? (next++ % slots) + 1);
    taken.add(slot.get(id)!);
  }
  const seen = new Set<number>();
  const out = new Map<string, Colour>([["any", { fill: "var(--ink)", dashed: false }]]);
  for (const id of inView) {
    const of = fixed[id] ?? slot.get(id)!;
    out.set(id, { fill: `var(--s${of})`, dashed: seen.has(of) });
    seen.add(of);
  }
  return out;
}

function lowestFree(taken: ReadonlySet<number>): number | undefined {
  for (let s = 1; s <= slots; s++) if (!taken.has(s)) return s;
  return undefined;
}
