// Combinations: who uses exactly which services, an UpSet lying down.
import type { CombinationRow, RankingRow, Report } from "../api";
import { axisX, clipped, estimate, faces, isCaution, layer, measure, plot, scale, Sheet, tip, withheldHeight, withheldOnly } from "../draw";
import { cellHeads, cells, intervalKeys, limits, source, when, type Figure, type Scope } from "../figure";
import { shown, type Shown } from "../numbers";
import { of, whose } from "../texts";
import { ranked } from "./ranking";

export type Combinations = Report<CombinationRow>;

type Told = CombinationRow & { unique_audience: Shown };

/** told gives the combinations that have a figure, the largest first. */
export function told(r: Combinations): Told[] {
  return r.rows.filter((row): row is Told => shown(row.unique_audience)).sort((a, b) => b.unique_audience.value - a.unique_audience.value);
}

export function hidden(r: Combinations): number {
  return r.rows.filter((row) => !shown(row.unique_audience)).length;
}

export function sentence(r: Combinations, ranking: Report<RankingRow>, s: Scope): string {
  const french = s.t.language === "fr";
  const first = ranked(ranking)[0];
  if (first === undefined) return french ? "Combinaisons de services" : "Combinations of services";
  const name = s.name(first.service);
  if (shown(first.loyalty)) {
    const x = s.n.percent(first.loyalty.value, 0);
    return french ? `${x} des utilisateurs ${of(name)} n’utilisent aucun autre service` : `${x} of ${whose(name)} users use no other service`;
  }
  const alone = told(r).find((row) => row.services.length === 1);
  if (alone === undefined) return french ? "Combinaisons de services" : "Combinations of services";
  const v = s.n.persons(alone.unique_audience.value);
  return french ? `${v} personnes n’utilisent que ${s.name(alone.services[0]!)}` : `${v} people use ${s.name(alone.services[0]!)} and no other service`;
}

const most = 12;

export function combinations(r: Combinations, ranking: Report<RankingRow>, data: string, s: Scope): Figure {
  const french = s.t.language === "fr";
  const all = told(r);
  const rows = all.slice(0, most);
  const order = ranked(ranking).map((row) => row.service);
  const used = new Set(rows.flatMap((row) => row.services));
  const services = [...order, ...[...used].filter((id) => !order.includes(id))].slice(0, 8);
  const place = s.t.at[r.meta.location] ?? r.meta.location;
  const count = hidden(r);
  return {
    id: "combinations",
    sentence: sentence(r, ranking, s),
    subtitle: french ? `Personnes qui ont utilisé exactement ces services, ${place}, ${when(r.meta, s)}` : `People who used exactly these services, ${place}, ${when(r.meta, s)}`,
    keys: intervalKeys(r.rows.map((row) => row.unique_audience), r.meta, s),
    notes: all.length > rows.length ? [s.t.more(all.length - rows.length)] : [],
    source: source(r.meta, s),
    data,
    table: {
      head: [french ? "Exactement ces services" : "Exactly these services", ...cellHeads(s.t.visitors, s)],
      rows: r.rows.map((row) => [s.n.list(row.services.map(s.name)), ...cells(row.unique_audience, r.meta, s, (x) => s.n.persons(x))]),
    },
    height: () => (rows.length === 0 ? withheldHeight : top + rows.length * step + (count > 0 ? step : 0) + 28),
    draw: (width) => draw({ rows, services, count, low: limits(r.meta).low, label: sentence(r, ranking, s) }, width, s),
  };
}

const top = 30;
const step = 32;

interface Drawn {
  rows: Told[];
  services: string[];
  count: number;
  low: number;
  label: string;
}

function draw(d: Drawn, width: number, s: Scope): SVGSVGElement {
  if (d.rows.length === 0) return withheldOnly(width, d.label, countText(d, width - 24, s));
  const tall = d.rows.length * step;
  const names = d.services.map(s.short);
  const space = (width * 0.52) / Math.max(1, d.services.length);
  const long = Math.max(40, ...names.map((n) => measure(n, faces.name) + 14));
  const slant = long > space;
  const each = slant ? Math.min(30, space) : long;
  const head = top + (slant ? 24 : 0);
  const sheet = new Sheet(width, head + tall + (d.count > 0 ? step : 0) + 28, d.label);
  const left = Math.max(each * d.services.length, 8);
  const columnX = (k: number) => each * (k + 0.5);
  names.forEach((name, k) => {
    const t = sheet.text(columnX(k), head - 12, clipped(name, slant ? 70 : each, faces.name), { ...faces.name, anchor: slant ? "start" : "middle" });
    if (slant) t.setAttribute("transform", `rotate(-40 ${columnX(k)} ${head - 12})`);
  });
  d.rows.forEach((row, i) => stripe(sheet, row, i, { y: head + i * step, left, columnX }, d, s));
  const texts = d.rows.map((row) => valueText(row, s));
  const said = Math.max(40, ...texts.map(([v, n]) => measure(v, faces.value) + (n ? measure(n, faces.range) + 6 : 0))) + 14;
  const x = left + 16;
  const across = width - x;
  const { domain, ticks } = scale(Math.max(0, ...d.rows.map((row) => row.unique_audience.high ?? row.unique_audience.value)), Math.max(1, (across - said) / 62), (v) => s.n.short(v));
  sheet.place(panel(d, { width: across, space: said, domain, ticks, tall }, s), x, head);
  d.rows.forEach((row, i) => {
    const m = row.unique_audience;
    const at = (v: number) => x + (v / domain[1]) * (across - said);
    const long = at(m.high ?? m.value) - at(m.low ?? m.value);
    const from = (long < 8 ? at(m.value) + 5 : at(m.high ?? m.value)) + 8;
    const y = head + i * step + step / 2 + 4.5;
    sheet.text(from, y, texts[i]![0], faces.value);
    if (texts[i]![1]) sheet.text(from + measure(texts[i]![0], faces.value) + 6, y, texts[i]![1], faces.range);
  });
  if (d.count > 0) withheldRow(sheet, d, head + tall, width, s);
  return sheet.svg;
}

function valueText(row: Told, s: Scope): [string, string] {
  const m = row.unique_audience;
  return [s.n.persons(m.value), isCaution(m) && m.n !== null ? `n ${m.n}` : ""];
}

/** stripe draws which services a row is of: dots, joined. */
function stripe(sheet: Sheet, row: Told, i: number, at: { y: number; left: number; columnX: (k: number) => number }, d: Drawn, s: Scope): void {
  if (i % 2 === 0) sheet.add("rect", { x: 0, y: at.y, width: at.left, height: step, fill: "var(--soft)" });
  const y = at.y + step / 2;
  const on = d.services.map((id, k) => (row.services.includes(id) ? k : -1)).filter((k) => k >= 0);
  d.services.forEach((_, k) => {
    if (!on.includes(k)) sheet.add("circle", { cx: at.columnX(k), cy: y, r: 3.2, fill: "var(--hatch)" });
  });
  if (on.length > 1) sheet.line(at.columnX(on[0]!), y, at.columnX(on.at(-1)!), y, "var(--ink)", { "stroke-width": 2 });
  for (const k of on) sheet.add("circle", { cx: at.columnX(k), cy: y, r: 5.5, fill: s.colour(d.services[k]!).fill });
}

function panel(d: Drawn, o: { width: number; space: number; domain: [number, number]; ticks: { values: number[]; text: (v: number) => string }; tall: number }, s: Scope): SVGSVGElement {
  const extra = d.count > 0 ? step : 0;
  return plot({
    width: o.width, height: o.tall + extra + 28, marginLeft: 0, marginRight: o.space, marginTop: 0, marginBottom: 28,
    x: { domain: o.domain }, y: { type: "identity" } as never,
    marks: [
      ...axisX(o.ticks, o.width - o.space),
      layer((at, into) => {
        d.rows.forEach((row, i) => {
          const m = row.unique_audience;
          into.append(estimate({ x: at.x(m.value), low: at.x(m.low ?? m.value), high: at.x(m.high ?? m.value) }, i * step + step / 2, "var(--ink)", m.status === "caution"));
        });
      }),
      tip(d.rows.map((row, i) => ({ row, i })), {
        x: (e) => e.row.unique_audience.value,
        y: (e) => e.i * step + step / 2,
        text: (e) => `${s.n.list(e.row.services.map(s.name))}\n${s.n.persons(e.row.unique_audience.value)} (${s.n.range(e.row.unique_audience)})\nn ${s.n.whole(e.row.unique_audience.n ?? 0)}`,
      }),
    ],
  });
}

/** withheldRow counts the combinations that have no figure. */
function withheldRow(sheet: Sheet, d: Drawn, y: number, width: number, s: Scope): void {
  sheet.add("rect", { x: 0, y: y + 2, width, height: step - 4, fill: "var(--bg)" });
  sheet.swatch(4, y + step / 2);
  sheet.text(28, y + step / 2 + 4, countText(d, width - 32, s), faces.withheld);
}

/** countText says how many combinations have no figure, in words that fit. */
function countText(d: Drawn, space: number, s: Scope): string {
  const french = s.t.language === "fr";
  const below = s.t.under(d.low);
  if (d.count === 0) return below;
  const more = d.rows.length > 0;
  const long = french ? `${d.count} ${more ? `autre${d.count > 1 ? "s" : ""} ` : ""}combinaison${d.count > 1 ? "s, chacune" : ""} à ${below}` : `${d.count} ${more ? "more " : ""}combination${d.count > 1 ? "s, each" : ""} ${below}`;
  const short = french ? `${d.count} ${more ? "autres" : "combinaisons"}\u00a0: ${below}` : `${d.count} ${more ? "more" : "combinations"}: ${below} each`;
  return measure(long, faces.withheld) < space ? long : short;
}
