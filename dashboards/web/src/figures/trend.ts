// The trend: every service's audience, month by month.
import type { Measure, Meta, Publication, Report, TrendRow } from "../api";
import { measure, Sheet, withheldHeight, withheldOnly, wrap, type Ticks } from "../draw";
import { cellHeads, cells, limits, source, level, type Figure, type Key, type Scope } from "../figure";
import { enlarged, last, lines, shared, splits, under, unnamed, type Ground, type Series } from "../lines";
import { monthsBefore, shown, type Shown } from "../numbers";
import { significant } from "./ranking";

export type Trend = Report<TrendRow>;

export function monthsOf(r: Trend): string[] {
  return [...new Set(r.rows.map((row) => row.month))].sort();
}

/** calibrated gives the months whose panel is calibrated to a census: they can't be
    compared with the others. */
export function calibrated(r: Trend): string[] {
  return monthsOf(r).filter((m) => r.rows.some((row) => row.month === m && row.calibrated));
}

/** overlap says whether two intervals have a value in common. */
export function overlap(a: Measure, b: Measure): boolean {
  if (a.low === null || a.high === null || b.low === null || b.high === null) return true;
  return a.low <= b.high && b.low <= a.high;
}

/** differs says whether a service's figures of two months differ beyond chance:
    of neighbours by the test of the change, as the ranking has it; of others where
    their intervals do not overlap. It is undefined where nothing tells. */
function differs(a: TrendRow, b: TrendRow): boolean | undefined {
  if (monthsBefore(b.month, 1) === a.month) return shown(b.change) ? significant({ change: b.change, significant: null }) : undefined;
  return overlap(a.unique_audience, b.unique_audience) ? undefined : true;
}

/** leader gives the service with the largest audience in the last month. */
export function leader(r: Trend): string | undefined {
  const end = monthsOf(r).at(-1);
  const rows = r.rows.filter((row) => row.month === end && row.service !== "any" && shown(row.unique_audience));
  return rows.sort((a, b) => b.unique_audience.value! - a.unique_audience.value!)[0]?.service;
}

export function sentence(r: Trend, s: Scope): string {
  const french = s.t.language === "fr";
  const first = leader(r);
  if (first === undefined) return french ? `Aucun service n’a assez de panélistes en ${s.n.month(monthsOf(r).at(-1) ?? "")}` : `No service has enough panelists in ${s.n.month(monthsOf(r).at(-1) ?? "")}`;
  const apart = calibrated(r);
  const like = (month: string) => apart.includes(month) === apart.includes(monthsOf(r).at(-1)!);
  const shownRows = r.rows.filter((row): row is TrendRow & { unique_audience: Shown } => row.service === first && like(row.month) && shown(row.unique_audience));
  const [a, b] = [shownRows[0]!, shownRows.at(-1)!];
  const name = s.name(first);
  const v = (row: typeof a) => s.n.persons(row.unique_audience.value);
  if (a.month === b.month) return french ? `${name}\u00a0: ${v(b)} visiteurs en ${s.n.month(b.month)}` : `${name} had ${v(b)} visitors in ${s.n.month(b.month)}`;
  const [m0, m1] = [s.n.month(a.month), s.n.month(b.month)];
  const sure = differs(a, b);
  if (sure !== true) {
    if (v(a) === v(b)) return french ? `${name}\u00a0: ${v(b)} en ${m0} comme en ${m1}` : `${name} stood at ${v(b)} in ${m0} as in ${m1}`;
    if (sure === undefined) return french ? `${name}\u00a0: ${v(a)} en ${m0}, ${v(b)} en ${m1}` : `${name}: ${v(a)} in ${m0}, ${v(b)} in ${m1}`;
    return french ? `${name}\u00a0: ${v(a)} en ${m0}, ${v(b)} en ${m1}, sans écart sûr` : `${name} stood at ${v(a)} in ${m0} and ${v(b)} in ${m1}`;
  }
  if (french) return `${name} passe de ${v(a)} en ${m0} à ${v(b)} en ${m1}`;
  return `${name} ${b.unique_audience.value > a.unique_audience.value ? "rose" : "fell"} from ${v(a)} in ${m0} to ${v(b)} in ${m1}`;
}

function at(month: string): number {
  return Date.parse(`${month}-01T00:00:00Z`);
}

/** seriesOf gives a line a service, in the order of the last month's size, `any` first. */
export function seriesOf(r: Trend, s: Scope): Series[] {
  const months = monthsOf(r);
  const ids = [...new Set(r.rows.map((row) => row.service))];
  const apart = calibrated(r);
  const anew = (i: number) => i > 0 && apart.includes(months[i]!) !== apart.includes(months[i - 1]!);
  const of = new Map(r.rows.map((row) => [`${row.month} ${row.service}`, row.unique_audience]));
  return ids.map((id) => ({
    id,
    name: id === "any" ? s.t.anyShort : s.name(id),
    short: id === "any" ? s.t.anyShort : s.short(id),
    fill: s.colour(id).fill,
    dash: s.colour(id).dash,
    points: months.map((m, i) => ({ x: at(m), m: of.get(`${m} ${id}`) ?? null, anew: anew(i), said: s.n.month(m) })),
  }));
}

/** monthTicks gives the months under the axis: Januaries alone over 24 months, as
    many as have space, else about one in three. */
export function monthTicks(months: readonly string[], width: number, s: Scope): Ticks {
  const space = width / Math.max(1, months.length);
  if (months.length > 24) {
    const years = Math.max(1, Math.ceil(44 / (12 * space)));
    const januaries = months.filter((m) => m.endsWith("-01") && Number(m.slice(0, 4)) % years === 0);
    return { values: januaries.map(at), text: (v) => String(new Date(v).getUTCFullYear()) };
  }
  const every = space > 60 ? 1 : space > 20 ? 3 : 6;
  const values = months.filter((m) => (Number(m.slice(5)) - 1) % every === 0).map(at);
  return { values: values.length > 0 ? values : months.slice(-1).map(at), text: (v) => s.n.tick(new Date(v)) };
}

export function trend(r: Trend, data: string, s: Scope): Figure {
  const months = monthsOf(r);
  const all = seriesOf(r, s);
  const french = s.t.language === "fr";
  const period = months.length > 1 ? (french ? `${s.n.month(months[0]!)} à ${s.n.month(months.at(-1)!)}` : `${s.n.month(months[0]!)} to ${s.n.month(months.at(-1)!)}`) : s.n.month(months[0] ?? "");
  const place = s.t.at[r.meta.location] ?? r.meta.location;
  const short = months.length > 1 ? `${s.n.monthShort(months[0]!)} ${french ? "à" : "to"} ${s.n.monthShort(months.at(-1)!)}` : s.n.monthShort(months[0] ?? "");
  return {
    id: "trend",
    sentence: sentence(r, s),
    subtitle: `${french ? "Visiteurs uniques par mois" : "Unique visitors by month"}, ${s.market}, ${place}, ${period}. ${french ? "Bandes\u00a0: intervalle à" : "Bands:"} ${level(r.meta, s)}${french ? "" : " interval"}`,
    keys: keys(all, r.meta, s),
    notes: [...gone(all, r.meta, s), ...mixed(r, s), ...(s.address.pool === undefined ? [] : [s.t.alone])],
    source: source(r.meta, s, short),
    data,
    table: {
      head: [s.t.month, s.t.version, s.t.service, ...cellHeads(s.t.visitors, s)],
      rows: r.rows.map((row) => [s.n.month(row.month), `${row.version ?? ""}`, row.service === "any" ? s.t.any : s.name(row.service), ...cells(row.unique_audience, r.meta, s, (x) => s.n.persons(x))]),
    },
    height: (width) => (all.some(last) ? shape(all, leader(r), width, s).height : withheldHeight),
    draw: (width) => (all.some(last) ? draw(r, all, width, s) : withheldOnly(width, sentence(r, s), s.t.under(limits(r.meta).low))),
  };
}

const title = { size: 14, weight: 600 };
const titleStep = 18;

/** Shape is how lines of one panel or two stand on a width. */
interface Shape {
  split: boolean;
  beside: boolean;
  head: number; // pixels of a title over a panel of two
  tall: number; // of a scale
  half: number; // of a panel's width
  second: string[]; // the second panel's title, line by line
  height: number;
}

/** shape of lines of which the first may hide the others. */
export function shape(all: readonly Series[], first: string | undefined, width: number, s: Scope): Shape {
  const split = splits(all);
  const beside = width >= 700;
  const head = split ? 24 : 4;
  const tall = beside ? 250 : 230;
  const half = split && beside ? (width - 40) / 2 : width;
  const second = split ? wrap(withoutLeader(enlarged(all, besides(all, first), tall), s), half, (t) => measure(t, title)) : [];
  const block = head + tall + under;
  const more = Math.max(0, second.length - 1) * titleStep;
  return { split, beside, head, tall, half, second, height: split && !beside ? 2 * block + 16 + more : block + more };
}

function keys(all: readonly Series[], meta: Meta, s: Scope): Key[] {
  const points = all.flatMap((l) => l.points.map((p) => p.m));
  const { low, caution } = limits(meta);
  return points.some((m) => shown(m) && m.status === "caution") ? [{ mark: "hollow", text: s.t.key.caution(low, caution) }] : [];
}

/** gone names the services with no line. */
function gone(all: readonly Series[], meta: Meta, s: Scope): string[] {
  const french = s.t.language === "fr";
  const below = s.t.under(limits(meta).low);
  const never = all.filter((l) => last(l) === undefined).map((l) => l.name);
  const some = all.filter((l) => last(l) !== undefined && l.points.some((p) => !shown(p.m))).map((l) => l.name);
  const out: string[] = [];
  if (never.length > 0) out.push(french ? `${s.n.some(never)}\u00a0: ${below} chaque mois, non publié.` : `${s.n.some(never)}: ${below} in every month, withheld.`);
  const grey = unnamed(all).map((l) => l.name);
  if (grey.length > 0) out.push(s.t.grey(s.n.some(grey)));
  if (some.length > 0) out.push(french ? `${s.n.some(some)}\u00a0: les mois absents sont à ${below}.` : `${s.n.some(some)}: where the line stops, ${below}.`);
  return out;
}

/** older tells of months that are not of their latest version: of the one that was
    the latest when the trend's own version was made. */
export function older(r: Trend, publications: readonly Publication[], s: Scope): string[] {
  const { market, panel } = r.meta;
  const said = monthsOf(r).flatMap((month) => {
    const own = r.rows.find((row) => row.month === month)?.version ?? 0;
    const versions = publications.filter((p) => p.market === market && p.panel === panel && p.month === month).map((p) => p.version);
    const latest = Math.max(own, ...versions);
    return latest === own ? [] : [s.t.language === "fr" ? `${s.n.month(month)} (version ${own}, non ${latest})` : `${s.n.month(month)} (version ${own}, not ${latest})`];
  });
  if (said.length === 0) return [];
  return [s.t.language === "fr" ? `Pas dans leur dernière version\u00a0: ${s.n.some(said)}.` : `Not by their latest version: ${s.n.some(said)}.`];
}

/** mixed tells of months that are calibrated beside others that are not. */
export function mixed(r: Trend, s: Scope): string[] {
  const apart = calibrated(r);
  if (apart.length === 0 || apart.length === monthsOf(r).length) return [];
  const names = s.n.some(apart.map((m) => s.n.month(m)));
  if (s.t.language === "fr") return [`Seulement ${names}\u00a0: panel calé sur un recensement. Ne pas comparer aux autres mois.`];
  return [`Calibrated to a census: ${names} alone. Do not compare with the other months.`];
}

function draw(r: Trend, all: readonly Series[], width: number, s: Scope): SVGSVGElement {
  const months = monthsOf(r);
  const domain: [number, number] = months.length > 1 ? [at(months[0]!), at(months.at(-1)!)] : [at(months[0]!) - 1, at(months[0]!) + 1];
  return panels(sentence(r, s), all, leader(r), width, (half) => ({ x: { domain, ticks: monthTicks(months, half - 200, s) } }), s);
}

/** panels draws all lines and, where the first hides the others, these again. */
export function panels(label: string, all: readonly Series[], first: string | undefined, width: number, ground: (width: number) => Pick<Ground, "x" | "shade" | "number" | "whole">, s: Scope): SVGSVGElement {
  const { split, beside, head, tall, half, second, height } = shape(all, first, width, s);
  const sheet = new Sheet(width, height, label);
  const others = besides(all, first);
  const whole: Ground = { ...ground(half), width: half, height: tall, values: (l) => !split || l.id === "any" || l.id === first, grey: unnamed(all) };
  const larger: Ground = { ...whole, values: () => true };
  const margins = split && !beside ? { margins: shared([[all, whole], [others, larger]], s) } : {};
  lines(sheet, { x: 0, y: head }, all, { ...whole, ...margins }, s);
  if (split) {
    sheet.text(0, 13, s.t.language === "fr" ? "Tous les services" : "All services", title);
    const [x0, y0] = beside ? [half + 40, 0] : [0, head + tall + under + 16];
    second.forEach((text, i) => sheet.text(x0, y0 + 13 + i * titleStep, text, title));
    lines(sheet, { x: x0, y: y0 + head + (second.length - 1) * titleStep }, others, { ...larger, ...margins }, s);
  }
  return sheet.svg;
}

/** besides gives the services' lines without the first's. */
function besides(all: readonly Series[], first: string | undefined): Series[] {
  return all.filter((l) => l.id !== "any" && l.id !== first);
}

export function withoutLeader(times: number, s: Scope): string {
  if (s.t.language === "fr") return times > 1 ? `Sans le premier, échelle agrandie ${times} fois` : "Sans le premier";
  return times > 1 ? `Without the leader, scale enlarged ${times} times` : "Without the leader";
}
