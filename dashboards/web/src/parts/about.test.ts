import assert from "node:assert/strict";
import { test } from "node:test";
import { below, measure, meta, scope } from "../testing";
import { accountsWords, peopleWords } from "../words";
import { factsOf, value } from "./About";

const facts = (change: Parameters<typeof meta>[0], language: "en" | "fr" = "en") => Object.fromEntries(factsOf(meta(change), [], scope(language)).map((f) => [f.name, f.text]));
const sample = { in_tab: 8179, home: 7249, work: 1844, not_in_tab: 0, unmetered: 0, unknown_service: 0, excluded: 0, diaries: "d", id: "i" };
const weights = { n: 8179, deff: 1.16, n_eff: 7042.5, efficiency: 86.1, min_weight: 1, max_weight: 2, iterations: 3, trimming: "none", id: "w" };

test("a month's universe, panel and weights", () => {
  const f = facts({ sample, weights });
  assert.equal(f["Universe"], "22,600,000 persons in France, online or not, enumeration study of 1 October 2003");
  assert.equal(f["Panel"], "8,179 persons who count in the month (in tab); 7,249 metered at home, 1,844 at work");
  assert.equal(f["Weights"], "Raked to the universe; worth 7,043 persons (86.1%)");
});

test("of a mean of months they are those of all of them", () => {
  const universe = { population: 21_975_000, active: measure(15_633_333, 15_437_105, 15_826_017, 6912), source: "s", source_date: "2003-05-01; 2003-06-01; 2003-10-01", id: "u" };
  const f = facts({ pool: 6, universe, sample, weights });
  assert.equal(f["Universe"], "21,975,000 persons in France, online or not, the mean of 6 months, enumeration studies of 1 May 2003 to 1 October 2003");
  assert.match(f["People online"]!, / at home or at work, the mean of 6 months: the base of reach$/);
  assert.equal(f["Panel"], "8,179 persons who count in one or more of the 6 months (in tab), each counted once; 7,249 metered at home, 1,844 at work");
  assert.equal(f["Weights"], "Each month’s raked to its universe; together worth 7,043 persons (86.1%)");
  assert.equal(facts({ pool: 6, universe }, "fr")["Univers"], "21\u202f975\u202f000 personnes en France, internautes ou non, moyenne de 6 mois, études de cadrage du 1er mai 2003 au 1er octobre 2003");
});

test("a version's figure that is not shown is told in words", () => {
  assert.equal(value(below, meta(), scope("en")), "under 30 persons");
  assert.equal(value({ ...below, status: "undefined" }, meta(), scope("fr")), scope("fr").t.undefinedFigure);
  assert.equal(value(measure(2_454_307, 2_264_675, 2_657_635), meta(), scope("en")), "2,454,307");
});

test("in French, those in tab are not called active: some sent nothing", () => {
  assert.match(facts({ sample }, "fr")["Panel"]!, /^8.179 personnes qui comptent dans le mois \(retenues, in tab\)\u202f; /);
});

test("what an analyst may not know is said in both languages: unique visitors, reach, universe, interval, in tab", () => {
  for (const [language, names] of [["en", ["Unique visitors", "Reach", "Universe", "Interval", "In tab"]], ["fr", ["Visiteurs uniques", "Couverture", "Univers", "Intervalle", "Retenus (in tab)"]]] as const) {
    const words = peopleWords("99%", scope(language));
    assert.deepEqual(words.map((w) => w.name), names);
    assert.match(words[3]!.text, /99%/, "the intervals' own level");
    for (const w of [...words, ...accountsWords("95%", scope(language))]) assert.match(w.text, /[.]$/);
  }
});
