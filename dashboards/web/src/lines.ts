// Lines with bands, their names at their ends: the trend, the reach curve and
// the census by day.
import * as marks from "@observablehq/plot";
import { axisY, element, faces, layer, measure, plot, scale, Sheet, spread, thatFits, tip, widest, type Ticks } from "./draw";
import type { Scope } from "./figure";
import { shown, type Shown } from "./numbers";
import type { Measure } from "./api";

export interface Point {
  x: number; // a day's number, or milliseconds
  m: Measure | null;
  hollow?: boolean;
  anew?: boolean; // no line leads here: the point before is not to be compared
  said: string; // the point's day or month in words
}

export interface Series {
  id: string;
  name: string;
  short: string;
  fill: string;
  dash: string; // of its stroke
  points: Point[];
}

export interface Ground {
  width: number;
  height: number; // of the scale, without the numbers under it
  x: { domain: [number, number]; ticks: Ticks };
  shade?: [number, number][]; // spans on a grey ground
  shadeText?: string;
  values: (series: Series) => boolean; // whose value stands under its name
  grey?: readonly Series[]; // those that are unnamed
  number?: (x: number) => string;
  whole?: boolean; // the scale has whole numbers alone
  margins?: Margins; // of several panels one below the other, so that their days stand below each other
}

/** Margins are what stands beside a panel's lines: a scale's numbers, and names. */
export interface Margins {
  left: number;
  right: number;
}

export const under = 26; // pixels under the scale

const valued = 8; // of more lines than this, names stand without values, and there are no bands
const named = 12; // more services than this can't all be named beside their lines

/** last gives a line's last point that is shown. */
export function last(series: Series): (Point & { m: Shown }) | undefined {
  for (let i = series.points.length - 1; i >= 0; i--) {
    const p = series.points[i]!;
    if (shown(p.m)) return p as Point & { m: Shown };
  }
  return undefined;
}

/** toEnd says whether a line goes on to the end of the period: the name beside it
    has its value only then, since it would be read as the last month's. */
export function toEnd(series: Series): boolean {
  const end = last(series);
  return end !== undefined && end === series.points.at(-1);
}

/** top gives the largest value of any line, band included where there are few. */
export function top(series: readonly Series[]): number {
  return Math.max(0, ...series.flatMap((l) => l.points.map((p) => (shown(p.m) ? (series.length <= valued ? (p.m.high ?? p.m.value) : p.m.value) : 0))));
}

/** splits says whether the first line hides the others: it is over three times the
    second at the end, or three others and more lie in the scale's lowest eighth and
    would have half as much space again without it. `any` is no line of its own here. */
export function splits(series: readonly Series[]): boolean {
  const own = bySize(series.filter((l) => l.id !== "any"));
  const [first, second] = own.map((l) => last(l)!.m.value);
  if (first === undefined || second === undefined || second <= 0) return false;
  const low = own.filter((l) => last(l)!.m.value < top(series) / 8).length;
  return first > 3 * second || (low > 2 && top(series) > 1.5 * top(own.slice(1)));
}

/** bySize gives the lines that are shown, the one that ends highest first. */
function bySize(series: readonly Series[]): Series[] {
  return series.filter((l) => last(l) !== undefined).sort((a, b) => last(b)!.m.value - last(a)!.m.value);
}

/** unnamed gives the lines that are grey and have no name beside them: those of the
    smallest services, where there are many. */
export function unnamed(series: readonly Series[]): Series[] {
  return bySize(series.filter((l) => l.id !== "any")).slice(named);
}

/** scaleOf gives the scale of lines on a panel of a height. */
function scaleOf(series: readonly Series[], height: number, text: (v: number) => string, whole = false) {
  return scale(top(series), Math.max(2, height / 40), text, whole);
}

/** enlarged gives how many times larger the second panel's scale is than the
    first's, as is said: by the pixels of the same value. */
export function enlarged(first: readonly Series[], second: readonly Series[], height: number, secondHeight = height): number {
  const each = (series: readonly Series[], tall: number) => tall / scaleOf(series, tall, String).domain[1];
  return Math.round(each(second, secondHeight) / each(first, height));
}

/** runs cuts a line at its gaps, and where it begins anew. */
export function runs(points: readonly Point[]): (Point & { m: Shown })[][] {
  const out: (Point & { m: Shown })[][] = [];
  let open = false;
  for (const p of points) {
    if (!shown(p.m)) {
      open = false;
      continue;
    }
    if (!open || p.anew) out.push([]);
    open = true;
    out[out.length - 1]!.push(p as Point & { m: Shown });
  }
  return out;
}

/** Panel is what is drawn on a ground: the lines that end somewhere, their scale,
    and those that are named. */
interface Panel {
  drawn: Series[];
  many: boolean;
  told: Set<string>;
  names: Map<string, string>;
  number: (x: number) => string;
  y: ReturnType<typeof scaleOf>;
}

function panelOf(all: readonly Series[], g: Ground, s: Scope): Panel {
  const drawn = all.filter((l) => last(l) !== undefined);
  const many = drawn.length > valued;
  const grey = new Set(g.grey?.map((l) => l.id));
  const narrow = g.width < 420;
  return {
    drawn, many,
    told: new Set(drawn.map((l) => l.id).filter((id) => !grey.has(id))),
    names: new Map(drawn.map((l) => [l.id, narrow ? l.short : l.name])),
    number: g.number ?? ((v: number) => s.n.persons(v)),
    y: scaleOf(drawn, g.height, (v) => s.n.short(v), g.whole),
  };
}

/** beside gives how much space a panel's numbers and names need beside its lines. */
function beside(p: Panel, width: number): Margins {
  const texts = p.drawn.filter((l) => p.told.has(l.id)).map((l) => Math.max(measure(p.names.get(l.id)!, faces.name), measure(p.number(last(l)!.m.value), faces.tick)));
  return {
    left: widest(p.y.ticks.values.map((v) => p.y.ticks.text(v)), faces.tick) + 10,
    right: Math.min(170, 0.36 * width, Math.max(...texts, 30)) + 24,
  };
}

/** shared gives the margins that have space for what stands beside each of two panels. */
export function shared(panels: readonly (readonly [readonly Series[], Ground])[], s: Scope): Margins {
  const all = panels.map(([series, g]) => beside(panelOf(series, g, s), g.width));
  return { left: Math.max(...all.map((m) => m.left)), right: Math.max(...all.map((m) => m.right)) };
}

/** lines draws the panel onto a sheet. */
export function lines(sheet: Sheet, at: { x: number; y: number }, all: readonly Series[], g: Ground, s: Scope): void {
  const panel = panelOf(all, g, s);
  const { drawn, many, told, names, number, y } = panel;
  const { left, right } = g.margins ?? beside(panel, g.width);
  const width = g.width;
  sheet.place(
    plot({
      width, height: g.height + under, marginLeft: left, marginRight: right, marginTop: 4, marginBottom: under,
      x: { domain: g.x.domain, type: "linear" }, y: { domain: y.domain },
      marks: [
        ...(g.shade ?? []).map(([from, to]) => marks.rectX([0], { x1: from, x2: to, fill: "var(--soft)" } as never)),
        ...axisY(y.ticks),
        marks.ruleY([0], { stroke: "var(--axis)" }) as marks.Markish,
        marks.axisX(g.x.ticks.values, { tickSize: 4, fontSize: 12, fill: "var(--muted)", stroke: "var(--axis)", label: null, tickFormat: (v: number) => g.x.ticks.text(v) }),
        ...(many ? [] : drawn.flatMap((l) => bands(l))),
        layer((to, into) => {
          for (const l of [...drawn].reverse()) stroke(l, !told.has(l.id), to, into);
        }),
        tip(drawn.flatMap((l) => l.points.flatMap((p) => (shown(p.m) ? [{ l, p, m: p.m }] : []))), {
          x: (d) => d.p.x,
          y: (d) => d.m.value,
          text: (d) => `${d.l.name}, ${d.p.said}\n${number(d.m.value)} (${s.n.range(d.m)})`,
        }),
      ],
    }),
    at.x, at.y,
  );
  const place = (v: number) => at.y + 4 + (g.height - 4) * (1 - v / y.domain[1]);
  ends(sheet, drawn.filter((l) => told.has(l.id)), { from: at.x + width - right, x: at.x + width - right + 20, top: at.y - 4, bottom: at.y + g.height + 8, space: right - 24, place, names, values: (l) => !many && g.values(l), number });
}

/** bands gives a line's bands, which end where it does: over a gap, a band would
    say how sure a value is that nobody knows. A point alone has one as wide as it is. */
export function bands(l: Series): marks.Markish[] {
  return runs(l.points).map((run) => {
    const of = { y1: (p: Point) => p.m?.low ?? NaN, y2: (p: Point) => p.m?.high ?? NaN };
    if (run.length > 1) return marks.areaY(run, { x: (p: Point) => p.x, ...of, fill: l.fill, fillOpacity: 0.2 });
    return marks.ruleX(run, { x: (p: Point) => p.x, ...of, stroke: l.fill, strokeOpacity: 0.2, strokeWidth: 8 });
  });
}

function stroke(l: Series, grey: boolean, to: { x: (v: unknown) => number; y: (v: unknown) => number }, into: SVGGElement): void {
  const fill = grey ? "var(--hatch)" : l.fill;
  for (const run of runs(l.points)) {
    const d = run.map((p, i) => `${i === 0 ? "M" : "L"}${to.x(p.x).toFixed(1)},${to.y(p.m.value).toFixed(1)}`).join("");
    into.append(element("path", { d, fill: "none", stroke: fill, "stroke-width": grey ? 1 : 2, "stroke-dasharray": l.dash, "stroke-linejoin": "round" }));
    if (grey) continue;
    const close = run.length > 1 && to.x(run[1]!.x) - to.x(run[0]!.x) < 8;
    for (const [i, p] of run.entries()) {
      const isLast = i === run.length - 1 && p === last(l);
      const hollow = p.m.status === "caution" || p.hollow === true;
      if (!isLast && !hollow && run.length > 1) continue;
      into.append(element("circle", { cx: to.x(p.x), cy: to.y(p.m.value), r: isLast ? 4.4 : close ? 2.2 : 3, fill: hollow ? "var(--bg)" : fill, stroke: fill, "stroke-width": hollow ? (close ? 1.2 : 1.6) : 0 }));
    }
  }
}

interface Ends {
  from: number; // where the lines end
  x: number; // where the names begin
  top: number;
  bottom: number;
  space: number;
  place: (value: number) => number;
  names: Map<string, string>;
  values: (l: Series) => boolean;
  number: (x: number) => string;
}

/** ends writes each line's name where it ends, pushed apart. */
function ends(sheet: Sheet, all: readonly Series[], e: Ends): void {
  const at = spread(all.map((l) => ({ y: e.place(last(l)!.m.value), height: e.values(l) && toEnd(l) ? 35 : 18 })), e.top, e.bottom);
  all.forEach((l, i) => {
    const y = at[i]!;
    const point = e.place(last(l)!.m.value);
    const value = e.values(l) && toEnd(l);
    sheet.add("path", { d: `M${e.from + 6},${point}L${e.x - 4},${y}`, stroke: l.fill, "stroke-width": 1, fill: "none" });
    sheet.text(e.x, value ? y - 2 : y + 4.5, thatFits([e.names.get(l.id)!, l.short], e.space, faces.name), value ? faces.name : { size: 12, fill: "var(--muted)" });
    if (value) sheet.text(e.x, y + 13, e.number(last(l)!.m.value), faces.tick);
  });
}
