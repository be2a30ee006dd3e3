// What every figure is: a sentence, a drawing, its keys, its table and the
// address of its data. Each file of figures/ makes one.
import type { Address } from "./address";
import type { Measure, Meta } from "./api";
import type { Colour } from "./colours";
import { monthsBefore, type Numbers } from "./numbers";
import type { Texts } from "./texts";

export type KeyMark = "interval" | "caution" | "below" | "compared" | "tied" | "change" | "maybe" | "cell" | "hollow" | "none";

/** Key explains a mark under a figure. */
export interface Key {
  mark: KeyMark;
  text: string;
}

export interface Table {
  head: string[];
  rows: string[][];
}

export interface Figure {
  id: string;
  sentence: string;
  subtitle: string;
  keys: Key[];
  notes: string[];
  source: string;
  data: string; // the address of its CSV
  file?: () => string; // the CSV itself, of a figure that several reports make
  table: Table;
  height: (width: number) => number; // before it is drawn
  draw: (width: number) => SVGSVGElement;
}

/** Scope is what a figure is told beside its report. */
export interface Scope {
  t: Texts;
  n: Numbers;
  address: Address;
  market: string; // its name
  name: (service: string) => string;
  short: (service: string) => string;
  segment: (segment: string) => string; // its name, or its id where it has none
  colour: (service: string) => Colour;
}

/** limits gives the persons under which a figure is withheld, and flagged. */
export function limits(meta: Meta): { low: number; caution: number } {
  return { low: meta.thresholds?.low ?? 30, caution: meta.thresholds?.caution ?? 60 };
}

/** why says in words what a figure that isn't shown is. */
export function why(m: Measure | null | undefined, meta: Meta, s: Scope): string {
  if (m == null) return "–";
  if (m.status === "undefined") return s.t.undefinedFigure;
  return s.t.under(limits(meta).low);
}

export function source(meta: Meta, s: Scope, period?: string): string {
  const version = s.t.versionText(meta.version, s.t.statuses[meta.status ?? ""] ?? meta.status ?? "");
  const text = s.t.panelSource(meta.panel ?? "", s.market, period ?? (meta.pool ? `${s.n.monthShort(monthOf(meta))} (${s.t.pooled(meta.pool).toLowerCase()})` : s.n.monthShort(monthOf(meta))), version);
  return [text, calibratedTo(meta, s), meta.simulated ? s.t.simulatedDot : ""].filter((x) => x !== "").join(" ");
}

/** calibratedTo says to which services' own census the panel is calibrated; "": to none. */
export function calibratedTo(meta: Meta, s: Scope): string {
  const names = [...new Set((meta.calibrated ?? []).map((c) => s.name(c.service)))];
  return names.length === 0 ? "" : s.t.calibratedDot(names.join(", "));
}

/** intervalKeys are the keys of dots with intervals that the measures need. */
export function intervalKeys(measures: readonly (Measure | null | undefined)[], meta: Meta, s: Scope): Key[] {
  const { low, caution } = limits(meta);
  const keys: Key[] = [];
  const has = (status: (m: Measure) => boolean) => measures.some((m) => m != null && status(m));
  if (has((m) => m.status === "ok")) keys.push({ mark: "interval", text: s.t.key.interval(level(meta, s)) });
  if (has((m) => m.status === "caution")) keys.push({ mark: "caution", text: s.t.key.caution(low, caution) });
  if (has((m) => m.status === "below")) keys.push({ mark: "below", text: s.t.key.below(low) });
  return keys;
}

export function level(meta: Meta, s: Scope): string {
  const percent = 100 * (meta.confidence ?? 0.95);
  return s.n.percent(percent, Number.isInteger(percent) ? 0 : 1);
}

/** cells gives a measure's four cells of a table. */
export function cells(m: Measure | null | undefined, meta: Meta, s: Scope, number: (x: number) => string): string[] {
  if (m == null) return ["–", "", "", ""];
  if (m.value === null) return [why(m, meta, s), "", "", ""];
  return [number(m.value), m.low === null ? "" : number(m.low), m.high === null ? "" : number(m.high), m.n === null ? "" : s.n.whole(m.n)];
}

export function cellHeads(name: string, s: Scope): string[] {
  return [name, `${name}, ${s.t.low}`, `${name}, ${s.t.high}`, `${name}, ${s.t.persons}`];
}

/** csvText writes measures under their dimensions as the API's CSV does. */
export function csvText(dimensions: readonly string[], measure: string, rows: readonly { of: readonly string[]; m: Measure | null }[]): string {
  const cell = (x: string) => (/[",\r\n]/.test(x) ? `"${x.replaceAll('"', '""')}"` : x);
  const number = (x: number | null | undefined) => (x == null ? "" : String(x));
  const head = [...dimensions, measure, ...["se", "low", "high", "n", "status"].map((x) => `${measure}_${x}`)];
  const lines = rows.map(({ of, m }) => [...of.map(cell), number(m?.value), number(m?.se), number(m?.low), number(m?.high), number(m?.n), m?.status ?? ""]);
  return [head, ...lines].map((l) => `${l.join(",")}\r\n`).join("");
}

/** monthOf gives a report's month, the last of several. */
export function monthOf(meta: Meta): string {
  return meta.month ?? meta.to?.slice(0, 7) ?? "";
}

/** when gives the month or the pooled months in words. */
export function when(meta: Meta, s: Scope): string {
  const month = s.n.month(monthOf(meta));
  return meta.pool ? `${s.n.month(monthsBefore(monthOf(meta), meta.pool - 1))} – ${month} (${s.t.pooled(meta.pool).toLowerCase()})` : month;
}
