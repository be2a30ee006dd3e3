// Duplication: of each service's users, how many also use the others.
import type { DuplicationRow, Measure, RankingRow, Report } from "../api";
import { clipped, element, faces, measure, Sheet, widest, withheldHeight, withheldOnly } from "../draw";
import { cellHeads, cells, limits, source, when, level, type Figure, type Scope } from "../figure";
import { shown } from "../numbers";
import { of } from "../texts";
import { ranked } from "./ranking";

export type Duplication = Report<DuplicationRow>;

export interface Matrix {
  services: string[]; // with a figure somewhere, in rank order
  hidden: string[]; // with none
  share: (a: string, b: string) => Measure | null;
}

export function matrix(r: Duplication, order: readonly string[]): Matrix {
  const shares = new Map(r.rows.map((row) => [`${row.service} ${row.other}`, row.share_of_a]));
  const all = [...new Set(r.rows.flatMap((row) => [row.service, row.other]))];
  const place = (id: string) => (order.includes(id) ? order.indexOf(id) : order.length);
  all.sort((a, b) => place(a) - place(b) || a.localeCompare(b));
  const some = new Set(r.rows.filter((row) => shown(row.share_of_a)).flatMap((row) => [row.service, row.other]));
  return { services: all.filter((id) => some.has(id)), hidden: all.filter((id) => !some.has(id)), share: (a, b) => shares.get(`${a} ${b}`) ?? null };
}

/** tint gives a percentage's step of five. */
export function tint(percent: number): number {
  return [10, 25, 50, 75].filter((edge) => percent >= edge).length + 1;
}

export function sentence(m: Matrix, s: Scope): string {
  const french = s.t.language === "fr";
  const first = m.services[0];
  if (first === undefined) return french ? "Aucune duplication n’a assez de panélistes" : "No duplication has enough panelists";
  const name = s.name(first);
  const shares = m.services.slice(1).flatMap((id) => {
    const share = m.share(first, id);
    return shown(share) ? [{ other: s.name(id), value: share.value }] : [];
  });
  if (shares.length === 0) return french ? `Ce que les utilisateurs ${of(name)} utilisent aussi` : `What else ${name} users use`;
  // Every share stands beside its service's name: two shares without names read as
  // the ends of an interval.
  const told = (x: { other: string; value: number }, i: number) => {
    const part = s.n.percent(x.value, 0);
    if (i > 0) return `${part} ${x.other}`;
    return french ? `${part} utilisent aussi ${x.other}` : `${part} also use ${x.other}`;
  };
  const most = shares.length <= 3 ? shares : [...shares].sort((a, b) => b.value - a.value).slice(0, 3);
  const each = s.n.list(most.map(told));
  return french ? `Des utilisateurs ${of(name)}, ${each}` : `Of ${name} users, ${each}`;
}

export function duplication(r: Duplication, ranking: Report<RankingRow>, data: string, s: Scope): Figure {
  const m = matrix(r, ranked(ranking).map((row) => row.service));
  const french = s.t.language === "fr";
  const { low, caution } = limits(r.meta);
  const few = m.services.slice(0, most);
  const all = few.flatMap((a) => few.map((b) => m.share(a, b)));
  const example = few.length > 1 ? m.share(few[1]!, few[0]!) : null; // of another's users, of whom the sentence doesn't tell
  const read = shown(example)
    ? french
      ? `À lire en ligne\u00a0: ${s.n.percent(example.value, 0)} des utilisateurs ${of(s.short(few[1]!))} utilisent aussi ${s.short(few[0]!)}. `
      : `Read across: ${s.n.percent(example.value, 0)} of ${s.short(few[1]!)} users also use ${s.short(few[0]!)}. `
    : "";
  const place = s.t.at[r.meta.location] ?? r.meta.location;
  return {
    id: "duplication",
    sentence: sentence(m, s),
    subtitle: `${read}${place.charAt(0).toUpperCase()}${place.slice(1)}, ${when(r.meta, s)}`,
    keys: [
      ...(all.some(shown) ? [{ mark: "none" as const, text: french ? `Petits chiffres\u00a0: intervalle à ${level(r.meta, s)}, en\u00a0%` : `Small figures: ${level(r.meta, s)} interval, in %` }] : []),
      ...(all.some((x) => shown(x) && x.status === "caution") ? [{ mark: "cell" as const, text: s.t.key.caution(low, caution) }] : []),
      ...(all.some((x) => x !== null && !shown(x)) ? [{ mark: "below" as const, text: s.t.key.below(low) }] : []),
    ],
    notes: notes(m, s),
    source: source(r.meta, s),
    data,
    table: {
      head: [s.t.service, french ? "utilise aussi" : "also use", ...cellHeads(french ? "Part" : "Share", s), ...cellHeads(french ? "Personnes" : "Persons", s).slice(0, 3), french ? "Indice" : "Index"],
      rows: r.rows.map((row) => [
        s.name(row.service), s.name(row.other), ...cells(row.share_of_a, r.meta, s, (x) => s.n.percent(x)),
        ...cells(row.duplication, r.meta, s, (x) => s.n.persons(x)).slice(0, 3), shown(row.index) ? s.n.whole(row.index.value) : "–",
      ]),
    },
    height: (width) => tall(grid(m, few.slice(0, fitting(width)), width, s), m),
    draw: (width) => draw(m, few.slice(0, fitting(width)), low, width, s),
  };
}

const most = 9;

const top = 26;

/** Grid is where the cells stand. */
interface Grid {
  rows: string[]; // their names
  left: number;
  each: number;
  step: number;
}

/** grid measures the cells: they are taller where an n needs a line of its own. */
function grid(m: Matrix, few: readonly string[], width: number, s: Scope): Grid {
  const users = (id: string, long: boolean) => {
    const name = long ? s.name(id) : s.short(id);
    return s.t.language === "fr" ? `Utilisateurs ${name}` : `${name} users`;
  };
  const space = Math.max(width * 0.26, width - few.length * 76); // for the rows' names
  const fits = (names: string[]) => widest(names, faces.name) + 12 <= space;
  const rows = [few.map((id) => users(id, true)), few.map((id) => users(id, false)), few.map(s.short)].find(fits) ?? few.map(s.short);
  const left = Math.min(widest(rows, faces.name) + 12, space);
  const each = Math.min((width - left) / few.length, 110);
  const cut = few.some((a) => few.some((b) => a !== b && smallTexts(m.share(a, b), each, s).length > 1));
  return { rows, left, each, step: cut ? 56 : 42 };
}

/** smallTexts are an interval and, where it is to be used with caution, its n: on
    one line if a cell is wide enough. */
function smallTexts(m: Measure | null, each: number, s: Scope): string[] {
  if (!shown(m)) return [];
  const range = `${s.n.digits(m.low ?? 0, 0)}–${s.n.digits(m.high ?? 0, 0)}`;
  if (m.status !== "caution" || m.n === null) return [range];
  const both = `${range} · n ${m.n}`;
  return measure(both, { size: 11 }) <= each - 11 ? [both] : [range, `n ${m.n}`];
}

/** tall gives the drawing's height; a last line counts the services that have no
    space in it. */
function tall(g: Grid, m: Matrix): number {
  if (g.rows.length === 0) return withheldHeight;
  return top + g.rows.length * g.step + (g.rows.length < m.services.length ? 22 : 2);
}

/** fitting gives how many services' columns a width has space for. */
export function fitting(width: number): number {
  return Math.min(most, Math.max(2, Math.floor((width * 0.74) / 56)));
}

function notes(m: Matrix, s: Scope): string[] {
  const out: string[] = [];
  const french = s.t.language === "fr";
  if (m.hidden.length > 0) out.push(`${s.n.some(m.hidden.map(s.name))}${french ? "\u00a0: aucune duplication publiée" : ": all withheld"}.`);
  return out;
}

function draw(m: Matrix, few: readonly string[], low: number, width: number, s: Scope): SVGSVGElement {
  const french = s.t.language === "fr";
  const g = grid(m, few, width, s);
  const { rows, left, each, step } = g;
  if (few.length === 0) return withheldOnly(width, sentence(m, s), s.t.under(low));
  const sheet = new Sheet(width, tall(g, m), sentence(m, s));
  const also = french ? "… utilisent aussi" : "… also use";
  if (measure(also, faces.tick) + 8 <= left) sheet.text(0, 14, also, faces.tick);
  const head = { ...faces.name, size: widest(few.map(s.short), faces.name) > each ? 11.5 : 13 };
  few.forEach((id, k) => sheet.text(left + k * each + each / 2, 14, clipped(s.short(id), each, head), { ...head, anchor: "middle" }));
  if (few.length < m.services.length) sheet.text(0, top + few.length * step + 16, s.t.more(m.services.length - few.length), faces.tick);
  few.forEach((a, i) => {
    const y = top + i * step;
    sheet.text(left - 12, y + step / 2 + 3, clipped(rows[i]!, left - 12, faces.name), { ...faces.name, anchor: "end" });
    few.forEach((b, k) => cell(sheet, a === b ? null : m.share(a, b), a === b, low, { x: left + k * each, y, width: each, height: step }, s));
  });
  return sheet.svg;
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** cell draws one pair: a tint and its figure, or hatching. */
function cell(sheet: Sheet, m: Measure | null, self: boolean, low: number, b: Box, s: Scope): void {
  const [x, y, w, h] = [b.x + 1.5, b.y + 1.5, b.width - 3, b.height - 3];
  const middle = b.x + b.width / 2;
  if (self || m === null) {
    sheet.text(middle, b.y + b.height / 2 + 4, "–", { ...faces.tick, anchor: "middle" });
    return;
  }
  if (!shown(m)) {
    sheet.hatch(x, y, w, h);
    const text = m.status === "undefined" ? "–" : s.t.underShort(low);
    const long = measure(text, faces.withheld);
    sheet.add("rect", { x: middle - long / 2 - 4, y: b.y + b.height / 2 - 9, width: long + 8, height: 17, rx: 3, fill: "var(--bg)" });
    sheet.text(middle, b.y + b.height / 2 + 4, text, { ...faces.withheld, anchor: "middle" });
    return;
  }
  const t = tint(m.value);
  const ink = t >= 4 ? "var(--t-strong)" : "var(--t-light)";
  sheet.add("rect", { x, y, width: w, height: h, fill: `var(--t${t})` });
  if (m.status === "caution") sheet.add("rect", { x: x + 1.5, y: y + 1.5, width: w - 3, height: h - 3, fill: "none", stroke: ink, "stroke-width": 1.5, "stroke-dasharray": "3 2" });
  const lines = smallTexts(m, b.width, s);
  const y0 = b.y + (b.height - 14 * (lines.length + 1)) / 2;
  sheet.text(middle, y0 + 11.5, s.n.percent(m.value, 0), { ...faces.value, anchor: "middle", fill: ink });
  lines.forEach((text, i) => sheet.svg.append(small(middle, y0 + 26 + i * 13, text, ink)));
}

function small(x: number, y: number, text: string, fill: string): SVGTextElement {
  const e = element("text", { x, y, "font-size": 11, "text-anchor": "middle", fill });
  e.textContent = text;
  return e;
}
