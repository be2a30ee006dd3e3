// Loading: which month an address means, and the reports of it.
import { isMonth, type Address } from "./address";
import {
  Away, Client, path, Problem, type CensusRow, type CombinationRow, type CurveRow, type DuplicationRow, type Common, type FrequencyRow, type Location, type Market, type MarketRow, type Meta, type Month, type Params,
  type ProfileRow, type Publication, type RankingRow, type Report, type ReportName, type Segment, type Service, type TrendRow,
} from "./api";
import { placesOf } from "./figures/places";
import { lastDay, monthsBefore } from "./numbers";

/** What the server knows of. */
export interface Catalogue {
  markets: Market[];
  services: Service[];
  publications: Publication[]; // that readers see, by month and version
  census: Record<string, string[]>; // the months that each market has a census of, in order
  segments: Segment[];
  open: Month[]; // that have a roster and no version; asked for only where a market is simulated or nothing is published
}

/** One panel's month, as an address means it. */
export interface Chosen {
  market: string;
  panel: string;
  month: string;
}

/** Nothing to show, and why. */
export type Nothing =
  | { kind: "empty" }
  | { kind: "census"; nearest: Counted[] } // no panel, and a census of these
  | { kind: "loading"; loaded: number; nearest: Chosen[] } // a demonstration: its months with a roster, and those that are closed
  | { kind: "market" | "panel" | "month" | "not a month" | "no panel"; asked: string; nearest: Chosen[] };

/** A market's month of the census. */
export interface Counted {
  market: string;
  month: string;
}

/** No census to show, and where there is one. */
export interface Uncounted {
  kind: "uncounted" | "market" | "not a month";
  asked: string | undefined; // the market, where one was named; or what is no month
  nearest: Counted[];
}

export async function catalogue(client: Client, signal: AbortSignal): Promise<Catalogue> {
  const [markets, services] = await Promise.all([client.rows<Market>("/v1/markets", signal), client.rows<Service>("/v1/services", signal)]);
  const each = <Row>(route: string) => Promise.all(markets.map((m) => client.rows<Row>(path(route, { market: m.market }), signal)));
  const beside = <Row>(asked: () => Promise<Row[]>): Promise<Row[]> => (client.embedded ? Promise.resolve([]) : asked().catch(unlessRefused<Row>));
  const [lists, counted, segments] = await Promise.all([
    each<Publication>("/v1/publications"), beside(() => each<{ month: string }>("/v1/census/months")), beside(() => client.rows<Segment>("/v1/segments", signal)),
  ]);
  const publications = lists.flat().filter((p) => !p.internal && !p.aged_out && !p.withdrawn);
  const asks = !client.embedded && (publications.length === 0 || markets.some((m) => m.simulated));
  const months = asks ? await client.rows<Month>("/v1/months", signal) : [];
  const census = Object.fromEntries(markets.map((m, i) => [m.market, (counted[i] ?? []).map((x) => x.month)]));
  return { markets, services, publications, census, segments, open: months.filter((m) => m.version === undefined) };
}

/** unlessRefused gives nothing of what a key may not read. */
function unlessRefused<Row>(e: unknown): Row[] {
  if (e instanceof Problem && e.status !== 401) return [];
  throw e;
}

/** loading finds the panel of a simulated market whose months aren't all closed
    yet: somebody has begun to load the demonstration. */
function loading(a: Address, c: Catalogue): Nothing | undefined {
  const simulated = new Set(c.markets.filter((m) => m.simulated).map((m) => m.market));
  const first = c.open.find((m) => simulated.has(m.market) && (a.market ?? m.market) === m.market && (a.panel ?? m.panel) === m.panel);
  if (first === undefined) return undefined;
  const own = (x: { market: string; panel: string }) => x.market === first.market && x.panel === first.panel;
  const closed = new Map(c.publications.filter(own).map((p) => [p.month, pick(p)]));
  return { kind: "loading", loaded: c.open.filter(own).length + closed.size, nearest: [...closed.values()] };
}

/** choose finds the month that an address means: what it doesn't say is the
    first market that has one, its first panel, its latest month. */
export function choose(a: Address, c: Catalogue): Chosen | Nothing {
  const begun = a.month === undefined || c.publications.length === 0 ? loading(a, c) : undefined;
  if (begun !== undefined) return begun;
  const counted = c.publications.length === 0 ? latestCensus(c) : [];
  if (counted.length > 0) return { kind: "census", nearest: counted };
  if (c.publications.length === 0) return { kind: "empty" };
  const latest = (all: Publication[]): Publication => all.reduce((x, y) => (y.month > x.month ? y : x));
  const each = (all: Publication[], by: (p: Publication) => string): Chosen[] => {
    const names = [...new Set(all.map(by))];
    return names.map((name) => pick(latest(all.filter((p) => by(p) === name))));
  };
  const order = c.markets.map((m) => m.market);
  const sorted = [...c.publications].sort((x, y) => order.indexOf(x.market) - order.indexOf(y.market) || x.panel.localeCompare(y.panel));
  const inMarket = sorted.filter((p) => p.market === (a.market ?? sorted[0]!.market));
  if (inMarket.length === 0) return { kind: c.markets.some((m) => m.market === a.market) ? "no panel" : "market", asked: a.market!, nearest: each(sorted, (p) => p.market) };
  const inPanel = inMarket.filter((p) => p.panel === (a.panel ?? inMarket[0]!.panel));
  if (inPanel.length === 0) return { kind: "panel", asked: a.panel!, nearest: each(inMarket, (p) => p.panel) };
  if (a.month === undefined) return pick(latest(inPanel));
  if (!isMonth(a.month)) return { kind: "not a month", asked: a.month, nearest: [pick(latest(inPanel))] };
  const found = inPanel.find((p) => p.month === a.month);
  if (found !== undefined) return pick(found);
  return { kind: "month", asked: a.month, nearest: nearest(each(inPanel, (p) => p.month), a.month) };
}

/** latestCensus gives the latest month of each market that has a census. */
function latestCensus(c: Catalogue): Counted[] {
  return c.markets.flatMap(({ market }) => (c.census[market]?.length ? [{ market, month: c.census[market].at(-1)! }] : []));
}

/** chooseCensus finds the market and the month of the page of accounts: what the
    address doesn't say is the market whose census is the latest, of several the
    first, and its latest month. */
export function chooseCensus(a: Address, c: Catalogue): Counted | Uncounted {
  const there = latestCensus(c);
  const latest = there.reduce<Counted | undefined>((best, x) => (best === undefined || x.month > best.month ? x : best), undefined);
  const found = a.market === undefined ? latest : there.find((x) => x.market === a.market);
  if (found !== undefined && a.month !== undefined && !isMonth(a.month)) return { kind: "not a month", asked: a.month, nearest: [found] };
  if (found !== undefined) return { market: found.market, month: a.month ?? found.month };
  const unknown = a.market !== undefined && !c.markets.some((m) => m.market === a.market);
  return { kind: unknown ? "market" : "uncounted", asked: a.market, nearest: there };
}

/** poolable gives how many months' mean may have what a report withholds: what the
    report says of it for a machine; 0 where it withholds nothing, or none is there. */
export function poolable(meta: Meta): number {
  return Number(/below_pool=2-(\d+)/.exec(meta.method)?.[1] ?? 0);
}

function pick(p: Publication): Chosen {
  return { market: p.market, panel: p.panel, month: p.month };
}

/** nearest gives the three months nearest to one. */
export function nearest(all: Chosen[], month: string): Chosen[] {
  return nearestMonths(all.map((x) => x.month), month).map((m) => all.find((x) => x.month === m)!);
}

export function nearestMonths(all: string[], month: string): string[] {
  const n = (m: string) => Number(m.slice(0, 4)) * 12 + Number(m.slice(5, 7));
  return [...all].sort((x, y) => Math.abs(n(x) - n(month)) - Math.abs(n(y) - n(month)) || x.localeCompare(y)).slice(0, 3);
}

/** The parameters that every report of the page has. */
export function params(a: Address, c: Chosen): Common {
  return { market: c.market, panel: c.panel, month: c.month, location: panelPlace(a.location), credit: a.credit, version: a.version, locale: locale(a.language) };
}

/** locale is what a question says of its answer's language: of English nothing. */
export function locale(language: Address["language"]): "fr" | undefined {
  return language === "fr" ? "fr" : undefined;
}

/** panelPlace is where a panel's report looks: panels have no other place than
    home and work. */
function panelPlace(place: Address["location"]): Location {
  return place === "any" || place === "elsewhere" ? "home+work" : place;
}

/** pooledParams are those of the reports that can be pooled over months. */
export function pooledParams(a: Address, c: Chosen): Common & { pool: number | undefined } {
  return { ...params(a, c), pool: a.pool };
}

/** rankingParams are those of the ranking, which alone compares; changes aren't pooled. */
export function rankingParams(a: Address, c: Chosen): Common & { pool: number | undefined; compare: string | undefined } {
  return { ...pooledParams(a, c), compare: a.compare === "previous" || a.pool !== undefined ? undefined : a.compare };
}

const pooled = ["duplication", "combinations", "profile", "frequency"];

/** csv gives the address of a report's CSV. */
export function csv(report: ReportName, p: Params): string {
  return path(`/v1/reports/${report}`, { ...p, format: "csv" });
}

/** All that the page of people shows. A report that couldn't be had is its error. */
export interface People {
  chosen: Chosen;
  ranking: Report<RankingRow>;
  before: Report<RankingRow> | undefined;
  trend: Part<TrendRow>;
  places: Record<string, Part<RankingRow>>;
  either: Part<RankingRow>;
  duplication: Part<DuplicationRow>;
  combinations: Part<CombinationRow>;
  profile: Part<ProfileRow>;
  curve: Part<CurveRow>;
  frequency: Part<FrequencyRow>;
  markets: Part<MarketRow>; // of the leading service, where several markets have the month
  at: Date;
}

export type Part<Row> = Report<Row> | Error | undefined;

export function isReport<Row>(p: Part<Row>): p is Report<Row> {
  return p !== undefined && !(p instanceof Error);
}

/** allHere says whether every part has come, be it an error: nothing of the page
    will change its height any more. */
export function allHere(p: People, which: Address["places"]): boolean {
  const parts = [p.trend, p.either, p.duplication, p.combinations, p.profile, p.curve, p.frequency, ...placesOf(which).map((place) => p.places[place])];
  return parts.every((part) => part !== undefined);
}

/** allCounted says the same of the page of accounts. */
export function allCounted(p: Accounts): boolean {
  const parts = (["platform", "segment"] as const).every((by) => (p.parts[by] ?? p.failed?.[by]) !== undefined);
  return p.steps !== undefined && parts && (p.failed?.location !== undefined || censusPlaces.every((place) => p.places[place] !== undefined)) && windows.every((w) => p.windows[w] !== undefined);
}

/** marketsParams are those of the leading service in every market; undefined where
    one market alone has the month, and of what is not each market's latest. */
export function marketsParams(a: Address, chosen: Chosen, first: Report<RankingRow>, all: Catalogue) {
  const service = first.rows.find((row) => row.level === "service" && row.rank === 1)?.service;
  const published = new Set(all.publications.filter((p) => p.month === chosen.month).map((p) => p.market));
  if (service === undefined || published.size < 2 || a.embed !== undefined || a.pool !== undefined || a.version !== undefined) return undefined;
  return { service, month: chosen.month, panel: undefined, location: panelPlace(a.location), credit: a.credit, locale: locale(a.language) };
}

/** people loads the ranking, then the rest as it comes: tell is called with all
    that is there so far. */
export async function people(client: Client, a: Address, chosen: Chosen, all: Catalogue, signal: AbortSignal, tell: (p: People) => void): Promise<void> {
  const p = params(a, chosen);
  const wanted = (figure: string) => a.embed === undefined || a.embed === figure;
  const part = <Row>(asked: Promise<Report<Row>>) => orError(asked, signal);
  // In the page's order, so that a server that works at a few at a time answers the first first.
  const ranking = client.report("ranking", rankingParams(a, chosen), signal);
  const trend = wanted("trend") ? part(client.report("trend", p, signal)) : undefined;
  const where = (wanted("places") ? placesOf(a.places) : []).map((location) => [location, part(client.report("ranking", { ...pooledParams(a, chosen), location }, signal))] as const);
  const plain = a.location === "home+work" && a.compare === "previous";
  const either = plain || !wanted("places") ? undefined : part(client.report("ranking", { ...pooledParams(a, chosen), location: "home+work" }, signal));
  const rest = (["duplication", "combinations", "profile", "curve", "frequency"] as const).filter(wanted).map((name) => [name, part(client.report(name, pooled.includes(name) ? pooledParams(a, chosen) : p, signal))] as const);
  for (const late of [trend, either, ...where.map((w) => w[1]), ...rest.map((r) => r[1])]) late?.catch(() => undefined); // told below
  const first = await ranking;
  let now: People = {
    chosen, ranking: first, before: undefined, trend: undefined, places: {}, either: plain ? first : undefined,
    duplication: undefined, combinations: undefined, profile: undefined, curve: undefined, frequency: undefined, markets: undefined, at: new Date(),
  };
  const more = (change: Partial<People> | ((p: People) => Partial<People>)) => {
    if (signal.aborted) return;
    now = { ...now, ...(typeof change === "function" ? change(now) : change) };
    tell(now);
  };
  more({});
  const across = marketsParams(a, chosen, first, all);
  await Promise.all([
    across && part(client.report("markets", across, signal)).then((r) => more({ markets: r })),
    before(client, a, first, signal).then((r) => r && more({ before: r })),
    trend?.then((t) => more({ trend: t })),
    either?.then((r) => more({ either: r })),
    ...where.map(([place, asked]) => asked.then((r) => more((n) => ({ places: { ...n.places, [place]: r } })))),
    ...rest.map(([name, asked]) => asked.then((r) => more({ [name]: r }))),
  ]);
}

/** orError gives an error in a part's place, but for those that the whole page has. */
function orError<Row>(asked: Promise<Report<Row>>, signal: AbortSignal): Promise<Report<Row> | Error> {
  return asked.catch((e: unknown) => {
    if (signal.aborted || e instanceof Away || (e instanceof Problem && e.status === 401)) throw e;
    return e as Error;
  });
}

/** before gives the ranking that the changes are from, in the version that they
    are from. */
async function before(client: Client, a: Address, r: Report<RankingRow>, signal: AbortSignal): Promise<Report<RankingRow> | undefined> {
  const c = r.meta.compared;
  if (c === undefined || a.pool !== undefined) return undefined;
  try {
    return await client.report("ranking", { market: r.meta.market, panel: r.meta.panel, month: c.month, version: c.version, location: panelPlace(a.location), credit: a.credit }, signal);
  } catch (e) {
    if (e instanceof Problem) return undefined; // aged out, or withdrawn: the change is told without the mark
    throw e;
  }
}

/** A day, a week or a month, or the days that end with one, and what was seen. */
export interface Span {
  from: string;
  to: string;
  rows: Stepped[];
}

/** A row of a series; flagged: a collector was down on some of its days. */
export type Stepped = CensusRow & { flagged?: boolean };

/** What the page of accounts shows. */
export interface Accounts {
  market: string;
  month: string;
  total: Report<CensusRow>;
  steps: Span[] | undefined;
  breaks?: NonNullable<Report<CensusRow>["meta"]["breaks"]>; // that the steps have
  places: Record<string, Report<CensusRow> | undefined>;
  parts: { platform?: Report<CensusRow>; segment?: Report<CensusRow> };
  windows: { [window in Window]?: Report<CensusRow> | null }; // that end on the month's last day; null: it can't be had
  failed?: { [part in CensusPart]?: Error }; // what couldn't be had, and why
  at: Date;
}

type CensusPart = "platform" | "segment" | "location";

export const censusPlaces = ["home", "work", "both", "elsewhere"];

export const windows = ["1d", "7d", "28d", "30d"] as const;
export type Window = (typeof windows)[number];

/** windowsEnd gives the day that a month's windows end on: its last, or today. */
export function windowsEnd(month: string, today = new Date().toISOString().slice(0, 10)): string {
  return today.startsWith(month) ? today : lastDay(month);
}

/** windowQuery asks for the accounts of a window that ends on a day. One day is
    one of the calendar. */
export function windowQuery(window: Window, end: string) {
  return window === "1d" ? { from: end, to: end } : { from: end, to: end, window };
}

/** rolling reports whether a step is of windows that end with each day. */
export function rolling(step: Address["step"]): boolean {
  return step.endsWith("d");
}

/** covered says how much of what a step counts is in months with a census. The
    figure of a window or a week of which a part is not is too low. */
export function covered(span: { from: string; to: string }, step: Address["step"] | Window, months: readonly string[]): "whole" | "part" | "none" {
  const day = 86_400_000;
  const to = Date.parse(`${span.to}T00:00:00Z`);
  const from = step.endsWith("d") ? to - (Number(step.slice(0, -1)) - 1) * day : Date.parse(`${span.from}T00:00:00Z`);
  const days = Array.from({ length: (to - from) / day + 1 }, (_, i) => months.includes(new Date(from + i * day).toISOString().slice(0, 7)));
  return days.every(Boolean) ? "whole" : days.some(Boolean) ? "part" : "none";
}

/** spans gives the days, the weeks or the months that a month's view shows. */
export function spans(month: string, step: Address["step"]): { from: string; to: string }[] {
  const day = 86_400_000;
  const text = (t: number) => new Date(t).toISOString().slice(0, 10);
  const first = Date.parse(`${month}-01T00:00:00Z`);
  const end = Date.parse(`${lastDay(month)}T00:00:00Z`);
  if (step === "month") return Array.from({ length: 13 }, (_, i) => monthsBefore(month, 12 - i)).map((m) => ({ from: `${m}-01`, to: lastDay(m) }));
  const out: { from: string; to: string }[] = [];
  const monday = first - ((new Date(first).getUTCDay() + 6) % 7) * day;
  const weeks = step === "week";
  for (let t = weeks ? monday : first; t <= end; t += weeks ? 7 * day : day) out.push({ from: text(t), to: text(weeks ? t + 6 * day : t) });
  return out;
}

/** week gives the ISO 8601 name of the week that begins on a Monday. */
export function week(monday: string): string {
  const thursday = Date.parse(`${monday}T00:00:00Z`) + 3 * 86_400_000;
  const year = new Date(thursday).getUTCFullYear();
  return `${year}-W${String(Math.floor((thursday - Date.UTC(year, 0, 1)) / (7 * 86_400_000)) + 1).padStart(2, "0")}`;
}

/** stepsQuery asks for what a month's view shows by a step. */
export function stepsQuery(a: Address, month: string) {
  const all = spans(month, a.step);
  const range = { from: all[0]!.from, to: all.at(-1)!.to, location: a.location, credit: a.credit };
  return rolling(a.step) ? { ...range, window: a.step } : { ...range, by: a.step };
}

export async function accounts(client: Client, a: Address, market: string, month: string, signal: AbortSignal, tell: (p: Accounts) => void): Promise<void> {
  const base = { market, credit: a.credit, from: `${month}-01`, to: lastDay(month), locale: locale(a.language) };
  const total = await client.census({ ...base, location: a.location }, signal);
  let now: Accounts = { market, month, total, steps: undefined, places: {}, parts: {}, windows: {}, at: new Date() };
  const more = (change: (n: Accounts) => Partial<Accounts>) => {
    if (signal.aborted) return;
    now = { ...now, ...change(now) };
    tell(now);
  };
  more(() => ({}));
  const steps = client.census({ market, ...stepsQuery(a, month) }, signal).then((r) => ({ steps: stepsOf(flagged(r), month, a.step), breaks: r.meta.breaks ?? [] }), (e: unknown) => {
    if (e instanceof Problem && e.status !== 401) return { steps: [] }; // a part has aged out: no line
    throw e;
  });
  const part = (of: CensusPart, asked: Promise<Report<CensusRow>>, change: (r: Report<CensusRow>, n: Accounts) => Partial<Accounts>) =>
    orError(asked, signal).then((r) => more((n) => (r instanceof Error ? { failed: { ...n.failed, [of]: r } } : change(r, n))));
  await Promise.all([
    steps.then((all) => more(() => all)),
    ...(["platform", "segment"] as const).map((by) => part(by, client.census({ ...base, location: a.location, by }, signal), (r, n) => ({ parts: { ...n.parts, [by]: r } }))),
    part("location", client.census({ ...base, by: "location" }, signal), (r, n) => ({ places: { ...n.places, ...byPlace(r) } })),
    part("location", client.census({ ...base, location: "both" }, signal), (r, n) => ({ places: { ...n.places, both: r } })),
  ]);
  const end = windowsEnd(month);
  await Promise.all(windows.map((window) => client.census({ market, credit: a.credit, location: a.location, ...windowQuery(window, end) }, signal).then((r) => more((n) => ({ windows: { ...n.windows, [window]: r } })), (e: unknown) => {
    if (!(e instanceof Problem) || e.status === 401) throw e;
    more((n) => ({ windows: { ...n.windows, [window]: null } })); // a part has aged out, or lies under another key
  })));
}

/** flagged marks the rows that a break touches. */
export function flagged(r: Report<CensusRow>): Stepped[] {
  const touched = new Set((r.meta.breaks ?? []).flatMap((b) => b.rows ?? []));
  return r.rows.map((row, i) => (touched.has(i + 1) ? { ...row, flagged: true } : row));
}

/** byPlace gives each place a report of its own. */
function byPlace(r: Report<CensusRow>): Record<string, Report<CensusRow>> {
  return Object.fromEntries(["home", "work", "elsewhere"].map((p) => [p, { ...r, rows: r.rows.filter((row) => row.location === p) }]));
}

/** stepsOf puts a series' rows to their days, weeks or months. */
export function stepsOf(rows: readonly Stepped[], month: string, step: Address["step"]): Span[] {
  const name = (s: { from: string }) => (step === "week" ? week(s.from) : step === "month" ? s.from.slice(0, 7) : s.from);
  const by = new Map<string, Stepped[]>();
  for (const row of rows) {
    const of = row.day ?? row.week ?? row.month ?? "";
    by.set(of, [...(by.get(of) ?? []), row]);
  }
  return spans(month, step).map((s) => ({ ...s, rows: by.get(name(s)) ?? [] }));
}
