// The census: accounts that a service's own servers saw. Accounts, not people.
import type { Step } from "../address";
import type { CensusRow, Measure, Publication, Report } from "../api";
import { faces, Sheet, withheldHeight, withheldOnly, type Ticks } from "../draw";
import { cellHeads, cells, csvText, level, type Figure, type Key, type Scope } from "../figure";
import { unnamed, type Series } from "../lines";
import type { Accounts, Span } from "../load";
import { censusPlaces, covered, rolling, windows, windowsEnd } from "../load";
import { shown } from "../numbers";
import { of, whose } from "../texts";
import * as panels from "./dots";
import { chosen } from "./profile";
import { monthTicks, panels as linePanels, shape } from "./trend";

type Census = Report<CensusRow>;

/** services gives those that were seen, the one with the most accounts first. */
export function services(total: Census): string[] {
  const size = (row: CensusRow) => (shown(row.unique_accounts) ? row.unique_accounts.value : -1);
  return [...total.rows].sort((a, b) => size(b) - size(a)).map((row) => row.service);
}

/** exactly says whether all that is shown of a service was counted one by one. */
function exactly(r: Census, service: string): boolean {
  return r.rows.some((row) => row.service === service && row.exact === true);
}

function figureOf(r: { rows: readonly CensusRow[] } | undefined, service: string): Measure | null {
  return r?.rows.find((row) => row.service === service)?.unique_accounts ?? null;
}

export function headline(total: Census, month: string, s: Scope): string {
  const french = s.t.language === "fr";
  const first = services(total)[0];
  const m = first === undefined ? null : figureOf(total, first);
  if (first !== undefined && !shown(m)) return noneShown(total, month, s);
  if (first === undefined || !shown(m)) return french ? `Aucun compte vu en ${s.n.month(month)}` : `No accounts were seen in ${s.n.month(month)}`;
  const [name, v] = [s.name(first), s.n.whole(m.value)];
  return french ? `Les serveurs ${of(name)} ont vu ${v} comptes en ${s.n.month(month)}` : `${whose(name)} servers saw ${v} accounts in ${s.n.month(month)}`;
}

/** noneShown is the headline of a month with accounts of which no figure is shown. */
function noneShown(total: Census, month: string, s: Scope): string {
  const french = s.t.language === "fr";
  if (!total.rows.some((row) => row.unique_accounts.status === "below")) return `${french ? "Comptes en" : "Accounts in"} ${s.n.month(month)}${s.t.colon}${s.t.undefinedFigure}`;
  const ids = services(total);
  const whole = ids.length > 1 ? (french ? "de chaque service" : "of each service") : french ? of(s.name(ids[0]!)) : `of ${s.name(ids[0]!)}`;
  return `${sentenceCase(underMinimum(total, s))} ${whole} ${french ? "en" : "in"} ${s.n.month(month)}${s.t.colon}${french ? "non publié" : "withheld"}`;
}

function sentenceCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** perPerson tells how many of a service's accounts a user of it has, where a version
    of the month's panel is calibrated by that: a census may have a part of them alone. */
export function perPerson(total: Census, publications: readonly Publication[], month: string, s: Scope): string[] {
  const inputs = (p: Publication) => (p.market === total.meta.market && p.month === month && !p.withdrawn ? (p.calibration?.accounts_per_person ?? []) : []);
  return services(total).flatMap((id) => {
    const known = publications.flatMap((p) => inputs(p).filter((c) => c.service === id).map((c) => ({ p, c })));
    const last = known.sort((a, b) => b.p.version - a.p.version)[0];
    if (last === undefined) return [];
    const { p, c } = last;
    const n = s.n.significant(c.accounts_per_person);
    const from = `${s.t.named[c.source] ?? c.source}, ${s.n.day(c.source_date)}`;
    return [s.t.language === "fr" ? `Comptes par utilisateur ${of(s.name(id))}\u00a0: ${n} (${from}), d’après la version ${p.version} du panel ${p.panel}.` : `Accounts for each user of ${s.name(id)}: ${n} (${from}), by version ${p.version} of the panel ${p.panel}.`];
  });
}

export function lede(total: Census, s: Scope): string {
  const french = s.t.language === "fr";
  const all = services(total).flatMap((id) => {
    const m = figureOf(total, id);
    return shown(m) ? [{ id, m }] : [];
  });
  const first = all[0];
  if (first === undefined) return "";
  const out: string[] = [];
  const { low, high } = first.m;
  const sure = level(total.meta, s);
  if (exactly(total, first.id)) out.push(french ? "Comptés un à un, sans erreur." : "Counted one by one, without error.");
  else if (low !== null && high !== null) {
    out.push(french ? `Entre ${s.n.whole(low)} et ${s.n.whole(high)} à ${sure}\u00a0: estimés par une esquisse.` : `Between ${s.n.whole(low)} and ${s.n.whole(high)}, with ${sure} confidence: estimated by a sketch.`);
  }
  const round = total.meta.thresholds?.round_accounts;
  if (round !== undefined) out.push(french ? `Arrondis à ${round} comptes, comme pour tout lecteur.` : `Rounded to ${round} accounts, as for every reader.`);
  const rest = all.slice(1, 4).map(({ id, m }) => `${s.name(id)} ${s.n.whole(m.value)}${exactly(total, id) && !exactly(total, first.id) ? ` (${s.t.counts.exact})` : ""}`);
  if (rest.length > 0) out.push(french ? `Comptes des autres\u00a0: ${s.n.list(rest)}.` : `Accounts of the others: ${s.n.list(rest)}.`);
  if (all.length > 1) out.push(french ? "Les services ne s’additionnent pas\u00a0: leurs comptes ne sont pas rapprochés." : "Services cannot be added: accounts of different services are not joined.");
  return out.join(" ");
}

export function source(total: Census, month: string, s: Scope): string {
  const text = `Rollcall, ${s.t.census}, ${s.market}, ${s.n.monthShort(month)}.`;
  return total.meta.simulated ? `${text} ${s.t.simulatedDot}` : text;
}

function underMinimum(total: Census, s: Scope): string {
  const n = total.meta.thresholds?.min_accounts ?? 50;
  return s.t.language === "fr" ? `moins de ${n} ${n > 1 ? "comptes" : "compte"}` : `under ${n} ${n === 1 ? "account" : "accounts"}`;
}

/** keysOf explains dots: those of a sketch, of what was counted, and withheld ones. */
function keysOf(rows: readonly (CensusRow | undefined)[], total: Census, s: Scope): Key[] {
  const { sketched } = howOf(rows);
  const keys: Key[] = sketched.length > 0 ? [{ mark: "interval", text: s.t.key.sketch(level(total.meta, s)) }] : [];
  return [...keys, ...countedKey(rows, s), ...belowKey(rows.map((row) => row?.unique_accounts ?? null), total, s)];
}

/** howOf says how the figures of rows were made: the services of which all were
    counted, those of which some were estimated, and of these those of which some
    were counted, as small sketches are. */
function howOf(rows: readonly (CensusRow | undefined)[]): { counted: string[]; sketched: string[]; some: string[] } {
  const there = rows.filter((row): row is CensusRow => row !== undefined && shown(row.unique_accounts));
  const ids = [...new Set(there.map((row) => row.service))];
  const exact = (id: string) => there.filter((row) => row.service === id).map((row) => row.exact === true);
  const sketched = ids.filter((id) => !exact(id).every(Boolean));
  return { counted: ids.filter((id) => !sketched.includes(id)), sketched, some: sketched.filter((id) => exact(id).some(Boolean)) };
}

/** countedKey says what was counted without error. */
function countedKey(rows: readonly (CensusRow | undefined)[], s: Scope): Key[] {
  const { counted, some } = howOf(rows);
  const french = s.t.language === "fr";
  const names = counted.map(s.name);
  if (counted.length + some.length === 0) return [];
  const small = counted.length > 0 ? (french ? "les plus petits chiffres des autres" : "the smallest figures of the others") : french ? "Les plus petits chiffres" : "The smallest figures";
  const which = some.length === 0 ? "" : french ? " (le tableau dit lesquels)" : " (the table says which)";
  return [{ mark: "none", text: `${s.n.list(some.length === 0 ? names : [...names, small])}${s.t.colon}${s.t.counts.exact}${which}` }];
}

/** minimum says whose minimum it is, where a figure is under it. */
function minimum(measures: readonly (Measure | null)[], total: Census, s: Scope): string[] {
  if (measures.every((m) => m === null || m.status !== "below")) return [];
  const n = sentenceCase(underMinimum(total, s));
  return [s.t.language === "fr"
    ? `${n}\u00a0: c’est le minimum de ce serveur (--census-min), que seuls l’exploitant et une clé d’administrateur peuvent abaisser.`
    : `${n}: this server’s minimum (--census-min), which only the operator and an administrator’s key may lower.`];
}

function belowKey(measures: readonly (Measure | null)[], total: Census, s: Scope): Key[] {
  return measures.some((m) => m !== null && !shown(m)) ? [{ mark: "below", text: underMinimum(total, s) }] : [];
}

/** reaches says whether a span has days of another month than the one shown. */
export function reaches(span: { from: string; to: string }, month: string): boolean {
  return span.from.slice(0, 7) !== month || span.to.slice(0, 7) !== month;
}

function seriesOf(a: Accounts, months: readonly string[], s: Scope): Series[] {
  const ids = services(a.total);
  return ids.map((id) => ({
    id,
    name: s.name(id),
    short: s.short(id),
    fill: s.colour(id).fill,
    dash: s.colour(id).dash,
    points: (a.steps ?? []).map((span) => {
      const has = covered(span, s.address.step, months);
      const m = has === "none" ? null : figureOf(span, id);
      return { x: Date.parse(`${span.from}T00:00:00Z`), m, said: stepText(span, s), hollow: has === "part" || (s.address.step === "week" && reaches(span, a.month)) || down(span, id) };
    }),
  }));
}

/** down says whether a collector of the service was down on some of a span's days. */
function down(span: Span, service: string): boolean {
  return span.rows.some((row) => row.service === service && row.flagged === true);
}

function stepText(span: { from: string; to: string }, s: Scope): string {
  if (span.from === span.to) return s.n.day(span.from);
  if (s.address.step === "month") return s.n.month(span.from.slice(0, 7));
  return `${s.n.dayShort(span.from)}–${s.n.dayShort(span.to)}`;
}

/** units says what each step counts over. */
function units(s: Scope): Record<Step, { short: string; long: string }> {
  const french = s.t.language === "fr";
  const days = (n: number) => (french ? { short: `en ${n} jours`, long: `Comptes uniques des ${n} jours qui finissent chaque jour` } : { short: `in ${n} days`, long: `Unique accounts of the ${n} days that end with each day` });
  return {
    day: french ? { short: "par jour", long: "Comptes uniques par jour" } : { short: "a day", long: "Unique accounts a day" },
    week: french ? { short: "par semaine", long: "Comptes uniques par semaine" } : { short: "a week", long: "Unique accounts a week" },
    month: french ? { short: "par mois", long: "Comptes uniques par mois" } : { short: "a month", long: "Unique accounts a month" },
    "7d": days(7), "28d": days(28), "30d": days(30),
  };
}

export function stepsSentence(a: Accounts, months: readonly string[], s: Scope): string {
  const french = s.t.language === "fr";
  const whole = (a.steps ?? []).filter((x) => covered(x, s.address.step, months) === "whole");
  const unit = units(s)[s.address.step].short;
  const each = services(a.total).slice(0, told).flatMap((id) => {
    const values = whole.map((x) => figureOf(x, id)).filter(shown).map((m) => m.value);
    if (values.length === 0) return [];
    const [low, high] = [Math.min(...values), Math.max(...values)].map((x) => s.n.whole(x)) as [string, string];
    return [{ name: s.name(id), span: low === high ? high : french ? `de ${low} à ${high}` : `between ${low} and ${high}` }];
  });
  const [first, ...rest] = each;
  if (first === undefined) return french ? `Comptes ${unit}` : `Accounts ${unit}`;
  return [french ? `${first.name}\u00a0: ${first.span} comptes ${unit}` : `${first.name} had ${first.span} accounts ${unit}`, ...rest.map((x) => `${x.name} ${x.span}`)].join(french ? "\u202f; " : "; ");
}

/** The services that a sentence tells of; the rest are in the figure. */
const told = 3;

export function steps(a: Accounts, months: readonly string[], data: string, s: Scope): Figure {
  const french = s.t.language === "fr";
  const all = seriesOf(a, months, s);
  const place = s.t.at[s.address.location] ?? s.address.location;
  const unit = units(s)[s.address.step].long;
  const points = all.flatMap((l) => l.points.map((p) => p.m));
  const sentence = stepsSentence(a, months, s);
  const drawn = points.some(shown);
  const grey = unnamed(all).map((l) => l.name);
  return {
    id: "accounts",
    sentence,
    subtitle: `${unit}, ${s.market}, ${place}, ${s.address.step === "month" ? (french ? `treize mois jusqu’à ${s.n.month(a.month)}` : `thirteen months to ${s.n.month(a.month)}`) : s.n.month(a.month)}`,
    keys: [...countedKey((a.steps ?? []).flatMap((x) => x.rows), s), ...(byDay(s.address.step) ? [{ mark: "none" as const, text: french ? "fond gris\u00a0: fin de semaine" : "grey ground: weekend" }] : []), ...hollowKeys(a, months, s)],
    notes: [...(grey.length > 0 ? [s.t.grey(s.n.some(grey))] : []), ...(drawn ? stops(a, months, points, s) : []), ...minimum(points, a.total, s), ...(a.breaks ?? []).map((b) => downText(b, s))],
    source: source(a.total, a.month, s),
    data,
    table: {
      head: [s.t.language === "fr" ? "Période" : "Period", s.t.service, ...heads(s)],
      rows: (a.steps ?? []).flatMap((span) => services(a.total).map((id) => [stepText(span, s), s.name(id), ...stepCells(span, id, a, months, s)])),
    },
    height: (width) => (drawn ? shape(all, services(a.total)[0], width, s).height : withheldHeight),
    draw: (width) => {
      if (!drawn) return nothing(points, width, sentence, a.total, s);
      const xs = (a.steps ?? []).map((x) => Date.parse(`${x.from}T00:00:00Z`));
      const day = 86_400_000;
      const shade = byDay(s.address.step) ? xs.filter((x) => new Date(x).getUTCDay() === 6).map((x): [number, number] => [Math.max(x - day / 2, xs[0]!), Math.min(x + 1.5 * day, xs.at(-1)!)]) : [];
      const domain: [number, number] = [xs[0]!, xs.length > 1 ? xs.at(-1)! : xs[0]! + day];
      return linePanels(sentence, all, services(a.total)[0], width, (half) => ({ x: { domain, ticks: ticksOf(xs, half, s) }, shade, number: (x) => s.n.whole(x), whole: true }), s);
    },
  };
}

/** nothing is the drawing of steps of which none is shown: why, or that none was seen. */
function nothing(points: readonly (Measure | null)[], width: number, label: string, total: Census, s: Scope): SVGSVGElement {
  if (points.some((m) => m?.status === "below")) return withheldOnly(width, label, underMinimum(total, s));
  const sheet = new Sheet(width, withheldHeight, label);
  sheet.text(0, withheldHeight / 2 + 4, "–", faces.withheld);
  return sheet.svg;
}

/** ticksOf gives what stands under the axis: of months the years too, the first's
    and each January's. */
export function ticksOf(xs: readonly number[], width: number, s: Scope): Ticks {
  const day = (x: number) => new Date(x).toISOString().slice(0, 10);
  if (s.address.step !== "month") return { values: everySo(xs, width), text: (x) => s.n.dayShort(day(x)) };
  const { values, text } = monthTicks(xs.map((x) => day(x).slice(0, 7)), width - 200, s);
  return { values, text: (x) => (x === values[0] ? s.n.monthShort(day(x).slice(0, 7)) : text(x)) };
}

/** hollowKeys says why points are hollow. */
function hollowKeys(a: Accounts, months: readonly string[], s: Scope): Key[] {
  const french = s.t.language === "fr";
  const all = a.steps ?? [];
  const week = s.address.step === "week";
  const out: Key[] = [];
  if (week && all.some((x) => reaches(x, a.month) && covered(x, "week", months) === "whole")) out.push({ mark: "hollow", text: french ? "semaine qui déborde du mois" : "a week that reaches into another month" });
  if (all.some((x) => covered(x, s.address.step, months) === "part")) {
    const what = week ? (french ? "semaine" : "a week that reaches") : french ? "fenêtre" : "days that reach";
    out.push({ mark: "hollow", text: french ? `${what} qui déborde sur un mois sans recensement\u00a0: ${s.t.counts.tooLow}` : `${what} into a month without a census: ${s.t.counts.tooLow}` });
  }
  if (a.breaks?.length) out.push({ mark: "hollow", text: french ? `un collecteur était arrêté (b)\u00a0: ${s.t.counts.tooLow}` : `a collector was down (b): ${s.t.counts.tooLow}` });
  return out;
}

/** stops says why lines stop: for the minimum, or since nothing was counted. */
function stops(a: Accounts, months: readonly string[], points: readonly (Measure | null)[], s: Scope): string[] {
  const french = s.t.language === "fr";
  const why: string[] = [];
  const counted = (a.steps ?? []).filter((x) => covered(x, s.address.step, months) !== "none");
  if (points.some((m) => m !== null && !shown(m))) why.push(underMinimum(a.total, s));
  if (counted.length < (a.steps ?? []).length) why.push(french ? "un mois sans recensement" : "a month without a census");
  if (counted.some((x) => services(a.total).some((id) => figureOf(x, id) === null))) why.push(french ? "aucun compte vu" : "no account seen");
  if (why.length === 0) return [];
  return [french ? `Là où une ligne s’arrête\u00a0: ${why.join(", ou ")}.` : `Where a line stops: ${why.join(", or ")}.`];
}

/** stepCells puts what is wrong with a step's figure behind it in the table. */
function stepCells(span: Span, service: string, a: Accounts, months: readonly string[], s: Scope): string[] {
  const has = covered(span, s.address.step, months);
  if (has === "none") return [s.t.counts.none, "", "", ""];
  const [figure, ...rest] = censusCells(rowOf(span, service), a.total, s);
  return [`${figure}${down(span, service) ? " b" : ""}${has === "part" && shown(figureOf(span, service)) ? ` (${s.t.counts.tooLow})` : ""}`, ...rest];
}

/** downText names the days on which a collector was down, and why. */
function downText(b: { service?: string; from: string; to: string; reason: string }, s: Scope): string {
  const days = b.from === b.to ? s.n.day(b.from) : `${s.n.dayShort(b.from)}–${s.n.day(b.to)}`;
  return `${b.service ? `${s.name(b.service)}, ` : ""}${days}${s.t.colon}${b.reason}`;
}

/** byDay says whether a step has a point for every day. */
function byDay(step: Step): boolean {
  return step === "day" || rolling(step);
}

/** everySo gives the first and then every so-many of an axis' places. */
function everySo(xs: readonly number[], width: number): number[] {
  const every = Math.max(1, Math.ceil(xs.length / Math.max(2, (width - 220) / 75)));
  return xs.filter((_, i) => i % every === 0);
}

function rowOf(r: { rows: readonly CensusRow[] } | undefined, service: string): CensusRow | undefined {
  return r?.rows.find((row) => row.service === service);
}

function heads(s: Scope): string[] {
  return [...cellHeads(s.t.accounts, s).slice(0, 3), s.t.counts.how];
}

/** censusCells gives a figure, its interval, and whether it was counted or
    estimated. */
function censusCells(row: CensusRow | undefined, total: Census, s: Scope): string[] {
  const m = row?.unique_accounts ?? null;
  if (m !== null && !shown(m)) return [m.status === "undefined" ? s.t.undefinedFigure : underMinimum(total, s), "", "", ""];
  const how = m === null ? "" : row?.exact ? s.t.counts.exact : s.t.counts.sketch(level(total.meta, s));
  return [...cells(m, total.meta, s, (x) => s.n.whole(x)).slice(0, 3), how];
}

export function placesSentence(a: Accounts, s: Scope): string {
  const french = s.t.language === "fr";
  if (!["any", "home+work"].includes(s.address.location)) return french ? "Comptes par lieu" : "Accounts by place";
  const each = services(a.total).slice(0, told).flatMap((id) => {
    const [both, all] = [figureOf(a.places.both, id), figureOf(a.total, id)];
    if (!shown(both) || !shown(all)) return [];
    const [b, t] = [s.n.whole(both.value), s.n.whole(all.value)];
    return [{ id, b, t }];
  });
  const [first, ...rest] = each;
  if (first === undefined) return french ? "Comptes par lieu" : "Accounts by place";
  const name = s.name(first.id);
  if (french) return s.n.list([`Vus à la fois à domicile et au travail\u00a0: ${first.b} des ${first.t} comptes ${of(name)}`, ...rest.map((x) => `${x.b} des ${x.t} ${of(s.name(x.id))}`)]);
  return s.n.list([`Seen both at home and at work: ${first.b} of ${whose(name)} ${first.t} accounts`, ...rest.map((x) => `${x.b} of ${whose(s.name(x.id))} ${x.t}`)]);
}

/** placesThere gives the places where anything was seen. Where all of it was
    elsewhere, as with an operator's own servers, places tell nothing. */
export function placesThere(a: Accounts): string[] {
  const seen = censusPlaces.filter((p) => a.places[p]?.rows.some((row) => row.unique_accounts.value !== 0));
  return seen.some((p) => p !== "elsewhere") ? seen : [];
}

export function places(a: Accounts, data: string, s: Scope): Figure {
  const french = s.t.language === "fr";
  const ids = services(a.total);
  const there = placesThere(a);
  const drawn = drawnOf(a, s);
  const layout: panels.Layout = {
    rows: there.map((p) => s.t.places[p]!),
    shortRows: there.map((p) => s.t.places[p]!),
    panels: drawn.map((id) => ({ title: s.name(id), marks: there.map((p) => ({ m: figureOf(a.places[p], id), fill: s.colour(id).fill, said: `${s.name(id)}, ${s.t.at[p]}` })) })),
    below: underMinimum(a.total, s),
    belowShort: s.t.underShort(a.total.meta.thresholds?.min_accounts ?? 50),
    number: (x) => s.n.whole(x),
    range: (m) => `${s.n.whole(m.low ?? 0)}–${s.n.whole(m.high ?? 0)}`,
    tick: (x) => s.n.short(x),
    whole: true,
    label: placesSentence(a, s),
  };
  const rows = drawn.flatMap((id) => there.map((p) => rowOf(a.places[p], id)));
  const measures = layout.panels.flatMap((p) => p.marks.map((d) => d.m));
  return {
    id: "account-places",
    sentence: placesSentence(a, s),
    subtitle: french ? `Comptes uniques par lieu, ${s.market}, ${s.n.month(a.month)}. Les lieux se recoupent` : `Unique accounts by place, ${s.market}, ${s.n.month(a.month)}. Places overlap`,
    keys: keysOf(rows, a.total, s),
    notes: [...others(ids, drawn, s), ...minimum(measures, a.total, s)],
    source: source(a.total, a.month, s),
    data,
    file: () => csvText(["market", "month", "location", "credit", "service"], "unique_accounts", there.flatMap((p) => ids.map((id) => ({ of: [a.market, a.month, p, a.total.meta.credit, id], m: figureOf(a.places[p], id) })))),
    table: {
      head: [s.t.service, s.t.where, ...heads(s)],
      rows: ids.flatMap((id) => there.map((p) => [s.name(id), s.t.places[p]!, ...censusCells(rowOf(a.places[p], id), a.total, s)])),
    },
    height: (width) => panels.height(layout, width),
    draw: (width) => panels.dots(layout, width),
  };
}

type Part = "platform" | "segment";

/** The segments that are drawn; the rest are in the table. */
const mostParts = 12;

/** partsThere gives the platforms or the segments that were seen, those of the
    most accounts first, and "none" last. */
export function partsThere(r: Census | undefined, by: Part): string[] {
  const size = new Map<string, number>();
  for (const row of r?.rows ?? []) {
    const name = row[by] ?? "none";
    size.set(name, (size.get(name) ?? 0) + (row.unique_accounts.value ?? 0));
  }
  const names = [...size.keys()].filter((name) => name !== "none").sort((x, y) => size.get(y)! - size.get(x)! || x.localeCompare(y));
  return names.length === 0 || !size.has("none") ? names : [...names, "none"];
}

/** drawnOf gives the services that have a panel each. */
function drawnOf(a: Accounts, s: Scope): string[] {
  return chosen(s.address.services, services(a.total), 4);
}

/** others names the services that are in the table alone. */
function others(ids: readonly string[], drawn: readonly string[], s: Scope): string[] {
  const rest = ids.filter((id) => !drawn.includes(id)).map(s.name);
  return rest.length === 0 ? [] : [s.t.inTable(s.n.some(rest))];
}

/** divided gives the services that have accounts in a segment. */
export function divided(a: Accounts): string[] {
  const r = a.parts.segment;
  return services(a.total).filter((id) => r?.rows.some((row) => row.service === id && row.segment !== undefined && row.segment !== "none"));
}

/** ownParts gives a service's own parts; of one without any, that alone. */
function ownParts(r: Census, by: Part, service: string): string[] {
  const rows = r.rows.filter((row) => row.service === service);
  const names = partsThere({ ...r, rows }, by);
  return names.length > 0 || rows.length === 0 ? names : ["none"];
}

function partOf(r: Census, by: Part, name: string, service: string): CensusRow | undefined {
  return r.rows.find((row) => row.service === service && (row[by] ?? "none") === name);
}

/** partsSentence says where each service has the most accounts, of those of which
    it is beyond error. */
function partsSentence(r: Census, by: Part, drawn: readonly string[], names: readonly string[], text: (name: string) => string, s: Scope): string {
  const french = s.t.language === "fr";
  const first = new Map<string, string[]>();
  for (const id of drawn) {
    const [most, next] = names.flatMap((name) => {
      const m = partOf(r, by, name, id)?.unique_accounts;
      return shown(m) ? [{ name, m }] : [];
    }).sort((x, y) => y.m.value - x.m.value);
    if (most === undefined || next === undefined || (most.m.low ?? most.m.value) <= (next.m.high ?? next.m.value)) continue;
    first.set(most.name, [...(first.get(most.name) ?? []), s.name(id)]);
  }
  if (first.size === 0) return s.t.byPart[by];
  const [only, ...others] = [...first].map(([name, ids]) => ({ name: text(name), ids: s.n.list(ids), all: ids.length === drawn.length }));
  if (only!.all && drawn.length > 1) return french ? `${only!.name}\u00a0: le plus de comptes de chaque service` : `${only!.name}: the most accounts of every service`;
  const each = [only!, ...others].map((x) => `${x.name} ${french ? "pour" : "for"} ${x.ids}`);
  return `${french ? "Le plus de comptes\u00a0: " : "Most accounts: "}${each.join(french ? "\u202f; " : "; ")}`;
}

/** parts are a month's accounts by platform or by segment, a panel a service.
    Platforms are the same for all; of segments each service has its own, the largest
    first. */
export function parts(a: Accounts, by: Part, data: string, s: Scope): Figure {
  const r = a.parts[by]!;
  const ids = services(a.total);
  const own = by === "segment";
  const drawn = own ? chosen(s.address.services, divided(a), 4) : drawnOf(a, s);
  const all = partsThere(r, by);
  const names = own ? all : all.slice(0, mostParts);
  const partsOf = new Map(ids.map((id) => [id, own ? ownParts(r, by, id) : all]));
  const rowsOf = (id: string) => (own ? partsOf.get(id)!.slice(0, mostParts) : names);
  const more = own ? Math.max(0, ...drawn.map((id) => partsOf.get(id)!.length - mostParts)) : all.length - names.length;
  const text = (name: string) => (name === "none" ? s.t.noPart[by] : by === "platform" ? (s.t.platforms[name] ?? name) : s.segment(name));
  const sentence = partsSentence(r, by, drawn, names, text, s);
  const layout: panels.Layout = {
    rows: names.map(text),
    shortRows: names.map(text),
    panels: drawn.map((id) => ({ title: s.name(id), ...(own ? { rows: rowsOf(id).map(text) } : {}), marks: rowsOf(id).map((name) => ({ m: partOf(r, by, name, id)?.unique_accounts ?? null, fill: s.colour(id).fill, said: `${s.name(id)}, ${text(name)}` })) })),
    below: underMinimum(a.total, s),
    belowShort: s.t.underShort(a.total.meta.thresholds?.min_accounts ?? 50),
    number: (x) => s.n.whole(x),
    range: (m) => `${s.n.whole(m.low ?? 0)}–${s.n.whole(m.high ?? 0)}`,
    tick: (x) => s.n.short(x),
    enlarged: (n) => (s.t.language === "fr" ? `échelle agrandie ${n} fois` : `scale enlarged ${n} times`),
    whole: true,
    label: sentence,
  };
  const rows = drawn.flatMap((id) => rowsOf(id).map((name) => partOf(r, by, name, id)));
  const measures = layout.panels.flatMap((p) => p.marks.map((d) => d.m));
  return {
    id: `account-${by}s`,
    sentence,
    subtitle: `${s.t.byPart[by]}, ${s.market}, ${s.n.month(a.month)}. ${s.t.partsOverlap}`,
    keys: keysOf(rows, a.total, s),
    notes: [...others(ids, drawn, s), ...(more > 0 ? [s.t.more(more)] : []), ...minimum(measures, a.total, s)],
    source: source(a.total, a.month, s),
    data,
    table: {
      head: [s.t.service, s.t.part[by], ...heads(s)],
      rows: ids.flatMap((id) => partsOf.get(id)!.map((name) => [s.name(id), text(name), ...censusCells(partOf(r, by, name, id), a.total, s)])),
    },
    height: (width) => panels.height(layout, width),
    draw: (width) => panels.dots(layout, width),
  };
}

/** ended are the accounts of windows that end on the month's last day, and of the
    month itself, a panel a service. A window with days of a month without a census
    is named, and not shown. */
export function ended(a: Accounts, months: readonly string[], data: string, s: Scope): Figure {
  const french = s.t.language === "fr";
  const last = windowsEnd(a.month);
  const there = windows.filter((w) => a.windows[w] != null && covered({ from: last, to: last }, w, months) === "whole");
  const ids = services(a.total);
  const drawn = drawnOf(a, s);
  const days = (n: string) => (n === "1" ? (french ? "1 jour" : "1 day") : french ? `${n} jours` : `${n} days`);
  const all = [...there.map((w) => ({ name: days(w.slice(0, -1)), r: a.windows[w]! })), { name: french ? "Le mois" : "The month", r: a.total }];
  const cut = windows.filter((w) => a.windows[w] != null && !there.includes(w)).map((w) => days(w.slice(0, -1)));
  const end = s.n.day(last);
  const one = drawn[0] === undefined ? null : figureOf(a.windows["1d"] ?? undefined, drawn[0]);
  const month = drawn[0] === undefined ? null : figureOf(a.total, drawn[0]);
  const sentence = !shown(one) || !shown(month) ? (french ? `Comptes des jours qui finissent le ${end}` : `Accounts of the days that end on ${end}`) : french
    ? `${s.n.whole(one.value)} comptes ${of(s.name(drawn[0]!))} le dernier jour, ${s.n.whole(month.value)} dans le mois`
    : `${s.n.whole(one.value)} ${s.name(drawn[0]!)} accounts on the last day, ${s.n.whole(month.value)} in the month`;
  const layout: panels.Layout = {
    rows: all.map((w) => w.name),
    shortRows: all.map((w) => w.name),
    panels: drawn.map((id) => ({ title: s.name(id), marks: all.map((w) => ({ m: figureOf(w.r, id), fill: s.colour(id).fill, said: `${s.name(id)}, ${w.name}` })) })),
    below: underMinimum(a.total, s),
    belowShort: s.t.underShort(a.total.meta.thresholds?.min_accounts ?? 50),
    number: (x) => s.n.whole(x),
    range: (m) => `${s.n.whole(m.low ?? 0)}–${s.n.whole(m.high ?? 0)}`,
    tick: (x) => s.n.short(x),
    whole: true,
    label: sentence,
  };
  const rows = drawn.flatMap((id) => all.map((w) => rowOf(w.r, id)));
  const measures = layout.panels.flatMap((p) => p.marks.map((d) => d.m));
  return {
    id: "account-windows",
    sentence,
    subtitle: french ? `Comptes uniques des jours qui finissent le ${end}, ${s.market}` : `Unique accounts of the days that end on ${end}, ${s.market}`,
    keys: keysOf(rows, a.total, s),
    notes: [...(cut.length === 0 ? [] : [french ? `${s.n.list(cut)}\u00a0: non montrés, car ils débordent sur un mois sans recensement.` : `${s.n.list(cut)}: not shown, since they reach into a month without a census.`]), ...others(ids, drawn, s), ...minimum(measures, a.total, s)],
    source: source(a.total, a.month, s),
    data,
    file: () => csvText(["market", "to", "window", "location", "credit", "service"], "unique_accounts", [...there, "month" as const].flatMap((w) => {
      const r = w === "month" ? a.total : a.windows[w]!;
      return ids.map((id) => ({ of: [a.market, w === "month" ? a.total.meta.to! : last, w, r.meta.location, r.meta.credit, id], m: figureOf(r, id) }));
    })),
    table: {
      head: [s.t.service, french ? "Fenêtre" : "Window", ...heads(s)],
      rows: ids.flatMap((id) => all.map((w) => [s.name(id), w.name, ...censusCells(rowOf(w.r, id), a.total, s)])),
    },
    height: (width) => panels.height(layout, width),
    draw: (width) => panels.dots(layout, width),
  };
}
