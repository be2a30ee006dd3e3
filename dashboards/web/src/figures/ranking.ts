// The ranking: who is used by how many, and what is a tie.
import type { Measure, Meta, Publication, RankingRow, Report } from "../api";
import {
  axisX, clipped, element, estimate, faces, isCaution, layer, measure, plate, plot, scale, Sheet, thatFits, tip, widest, wrap,
} from "../draw";
import { cellHeads, cells, intervalKeys, limits, monthOf, source, when, level, type Figure, type Key, type Scope } from "../figure";
import { rounded, shown, type Shown } from "../numbers";
import { of } from "../texts";

export type Ranking = Report<RankingRow>;

/** ranked gives the services that have a figure, in rank order. */
export function ranked(r: Ranking): (RankingRow & { unique_audience: Shown })[] {
  return r.rows.filter((row): row is RankingRow & { unique_audience: Shown } => row.level === "service" && shown(row.unique_audience));
}

export function withheld(r: Ranking, s: Scope): RankingRow[] {
  const rows = r.rows.filter((row) => row.level === "service" && !shown(row.unique_audience));
  return rows.sort((a, b) => s.name(a.service).localeCompare(s.name(b.service)));
}

export function anyRow(r: Ranking): RankingRow | undefined {
  return r.rows.find((row) => row.level === "any");
}

/** ties gives the groups of services that can't be told apart, in rank order. */
export function ties(rows: readonly Pick<RankingRow, "service" | "tie_group">[]): string[][] {
  const groups = new Map<number, string[]>();
  for (const row of rows) {
    if (row.tie_group == null) continue;
    groups.set(row.tie_group, [...(groups.get(row.tie_group) ?? []), row.service]);
  }
  return [...groups.values()].filter((g) => g.length > 1);
}

/** tracks gives each bracket, from one row to another, the first track in which it
    meets no other. */
export function tracks(brackets: readonly { from: number; to: number }[]): number[] {
  const ends: number[] = [];
  return brackets.map(({ from, to }) => {
    let track = ends.findIndex((end) => end < from);
    if (track < 0) track = ends.length;
    ends[track] = to;
    return track;
  });
}

/** significant says whether a change is beyond chance. */
export function significant(row: Pick<RankingRow, "change" | "significant">): boolean {
  const c = row.change;
  if (!shown(c)) return false;
  return row.significant ?? ((c.low ?? 0) > 0 || (c.high ?? 0) < 0);
}

export function rankText(row: RankingRow): string {
  return row.rank == null ? "–" : String(row.rank);
}

/** rankRange gives 2–3 where the rank could be another. */
export function rankRange(row: RankingRow): string {
  if (row.rank_low == null || row.rank_high == null || row.rank_low === row.rank_high) return "";
  return `${row.rank_low}–${row.rank_high}`;
}

/** alone says whether a ranking is of one service, which leads nobody. */
export function alone(r: Ranking): boolean {
  return r.rows.filter((row) => row.level === "service").length === 1;
}

export function sentence(r: Ranking, s: Scope): string {
  const rows = ranked(r);
  const first = rows[0];
  const french = s.t.language === "fr";
  if (first === undefined) return french ? "Aucun service n’a assez de panélistes" : "No service has enough panelists";
  const groups = ties(rows).map((g) => g.map(s.name));
  const top = ties(rows).findIndex((g) => g.includes(first.service));
  if (top >= 0) {
    const names = s.n.list(groups[top]!);
    return french ? `${names} sont premiers ex\u00a0æquo` : `${names} are tied for first`;
  }
  const name = s.name(first.service);
  if (groups.length === 0) {
    const second = rows[1];
    if (alone(r)) return french ? `${name} est le seul service` : `${name} is the only service`;
    if (second === undefined) return french ? `${name} premier` : `${name} is first`;
    return french ? `${name} premier, devant ${s.name(second.service)}` : `${name} is first, ahead of ${s.name(second.service)}`;
  }
  const group = groups[0]!;
  if (group.length > 4) return french ? `${name} premier\u202f; ${group.length} services ne se départagent pas` : `${name} is first; ${group.length} services cannot be told apart`;
  return french ? `${name} premier\u202f; ${s.n.list(group)} ne se départagent pas` : `${name} is first; ${s.n.list(group)} cannot be told apart`;
}

/** headline is the page's first line. */
export function headline(r: Ranking, s: Scope): string {
  const rows = ranked(r);
  const first = rows[0];
  const month = when(r.meta, s);
  const french = s.t.language === "fr";
  if (first === undefined) {
    const low = limits(r.meta).low;
    return french ? `Aucun service n’atteint ${low} panélistes en ${month}` : `No service reaches ${low} panelists in ${month}`;
  }
  const group = ties(rows).find((g) => g.includes(first.service));
  if (group !== undefined) {
    const names = s.n.list(group.map(s.name));
    return french ? `${names} sont premiers ex\u00a0æquo en ${month}` : `${names} are tied for first in ${month}`;
  }
  const visitors = s.n.persons(first.unique_audience.value);
  const name = s.name(first.service);
  if (alone(r)) return french ? `${name}\u00a0: ${visitors} visiteurs uniques en ${month}` : `${name} had ${visitors} unique visitors in ${month}`;
  return french ? `${name} en tête avec ${visitors} visiteurs uniques en ${month}` : `${name} leads with ${visitors} unique visitors in ${month}`;
}

/** lede says how sure the headline is, of how many, whether it has changed, and
    who is second. */
export function lede(r: Ranking, s: Scope): string {
  const first = ranked(r)[0];
  if (first === undefined) return "";
  return [interval(first, r.meta, s), changed(first, r.meta, s), second(r, s)].filter((x) => x !== "").join(" ");
}

/** baseOf says where the people are online whom a place's reach is a percentage
    of: at home, at work, or else at either. */
export function baseOf(meta: Meta, s: Scope): string {
  const place = meta.location === "home" || meta.location === "work" ? meta.location : "home+work";
  return s.t.at[place] ?? place;
}

function interval(first: RankingRow & { unique_audience: Shown }, meta: Meta, s: Scope): string {
  const french = s.t.language === "fr";
  const at = baseOf(meta, s);
  const between = s.n.between(first.unique_audience);
  const confidence = level(meta, s);
  const base = meta.universe?.active;
  let out = french ? `Entre ${between}, au niveau de confiance de ${confidence}` : `Between ${between} at ${confidence} confidence`;
  if (shown(first.reach) && shown(base)) {
    const reach = s.n.percent(first.reach.value);
    out += french ? `\u00a0: ${reach} des ${s.n.million(base.value)} ${base.value >= 1e6 ? "d’internautes" : "internautes"} ${at}` : `: ${reach} of the ${s.n.million(base.value)} people online ${at}`;
  }
  return `${out}.`;
}

function changed(first: RankingRow, meta: Meta, s: Scope): string {
  const { change, change_percent: percent } = first;
  if (!shown(change) || meta.compared === undefined || !shown(first.unique_audience)) return "";
  const french = s.t.language === "fr";
  const month = s.n.monthName(meta.compared.month, monthOf(meta));
  const part = shown(percent) ? ` (${s.n.signedPercent(percent.value)})` : "";
  if (!significant(first)) return french ? `Pas d’évolution sur ${month} au-delà du hasard.` : `No change on ${month} beyond chance.`;
  const size = s.n.persons(Math.abs(change.value) >= 10_000 ? Math.abs(change.value) : Math.abs(rounded(change.value)));
  if (french) return `${change.value < 0 ? "En baisse" : "En hausse"} de ${size} sur ${month}${part}, au-delà du hasard.`;
  return `${change.value < 0 ? "Down" : "Up"} ${size} on ${month}${part}, more than chance.`;
}

function second(r: Ranking, s: Scope): string {
  const rows = ranked(r);
  const french = s.t.language === "fr";
  const told = (row: RankingRow & { unique_audience: Shown }) => `${s.name(row.service)} (${s.n.persons(row.unique_audience.value)})`;
  const first = ties(rows).find((g) => g.includes(rows[0]!.service));
  if (first !== undefined) {
    const each = rows.filter((row) => first.includes(row.service)).map(told);
    return french ? `À départager\u00a0: ${s.n.list(each)}.` : `Between them chance decides: ${s.n.list(each)}.`;
  }
  const next = rows[1];
  if (next === undefined) return "";
  const group = ties(rows).find((g) => g.includes(next.service));
  if (group === undefined) {
    const behind = s.n.persons(rounded(rows[0]!.unique_audience.value) - rounded(next.unique_audience.value));
    return french ? `${told(next)} suit, avec ${behind} de moins.` : `${told(next)} follows, ${behind} behind.`;
  }
  if (group.length > 3) return french ? `${told(next)} et ${group.length - 1} autres sont deuxièmes ex\u00a0æquo.` : `${told(next)} and ${group.length - 1} others are tied for second.`;
  const each = s.n.list(rows.filter((row) => group.includes(row.service)).map(told));
  return french ? `${each} sont deuxièmes ex\u00a0æquo.` : `${each} are tied for second.`;
}

/** A row of the drawing. */
interface Line {
  row?: RankingRow;
  name: string;
  short: string; // the same where there is little space
  rank: string;
  range: string;
  below?: string; // what is said instead of a figure
  under: boolean; // stands under the rule
}

function lines(r: Ranking, s: Scope): Line[] {
  const out: Line[] = ranked(r).map((row) => ({ row, name: s.name(row.service), short: s.short(row.service), rank: rankText(row), range: rankRange(row), under: false }));
  const hidden = withheld(r, s);
  const below = s.t.under(limits(r.meta).low);
  if (hidden.length > 3) {
    const others = out.length > 0;
    const count = s.t.language === "fr" ? `${hidden.length} ${others ? "autres " : ""}services` : `${hidden.length} ${others ? "other " : ""}services`;
    out.push({ name: count, short: count, rank: "–", range: "", below, under: false });
  } else {
    out.push(...hidden.map((row) => ({ row, name: s.name(row.service), short: s.short(row.service), rank: "–", range: "", below, under: false })));
  }
  const any = anyRow(r);
  if (any !== undefined) out.push({ row: any, name: s.t.any, short: s.t.anyShort, rank: "", range: "", under: true, ...(shown(any.unique_audience) ? {} : { below }) });
  return out;
}

const wide = 780;

/** ranking makes the figure. before holds the compared month's figures. */
export function ranking(r: Ranking, before: ReadonlyMap<string, Measure>, data: string, s: Scope): Figure {
  const all = lines(r, s);
  const hidden = withheld(r, s);
  const names = hidden.length > 3 ? [`${s.n.some(hidden.map((row) => s.name(row.service)))}${s.t.colon}${s.t.under(limits(r.meta).low)}`] : [];
  return {
    id: "ranking",
    sentence: sentence(r, s),
    subtitle: `${s.t.visitors}, ${s.market}, ${s.t.at[r.meta.location] ?? r.meta.location}, ${when(r.meta, s)}`,
    keys: keys(r, before, s),
    notes: [...names, ...unchanged(r, s)],
    source: source(r.meta, s),
    data,
    table: table(r, s),
    height: (width) => (width >= wide ? 26 : narrowHead) + all.length * (width >= wide ? 46 : narrowStep(r, all, width, s)) + 30,
    draw: (width) => draw(r, all, before, width, s),
  };
}

/** unchanged says where to read why a month has no changes. A mean of months has none. */
export function unchanged(r: Ranking, s: Scope): string[] {
  const rows = ranked(r);
  if (r.meta.pool !== undefined || rows.length === 0 || rows.some((row) => row.change?.status !== "undefined")) return [];
  return [s.t.language === "fr" ? "Évolutions non définies\u00a0: les remarques du rapport disent pourquoi." : "Changes are not defined: the report’s notes say why."];
}

/** older tells of changes from a version that is not the compared month's latest. */
export function older(r: Ranking, publications: readonly Publication[], s: Scope): string[] {
  const { compared, market, panel } = r.meta;
  if (compared === undefined || !r.rows.some((row) => shown(row.change))) return [];
  const versions = publications.filter((p) => p.market === market && p.panel === panel && p.month === compared.month).map((p) => p.version);
  const latest = Math.max(compared.version, ...versions);
  if (latest === compared.version) return [];
  const month = s.n.month(compared.month);
  return [s.t.language === "fr" ? `Évolutions sur la version ${compared.version} ${of(month)}, non sur sa version ${latest}.` : `Changes are from version ${compared.version} of ${month}, not from its version ${latest}.`];
}

function keys(r: Ranking, before: ReadonlyMap<string, Measure>, s: Scope): Key[] {
  const out = intervalKeys(r.rows.filter((row) => row.level === "service" || row.level === "any").map((row) => row.unique_audience), r.meta, s);
  if ([...before.values()].some(shown) && r.meta.compared !== undefined) out.push({ mark: "compared", text: s.n.month(r.meta.compared.month) });
  if (ties(ranked(r)).length > 0) out.push({ mark: "tied", text: s.t.key.tied });
  if (r.rows.some((row) => significant(row))) out.push({ mark: "change", text: s.t.key.change });
  if (r.rows.some((row) => shown(row.change) && !significant(row))) out.push({ mark: "maybe", text: s.t.key.maybe });
  return out;
}

function table(r: Ranking, s: Scope) {
  const french = s.t.language === "fr";
  const change = french ? "Évolution" : "Change";
  return {
    head: [
      s.t.rank, french ? "Rang possible" : "Rank could be", s.t.service, ...cellHeads(s.t.visitors, s), ...cellHeads(s.t.reach, s).slice(0, 3),
      ...cellHeads(change, s).slice(0, 3), `${change} (%)`, french ? "Significative" : "Beyond chance", french ? "Ex æquo avec" : "Tied with",
    ],
    rows: r.rows
      .filter((row) => row.level === "service" || row.level === "any")
      .map((row) => [
        rankText(row), rankRange(row) || rankText(row), row.level === "any" ? s.t.any : s.name(row.service),
        ...cells(row.unique_audience, r.meta, s, (x) => s.n.persons(x)),
        ...cells(row.reach, r.meta, s, (x) => s.n.percent(x)).slice(0, 3),
        ...cells(row.change, r.meta, s, (x) => s.n.signed(x)).slice(0, 3),
        shown(row.change_percent) ? s.n.signedPercent(row.change_percent.value) : "–",
        shown(row.change) ? (significant(row) ? (french ? "oui" : "yes") : french ? "non" : "no") : "–",
        s.n.list((row.tied_with ?? []).map(s.name)),
      ]),
  };
}

/** The texts of a row's change, and whether it is beyond chance. */
export function changeTexts(row: RankingRow, s: Scope): { first: string; second: string; sure: boolean } {
  const { change, change_percent: percent, unique_audience: now } = row;
  if (!shown(change)) return { first: "–", second: "", sure: false };
  const sure = significant(row);
  const value = s.n.signed(change.value, now.value ?? Infinity);
  if (!sure) return { first: `≈ ${value}`, second: s.t.chance, sure };
  return { first: `${change.value < 0 ? "▼" : "▲"} ${value}`, second: shown(percent) ? s.n.signedPercent(percent.value) : "", sure };
}

function maximum(all: readonly Line[], before: ReadonlyMap<string, Measure>): number {
  const of = (m: Measure | null | undefined) => (shown(m) ? (m.high ?? m.value) : 0);
  return Math.max(0, ...all.map((l) => Math.max(of(l.row?.unique_audience), shown(before.get(l.row?.service ?? "")) ? before.get(l.row!.service)!.value! : 0)));
}

function draw(r: Ranking, all: readonly Line[], before: ReadonlyMap<string, Measure>, width: number, s: Scope): SVGSVGElement {
  return width >= wide ? drawWide(r, all, before, width, s) : drawNarrow(r, all, before, width, s);
}

interface Bracket {
  from: number;
  to: number;
  members: number[];
}

function brackets(r: Ranking): Bracket[] {
  const rows = ranked(r);
  return ties(rows).map((g) => {
    const members = g.map((id) => rows.findIndex((row) => row.service === id));
    return { from: Math.min(...members), to: Math.max(...members), members };
  });
}

function drawWide(r: Ranking, all: readonly Line[], before: ReadonlyMap<string, Measure>, width: number, s: Scope): SVGSVGElement {
  const top = 26, step = 46, height = top + all.length * step;
  const sheet = new Sheet(width, height + 30, sentence(r, s));
  const tied = brackets(r);
  const track = tracks(tied);
  const several = Math.max(0, ...track) > 0; // tracks: the words stand upright then
  const trackX = (i: number) => 24 + Math.max(16, widest(all.map((l) => l.range), faces.range) / 2 + 2) + i * trackWidth;
  const nameX = tied.length === 0 ? 46 : trackX(Math.max(...track)) + (several ? trackWidth : measure(s.t.tied, faces.tick) + 14);
  const names = all.map((l) => nameLines(l.name));
  const columns = column(r, all, width, s);
  const chartX = Math.max(nameX + widest(names.flatMap((n, i) => (all[i]!.under ? [] : n)), faces.name), widest(names.flatMap((n, i) => (all[i]!.under ? n : [])), faces.name)) + 26;
  const chart = { x: chartX, width: columns.left - 26 - chartX };
  const { domain, ticks } = scale(maximum(all, before), Math.max(2, chart.width / 110), (v) => s.n.short(v));
  heads(sheet, nameX, columns, r.meta, s);
  sheet.describe(described(r, s));
  all.forEach((_, i) => sheet.line(0, top + i * step, width, top + i * step, all[i]!.under ? "var(--axis)" : "var(--grid)", all[i]!.under ? { "stroke-width": 2 } : {}));
  sheet.place(panel(all, before, { width: chart.width, height: all.length * step + 30, y: (i) => i * step + step / 2, domain, ticks, r, s }), chart.x, top);
  all.forEach((l, i) => {
    const y = top + i * step + step / 2;
    const grey = l.below !== undefined;
    names[i]!.forEach((text, k, both) => sheet.text(l.under ? 0 : nameX, y + 4.5 + (k - (both.length - 1) / 2) * 16, text, { ...faces.name, fill: grey ? "var(--muted)" : "var(--ink)" }));
    if (!l.under) sheet.text(16, l.range === "" ? y + 4.5 : y - 1, l.rank, { ...faces.name, anchor: "middle", fill: grey ? "var(--muted)" : "var(--ink)" });
    if (l.range !== "") sheet.text(16, y + 13, l.range, { ...faces.range, anchor: "middle" });
    if (l.below !== undefined) {
      sheet.swatch(chart.x, y);
      plate(sheet, chart.x + 24, y + 4, l.below, faces.withheld);
    }
    figures(sheet, l, y, columns, s);
  });
  tied.forEach((b, k) => bracket(sheet, b, trackX(track[k]!), (i) => top + i * step + step / 2, s.t.tied, several));
  return sheet.svg;
}

/** nameLines cuts a long name into two lines. */
function nameLines(name: string): string[] {
  const [first, ...rest] = wrap(name, nameWidth, (t) => measure(t, faces.name));
  return [first!, ...(rest.length > 0 ? [rest.join(" ")] : [])].map((text) => clipped(text, nameWidth, faces.name));
}

const nameWidth = 250;

interface Columns {
  left: number;
  visitors: number; // right edges
  reach: number;
  change: number;
}

/** changeHead is the head of the change's column. */
function changeHead(meta: Meta, s: Scope): string {
  if (meta.compared === undefined) return s.t.language === "fr" ? "Évolution" : "Change";
  const month = s.n.monthShort(meta.compared.month);
  return s.t.language === "fr" ? `Évol. sur ${month}` : `Change on ${month}`;
}

function column(r: Ranking, all: readonly Line[], width: number, s: Scope): Columns {
  const rows = all.flatMap((l) => (l.row ? [l.row] : []));
  const visitors = Math.max(measure(s.t.visitors, faces.head), widest(rows.map((x) => s.n.persons(x.unique_audience.value ?? 0)), faces.value), widest(rows.map((x) => rangeText(x.unique_audience, s)), faces.range));
  const reach = Math.max(measure(s.t.reach, faces.head), measure(s.n.percent(88.8), faces.tick));
  const texts = rows.map((x) => changeTexts(x, s));
  const change = Math.max(measure(changeHead(r.meta, s), faces.head), widest(texts.map((x) => x.first), faces.value), widest(texts.map((x) => x.second), faces.range));
  const c = width - change - 28;
  return { change: width, reach: c, visitors: c - reach - 28, left: c - reach - 28 - visitors };
}

function heads(sheet: Sheet, nameX: number, c: Columns, meta: Meta, s: Scope): void {
  sheet.text(0, 14, s.t.rank, faces.head);
  sheet.text(Math.max(nameX, measure(s.t.rank, faces.head) + 10), 14, s.t.service, faces.head);
  for (const [x, text] of [[c.visitors, s.t.visitors], [c.reach, s.t.reach], [c.change, changeHead(meta, s)]] as const) sheet.text(x, 14, text, { ...faces.head, anchor: "end" });
}

/** rangeText is an interval and, where a figure is to be used with caution, its n. */
function rangeText(m: Measure, s: Scope): string {
  return s.n.range(m) + (isCaution(m) ? ` · n ${s.n.whole(m.n ?? 0)}` : "");
}

/** figures writes a row's numbers. */
function figures(sheet: Sheet, l: Line, y: number, c: Columns, s: Scope): void {
  const end = "end" as const;
  if (l.row === undefined || l.below !== undefined || !shown(l.row.unique_audience)) {
    for (const x of [c.visitors, c.reach, c.change]) sheet.text(x, y + 4, "–", { ...faces.tick, anchor: end });
    return;
  }
  const m = l.row.unique_audience;
  sheet.text(c.visitors, y - 3, s.n.persons(m.value), { ...faces.value, anchor: end });
  sheet.text(c.visitors, y + 13, rangeText(m, s), { ...faces.range, anchor: end });
  sheet.text(c.reach, y - 3, shown(l.row.reach) ? s.n.percent(l.row.reach.value) : "–", { size: 12, anchor: end });
  const change = changeTexts(l.row, s);
  sheet.text(c.change, y - 3, change.first, change.sure ? { size: 12.5, weight: 700, anchor: end } : { ...faces.tick, anchor: end });
  sheet.text(c.change, y + 13, change.second, { ...faces.range, anchor: end });
}

/** bracket joins the rows of a tie. upright: the word stands along it. */
function bracket(sheet: Sheet, b: Bracket, x: number, y: (i: number) => number, text: string, upright = false): void {
  const g = sheet.add("g", { class: "bracket", stroke: "var(--ink)", "stroke-width": 1.5, fill: "none" });
  g.append(element("line", { x1: x, x2: x, y1: y(b.from), y2: y(b.to) }));
  for (const i of b.members) g.append(element("line", { x1: x - 6, x2: x, y1: y(i), y2: y(i) }));
  const middle = (y(b.from) + y(b.to)) / 2;
  if (!upright) {
    const long = measure(text, faces.tick);
    sheet.add("rect", { x: x + 2, y: middle - 9, width: long + 6, height: 18, fill: "var(--bg)" });
    sheet.text(x + 5, middle + 4, text, { ...faces.tick, fill: "var(--ink)" });
    return;
  }
  const beside = x + trackWidth / 2 - 2;
  const t = sheet.text(beside, middle, text, { size: 11, anchor: "middle" });
  t.setAttribute("transform", `rotate(-90 ${beside} ${middle}) translate(0 4)`);
}

/** trackWidth is what a bracket takes with its word upright beside it. */
const trackWidth = 22;

interface Panel {
  width: number;
  height: number;
  y: (i: number) => number;
  domain: [number, number];
  ticks: { values: number[]; text: (v: number) => string };
  r: Ranking;
  s: Scope;
}

/** panel draws the dots on their scale. */
function panel(all: readonly Line[], before: ReadonlyMap<string, Measure>, p: Panel): SVGSVGElement {
  const data = all.flatMap((l, i) => (l.row && l.below === undefined && shown(l.row.unique_audience) ? [{ l, i, m: l.row.unique_audience }] : []));
  return plot({
    width: p.width, height: p.height, marginLeft: 0, marginRight: 0, marginTop: 0, marginBottom: 30,
    x: { domain: p.domain }, y: { type: "identity" } as never,
    marks: [
      ...axisX(p.ticks, p.width),
      layer((at, into) => {
        for (const { l, i, m } of data) {
          const was = before.get(l.row!.service);
          if (shown(was)) into.append(element("rect", { x: at.x(was.value) - 1.5, y: p.y(i) - 10, width: 3, height: 20, fill: "var(--axis)" }));
          const fill = l.under ? "var(--ink)" : p.s.colour(l.row!.service).fill;
          into.append(estimate({ x: at.x(m.value), low: at.x(m.low ?? m.value), high: at.x(m.high ?? m.value) }, p.y(i), fill, m.status === "caution"));
        }
      }),
      tip(data, { x: (d) => d.m.value, y: (d) => p.y(d.i), text: (d) => tipText(d.l.name, d.m, p.s) }),
    ],
  });
}

export function tipText(name: string, m: Shown, s: Scope): string {
  return `${name}\n${s.n.persons(m.value)} (${s.n.range(m)})\nn ${s.n.whole(m.n ?? 0)}`;
}

function drawNarrow(r: Ranking, all: readonly Line[], before: ReadonlyMap<string, Measure>, width: number, s: Scope): SVGSVGElement {
  const step = narrowStep(r, all, width, s), top = narrowHead, height = top + all.length * step;
  const sheet = new Sheet(width, height + 30, sentence(r, s));
  sheet.describe(described(r, s));
  const { tied, track, trackX, nameX } = narrowLeft(r, all);
  const { domain, ticks } = scale(maximum(all, before), Math.max(2, (width - nameX) / 80), (v) => s.n.short(v));
  const after = Math.max(10, measure(ticks.text(domain[1]), faces.tick) / 2); // half of the last tick's number
  narrowHeads(sheet, nameX, width, r.meta, s);
  all.forEach((l, i) => sheet.line(0, top + i * step, width, top + i * step, l.under ? "var(--axis)" : "var(--grid)", l.under ? { "stroke-width": 2 } : {}));
  sheet.place(panel(all, before, { width: width - nameX - after, height: height - top + 30, y: (i) => i * step + 29, domain, ticks, r, s }), nameX, top);
  all.forEach((l, i) => narrowRow(sheet, l, { y: top + i * step, step }, nameX, width, s));
  tied.forEach((b, k) => bracket(sheet, b, trackX(track[k]!), (i) => top + i * step + 16, s.t.tied, true));
  return sheet.svg;
}

/** narrowLeft says what stands left of the names: ranks, and the brackets of ties. */
function narrowLeft(r: Ranking, all: readonly Line[]) {
  const tied = brackets(r);
  const track = tracks(tied);
  const ranges = Math.max(16, widest(all.map((l) => l.range), { size: 11 }));
  const trackX = (i: number) => ranges + 9 + i * trackWidth;
  return { tied, track, trackX, nameX: tied.length > 0 ? trackX(Math.max(...track) + 1) - 2 : ranges + 10 };
}

/** narrowStep is a row's height: there is a line more where a row's change has no
    space beside its interval. */
function narrowStep(r: Ranking, all: readonly Line[], width: number, s: Scope): number {
  const { nameX } = narrowLeft(r, all);
  const fits = all.every((l) => l.row === undefined || l.below !== undefined || measure(intervalText(l.row, s), faces.range) + measure(changeTexts(l.row, s).first, changeFace(l.row, s)) + 10 <= width - nameX);
  return fits ? 58 : 74;
}

/** intervalText is a row's interval, reach and, where it is to be used with caution, n. */
function intervalText(row: RankingRow, s: Scope): string {
  const m = row.unique_audience;
  const low = isCaution(m) ? ` · n ${s.n.whole(m.n ?? 0)}` : "";
  const reach = shown(row.reach) ? ` · ${s.n.percent(row.reach.value)}` : "";
  return s.n.range(m) + reach + low;
}

function changeFace(row: RankingRow, s: Scope) {
  return changeTexts(row, s).sure ? { size: 11.5, weight: 700 } : faces.range;
}

/** narrowHead is the height of the heads over rows of two lines. */
const narrowHead = 40;

/** narrowHeads writes over the rows what their figures are, each where it stands in
    a row: under the service its interval and reach, at the right visitors and change. */
function narrowHeads(sheet: Sheet, nameX: number, width: number, meta: Meta, s: Scope): void {
  const change = changeHead(meta, s);
  const figures = `${s.t.language === "fr" ? "Intervalle" : "Interval"} · ${small(s.t.reach)}`;
  sheet.text(0, 14, s.t.rank, faces.range);
  sheet.text(Math.max(nameX, measure(s.t.rank, faces.range) + 8), 14, s.t.service, faces.range);
  sheet.text(width, 14, s.t.visitors, { ...faces.range, anchor: "end" });
  sheet.text(Math.min(nameX, Math.max(0, width - measure(change, faces.range) - measure(figures, faces.range) - 10)), 31, figures, faces.range);
  sheet.text(width, 31, change, { ...faces.range, anchor: "end" });
}

/** described says each row's figures with what they are, for who hears the drawing. */
export function described(r: Ranking, s: Scope): string {
  return lines(r, s).map((l) => {
    const m = l.row?.unique_audience;
    const rank = l.rank === "" || l.rank === "–" ? "" : `${small(s.t.rank)} ${l.rank}`;
    if (l.row === undefined || l.below !== undefined || !shown(m)) return [`${l.name}${s.t.colon}${l.below ?? "–"}`, rank].filter((x) => x !== "").join(", ");
    const change = changeTexts(l.row, s);
    const reach = shown(l.row.reach) ? `${small(s.t.reach)} ${s.n.percent(l.row.reach.value)}` : "";
    const changed = change.first === "–" ? "" : `${small(changeHead(r.meta, s))} ${s.n.signed(l.row.change!.value!, m.value)}${change.second && ` (${change.second})`}`;
    return `${l.name}${s.t.colon}${[rank, `${small(s.t.visitors)} ${s.n.persons(m.value)} (${s.n.range(m)})`, reach, changed].filter((x) => x !== "").join(", ")}`;
  }).join(". ") + ".";
}

/** small begins a text with a small letter. */
function small(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

/** narrowRow writes a row of two lines, or three, its dot between the first and the second. */
function narrowRow(sheet: Sheet, l: Line, { y, step }: { y: number; step: number }, nameX: number, width: number, s: Scope): void {
  const grey = l.below !== undefined ? { fill: "var(--muted)" } : {};
  const m = l.row?.unique_audience;
  const value = shown(m) && l.below === undefined ? s.n.persons(m.value) : "–";
  const space = width - (l.under ? 0 : nameX) - measure(value, faces.value) - 8;
  plate(sheet, l.under ? 0 : nameX, y + 17, thatFits([l.name, l.short], space, faces.name), { ...faces.name, ...grey });
  if (!l.under) sheet.text(8, y + 17, l.rank, { ...faces.name, anchor: "middle", ...grey });
  if (l.range !== "") sheet.text(0, y + 32, l.range, { ...faces.range, size: 11 });
  plate(sheet, width, y + 17, value, { ...faces.value, anchor: "end", ...grey });
  if (l.row === undefined || !shown(m) || l.below !== undefined) {
    sheet.swatch(nameX, y + 36);
    sheet.text(nameX + 24, y + 40, l.below ?? "", faces.withheld);
    return;
  }
  plate(sheet, nameX, y + 51, intervalText(l.row, s), faces.range);
  plate(sheet, width, y + step - 7, changeTexts(l.row, s).first, { ...changeFace(l.row, s), anchor: "end" });
}

/** tiles are the four figures under the headline. */
export interface Tile {
  name: string;
  value: string;
  note: string;
}

export function tiles(r: Ranking, s: Scope): Tile[] {
  const french = s.t.language === "fr";
  const any = anyRow(r);
  const first = ranked(r)[0];
  const below = s.t.under(limits(r.meta).low);
  const out: Tile[] = [
    tile(french ? "Ont utilisé une messagerie" : "Used any messenger", any?.unique_audience, (x) => s.n.persons(x), (m) => s.n.range(m), below),
    tile(french ? "Couverture des internautes" : "Reach of people online", any?.reach, (x) => s.n.percent(x), (m) => s.n.percentRange(m), below),
  ];
  if (any?.multi_service != null) {
    const note = french ? "des utilisateurs de messageries" : "of messenger users";
    out.push(tile(french ? "Utilisent deux services ou plus" : "Use two services or more", any.multi_service, (x) => s.n.percent(x), () => note, below));
  }
  if (first?.minutes_per_person != null) {
    const who = s.short(first.service);
    const title = french ? `Temps par utilisateur ${of(who)}` : `Time per ${who} user`;
    out.push(tile(title, first.minutes_per_person, (x) => s.n.hours(x), (m) => s.n.hoursRange(m) + (french ? " dans le mois" : " in the month"), below));
  }
  return out;
}

function tile(name: string, m: Measure | null | undefined, number: (x: number) => string, note: (m: Measure) => string, below: string): Tile {
  return shown(m) ? { name, value: number(m.value), note: note(m) } : { name, value: "–", note: below };
}

