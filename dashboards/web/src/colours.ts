// A service's colour is fixed: the same in every figure, month and market.

export const slots = 12;


export interface Colour {
  fill: string; // for CSS
  dashed: boolean; // another service in view has the same colour
}

/** colours gives each service in view its colour; `any` is ink. The catalogue
    says which slot is a service's; one that has none (in a store of before there
    were any) takes the lowest that is free, in the catalogue's order. */
export function colours(services: readonly string[], known: readonly { service: string; colour?: number }[]): Map<string, Colour> {
  const fixed = Object.fromEntries(known.flatMap((k) => (k.colour === undefined ? [] : [[k.service, k.colour]]))) as Record<string, number>;
  const catalogue = known.map((k) => k.service);
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
