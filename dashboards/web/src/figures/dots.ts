// Panels of dots that share their rows, as places do, or have rows of their own, as
// the segments of services do.
import type { Measure } from "../api";
import { axisX, clipped, estimate, faces, layer, measure, plate, plot, scale, Sheet, tip, widest, withheldHeight, withheldOnly, wrap, type Face } from "../draw";
import { shown } from "../numbers";

export interface Dots {
  title: string;
  rows?: string[]; // its own; of all panels or of none
  marks: { m: Measure | null; fill: string; said: string }[]; // one a row
}

export interface Layout {
  rows: string[];
  shortRows: string[];
  panels: Dots[];
  below: string; // what is said of a figure that is withheld
  belowShort: string; // the same where there is little space
  number: (x: number) => string;
  range: (m: Measure) => string;
  tick: (x: number) => string;
  enlarged?: (times: number) => string; // said of a panel of rows of its own, whose scale is larger than the first's
  whole?: boolean; // the scale has whole numbers alone
  label: string;
}

const step = 32;
const head = 26;

/** across gives how many panels stand beside each other. */
export function across(panels: number, width: number, own = false): number {
  if (own) return Math.min(panels, width < 780 ? 1 : 2);
  if (width < 560) return 1;
  return Math.min(panels, width >= 780 ? 4 : panels === 3 ? 3 : 2);
}

/** allWithheld says whether nothing is shown, since it is all under the limit. */
function allWithheld(l: Layout): boolean {
  const all = l.panels.flatMap((p) => p.marks.map((d) => d.m));
  return !all.some(shown) && all.some((m) => m?.status === "below");
}

export function height(l: Layout, width: number): number {
  if (allWithheld(l)) return withheldHeight;
  return tops(l, across(l.panels.length, width, apart(l))).at(-1)!;
}

/** apart says whether each panel has rows of its own. */
function apart(l: Layout): boolean {
  return l.panels.some((p) => p.rows !== undefined);
}

/** tops gives where each line of panels begins, so many beside each other, and where
    the last one ends. */
function tops(l: Layout, columns: number): number[] {
  const out = [0];
  for (let k = 0; k < l.panels.length; k += columns) out.push(out.at(-1)! + head + step * Math.max(...l.panels.slice(k, k + columns).map((p) => (p.rows ?? l.rows).length)) + 34);
  return out;
}

/** largest gives the largest value of panels, intervals included. */
function largest(all: readonly Dots[]): number {
  return Math.max(0, ...all.flatMap((p) => p.marks.map((d) => (shown(d.m) ? (d.m.high ?? d.m.value) : 0))));
}

/** dots draws the panels, all on one scale; but one with rows of its own, whose
    values are under a third of the largest, has a larger scale, and says so. */
export function dots(full: Layout, width: number): SVGSVGElement {
  if (allWithheld(full)) return withheldOnly(width, full.label, full.below);
  const own = apart(full);
  const columns = across(full.panels.length, width, own);
  const names = width >= 560 ? full.rows : full.shortRows;
  const pitch = own ? (width + 40) / columns : 0;
  const face = own ? { size: 13 } : faces.name;
  const left = Math.min(widest(own ? full.panels.flatMap((p) => p.rows ?? []) : names, face), (own ? pitch : width) * 0.4) + 14;
  const each = own ? pitch - 40 - left : (width - left + 24) / columns - 24;
  const l = (width / columns < 320 && columns > 1) || measure(full.below, faces.withheld) + 24 > each ? { ...full, below: full.belowShort } : full;
  const sheet = new Sheet(width, height(l, width), l.label);
  // What is said of a figure stands after its dot; of one that is withheld, where the scale begins.
  const texts = l.panels.flatMap((p) => p.marks.filter((d) => shown(d.m)).map((d) => value(d.m, l)));
  const space = Math.max(...texts.map(([v, n]) => measure(v, faces.value) + (n === "" ? 0 : measure(n, faces.range) + 6)), 40) + 14;
  const scaled = (max: number) => scale(max, Math.max(2, (each - space) / 62), l.tick, l.whole);
  const shared = scaled(largest(l.panels));
  const places = tops(l, columns);
  l.panels.forEach((p, k) => {
    const mine = largest([p]);
    const larger = own && mine > 0 && mine < shared.domain[1] / 3;
    const { domain, ticks } = larger ? scaled(mine) : shared;
    const x = left + (k % columns) * (own ? pitch : each + 24);
    const y = places[Math.floor(k / columns)]!;
    const from = own ? x - left : x;
    const words = (larger && l.enlarged?.(Math.round(shared.domain[1] / domain[1]))) || "";
    const title = clipped(p.title, x + each - from - (words === "" ? 0 : measure(words, faces.range) + 10), faces.name);
    sheet.text(from, y + 14, title, faces.name);
    if (words !== "") sheet.text(from + measure(title, faces.name) + 10, y + 14, words, faces.range);
    if (own || k % columns === 0) (p.rows ?? names).forEach((name, i) => rowName(sheet, name, { x: own ? from : x - 14, space: left - 14, face: { ...face, anchor: own ? "start" : "end" } }, y + head + i * step + step / 2));
    sheet.place(panel(p, l, { width: each, space, domain, ticks }), x, y + head);
    p.marks.forEach((d, i) => said(sheet, d.m, l, { x, y: y + head + i * step + step / 2, scale: (v) => x + (v / domain[1]) * (each - space) }));
  });
  return sheet.svg;
}

/** rowName writes a row's name before it, on two lines where one is too short. */
function rowName(sheet: Sheet, name: string, { x, space, face }: { x: number; space: number; face: Face }, y: number): void {
  const [first, ...rest] = wrap(name, space, (t) => measure(t, face));
  const two = rest.length === 0 ? [first!] : [first!, rest.join(" ")];
  two.forEach((text, i) => sheet.text(x, y + 4.5 + (i - (two.length - 1) / 2) * 15, clipped(text, space, face), face));
}

/** value gives a mark's text and, where it is to be used with caution, its n. */
function value(m: Measure | null, l: Layout): [string, string] {
  if (m === null) return ["–", ""];
  if (!shown(m)) return [m.status === "undefined" ? "–" : l.below, ""];
  return [l.number(m.value), m.status === "caution" && m.n !== null ? `n ${m.n}` : ""];
}

function said(sheet: Sheet, m: Measure | null, l: Layout, at: { x: number; y: number; scale: (v: number) => number }): void {
  const [text, n] = value(m, l);
  if (!shown(m)) {
    if (m !== null) sheet.swatch(at.x, at.y);
    plate(sheet, at.x + (m === null ? 0 : 24), at.y + 4, text, faces.withheld);
    return;
  }
  const long = at.scale(m.high ?? m.value) - at.scale(m.low ?? m.value);
  const x = (long < 8 ? at.scale(m.value) + 5 : at.scale(m.high ?? m.value)) + 8;
  sheet.text(x, at.y + 4.5, text, faces.value);
  if (n !== "") sheet.text(x + measure(text, faces.value) + 6, at.y + 4.5, n, faces.range);
}

function panel(p: Dots, l: Layout, o: { width: number; space: number; domain: [number, number]; ticks: { values: number[]; text: (v: number) => string } }): SVGSVGElement {
  const tall = p.marks.length * step;
  const data = p.marks.flatMap((d, i) => (shown(d.m) ? [{ ...d, m: d.m, i }] : []));
  return plot({
    width: o.width, height: tall + 28, marginLeft: 0, marginRight: o.space, marginTop: 0, marginBottom: 28,
    x: { domain: o.domain }, y: { type: "identity" } as never,
    marks: [
      ...axisX(o.ticks, o.width - o.space),
      layer((at, into) => {
        for (const d of data) {
          into.append(estimate({ x: at.x(d.m.value), low: at.x(d.m.low ?? d.m.value), high: at.x(d.m.high ?? d.m.value) }, d.i * step + step / 2, d.fill, d.m.status === "caution"));
        }
      }),
      tip(data, { x: (d) => d.m.value, y: (d) => d.i * step + step / 2, text: (d) => `${d.said}\n${l.number(d.m.value)} (${l.range(d.m)})${d.m.n === null ? "" : `\nn ${d.m.n}`}` }),
    ],
  });
}
