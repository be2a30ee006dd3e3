import assert from "node:assert/strict";
import { test } from "node:test";
import type { Publication, RankingRow } from "../api";
import { below, measure, meta, october2003, row, scope } from "../testing";
import { described, changeTexts, headline, tracks, lede, older, rankRange, sentence, significant, ties, tiles, unchanged, withheld } from "./ranking";

const en = scope("en");
const fr = scope("fr");

test("the headline says who leads, with how many", () => {
  assert.equal(headline(october2003(), en), "MSN Messenger leads with 3,494,000 unique visitors in October 2003");
  assert.equal(headline(october2003(), fr), "MSN Messenger en tête avec 3\u202f494\u202f000 visiteurs uniques en octobre 2003");
});

test("the lede says how sure, of whom, since when, and who is second", () => {
  assert.equal(
    lede(october2003(), en),
    "Between 3.31 and 3.69\u00a0million at 95% confidence: 20.8% of the 16.8\u00a0million people online at home or at work. Up 374,000 on September (+12%), more than chance. Yahoo! Messenger (459,000) and AIM (452,000) are tied for second.",
  );
  assert.match(lede(october2003(), fr), /En hausse de 374.000 sur septembre \(\+12.%\), au-delà du hasard\. Yahoo! Messenger .* sont deuxièmes ex\u00a0æquo\.$/);
});

test("a tie reads as a tie", () => {
  assert.equal(sentence(october2003(), en), "MSN Messenger is first; Yahoo! Messenger and AIM cannot be told apart");
  assert.equal(sentence(october2003(), fr), "MSN Messenger premier\u202f; Yahoo! Messenger et AIM ne se départagent pas");
});

test("a tie for first is no lead", () => {
  const r = october2003();
  r.rows[0]!.tie_group = 2;
  assert.equal(headline(r, en), "MSN Messenger, Yahoo! Messenger and AIM are tied for first in October 2003");
  assert.doesNotMatch(headline(r, en) + lede(r, en) + sentence(r, en), /lead|is first|follows/);
});

test("who follows is told with the distance between the printed figures", () => {
  const r = october2003();
  r.rows[0]!.unique_audience = measure(1_585_400, 1_453_000, 1_728_000);
  r.rows[1]!.unique_audience = measure(544_600, 470_000, 631_000);
  r.rows[1]!.tie_group = 4;
  assert.match(lede(r, en), /Yahoo! Messenger \(545,000\) follows, 1,040,000 behind\.$/);
  assert.match(lede(r, fr), /Yahoo! Messenger \(545.000\) suit, avec 1.040.000 de moins\.$/);
});

test("a month whose changes are all undefined says where the reason is", () => {
  const r = october2003();
  assert.deepEqual(unchanged(r, en), []);
  for (const of of r.rows) of.change = { ...below, status: "undefined" };
  assert.match(unchanged(r, en).join(), /^Changes are not defined: the report’s notes /);
  assert.match(unchanged(r, fr).join(), /^Évolutions non définies\u00a0: les remarques/);
  r.meta.pool = 6;
  assert.deepEqual(unchanged(r, en), [], "a mean of months has none");
});

test("changes from a version that has been followed by another say so", () => {
  const published = (month: string, version: number, panel = "demo") => ({ market: "FR", panel, month, version }) as Publication;
  const r = october2003();
  assert.deepEqual(older(r, [published("2003-09", 1), published("2003-10", 2), published("2003-09", 2, "other")], en), []);
  const all = [published("2003-09", 2), published("2003-09", 1)];
  assert.deepEqual(older(r, all, en), ["Changes are from version 1 of September 2003, not from its version 2."]);
  assert.match(older(r, all, fr).join(), /^Évolutions sur la version 1 de septembre 2003/);
  r.meta.compared!.month = "2003-08";
  assert.match(older(r, [published("2003-08", 3)], fr).join(), /^Évolutions sur la version 1 d’août 2003, non sur sa version 3\.$/);
  for (const of of r.rows) of.change = below;
  assert.deepEqual(older(r, all, en), [], "there are no changes");
});

test("a change within chance is never called a rise beyond it", () => {
  const r = october2003();
  r.rows[0]!.change = measure(20_000, -5_000, 45_000);
  assert.match(lede(r, en), /No change on September beyond chance\./);
  assert.deepEqual(changeTexts(r.rows[2]!, en), { first: "≈ \u221218,000", second: "may be chance", sure: false });
  r.rows[2]!.change = measure(120, -90_034, 54_039);
  assert.deepEqual(changeTexts(r.rows[2]!, en), { first: "≈ 0", second: "may be chance", sure: false }, "nothing has no sign");
  assert.deepEqual(changeTexts(october2003().rows[0]!, en), { first: "▲ +374,000", second: "+12%", sure: true });
});

test("what the API says of significance goes first", () => {
  const change = measure(10, 1, 20);
  assert.equal(significant({ change }), true);
  assert.equal(significant({ change, significant: false }), false);
  assert.equal(significant({ change: below, significant: true }), false);
});

test("nothing is made of what is withheld", () => {
  const r = { meta: meta(), columns: [], rows: [row("msn", null, below), row("any", null, below)] };
  assert.equal(headline(r, en), "No service reaches 30 panelists in October 2003");
  assert.equal(lede(r, en), "");
  assert.deepEqual(tiles(r, en).map((t) => t.value), ["–", "–"]);
  assert.doesNotMatch(JSON.stringify(tiles(r, en)), /NaN|null|undefined/);
});

test("withheld services come by name", () => {
  assert.deepEqual(withheld(october2003(), en).map((x) => x.service), ["jabber", "voila"]);
});

test("tiles are the API's figures; one that it doesn't have is left out", () => {
  const r = october2003();
  assert.deepEqual(tiles(r, en).map((t) => [t.name, t.value]), [["Used any messenger", "3,756,000"], ["Reach of people online", "22.4%"], ["Time per MSN user", "4\u00a0h\u00a054"]]);
  r.rows.at(-1)!.multi_service = measure(17.7, 16, 19.4);
  assert.deepEqual(tiles(r, en)[2], { name: "Use two services or more", value: "17.7%", note: "of messenger users" });
});

test("a rank that could be another says which", () => {
  assert.equal(rankRange(october2003().rows[1]!), "2–3");
  assert.equal(rankRange(october2003().rows[0]!), "");
  assert.equal(rankRange({ rank_low: 1, rank_high: 1 } as RankingRow), "");
});

test("brackets that meet stand in tracks of their own", () => {
  assert.deepEqual(tracks([{ from: 0, to: 2 }, { from: 1, to: 4 }, { from: 3, to: 5 }, { from: 5, to: 6 }]), [0, 1, 0, 1]);
  assert.deepEqual(ties(october2003().rows), [["yahoo", "aim"]]);
});

test("who hears the ranking is told each figure with what it is", () => {
  const all = described(october2003(), scope("en")).split(". ");
  assert.equal(all[0], "MSN Messenger: rank 1, unique visitors 3,494,000 (3.31–3.69\u00a0M), reach 20.8%, change on Sep 2003 +374,000 (+12%)");
  assert.match(all[1]!, /^Yahoo! Messenger: rank 2, .*, change on Sep 2003 \+11,000 \(may be chance\)$/);
  assert.equal(all[4], "Jabber: under 30 persons");
  assert.match(all.at(-1)!, /^Any of these services: unique visitors 3,756,000 /);
  assert.match(described(october2003(), scope("fr")), /^MSN Messenger\u00a0: rang 1, visiteurs uniques 3\u202f494\u202f000 \(.*\), couverture 20,8\u202f%, évol\. sur sept\. 2003 \+374/);
});

test("one service alone leads nobody", () => {
  const all = october2003();
  const one = { ...all, rows: all.rows.filter((x) => ["msn", "any"].includes(x.service)) };
  assert.equal(headline(one, scope("en")), "MSN Messenger had 3,494,000 unique visitors in October 2003");
  assert.equal(sentence(one, scope("en")), "MSN Messenger is the only service");
  assert.equal(headline(one, scope("fr")), "MSN Messenger\u00a0: 3\u202f494\u202f000 visiteurs uniques en octobre 2003");
  assert.equal(sentence(one, scope("fr")), "MSN Messenger est le seul service");
});
