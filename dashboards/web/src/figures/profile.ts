// Profile: in which groups a service's reach is above or below its average.
import type { Measure, ProfileRow, RankingRow, Report } from "../api";
import { axisX, clipped, element, estimate, faces, layer, measure, plot, Sheet, thatFits, tip, widest, withheldHeight, withheldOnly } from "../draw";
import { cellHeads, cells, intervalKeys, limits, source, when, type Figure, type Scope } from "../figure";
import { shown } from "../numbers";
import { of, whose } from "../texts";
import { ranked } from "./ranking";

export type Profile = Report<ProfileRow>;

export interface Group {
  column: string;
  category: string;
  target: string;
}

/** groups reads the rows' targets, age=15-24, in their order. */
export function groups(r: Profile): Group[] {
  const seen = new Map<string, Group>();
  for (const row of r.rows) {
    const cut = row.target.indexOf("=");
    if (!seen.has(row.target)) seen.set(row.target, { target: row.target, column: row.target.slice(0, Math.max(cut, 0)), category: row.target.slice(cut + 1).replaceAll('"', "") });
  }
  const columns = [...new Set([...seen.values()].map((g) => g.column))];
  return columns.flatMap((c) => [...seen.values()].filter((g) => g.column === c));
}

const words = {
  en: { sex: "Sex", age: "Age", region: "Region", F: "Women", M: "Men" } as Record<string, string>,
  fr: { sex: "Sexe", age: "Âge", region: "Région", F: "Femmes", M: "Hommes" } as Record<string, string>,
};

/** categoryText gives a category as it is read: Women, 15–24, 50 and over. */
export function categoryText(g: Group, french: boolean): string {
  const of = french ? words.fr : words.en;
  if (g.column === "sex") return of[g.category] ?? g.category;
  const over = /^(\d+)\+$/.exec(g.category);
  if (over !== null) return french ? `${over[1]} et plus` : `${over[1]} and over`;
  return g.category.replace(/^(\d+)-(\d+)$/, "$1–$2").replace(/^Ile-/, "Île-");
}

function columnText(column: string, french: boolean): string {
  const of = (french ? words.fr : words.en)[column];
  return of ?? column.charAt(0).toUpperCase() + column.slice(1).replaceAll("_", " ");
}

/** groupNoun gives a category within a sentence: women, people of 15–24. */
export function groupNoun(g: Group, french: boolean): string {
  const text = categoryText(g, french);
  if (g.column === "sex") return text.toLowerCase();
  if (g.column === "age") return french ? `${text} ans` : /\d$/.test(text) ? `${text}s` : `people of ${text}`;
  return french ? `personnes «\u00a0${text}\u00a0»` : `people of ${text}`;
}

/** differs says whether the index's interval leaves 100 out. */
export function differs(m: Measure | null | undefined): boolean {
  return shown(m) && ((m.low ?? 100) > 100 || (m.high ?? 100) < 100);
}

function index(r: Profile, service: string, target: string): Measure | null {
  return r.rows.find((row) => row.service === service && row.target === target)?.index ?? null;
}

/** farthest gives the group that a service reaches most above its average, beyond
    chance; where there is none, the one most below. */
export function farthest(r: Profile, service: string): { group: Group; index: number } | undefined {
  const sure = groups(r).flatMap((group) => {
    const m = index(r, service, group.target);
    return shown(m) && m.status === "ok" && differs(m) ? [{ group, index: m.value }] : [];
  });
  sure.sort((a, b) => b.index - a.index);
  const [most, least] = [sure[0], sure.at(-1)];
  return most !== undefined && most.index > 100 ? most : least;
}

export function sentence(r: Profile, service: string | undefined, s: Scope): string {
  const french = s.t.language === "fr";
  if (service === undefined) return french ? "Profil des utilisateurs" : "Profile of the users";
  const name = s.name(service);
  const best = farthest(r, service);
  if (best === undefined) return french ? `La couverture de ${name} ne varie pas sûrement d’un groupe à l’autre` : `${whose(name)} reach does not surely differ between groups`;
  const x = s.n.digits(best.index / 100, 1);
  const g = groupNoun(best.group, french);
  if (!french) return `${whose(name)} reach among ${g} is ${x} times its average`;
  return `La couverture ${of(name)} parmi les ${g} est ${x} fois la moyenne`;
}

/** chosen gives the services whose panels are drawn. */
export function chosen(asked: readonly string[], order: readonly string[], count: number): string[] {
  const known = asked.filter((id) => order.includes(id));
  return (known.length > 0 ? known : [...order]).slice(0, count);
}

export function profile(r: Profile, ranking: Report<RankingRow>, data: string, s: Scope): Figure {
  const french = s.t.language === "fr";
  const order = ranked(ranking).map((row) => row.service);
  const all = groups(r);
  const first = chosen(s.address.services, order, 1)[0];
  const rows = layoutRows(all);
  const drawn = chosen(s.address.services, order, 4);
  return {
    id: "profile",
    sentence: sentence(r, first, s),
    subtitle: french
      ? `Indice de couverture de chaque groupe (100 = la couverture du service parmi tous les internautes), ${when(r.meta, s)}. En gras\u00a0: diffère de 100 au-delà du hasard`
      : `Index of reach in each group (100 = the service’s reach among all people online), ${when(r.meta, s)}. Bold: differs from 100 beyond chance`,
    keys: intervalKeys(drawn.flatMap((id) => all.map((g) => index(r, id, g.target))), r.meta, s),
    notes: order.length > drawn.length ? [s.t.inTable(s.n.some(order.filter((id) => !drawn.includes(id)).map(s.name)))] : [],
    source: source(r.meta, s),
    data,
    table: {
      head: [s.t.service, french ? "Groupe" : "Group", ...cellHeads(french ? "Indice" : "Index", s), ...cellHeads(s.t.visitors, s).slice(0, 3)],
      rows: r.rows.map((row) => {
        const g = all.find((x) => x.target === row.target)!;
        return [s.name(row.service), `${columnText(g.column, french)}${s.t.colon}${categoryText(g, french)}`, ...cells(row.index, r.meta, s, (x) => s.n.whole(x)), ...cells(row.unique_audience, r.meta, s, (x) => s.n.persons(x)).slice(0, 3)];
      }),
    },
    height: (width) => drawn.length === 0 ? withheldHeight : head + rows.height + 28 + (count(width) < drawn.length ? lacking : 0),
    draw: (width) => draw(r, rows, drawn.slice(0, count(width)), drawn.slice(count(width)), width, s),
  };
}

/** count gives how many services' panels fit beside each other. */
export function count(width: number): number {
  return width >= 900 ? 4 : width >= 660 ? 2 : 1;
}

const head = 24;
const step = 25;
const lacking = 22; // the line that names the services with no space

interface Rows {
  at: { group: Group; y: number }[];
  heads: { column: string; y: number }[];
  height: number;
}

function layoutRows(all: readonly Group[]): Rows {
  const rows: Rows = { at: [], heads: [], height: 0 };
  let y = 0;
  let column: string | undefined;
  for (const group of all) {
    if (group.column !== column) {
      y += column === undefined ? 2 : 8;
      rows.heads.push({ column: group.column, y: y + step / 2 });
      column = group.column;
      y += step;
    }
    rows.at.push({ group, y: y + step / 2 });
    y += step;
  }
  rows.height = y + 4;
  return rows;
}

function draw(r: Profile, rows: Rows, services: readonly string[], without: readonly string[], width: number, s: Scope): SVGSVGElement {
  const french = s.t.language === "fr";
  const low = limits(r.meta).low;
  if (services.length === 0) return withheldOnly(width, sentence(r, undefined, s), s.t.under(low));
  const tall = head + rows.height + 28;
  const sheet = new Sheet(width, tall + (without.length > 0 ? lacking : 0), sentence(r, services[0], s));
  const names = rows.at.map((row) => categoryText(row.group, french));
  const left = Math.min(widest(names, faces.head), width * 0.34) + 16;
  const gap = 20;
  const each = (width - left + gap) / Math.max(1, services.length) - gap;
  const space = Math.max(measure("888", faces.value), measure(s.t.underShort(low), faces.withheld)) + 14;
  const measures = services.flatMap((id) => rows.at.map((row) => index(r, id, row.group.target)));
  const greatest = Math.max(200, ...measures.map((m) => (shown(m) ? Math.min(m.high ?? m.value, 400) : 0)));
  const max = Math.ceil(greatest / 100) * 100; // the last tick
  for (const h of rows.heads) {
    sheet.text(0, head + h.y + 4.5, columnText(h.column, french), faces.name);
    sheet.line(0, head + h.y + step / 2 - 1, width, head + h.y + step / 2 - 1, "var(--grid)");
  }
  rows.at.forEach((row, i) => sheet.text(0, head + row.y + 4.5, clipped(names[i]!, left - 8, faces.head), { size: 13 }));
  services.forEach((id, k) => {
    const x = left + k * (each + gap);
    sheet.text(x, 14, thatFits([s.name(id), s.short(id)], each, faces.name), faces.name);
    sheet.place(panel(r, rows, id, { width: each, space, max }, s), x, head);
    for (const row of rows.at) said(sheet, index(r, id, row.group.target), { x, right: x + each, y: head + row.y }, low, s);
  });
  if (without.length > 0) {
    const named = s.t.inTable(s.n.list(without.map(s.short)));
    sheet.text(0, tall + 15, measure(named, faces.tick) <= width ? named : s.t.more(without.length), faces.tick);
  }
  return sheet.svg;
}

function said(sheet: Sheet, m: Measure | null, at: { x: number; right: number; y: number }, low: number, s: Scope): void {
  if (shown(m)) {
    sheet.text(at.right, at.y + 4.5, s.n.whole(m.value), differs(m) ? { size: 13, weight: 700, anchor: "end" } : { ...faces.tick, anchor: "end" });
    return;
  }
  if (m !== null) sheet.swatch(at.x, at.y);
  sheet.text(at.right, at.y + 4, m === null || m.status === "undefined" ? "–" : s.t.underShort(low), { ...faces.withheld, anchor: "end" });
}

function panel(r: Profile, rows: Rows, service: string, o: { width: number; space: number; max: number }, s: Scope): SVGSVGElement {
  const french = s.t.language === "fr";
  const data = rows.at.flatMap((row) => {
    const m = index(r, service, row.group.target);
    return shown(m) ? [{ ...row, m }] : [];
  });
  const values = [0, 100, 200, 300, 400].filter((v) => v <= o.max);
  return plot({
    width: o.width, height: rows.height + 28, marginLeft: 0, marginRight: o.space, marginTop: 0, marginBottom: 28,
    x: { domain: [0, o.max] }, y: { type: "identity" } as never,
    marks: [
      ...axisX({ values, text: (v) => String(v) }, o.width - o.space),
      layer((at, into) => {
        into.append(element("line", { x1: at.x(100), x2: at.x(100), y1: 0, y2: rows.height, stroke: "var(--axis)", "stroke-width": 1.5 }));
        for (const d of data) {
          const cut = (v: number) => at.x(Math.min(Math.max(v, 0), o.max));
          into.append(estimate({ x: cut(d.m.value), low: cut(d.m.low ?? d.m.value), high: cut(d.m.high ?? d.m.value) }, d.y, s.colour(service).fill, d.m.status === "caution"));
        }
      }),
      tip(data, {
        x: (d) => Math.min(d.m.value, o.max),
        y: (d) => d.y,
        text: (d) => `${s.name(service)}, ${categoryText(d.group, french)}\n${s.n.whole(d.m.value)} (${s.n.whole(d.m.low ?? 0)}–${s.n.whole(d.m.high ?? 0)})\nn ${s.n.whole(d.m.n ?? 0)}`,
      }),
    ],
  });
}
