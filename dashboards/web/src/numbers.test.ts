import assert from "node:assert/strict";
import { test } from "node:test";
import { lastDay, monthsBefore, Numbers, shown } from "./numbers";
import { below, measure } from "./testing";

const en = new Numbers("en");
const fr = new Numbers("fr");
const thin = "\u202f";
const minus = "\u2212";

test("persons are told to the thousand from ten thousand on", () => {
  assert.equal(en.persons(3_493_999.5), "3,494,000");
  assert.equal(en.persons(9_999.4), "9,999");
  assert.equal(fr.persons(3_493_999.5), `3${thin}494${thin}000`);
});

test("intervals", () => {
  assert.equal(en.range(measure(1, 3_305_241, 3_691_474)), "3.31–3.69\u00a0M");
  assert.equal(en.range(measure(1, 386_886, 544_224)), "387,000–544,000");
  assert.equal(fr.range(measure(1, 3_305_241, 3_691_474)), `3,31–3,69${thin}M`);
  assert.equal(en.range(below), "");
  assert.equal(en.between(measure(1, 3_305_241, 3_691_474)), "3.31 and 3.69\u00a0million");
  assert.equal(en.between(measure(1, 2_965_240_000, 3_332_730_000)), "2.97 and 3.33\u00a0billion");
  assert.equal(fr.between(measure(1, 965_240_000, 1_332_730_000)), "0,97 et 1,33\u00a0milliards");
  assert.equal(en.range(measure(1, 2_965_240_000, 3_332_730_000)), "2.97–3.33\u00a0bn");
  assert.deepEqual([fr.million(1.6e9), fr.million(2e9), en.million(16.8e6), fr.short(1.5e9), en.short(4e9), en.short(5e8)], ["1,6\u00a0milliard", "2,0\u00a0milliards", "16.8\u00a0million", `1,5${thin}Md`, "4\u00a0bn", "500\u00a0M"]);
  assert.equal(fr.between(measure(1, 386_886, 544_224)), `387${thin}000 et 544${thin}000`);
});

test("changes have a sign of their own", () => {
  assert.equal(en.signed(-17_997.5), `${minus}18,000`);
  assert.equal(en.signed(374_000.4), "+374,000");
  assert.equal(en.signed(-432, 9000), `${minus}432`);
  assert.deepEqual([en.signed(-300, 50_000), en.signed(0.2), en.signedPercent(-0.02)], ["0", "0", "0.0%"], "nothing has no sign");
  assert.equal(en.signedPercent(11.98), "+12%");
  assert.equal(fr.signedPercent(-3.83), `${minus}3,8${thin}%`);
});

test("time", () => {
  assert.equal(en.hours(293.9), "4\u00a0h\u00a054");
  assert.equal(en.hours(59.4), "59\u00a0min");
  assert.equal(en.hours(59.6), "1\u00a0h\u00a000");
  assert.equal(fr.hours(239.81), `4${thin}h${thin}00`);
});

test("axes", () => {
  assert.deepEqual([0, 2.5, 20].map((x) => en.percentShort(x)), ["0%", "2.5%", "20%"], "a tick says where it stands");
  assert.deepEqual([0, 200_000, 1e6, 2.5e6].map((x) => en.short(x)), ["0", "200,000", "1\u00a0M", "2.5\u00a0M"]);
});

test("months and days don't hang on the reader's zone", () => {
  assert.equal(en.month("2003-10"), "October 2003");
  assert.equal(en.monthShort("2003-09"), "Sep 2003");
  assert.equal(fr.month("2003-08"), "août 2003");
  assert.equal(en.monthName("2002-12", "2003-01"), "December 2002");
  assert.equal(en.monthName("2003-09", "2003-10"), "September");
  assert.equal(en.day("2003-10-01"), "1 October 2003");
  assert.equal(monthsBefore("2003-01", 2), "2002-11");
  assert.equal(monthsBefore("2003-10", 12), "2002-10");
  assert.deepEqual(["2003-02", "2004-02", "2003-12"].map(lastDay), ["2003-02-28", "2004-02-29", "2003-12-31"]);
});

test("lists", () => {
  assert.equal(en.list(["A", "B", "C"]), "A, B and C");
  assert.equal(fr.list(["A", "B"]), "A et B");
  assert.equal(en.list(["A"]), "A");
  assert.equal(en.some(["A", "B", "C", "D"], 2), "A, B and 2 others");
  assert.equal(fr.some(["A", "B", "C"], 2), "A, B et C");
});

test("what is withheld is not shown, whatever its status is called", () => {
  assert.ok(shown(measure(1, 0, 2)));
  assert.ok(shown(measure(1, 0, 2, 40)));
  for (const status of ["below", "undefined", "below_detection"] as const) assert.ok(!shown({ ...below, status }));
  assert.ok(!shown(null));
});
