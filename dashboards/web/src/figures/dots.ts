// Panels of dots that share their rows: places, and the census's.
import type { Measure } from "../api";
import { axisX, clipped, estimate, faces, layer, measure, plate, plot, scale, Sheet, tip, widest, withheldHeight, withheldOnly, wrap } from "../draw";
import { shown } from "../numbers";

export interface Dots {
  title: string;
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
  whole?: boolean; // the scale has whole numbers alone
  label: string;
}

const step = 32;
const head = 26;

/** across gives how many panels stand beside each other. */
export function across(panels: number, width: number): number {
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
  return Math.ceil(l.panels.length / across(l.panels.length, width)) * (head + l.rows.length * step + 34);
}

/** dots draws the panels, all on one scale. */
export function dots(full: Layout, width: number): SVGSVGElement {
  if (allWithheld(full)) return withheldOnly(width, full.label, full.below);
  const columns = across(full.panels.length, width);
  const names = width >= 560 ? full.rows : full.shortRows;
  const left = Math.min(widest(names, faces.name), width * 0.4) + 14;
  const each = (width - left + 24) / columns - 24;
  const l = (width / columns < 320 && columns > 1) || measure(full.below, faces.withheld) + 24 > each ? { ...full, below: full.belowShort } : full;
  const sheet = new Sheet(width, height(l, width), l.label);
  // What is said of a figure stands after its dot; of one that is withheld, where the scale begins.
  const texts = l.panels.flatMap((p) => p.marks.filter((d) => shown(d.m)).map((d) => value(d.m, l)));
  const space = Math.max(...texts.map(([v, n]) => measure(v, faces.value) + (n === "" ? 0 : measure(n, faces.range) + 6)), 40) + 14;
  const max = Math.max(0, ...l.panels.flatMap((p) => p.marks.map((d) => (shown(d.m) ? (d.m.high ?? d.m.value) : 0))));
  const { domain, ticks } = scale(max, Math.max(2, (each - space) / 62), l.tick, l.whole);
  l.panels.forEach((p, k) => {
    const x = left + (k % columns) * (each + 24);
    const y = Math.floor(k / columns) * (head + l.rows.length * step + 34);
    sheet.text(x, y + 14, clipped(p.title, each, faces.name), faces.name);
    if (k % columns === 0) names.forEach((name, i) => rowName(sheet, name, left - 14, y + head + i * step + step / 2));
    sheet.place(panel(p, l, { width: each, space, domain, ticks }), x, y + head);
    p.marks.forEach((d, i) => said(sheet, d.m, l, { x, y: y + head + i * step + step / 2, scale: (v) => x + (v / domain[1]) * (each - space) }));
  });
  return sheet.svg;
}

/** rowName writes a row's name before it, on two lines where one is too short. */
function rowName(sheet: Sheet, name: string, right: number, y: number): void {
  const [first, ...rest] = wrap(name, right, (t) => measure(t, faces.name));
  const two = rest.length === 0 ? [first!] : [first!, rest.join(" ")];
  two.forEach((text, i) => sheet.text(right, y + 4.5 + (i - (two.length - 1) / 2) * 15, clipped(text, right, faces.name), { ...faces.name, anchor: "end" }));
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
  const tall = l.rows.length * step;
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
