import assert from "node:assert/strict";
import { test } from "node:test";
import { read } from "./address";
import { path, type Publication } from "./api";
import { allCounted, allHere, choose, chooseCensus, csv, poolable, spans, windowQuery, windowsEnd, type Accounts, type Catalogue, type People } from "./load";
import { meta } from "./testing";

const at = (query: string) => read(new URL(`http://localhost/?${query}`), "en");
const publication = (market: string, panel: string, month: string, version = 1): Publication => ({ market, panel, month, version, status: "final", time: "2003-11-10T00:00:00Z" });
const catalogue: Catalogue = {
  markets: [{ market: "BE", name: "Belgium", zone: "Europe/Brussels" }, { market: "FR", name: "France", zone: "Europe/Paris" }],
  services: [],
  open: [],
  census: { BE: [], FR: [], WORLD: ["2002-10", "2003-10"] },
  segments: [],
  publications: [publication("FR", "demo", "2002-10"), publication("FR", "demo", "2003-10"), publication("FR", "demo", "2003-10", 2), publication("FR", "other", "2004-01")],
};

test("what an address leaves out is the first market's first panel's latest month", () => {
  assert.deepEqual(choose(at(""), catalogue), { market: "FR", panel: "demo", month: "2003-10" });
  assert.deepEqual(choose(at("panel=other"), catalogue), { market: "FR", panel: "other", month: "2004-01" });
  assert.deepEqual(choose(at("month=2002-10"), catalogue), { market: "FR", panel: "demo", month: "2002-10" });
});

test("what isn't there names the nearest that are", () => {
  const missing = choose(at("month=2003-12"), catalogue);
  assert.deepEqual(missing, { kind: "month", asked: "2003-12", nearest: [{ market: "FR", panel: "demo", month: "2003-10" }, { market: "FR", panel: "demo", month: "2002-10" }] });
  for (const asked of ["2099-13", "2003-00", "2003-1", "october", "2003-10-05"]) {
    assert.deepEqual(choose(at(`month=${asked}`), catalogue), { kind: "not a month", asked, nearest: [{ market: "FR", panel: "demo", month: "2003-10" }] });
  }
  assert.deepEqual(choose(at("market=XX"), catalogue), { kind: "market", asked: "XX", nearest: [{ market: "FR", panel: "other", month: "2004-01" }] });
  assert.deepEqual(choose(at("market=BE"), catalogue), { kind: "no panel", asked: "BE", nearest: [{ market: "FR", panel: "other", month: "2004-01" }] });
  assert.equal((choose(at("panel=nn"), catalogue) as { kind: string }).kind, "panel");
  assert.deepEqual(choose(at(""), { ...catalogue, publications: [] }), { kind: "empty" });
});

test("with a census alone, the page of people says where it is", () => {
  const c = { ...catalogue, publications: [], markets: [...catalogue.markets, { market: "WORLD", name: "The world", zone: "UTC" }] };
  for (const query of ["", "market=FR", "month=2003-10"]) assert.deepEqual(choose(at(query), c), { kind: "census", nearest: [{ market: "WORLD", month: "2003-10" }] }, query);
});

test("the page of accounts opens where there is a census, and says where there is none", () => {
  const c = { ...catalogue, markets: [...catalogue.markets, { market: "WORLD", name: "The world", zone: "UTC" }] };
  const world = { market: "WORLD", month: "2003-10" };
  assert.deepEqual(chooseCensus(at(""), c), world);
  assert.deepEqual(chooseCensus(at(""), { ...c, census: { ...c.census, FR: ["2003-06"] } }), world, "the latest census, not the first market's");
  assert.deepEqual(chooseCensus(at("market=WORLD&month=2002-10"), c), { market: "WORLD", month: "2002-10" });
  assert.deepEqual(chooseCensus(at("market=WORLD&month=2003-01"), c), { market: "WORLD", month: "2003-01" });
  assert.deepEqual(chooseCensus(at("market=WORLD&month=2003-13"), c), { kind: "not a month", asked: "2003-13", nearest: [world] });
  assert.deepEqual(chooseCensus(at("market=FR&month=2002-10"), c), { kind: "uncounted", asked: "FR", nearest: [world] });
  assert.deepEqual(chooseCensus(at("market=XX"), c), { kind: "market", asked: "XX", nearest: [world] });
  assert.deepEqual(chooseCensus(at(""), catalogue), { kind: "uncounted", asked: undefined, nearest: [] });
  assert.equal((choose(at("market=WORLD"), c) as { kind: string }).kind, "no panel");
});

test("windows end on the month's last day, or today", () => {
  assert.equal(windowsEnd("2003-10"), "2003-10-31");
  assert.equal(windowsEnd("2026-11", "2026-11-29"), "2026-11-29");
  assert.deepEqual([windowQuery("1d", "2003-10-31"), windowQuery("7d", "2003-10-31")], [{ from: "2003-10-31", to: "2003-10-31" }, { from: "2003-10-31", to: "2003-10-31", window: "7d" }]);
});

test("a demonstration that loads says how far it is, unless a month is asked for", () => {
  const open = (...months: string[]) => months.map((month) => ({ market: "FR", panel: "demo", month }));
  const real = { ...catalogue, publications: [], open: open("2002-10") };
  assert.deepEqual(choose(at(""), real), { kind: "empty" });
  const simulated = { ...real, markets: catalogue.markets.map((m) => ({ ...m, simulated: m.market === "FR" })) };
  assert.deepEqual(choose(at(""), simulated), { kind: "loading", loaded: 1, nearest: [] });
  assert.deepEqual(choose(at("market=BE"), simulated), { kind: "empty" });
  const first = { market: "FR", panel: "demo", month: "2002-09" };
  const half = { ...simulated, publications: [publication("FR", "demo", "2002-09"), publication("FR", "other", "2002-09")] };
  assert.deepEqual(choose(at(""), half), { kind: "loading", loaded: 2, nearest: [first] });
  assert.deepEqual(choose(at("month=2002-09"), half), first);
  assert.equal((choose(at("month=2002-10"), half) as { kind: string }).kind, "month");
  assert.deepEqual(choose(at(""), { ...half, open: [] }), first);
});

test("days, whole weeks and months", () => {
  assert.equal(spans("2002-10", "day").length, 31);
  assert.deepEqual(spans("2002-10", "week").map((s) => s.from), ["2002-09-30", "2002-10-07", "2002-10-14", "2002-10-21", "2002-10-28"]);
  assert.deepEqual(spans("2002-10", "week").at(-1), { from: "2002-10-28", to: "2002-11-03" });
  const months = spans("2003-10", "month");
  assert.deepEqual([months.length, months[0], months.at(-1)], [13, { from: "2002-10-01", to: "2002-10-31" }, { from: "2003-10-01", to: "2003-10-31" }]);
});

test("a page has all its parts once the last has come, whichever it is", () => {
  const report = { meta: meta(), columns: [], rows: [] };
  const all: People = {
    chosen: { market: "FR", panel: "demo", month: "2003-10" }, ranking: report, before: undefined, trend: report, either: report, duplication: report, combinations: report,
    profile: report, curve: report, frequency: new Error("busy"), places: { home: report, work: report, both: report }, at: new Date(),
  };
  assert.ok(allHere(all, "overlap"));
  for (const part of ["trend", "either", "duplication", "combinations", "profile", "curve", "frequency"] as const) assert.ok(!allHere({ ...all, [part]: undefined }, "overlap"), part);
  assert.ok(!allHere({ ...all, places: { home: report, both: report } }, "overlap"));
  assert.ok(!allHere(all, "apart"), "home only is another part");
  const accounts: Accounts = {
    market: "WORLD", month: "2003-10", total: report, steps: [], places: { home: report, work: report, both: report, elsewhere: report }, parts: { platform: report, segment: report },
    windows: { "1d": report, "7d": report, "28d": null, "30d": report }, at: new Date(),
  };
  assert.ok(allCounted(accounts));
  assert.ok(!allCounted({ ...accounts, steps: undefined }) && !allCounted({ ...accounts, parts: { platform: report } }) && !allCounted({ ...accounts, windows: { "1d": report } }));
});

test("pooling is offered where the report tells of it", () => {
  assert.deepEqual(["method=rollcall-1; trim=0,0; below_pool=2-12", "method=rollcall-1; below_pool=2-2", "method=rollcall-1; trim=0,0"].map((method) => poolable(meta({ method }))), [12, 2, 0]);
});

test("an address of the API", () => {
  assert.equal(path("/v1/reports/ranking", { market: "FR", location: "home+work", version: undefined, pool: 6 }), "/v1/reports/ranking?market=FR&location=home%2Bwork&pool=6");
  assert.equal(csv("trend", { market: "FR" }), "/v1/reports/trend?market=FR&format=csv");
});
