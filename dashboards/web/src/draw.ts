// Drawing: one SVG a figure, on which panels that Observable Plot makes are
// placed. Every size and colour is an attribute, so that a copy of the SVG looks
// the same outside the page.
import * as marks from "@observablehq/plot";
import { shown } from "./numbers";
import type { Measure } from "./api";

const ns = "http://www.w3.org/2000/svg";

export type Attributes = Record<string, string | number>;

export function element<K extends keyof SVGElementTagNameMap>(name: K, attributes: Attributes = {}): SVGElementTagNameMap[K] {
  const e = document.createElementNS(ns, name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, String(typeof v === "number" ? Math.round(v * 100) / 100 : v));
  return e;
}

/** How a text looks. */
export interface Face {
  size?: number;
  weight?: number;
  anchor?: "start" | "middle" | "end";
  fill?: string;
  italic?: boolean;
}

export const faces = {
  name: { size: 13, weight: 600 },
  value: { size: 13, weight: 600 },
  head: { size: 13, fill: "var(--muted)" },
  tick: { size: 12, fill: "var(--muted)" },
  range: { size: 11.5, fill: "var(--muted)" },
  withheld: { size: 12, fill: "var(--muted)", italic: true },
} satisfies Record<string, Face>;

let canvas: CanvasRenderingContext2D | null = null;
const widths = new Map<string, number>();

/** measure gives a text's width in pixels. */
export function measure(text: string, face: Face = {}): number {
  const font = `${face.italic ? "italic " : ""}${face.weight ?? 400} ${face.size ?? 13}px`;
  const name = `${font}|${text}`;
  let width = widths.get(name);
  if (width === undefined) {
    canvas ??= document.createElement("canvas").getContext("2d")!;
    canvas.font = `${font} ${getComputedStyle(document.body).fontFamily}`;
    canvas.fontKerning = "none";
    width = canvas.measureText(text).width;
    widths.set(name, width);
  }
  return width;
}

export function widest(texts: readonly string[], face: Face = {}): number {
  return texts.reduce((w, t) => Math.max(w, measure(t, face)), 0);
}

/** wrap cuts a text into lines of a width. */
export function wrap(text: string, space: number, width: (text: string) => number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length > 0 ? `${lines[lines.length - 1]!} ${word}` : word;
    if (lines.length > 0 && width(longer) <= space) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** clipped shortens a text to a width, with an ellipsis. */
export function clipped(text: string, width: number, face: Face = {}): string {
  if (measure(text, face) <= width) return text;
  let short = text;
  while (short.length > 1 && measure(`${short}…`, face) > width) short = short.slice(0, -1).trimEnd();
  return `${short}…`;
}

/** thatFits gives the first of a thing's names that a width has space for, from the
    longest to the shortest, which is shortened further where even it has none. */
export function thatFits(names: readonly string[], width: number, face: Face = {}): string {
  return names.find((n) => measure(n, face) <= width) ?? clipped(names.at(-1)!, width, face);
}

let sheets = 0;

/** A figure's SVG. */
export class Sheet {
  readonly svg: SVGSVGElement;
  private readonly hatching: string;

  constructor(
    readonly width: number,
    readonly height: number,
    label: string,
  ) {
    this.svg = element("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
    this.hatching = `hatching-${++sheets}`; // one in the page: an id that is twice in it finds the other
    const pattern = element("pattern", { id: this.hatching, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
    pattern.append(element("rect", { width: 6, height: 6, fill: "var(--bg)" }), element("rect", { width: 2.2, height: 6, fill: "var(--hatch)" }));
    const defs = element("defs");
    defs.append(pattern);
    this.svg.append(defs);
  }

  add<K extends keyof SVGElementTagNameMap>(name: K, attributes: Attributes): SVGElementTagNameMap[K] {
    const e = element(name, attributes);
    this.svg.append(e);
    return e;
  }

  /** describe adds what is heard after the label. */
  describe(text: string): void {
    const desc = element("desc");
    desc.textContent = text;
    this.svg.prepend(desc);
  }

  text(x: number, y: number, text: string, face: Face = {}): SVGTextElement {
    const e = label(x, y, text, face);
    this.svg.append(e);
    return e;
  }

  line(x1: number, y1: number, x2: number, y2: number, stroke: string, attributes: Attributes = {}): SVGLineElement {
    return this.add("line", { x1, y1, x2, y2, stroke, ...attributes });
  }

  /** hatch fills a box with the pattern of what is withheld. */
  hatch(x: number, y: number, width: number, height: number): SVGRectElement {
    return this.add("rect", { x, y, width, height, fill: `url(#${this.hatching})`, stroke: "var(--hatch)", "stroke-width": 0.5 });
  }

  /** swatch marks where a withheld figure would begin; y is the row's middle. */
  swatch(x: number, y: number): SVGRectElement {
    return this.hatch(x, y - 6, 16, 12);
  }

  place(panel: SVGSVGElement, x: number, y: number): void {
    panel.setAttribute("x", String(Math.round(x * 100) / 100));
    panel.setAttribute("y", String(Math.round(y * 100) / 100));
    this.svg.append(panel);
  }
}

/** withheldOnly is the drawing of a figure of which nothing is shown: a swatch, and
    why. */
export function withheldOnly(width: number, label: string, why: string): SVGSVGElement {
  const sheet = new Sheet(width, withheldHeight, label);
  sheet.swatch(0, withheldHeight / 2);
  sheet.text(24, withheldHeight / 2 + 4, why, faces.withheld);
  return sheet.svg;
}

export const withheldHeight = 32;

export function label(x: number, y: number, text: string, face: Face): SVGTextElement {
  const e = element("text", {
    x,
    y,
    "font-size": face.size ?? 13,
    "font-weight": face.weight ?? 400,
    "text-anchor": face.anchor ?? "start",
    fill: face.fill ?? "var(--ink)",
  });
  if (face.italic) e.setAttribute("font-style", "italic");
  e.textContent = text;
  return e;
}

/** plate writes a text over the scale's lines. */
export function plate(sheet: Sheet, x: number, y: number, text: string, face: Face): void {
  const long = measure(text, face);
  sheet.add("rect", { x: (face.anchor === "end" ? x - long : x) - 2, y: y - 12, width: long + 4, height: 16, fill: "var(--bg)" });
  sheet.text(x, y, text, face);
}

/** Where an estimate and its interval stand, in pixels. */
export interface Span {
  x: number;
  low: number;
  high: number;
}

/** sizes says how an estimate is drawn whose interval is so many pixels long. */
export function sizes(length: number): { interval: boolean; radius: number } {
  if (length < 8) return { interval: false, radius: 4.4 };
  return { interval: true, radius: length < 14 ? 2.4 : 4.4 };
}

/** estimate draws the dot and its interval, y being the row's middle. A figure
    to be used with caution has a hollow dot and a dashed line. */
export function estimate(span: Span, y: number, fill: string, caution: boolean): SVGGElement {
  const g = element("g", { stroke: fill, fill: "none", "stroke-width": 2 });
  const { interval, radius } = sizes(span.high - span.low);
  if (interval) {
    g.append(element("line", { x1: span.low, x2: span.high, y1: y, y2: y, ...(caution ? { "stroke-dasharray": "3 2" } : {}) }));
    for (const x of [span.low, span.high]) g.append(element("line", { x1: x, x2: x, y1: y - 6, y2: y + 6 }));
  }
  g.append(element("circle", { cx: span.x, cy: y, r: radius, fill: caution ? "var(--bg)" : fill, "stroke-width": caution ? (radius < 4 ? 1.5 : 2) : 0 }));
  return g;
}

type PlotOptions = marks.PlotOptions;

/** plot makes a panel without what a strict content policy or a screen reader
    stumbles over: Plot's own style element and its labels on groups. */
export function plot(options: PlotOptions): SVGSVGElement {
  const svg = marks.plot({ ...options, axis: null }) as SVGSVGElement;
  svg.querySelector("style")?.remove();
  for (const e of [svg, ...svg.querySelectorAll("*")]) {
    for (const name of e.getAttributeNames()) if (name.startsWith("aria-") || name === "font-family") e.removeAttribute(name);
  }
  svg.setAttribute("overflow", "visible");
  svg.prepend(element("rect", { width: options.width ?? 0, height: options.height ?? 0, fill: "none", "pointer-events": "all" }));
  return svg;
}

type Scales = { x: (v: unknown) => number; y: (v: unknown) => number };

/** layer is a mark that draws what it is told, where Plot's scales say. */
export function layer(draw: (at: Scales, into: SVGGElement) => void): marks.Markish {
  return ((_index: unknown, scales: unknown) => {
    const g = element("g");
    draw(scales as Scales, g);
    return g;
  }) as marks.Markish;
}

export interface Ticks {
  values: number[];
  text: (v: number) => string;
}

/** spaced gives those of a scale's ticks whose numbers have space on so many pixels:
    every one, or every second and so on, counted from the last, which is the
    scale's end. */
export function spaced(values: readonly number[], width: number, long: (v: number) => number): number[] {
  const end = values.at(-1)!;
  const at = (v: number) => (end === 0 ? 0 : (v / end) * width);
  for (let every = 1; every < values.length; every++) {
    const some = values.filter((_, i) => (values.length - 1 - i) % every === 0);
    if (some.every((v, i) => i === 0 || at(v) - at(some[i - 1]!) >= (long(v) + long(some[i - 1]!)) / 2 + 6)) return some;
  }
  return [end];
}

/** axis draws a horizontal scale's numbers and lines, on so many pixels. */
export function axisX(ticks: Ticks, width: number): marks.Markish[] {
  const told = spaced(ticks.values, width, (v) => measure(ticks.text(v), faces.tick));
  return [
    marks.gridX(ticks.values, { stroke: "var(--grid)", strokeOpacity: 1 }) as marks.Markish,
    marks.axisX(told, { tickSize: 0, tickPadding: 8, fontSize: 12, fill: "var(--muted)", label: null, tickFormat: (v: number) => ticks.text(v) }) as marks.Markish,
  ];
}

export function axisY(ticks: Ticks): marks.Markish[] {
  return [
    marks.gridY(ticks.values, { stroke: "var(--grid)", strokeOpacity: 1 }) as marks.Markish,
    marks.axisY(ticks.values, { tickSize: 0, tickPadding: 8, fontSize: 12, fill: "var(--muted)", label: null, tickFormat: (v: number) => ticks.text(v) }) as marks.Markish,
  ];
}

/** tip is what a pointer brings up. */
export function tip<T>(data: readonly T[], at: { x: (d: T) => unknown; y: (d: T) => unknown; text: (d: T) => string }): marks.Markish {
  const options = { x: at.x, y: at.y, title: at.text };
  const mark = marks.tip(data as T[], { ...marks.pointer(options as marks.TipOptions & marks.PointerOptions), className: "tip", fill: "var(--bg)", stroke: "var(--axis)", fontSize: 12, textPadding: 8 } as marks.TipOptions);
  (mark as unknown as { ariaLabel: string | undefined }).ariaLabel = undefined; // a group may have none; it comes back at each move
  return mark as marks.Markish;
}

/** strides are the steps that a scale may have, in some power of ten, and how much
    longer the scale may get before one is taken that is less usual. */
const strides: readonly [number, number][] = [[1, 0], [2, 0], [2.5, 0], [5, 0], [1.5, 0.2], [3, 0.2], [4, 0.2], [6, 0.2], [7.5, 0.25], [8, 0.2]];

/** scale gives a scale for values up to max: its last tick is its end, and at or
    above max; there are about so many steps at most, and two or more where there is
    space for two, chosen so that the end is little above max. Of what is counted one
    by one (whole) no tick lies between two numbers. */
export function scale(max: number, about: number, text: (v: number) => string, whole = false): { domain: [number, number]; ticks: Ticks } {
  if (!(max > 0)) return { domain: [0, 1], ticks: { values: [0], text } };
  const most = Math.max(1, Math.floor(about + 0.001));
  const power = 10 ** Math.floor(Math.log10(max));
  const least = whole && max <= 1 ? 1 : Math.min(2, most);
  let best = { cost: Infinity, step: 0, n: 0 };
  for (const [stride, unusual] of [power / 10, power, 10 * power].flatMap((p) => strides.map(([m, u]) => [m * p, u] as const))) {
    const n = Math.ceil(max / stride - 1e-6);
    if (n < least || n > most || (whole && !Number.isInteger(stride))) continue;
    const cost = (n * stride) / max - 1 + unusual + (0.1 * (most - n)) / most;
    if (cost < best.cost) best = { cost, step: stride, n };
  }
  const values = Array.from({ length: best.n + 1 }, (_, i) => Number((i * best.step).toPrecision(12)));
  return { domain: [0, values.at(-1)!], ticks: { values, text } };
}

/** A label beside a point: where it wants to be, and how high it is. */
export interface Label {
  y: number;
  height: number;
}

/** spread gives labels places between top and bottom that don't overlap, as near
    as can be to where they want to be, in their order. */
export function spread(labels: readonly Label[], top: number, bottom: number): number[] {
  const order = labels.map((_, i) => i).sort((a, b) => labels[a]!.y - labels[b]!.y || a - b);
  const at: number[] = new Array(labels.length).fill(0);
  let edge = top;
  for (const i of order) {
    const { y, height } = labels[i]!;
    at[i] = Math.max(y, edge + height / 2);
    edge = at[i]! + height / 2;
  }
  edge = bottom;
  for (const i of [...order].reverse()) {
    const { height } = labels[i]!;
    at[i] = Math.min(at[i]!, edge - height / 2);
    edge = at[i]! - height / 2;
  }
  return at;
}

export function isCaution(m: Measure | null | undefined): boolean {
  return shown(m) && m.status === "caution";
}
