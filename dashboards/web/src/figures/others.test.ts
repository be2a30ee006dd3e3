import assert from "node:assert/strict";
import { test } from "node:test";
import type { CurveRow, FrequencyRow, ProfileRow, Publication, TrendRow } from "../api";
import { csvText, source } from "../figure";
import { bands, runs, toEnd, type Series } from "../lines";
import { below, measure, meta, october2003, row, scope } from "../testing";
import type { CensusRow, MarketRow, Measure, Report } from "../api";
import type { Accounts } from "../load";
import { covered, flagged, stepsOf } from "../load";
import { divided, ended, headline, lede, parts, perPerson, places as censusPlaced, reaches, steps, ticksOf } from "./census";
import { hidden, sentence as combined, told } from "./combinations";
import { sentence as curved } from "./curve";
import { matrix, sentence as shared, tint } from "./duplication";
import { bandsOf, sentence as often } from "./frequency";
import { citation } from "../parts/About";
import { withheldHeight } from "../draw";
import { markets, sentence as across } from "./markets";
import { sentence as placed } from "./places";
import { categoryText, chosen, differs, farthest, groups, sentence as profiled } from "./profile";
import { leader, mixed, monthTicks, older, overlap, sentence as trended, seriesOf } from "./trend";

const en = scope("en");
const fr = scope("fr");
const of = <Row>(rows: Row[]) => ({ meta: meta(), columns: [], rows });
const counted = (service: string, value: number, more: Partial<CensusRow> = {}): CensusRow => ({ service, unique_accounts: measure(value, value, value), account_minutes: below, exact: true, ...more });

test("a source says that people are simulated where the report does, whatever its universe is called", () => {
  assert.ok(source(meta({ simulated: true, universe: undefined }), en).endsWith(en.t.simulatedDot));
  assert.ok(!source(meta({ simulated: false }), en).includes(en.t.simulatedDot));
});

test("a source and a citation say to whose census the panel is calibrated", () => {
  const calibrated = [{ service: "msn" }] as unknown as NonNullable<ReturnType<typeof meta>["calibrated"]>;
  for (const s of [en, fr]) {
    const said = s.t.calibratedDot(s.name("msn"));
    assert.ok(source(meta({ calibrated }), s).includes(said));
    assert.ok(citation(meta({ calibrated }), s).includes(said));
    assert.ok(!source(meta(), s).includes(said) && !citation(meta(), s).includes(said));
  }
});

test("lines: a line that stops before the period does has no value beside its name", () => {
  const line = (...points: Series["points"][number]["m"][]): Series => ({
    id: "icq", name: "ICQ", short: "ICQ", fill: "", dash: "none", points: points.map((m, x) => ({ x, m, said: "" })),
  });
  const seen = measure(100_000, 80_000, 120_000);
  assert.equal(toEnd(line(below, seen)), true);
  assert.equal(toEnd(line(seen, below)), false);
  assert.equal(toEnd(line(below, below)), false);
  assert.equal(toEnd(line()), false);
});

test("trend: rose or fell where the intervals do not meet, else the two figures alone", () => {
  const trend = (a: number, b: number) => of<TrendRow>([
    { month: "2002-10", service: "msn", unique_audience: measure(a, a * 0.9, a * 1.1) },
    { month: "2002-10", service: "any", unique_audience: measure(9e6, 8e6, 1e7) },
    { month: "2003-10", service: "msn", unique_audience: measure(b, b * 0.9, b * 1.1) },
    { month: "2003-10", service: "any", unique_audience: measure(9e6, 8e6, 1e7) },
  ]);
  assert.equal(trended(trend(1_585_000, 3_494_000), en), "MSN Messenger rose from 1,585,000 in October 2002 to 3,494,000 in October 2003");
  assert.equal(trended(trend(3_494_000, 1_585_000), en), "MSN Messenger fell from 3,494,000 in October 2002 to 1,585,000 in October 2003");
  assert.equal(trended(trend(1_500_000, 1_585_000), en), "MSN Messenger: 1,500,000 in October 2002, 1,585,000 in October 2003", "months that are not neighbours have no test: nothing is said of it");
  assert.match(trended(trend(1_500_000, 1_585_000), fr), /^MSN Messenger.: 1.500.000 en octobre 2002, 1.585.000 en octobre 2003$/);
  assert.equal(trended(trend(341_200, 340_900), en), "MSN Messenger stood at 341,000 in October 2002 as in October 2003", "one figure is not told as two");
  assert.match(trended(trend(341_200, 340_900), fr), /^MSN Messenger.: 341.000 en octobre 2002 comme en octobre 2003$/);
  assert.match(trended(trend(1_585_000, 3_494_000), fr), /^MSN Messenger passe de 1.585.000 en octobre 2002 à 3.494.000 en octobre 2003$/);
  assert.equal(leader(trend(1, 2)), "msn");
  assert.ok(overlap(measure(1, 0, 2), measure(3, 2, 4)) && !overlap(measure(1, 0, 2), measure(4, 3, 5)));
});

test("trend: of neighbouring months a rise is told by the test of the change, as the ranking has it", () => {
  const trend = (change: Measure | null, b = 1_500_000) => of<TrendRow>([
    { month: "2002-12", service: "msn", unique_audience: measure(1_400_000, 1_300_000, 1_500_000), change: null },
    { month: "2003-01", service: "msn", unique_audience: measure(b, b - 100_000, b + 100_000), change },
  ] as TrendRow[]);
  const sure = trend(measure(100_000, 20_000, 180_000));
  assert.equal(trended(sure, en), "MSN Messenger rose from 1,400,000 in December 2002 to 1,500,000 in January 2003", "the intervals overlap, and the change is beyond chance");
  assert.match(trended(sure, fr), /^MSN Messenger passe de 1.400.000 en décembre 2002 à 1.500.000 en janvier 2003$/);
  const maybe = trend(measure(300_000, -20_000, 620_000), 1_700_000);
  assert.equal(trended(maybe, en), "MSN Messenger stood at 1,400,000 in December 2002 and 1,700,000 in January 2003", "the intervals do not overlap, and the change may be chance");
  assert.match(trended(maybe, fr), /, 1.700.000 en janvier 2003, sans écart sûr$/);
  for (const none of [trend(null, 1_700_000), trend({ ...below, status: "undefined" }, 1_700_000)]) assert.equal(trended(none, en), "MSN Messenger: 1,400,000 in December 2002, 1,700,000 in January 2003");
});

test("trend: a calibrated month is not told as a rise or a fall from one that is not", () => {
  const trend = (...calibrated: boolean[]) => of<TrendRow>(calibrated.map((c, i) => ({
    month: `2003-0${i + 4}`, service: "msn", unique_audience: measure((i + 1) * 1e6, (i + 0.9) * 1e6, (i + 1.1) * 1e6), change: measure(1e6, 9e5, 1.1e6), calibrated: c,
  }) as TrendRow));
  assert.equal(trended(trend(false, false, true), en), "MSN Messenger had 3,000,000 visitors in June 2003");
  assert.equal(trended(trend(true, false, false), en), "MSN Messenger rose from 2,000,000 in May 2003 to 3,000,000 in June 2003");
  assert.equal(trended(trend(true, true), en), "MSN Messenger rose from 1,000,000 in April 2003 to 2,000,000 in May 2003");
  assert.deepEqual(mixed(trend(false, false, true), en), ["Calibrated to a census: June 2003 alone. Do not compare with the other months."]);
  assert.match(mixed(trend(true, false, true), fr).join(), /^Seulement avril 2003 et juin 2003/);
  assert.deepEqual(runs(seriesOf(trend(false, false, true), en)[0]!.points).map((run) => run.length), [2, 1], "no line leads from one to the other");
  const drawn = bands(seriesOf(trend(false, false, true), en)[0]!) as unknown as { data: unknown[] }[];
  assert.deepEqual(drawn.map((band) => band.data.length), [2, 1], "nor does a band");
  assert.deepEqual([...mixed(trend(true, true), en), ...mixed(trend(false, false), en)], []);
});

test("trend: a month that is not of its latest version is named", () => {
  const r = of<TrendRow>([1, 2, 1].map((version, i) => ({ month: `2003-0${i + 5}`, service: "msn", version, unique_audience: measure(1e6, 9e5, 1.1e6) }) as TrendRow));
  const published = (month: string, version: number, panel = "demo") => ({ market: "FR", panel, month, version }) as Publication;
  const all = [published("2003-05", 2), published("2003-05", 1), published("2003-06", 2), published("2003-07", 1), published("2003-07", 3, "other")];
  assert.deepEqual(older(r, all, en), ["Not by their latest version: May 2003 (version 1, not 2)."]);
  assert.match(older(r, all, fr).join(), /^Pas dans leur dernière version.: mai 2003 \(version 1, non 2\)\.$/);
  assert.deepEqual(older(r, [], en), []);
});

test("trend: only Januaries over two years, and not all where there is no space", () => {
  const months = Array.from({ length: 60 }, (_, i) => `${2000 + Math.floor(i / 12)}-${String((i % 12) + 1).padStart(2, "0")}`);
  assert.deepEqual(monthTicks(months, 500, en).values.map((v) => new Date(v).toISOString().slice(0, 7)), ["2000-01", "2001-01", "2002-01", "2003-01", "2004-01"]);
  assert.deepEqual(monthTicks(months, 160, en).values.map((v) => new Date(v).toISOString().slice(0, 7)), ["2000-01", "2002-01", "2004-01"]);
});

test("places: both of all", () => {
  const by = new Map([["both", of([row("msn", 1, measure(387_000, 330_000, 450_000))])]]);
  assert.equal(placed(october2003(), by, en), "387,000 of MSN Messenger’s 3,494,000 visitors were seen both at home and at work");
  by.set("both", of([row("msn", 1, below)]));
  by.set("home", of([row("msn", 1, measure(3_011_000, 2_900_000, 3_100_000))]));
  assert.equal(placed(october2003(), by, en), "MSN Messenger had 3,011,000 visitors at home");
});

test("duplication: the leader’s own users first; every share is named, of many the three largest; who shows nothing is named", () => {
  const pair = (service: string, other: string, share = below) => ({ service, other, duplication: share, share_of_a: share, index: share });
  const r = of([pair("aim", "msn", measure(70, 61, 77)), pair("yahoo", "msn", measure(85, 73, 93, 51)), pair("msn", "aim", measure(9, 7, 11)), pair("msn", "yahoo", measure(10, 8, 12)), pair("msn", "jabber"), pair("jabber", "msn")]);
  const m = matrix(r, ["msn", "yahoo", "aim"]);
  assert.deepEqual([m.services, m.hidden], [["msn", "yahoo", "aim"], ["jabber"]]);
  assert.equal(shared(m, en), "Of MSN Messenger users, 10% also use Yahoo! Messenger and 9% AIM");
  assert.match(shared(m, fr), /^Des utilisateurs de MSN Messenger, 10.% utilisent aussi Yahoo! Messenger et 9.% AIM$/);
  const more = matrix(of(["icq", "aim", "yahoo", "voila"].map((id, i) => pair("msn", id, measure(60 + 5 * i, 50, 90)))), ["msn", "aim", "icq", "voila", "yahoo"]);
  assert.equal(shared(more, en), "Of MSN Messenger users, 75% also use Voila Messager, 70% Yahoo! Messenger and 65% AIM");
  assert.equal(shared(matrix(of([pair("aim", "msn", measure(70, 61, 77)), pair("msn", "aim")]), ["msn", "aim"]), en), "What else MSN Messenger users use");
  assert.deepEqual([0, 9.9, 10, 25, 50, 74.9, 75, 100].map(tint), [1, 1, 2, 3, 4, 4, 5, 5]);
});

test("combinations: the largest first, the withheld counted", () => {
  const r = of([{ services: ["msn", "aim"], unique_audience: measure(1000, 1, 2000, 40) }, { services: ["icq"], unique_audience: below }, { services: ["msn"], unique_audience: measure(2_853_000, 2_700_000, 3_000_000) }]);
  assert.deepEqual(told(r).map((x) => x.services.join("+")), ["msn", "msn+aim"]);
  assert.equal(hidden(r), 1);
  assert.equal(combined(r, october2003(), en), "82% of MSN Messenger’s users use no other service");
});

test("profile: the group most above the average, beyond chance", () => {
  const cell = (target: string, index = below): ProfileRow => ({ service: "msn", target, unique_audience: index, index });
  const r = of([cell("sex=F", measure(105, 98, 112)), cell("sex=M", measure(96, 90, 102)), cell("age=15-24", measure(187, 174, 200)), cell("age=50+", measure(28, 21, 35)), cell('region="Ile-de-France"', below)]);
  assert.equal(profiled(r, "msn", en), "MSN Messenger’s reach among 15–24s is 1.9 times its average");
  assert.match(profiled(r, "msn", fr), /^La couverture de MSN Messenger parmi les 15–24 ans est 1,9 fois la moyenne$/);
  assert.equal(farthest(r, "msn")!.group.target, "age=15-24");
  assert.deepEqual(groups(r).map((g) => categoryText(g, false)), ["Women", "Men", "15–24", "50 and over", "Île-de-France"]);
  assert.ok(differs(measure(187, 174, 200)) && !differs(measure(105, 98, 112)) && !differs(below));
  const flat = of([cell("sex=F", measure(105, 98, 112))]);
  assert.equal(profiled(flat, "msn", en), "MSN Messenger’s reach does not surely differ between groups");
});

test("panels: those asked for, else the first", () => {
  assert.deepEqual(chosen([], ["a", "b", "c"], 2), ["a", "b"]);
  assert.deepEqual(chosen(["c", "nobody"], ["a", "b", "c"], 2), ["c"]);
});

test("curve: the seventh day", () => {
  const day = (d: number, m = below): CurveRow => ({ service: "msn", day: d, date: `2003-10-${String(d).padStart(2, "0")}`, unique_audience: m });
  const r = of([day(6), day(7, measure(2_789_000, 2.6e6, 2.9e6)), day(31, measure(3_494_000, 3.3e6, 3.7e6))]);
  assert.equal(curved(r, en), "By day 7, 2,789,000 of MSN Messenger’s 3,494,000 visitors had come");
  r.rows[1]!.unique_audience = below;
  assert.equal(curved(r, en), "3,494,000 visitors of MSN Messenger had come by the month’s end");
});

test("frequency: bands in order, eight days or more from k_plus", () => {
  const band = (days: string | number, k = below): FrequencyRow => ({ service: "msn", days, unique_audience: k, share: k, k_plus: k });
  const r = of([band("15+"), band("8-14", measure(1_811_000, 1.7e6, 1.9e6)), band("1"), band("2-3"), band("4-7")]);
  assert.deepEqual(bandsOf(r), ["1", "2-3", "4-7", "8-14", "15+"]);
  assert.equal(often(r, "msn", en), "1,811,000 of MSN Messenger’s visitors came on 8 days or more");
  assert.deepEqual(bandsOf(of([band(10), band(2)])), ["2", "10"]);
});

test("census: a week that reaches into another month", () => {
  assert.ok(reaches({ from: "2002-09-30", to: "2002-10-06" }, "2002-10"));
  assert.ok(!reaches({ from: "2002-10-07", to: "2002-10-13" }, "2002-10"));
});

test("the CSV of a figure of several reports: what is withheld is empty, and says so", () => {
  assert.equal(
    csvText(["place", "service"], "unique_audience", [{ of: ["home", 'a "b", c'], m: measure(1.5, 1, 2, 40) }, { of: ["work", "x"], m: below }, { of: ["both", "x"], m: null }]),
    'place,service,unique_audience,unique_audience_se,unique_audience_low,unique_audience_high,unique_audience_n,unique_audience_status\r\nhome,"a ""b"", c",1.5,0.25,1,2,40,caution\r\nwork,x,,,,,,below\r\nboth,x,,,,,,\r\n',
  );
});

test("census: what was counted and what a sketch estimated is told apart; what is withheld names the minimum; segments have names", () => {
  const sketched = (service: string, value: number, more: Partial<CensusRow> = {}): CensusRow => ({ service, unique_accounts: measure(value, value * 0.98, value * 1.02), account_minutes: below, exact: false, ...more });
  const census = (...rows: CensusRow[]): Report<CensusRow> => ({ meta: meta({ report: "census", market: "WORLD", location: "any", thresholds: { min_accounts: 50 } }), columns: [], rows });
  const total = census(sketched("msn", 30_000), counted("icq", 23_000));
  assert.match(lede(total, en), /^Between 29,400 and 30,600, with 95% confidence: estimated by a sketch\. Accounts of the others: ICQ 23,000 \(counted, without error\)\./);
  assert.match(lede(total, fr), /^Entre 29.400 et 30.600 à 95.%.: estimés par une esquisse\. Comptes des autres.: ICQ 23.000 \(comptés, sans erreur\)\./);
  assert.match(lede(census(counted("icq", 23_000)), en), /^Counted one by one, without error\.$/);
  const segment = census(sketched("msn", 20_000, { segment: "europe" }), counted("msn", 5_000, { segment: "lyon" }), { ...counted("icq", 0, { segment: "europe" }), unique_accounts: below });
  const a: Accounts = { market: "WORLD", month: "2003-10", total, steps: undefined, places: {}, parts: { segment }, windows: { "1d": total, "7d": total, "28d": null, "30d": total }, at: new Date() };
  const table = parts(a, "segment", "", en).table;
  assert.deepEqual(table.rows.slice(0, 3).map((r) => [r[0], r[1], r[2], r[5]]), [
    ["MSN Messenger", "Europe", "20,000", "sketch, ± 95% interval"], ["MSN Messenger", "lyon", "5,000", "counted, without error"], ["ICQ", "Europe", "under 50 accounts", ""],
  ]);
  assert.deepEqual(parts(a, "segment", "", en).keys.map((k) => k.text), ["sketch, ± 95% interval (not drawn if smaller than the dot)", "The smallest figures: counted, without error (the table says which)", "under 50 accounts"]);
  const both = census(...["europe", "lyon"].flatMap((segment, i) => [sketched("msn", 20_000 - i * 9000, { segment }), counted("icq", 900 + i * 500, { segment })]), counted("msn", 300, { segment: "oceania" }));
  const f2 = parts({ ...a, parts: { segment: both } }, "segment", "", en);
  assert.equal(f2.sentence, "Most accounts: Europe for MSN Messenger; lyon for ICQ");
  assert.equal(parts({ ...a, parts: { segment: both } }, "segment", "", fr).sentence, "Le plus de comptes\u00a0: Europe pour MSN Messenger\u202f; lyon pour ICQ");
  assert.equal(f2.keys[1]!.text, "ICQ and the smallest figures of the others: counted, without error (the table says which)");
  assert.match(f2.subtitle, /^Unique accounts by segment, as the operator divides them, /);
  const near = census(sketched("msn", 20_000, { platform: "web" }), sketched("msn", 19_900, { platform: "phone" }), sketched("icq", 500, { platform: "web" }), sketched("icq", 90, { platform: "phone" }));
  assert.equal(parts({ ...a, parts: { platform: near } }, "platform", "", en).sentence, "Most accounts: Web for ICQ", "whose first is within error is not told");
  near.rows[1] = sketched("msn", 9_900, { platform: "phone" });
  assert.equal(parts({ ...a, parts: { platform: near } }, "platform", "", en).sentence, "Web: the most accounts of every service");
  const seen = (icq: number) => census(sketched("msn", 8_862), counted("icq", icq));
  assert.equal(censusPlaced({ ...a, places: { home: total, both: seen(6_595) } }, "", en).sentence, "Seen both at home and at work: 8,862 of MSN Messenger’s 30,000 accounts and 6,595 of ICQ’s 23,000");
  const f = ended(a, ["2003-10"], "", en);
  assert.equal(f.sentence, "30,000 MSN Messenger accounts on the last day, 30,000 in the month");
  assert.deepEqual(f.table.rows.slice(0, 4).map((r) => r[1]), ["1 day", "7 days", "30 days", "The month"]);
  assert.equal(f.file!().split("\r\n")[0], "market,to,window,location,credit,service,unique_accounts,unique_accounts_se,unique_accounts_low,unique_accounts_high,unique_accounts_n,unique_accounts_status");
});

test("census: each service has its own segments, the largest first, and none of another's", () => {
  const row = (service: string, segment: string, value: number): CensusRow => ({ service, segment, unique_accounts: measure(value, 0.98 * value, 1.02 * value), account_minutes: null, exact: false }) as unknown as CensusRow;
  const census = (rows: CensusRow[]): Report<CensusRow> => ({ meta: meta({ report: "census", market: "ORG", thresholds: { min_accounts: 50 } }), columns: [], rows });
  const segment = census([row("msn", "none", 400), row("msn", "justice", 20_000), row("msn", "health", 30_000), row("icq", "lyon", 300), row("icq", "justice", 900), row("aim", "none", 700)]);
  const total = census([row("msn", "", 50_000), row("icq", "", 1200), row("aim", "", 700)]);
  const a: Accounts = { market: "ORG", month: "2003-10", total, steps: undefined, places: {}, parts: { segment }, windows: {}, at: new Date() };
  const rows = (query: string) => parts(a, "segment", "", scope("en", query)).table.rows.map((r) => r.slice(0, 2).join(" "));
  assert.deepEqual(rows(""), ["MSN Messenger health", "MSN Messenger justice", "MSN Messenger no segment", "ICQ justice", "ICQ lyon", "AIM no segment"]);
  assert.deepEqual(divided(a), ["msn", "icq"], "AIM has no segments");
  const figure = parts(a, "segment", "", scope("en"));
  assert.equal(figure.sentence, "Most accounts: health for MSN Messenger; justice for ICQ");
  assert.equal(figure.height(1200), 26 + 3 * 32 + 34, "panels beside each other are as tall as the one with the most segments");
  assert.equal(figure.height(360), 26 + 3 * 32 + 34 + 26 + 2 * 32 + 34, "below each other, each as tall as its own");
  assert.deepEqual(figure.notes, ["AIM: in the table."]);
  assert.deepEqual(parts(a, "segment", "", scope("en", "services=icq")).height(1200), 26 + 2 * 32 + 34, "the service that is chosen alone");
});

test("census: days on which a collector was down are flagged, and say why", () => {
  const counted = (day: string, value: number): CensusRow => ({ service: "msn", day, unique_accounts: measure(value, value, value), account_minutes: below, exact: true });
  const series: Report<CensusRow> = { meta: meta({ report: "census", breaks: [{ from: "2003-10-02", to: "2003-10-02", reason: "moved", rows: [2] }] }), columns: [], rows: [counted("2003-10-01", 900), counted("2003-10-02", 100)] };
  const total: Report<CensusRow> = { meta: meta({ report: "census", market: "WORLD" }), columns: [], rows: [counted("", 1000)] };
  const a: Accounts = { market: "WORLD", month: "2003-10", total, steps: stepsOf(flagged(series), "2003-10", "day"), breaks: series.meta.breaks!, places: {}, parts: {}, windows: {}, at: new Date() };
  const f = steps(a, ["2003-10"], "", scope("en"));
  assert.deepEqual(f.table.rows.slice(0, 2).map((r) => r[2]), ["900", "100 b"]);
  assert.ok(f.notes.includes("2 October 2003: moved") && f.keys.some((k) => k.text === "a collector was down (b): too low"), f.notes.join());
});


/** accountsBy is a month's accounts of msn by a step, as its series has them. */
function accountsBy(month: string, step: "7d" | "28d" | "week" | "month", rows: CensusRow[]): Accounts {
  const total: Report<CensusRow> = { meta: meta({ report: "census", market: "WORLD", thresholds: { min_accounts: 50 } }), columns: [], rows: [counted("msn", 1000)] };
  return { market: "WORLD", month, total, steps: stepsOf(rows, month, step), places: {}, parts: {}, windows: { "1d": total, "7d": total, "28d": total, "30d": total }, at: new Date() };
}

test("census: a window or a week that reaches into a month without a census is not whole", () => {
  const on = (day: string) => ({ from: day, to: day });
  assert.deepEqual(["2002-10-06", "2002-10-07"].map((d) => covered(on(d), "7d", ["2002-10"])), ["part", "whole"]);
  assert.deepEqual(["2002-11-27", "2002-11-28"].map((d) => covered(on(d), "28d", ["2002-09", "2002-11"])), ["part", "whole"], "October is missing");
  assert.deepEqual([["2003-01", "2003-02", "2003-03"], ["2003-01", "2003-03"]].map((months) => covered(on("2003-03-01"), "30d", months)), ["whole", "part"], "a month between");
  assert.deepEqual([{ from: "2002-09-30", to: "2002-10-06" }, { from: "2002-10-07", to: "2002-10-13" }].map((w) => covered(w, "week", ["2002-10"])), ["part", "whole"]);
  assert.equal(covered(on("2002-10-01"), "day", ["2002-10"]), "whole");
  assert.equal(covered({ from: "2002-09-01", to: "2002-09-30" }, "month", ["2002-10"]), "none");
});

test("census: what is not whole is hollow, out of the sentence, and said", () => {
  const days = Array.from({ length: 31 }, (_, i) => counted("msn", 100 * (i + 1), { day: `2002-10-${String(i + 1).padStart(2, "0")}` }));
  const a = accountsBy("2002-10", "7d", days);
  const f = steps(a, ["2002-10"], "", scope("en", "step=7d"));
  assert.equal(f.sentence, "MSN Messenger had between 700 and 3,100 accounts in 7 days");
  assert.ok(f.keys.some((k) => k.mark === "hollow" && k.text === "days that reach into a month without a census: too low"), JSON.stringify(f.keys));
  assert.deepEqual([f.table.rows[5]![2], f.table.rows[6]![2]], ["600 (too low)", "700"]);
  const known = steps(a, ["2002-09", "2002-10"], "", scope("en", "step=7d"));
  assert.equal(known.sentence, "MSN Messenger had between 100 and 3,100 accounts in 7 days");
  assert.ok(known.keys.every((k) => k.mark !== "hollow"));
  const two = accountsBy("2002-10", "7d", [...days, ...days.map((d) => ({ ...d, service: "icq", unique_accounts: measure(50, 50, 50) }))]);
  two.total.rows.push(counted("icq", 400));
  assert.equal(steps(two, ["2002-09", "2002-10"], "", scope("en", "step=7d")).sentence, "MSN Messenger had between 100 and 3,100 accounts in 7 days; ICQ 50");
  assert.ok(steps(a, ["2002-10"], "", scope("fr", "step=7d")).keys.some((k) => k.text === "fenêtre qui déborde sur un mois sans recensement\u00a0: trop bas"));
  const weeks = accountsBy("2002-10", "week", [counted("msn", 90, { week: "2002-W40" }), counted("msn", 700, { week: "2002-W41" }), counted("msn", 800, { week: "2002-W44" })]);
  const w = steps(weeks, ["2002-10", "2002-11"], "", scope("en", "step=week"));
  assert.equal(w.sentence, "MSN Messenger had between 700 and 800 accounts a week");
  assert.deepEqual(w.keys.filter((k) => k.mark === "hollow").map((k) => k.text), ["a week that reaches into another month", "a week that reaches into a month without a census: too low"]);
  const february = ended({ ...a, month: "2002-02" }, ["2002-02"], "", scope("en"));
  assert.deepEqual(february.table.rows.map((r) => r[1]), ["1 day", "7 days", "28 days", "The month"]);
  assert.equal(february.notes[0], "30 days: not shown, since they reach into a month without a census.");
  assert.ok(!february.file!().includes(",30d,"));
});

test("census: a line stops for the minimum, for a month without a census, or where nothing was seen", () => {
  const month = (at: string, more: Partial<CensusRow> = {}) => counted("msn", 1000, { month: at, ...more });
  const all = Array.from({ length: 13 }, (_, i) => (i < 3 ? `2002-${10 + i}` : `2003-${String(i - 2).padStart(2, "0")}`));
  const none = { unique_accounts: below };
  const figure = (months: string[], language: "en" | "fr", ...rows: CensusRow[]) => steps(accountsBy("2003-10", "month", rows), months, "", scope(language, "step=month"));
  const ends = [all[0]!, all[12]!];
  const gaps = all.map((m) => month(m, ends.includes(m) ? {} : none));
  const f = figure(ends, "en", ...gaps);
  assert.deepEqual(f.notes, ["Where a line stops: a month without a census."]);
  assert.deepEqual(f.table.rows.slice(0, 2).map((r) => r[2]), ["1,000", "no census"]);
  assert.ok(f.keys.every((k) => k.mark !== "hollow"));
  assert.deepEqual(figure(ends, "fr", ...gaps).notes, ["Là où une ligne s’arrête\u00a0: un mois sans recensement."]);
  assert.match(figure(all, "en", ...gaps).notes.join(" "), /^Where a line stops: under 50 accounts\. Under 50 accounts: this server’s minimum/);
  assert.equal(figure(all.slice(1), "en", ...gaps).notes[0], "Where a line stops: under 50 accounts, or a month without a census.");
  assert.deepEqual(figure(all, "en", month(ends[0]!), month(ends[1]!)).notes, ["Where a line stops: no account seen."]);
  assert.deepEqual(figure(all, "en", ...all.map((m) => month(m))).notes, []);
});

test("census: a month whose accounts are all under the minimum says so, and has no scale", () => {
  const hidden = (service: string, more: Partial<CensusRow> = {}) => counted(service, 0, { unique_accounts: below, ...more });
  const total = (min: number, ...rows: CensusRow[]): Report<CensusRow> => ({ meta: meta({ report: "census", market: "WORLD", location: "any", thresholds: { min_accounts: min } }), columns: [], rows });
  const two = total(50, hidden("msn"), hidden("icq"));
  assert.equal(headline(two, "2002-10", en), "Under 50 accounts of each service in October 2002: withheld");
  assert.equal(headline(two, "2002-10", fr), "Moins de 50 comptes de chaque service en octobre 2002\u00a0: non publié");
  assert.equal(headline(total(50, hidden("aim")), "2002-10", en), "Under 50 accounts of AIM in October 2002: withheld");
  assert.equal(headline(total(50, hidden("aim")), "2002-10", fr), "Moins de 50 comptes d’AIM en octobre 2002\u00a0: non publié");
  assert.equal(headline(total(50, hidden("msn", { unique_accounts: { ...below, status: "undefined" } })), "2002-10", en), "Accounts in October 2002: not defined");
  assert.equal(headline(total(50), "2002-10", en), "No accounts were seen in October 2002");
  const a = { ...accountsBy("2002-10", "7d", ["2002-10-30", "2002-10-31"].map((day) => hidden("msn", { day }))), total: total(50, hidden("msn")) };
  const f = steps({ ...a, windows: { "1d": a.total, "7d": a.total, "28d": a.total, "30d": a.total } }, ["2002-09", "2002-10"], "", scope("en", "step=7d"));
  assert.equal(f.height(1136), withheldHeight);
  assert.match(f.notes.join(" "), /^Under 50 accounts: this server’s minimum/, "no line stops where there is none");
  const last = ended({ ...a, windows: { "1d": a.total, "7d": a.total } }, ["2002-10"], "", en);
  assert.equal(last.height(1136), withheldHeight);
  assert.ok(ended(accountsBy("2002-10", "7d", []), ["2002-10"], "", en).height(1136) > withheldHeight);
});

test("census: a minimum of one is one account", () => {
  const total: Report<CensusRow> = { meta: meta({ report: "census", thresholds: { min_accounts: 1 } }), columns: [], rows: [counted("msn", 0, { unique_accounts: below })] };
  const a = { ...accountsBy("2002-10", "7d", []), total, windows: { "1d": total } };
  const said = (language: "en" | "fr") => { const f = ended(a, ["2002-10"], "", scope(language)); return [headline(total, "2002-10", scope(language)), ...f.notes, ...f.keys.map((k) => k.text)].join(" "); };
  assert.match(said("en"), /Under 1 account of .*Under 1 account: .*under 1 account$/);
  assert.match(said("fr"), /Moins de 1 compte de .*Moins de 1 compte\u00a0: .*moins de 1 compte$/);
  assert.deepEqual([en.t.under(1), fr.t.under(1), en.t.under(2), fr.t.under(2)], ["under 1 person", "moins de 1 personne", "under 2 persons", "moins de 2 personnes"]);
  assert.deepEqual([en.t.key.below(1), fr.t.key.below(1)], ["under 1 person: withheld", "moins de 1 personne\u00a0: non publié"]);
});

test("census: an axis of months has its years", () => {
  const xs = stepsOf([], "2003-10", "month").map((x) => Date.parse(x.from));
  const at = (width: number, language: "en" | "fr") => {
    const { values, text } = ticksOf(xs, width, scope(language, "step=month"));
    return values.map(text).join(" ");
  };
  assert.equal(at(1136, "en"), "Oct 2002 Nov Dec Jan 2003 Feb Mar Apr May Jun Jul Aug Sep Oct");
  assert.equal(at(360, "en"), "Jan 2003 Jul");
  assert.match(at(1136, "fr"), /^oct\. 2002 nov\. déc\. janv\. 2003 /);
  assert.deepEqual(ticksOf(xs.slice(0, 2), 1136, scope("en", "step=day")).values, xs.slice(0, 2));
});

test("markets: highest where the first differs from the second, told apart by each market's own limits", () => {
  const at = (market: string, reach: Measure, differs: boolean | null): MarketRow => ({
    market, panel: "nn", version: 1, status: "final", unique_audience: reach, reach, rank: 1, rank_low: 1, rank_high: 1, difference: null, differs, tied_markets: [],
  });
  const about = (market: string, name: string, low: number) => ({ market, name, panel: "nn", version: 1, status: "final", simulated: false, in_tab: 900, df: 899, confidence: 0.95, thresholds: { low, caution: 60 }, document: "d" });
  const of = (...rows: MarketRow[]) => ({ meta: meta({ report: "markets", market: "", service: "msn", panel: undefined, version: undefined, status: undefined, thresholds: undefined, markets: [about("BE", "Belgium", 30), about("FR", "France", 30), about("UK", "United Kingdom", 100)] }), columns: [], rows });
  const three = of(at("BE", measure(41.2, 37, 46), null), at("FR", measure(20.8, 19, 22), true), at("UK", below, null));
  assert.equal(across(three, en), "MSN Messenger’s reach is highest in Belgium, at 41.2%");
  assert.match(across(three, fr), /^La couverture de MSN Messenger est la plus forte ici\u00a0: Belgium, 41,2.%$/);
  const near = of(at("BE", measure(21.2, 18, 24), null), at("FR", measure(20.8, 19, 22), false));
  assert.equal(across(near, en), "Belgium and France cannot be told apart by MSN Messenger’s reach");
  assert.deepEqual(markets(near, "", en).notes, ["Belgium and France: the difference may be chance."]);
  const figure = markets(three, "", en);
  assert.deepEqual(figure.table.rows.map((r) => [r[0], r[1], r.at(-1)]), [["Belgium", "41.2%", "–"], ["France", "20.8%", "yes"], ["United Kingdom", en.t.under(100), "–"]]);
  assert.ok(figure.keys.some((k) => k.text === en.t.key.below(100)) && figure.source.includes("Belgium (nn, v1 final), France (nn, v1 final)"));
  three.meta.markets![1]!.calibrated = [{ service: "msn" }, { service: "aim" }] as unknown as NonNullable<ReturnType<typeof meta>["calibrated"]>;
  assert.ok(markets(three, "", en).source.includes("Belgium (nn, v1 final), France (nn, v1 final, calibrated to the census of MSN Messenger, AIM), United Kingdom"));
  assert.ok(markets(three, "", fr).source.includes(", calé sur le recensement de MSN Messenger, AIM)"));
});

test("census: how many of its accounts a user has is told where a version of the month says so", () => {
  const total = { meta: { ...meta(), market: "FR" }, columns: [], rows: [counted("msn", 30_000)] } as unknown as Report<CensusRow>;
  const version = (version: number, per: number, more: object = {}) => ({
    market: "FR", panel: "demo", month: "2003-06", version,
    calibration: { services: ["msn"], accounts_per_person: [{ service: "msn", accounts_per_person: per, se: 0.0005, source: "survey; one account in a hundred", source_date: "2003-03-31" }] }, ...more,
  }) as Publication;
  const all = [version(2, 0.0125), version(1, 0.5), version(3, 9, { withdrawn: "2003-08-01T00:00:00Z" }), version(4, 9, { market: "BE" })];
  assert.deepEqual(perPerson(total, all, "2003-06", en), ["Accounts for each user of MSN Messenger: 0.0125 (survey; one account in a hundred, 31 March 2003), by version 2 of the panel demo."]);
  assert.match(perPerson(total, all, "2003-06", fr).join(), /^Comptes par utilisateur de MSN Messenger.: 0,0125 \(survey; one account in a hundred, 31 mars 2003\), d’après la version 2 du panel demo\.$/);
  assert.deepEqual([...perPerson(total, all, "2003-05", en), ...perPerson(total, [{ ...version(2, 1), calibration: undefined } as Publication], "2003-06", en)], []);
});
