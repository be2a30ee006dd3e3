// A service's colour is the catalogue's, the same in every figure and month. Where
// colours meet that look alike, the lines differ in their dashes too.

export const slots = 12;

/** dashes are the forms of a line, the first one unbroken. */
export const dashes = ["none", "8 4", "2 3", "10 3 2 3", "10 3 2 3 2 3", "18 4"];

/** alike are the pairs of slots whose colours are near each other, to some readers at
    least, in the light or in the dark. colours.test.ts computes them from tokens.css. */
export const alike: readonly (readonly [number, number])[] = [[1, 10], [2, 11], [3, 10], [5, 9], [5, 11], [6, 7], [6, 12], [7, 10], [9, 11]];

export interface Colour {
  fill: string; // for CSS
  dash: string; // of a line; none: unbroken
}

/** near says whether two slots can't be told apart by their colour alone. */
function near(a: number, b: number): boolean {
  return a === b || alike.some(([x, y]) => (x === a && y === b) || (x === b && y === a));
}

/** colours gives each service in view its colour; `any` is ink. The catalogue says
    which slot is a service's, whoever is beside it; one that has none (in a store of
    before there were any) takes the lowest that is free, in the catalogue's order.
    Lines of colours that are the same, or alike, differ in their dashes: the first's
    has none. */
export function colours(services: readonly string[], known: readonly { service: string; colour?: number }[]): Map<string, Colour> {
  const inView = services.filter((id) => id !== "any");
  const order = [...known.filter((k) => inView.includes(k.service)), ...inView.filter((id) => !known.some((k) => k.service === id)).map((service) => ({ service, colour: undefined }))];
  const slot = new Map<string, number>();
  for (const k of order) if (k.colour !== undefined) slot.set(k.service, k.colour);
  for (const k of order) if (!slot.has(k.service)) slot.set(k.service, free(new Set(slot.values())) ?? (slot.size % slots) + 1);
  const out = new Map<string, Colour>([["any", { fill: "var(--ink)", dash: dashes[0]! }]]);
  const drawn: { of: number; dash: string }[] = [];
  for (const { service } of order) {
    const of = slot.get(service)!;
    const unlike = (like: (a: number, b: number) => boolean) => dashes.find((d) => !drawn.some((o) => o.dash === d && like(o.of, of)));
    const dash = unlike(near) ?? unlike((a, b) => a === b) ?? dashes[0]!;
    drawn.push({ of, dash });
    out.set(service, { fill: `var(--s${of})`, dash });
  }
  return out;
}

/** free gives the lowest slot that is free, one that is like none of those taken
    before others. */
function free(taken: ReadonlySet<number>): number | undefined {
  const all = Array.from({ length: slots }, (_, i) => i + 1).filter((s) => !taken.has(s));
  return all.find((s) => ![...taken].some((o) => near(o, s))) ?? all[0];
}
