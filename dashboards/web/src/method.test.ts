import assert from "node:assert/strict";
import { test } from "node:test";
import { methodFacts, sentenceOf } from "./method";
import { scope } from "./testing";

const statement = "method=rollcall-1; population=persons; credit=presence; location=home+work; base=home+work; period=2002-10-01/2002-10-31; zone=Europe/Paris; idle_gap_minutes=30; weights=raking; variance=taylor-calibration-residuals; sketch=none; interval=t,logit,korn-graubard,hall,fieller; df=4249; confidence=0.95; low=30; caution=60; caution_rse=0.3; trim=0,0; calibrated=msn; below_pool=2-12";

test("the method statement is told in words, none of it as a machine reads it", () => {
  for (const language of ["en", "fr"] as const) {
    const all = methodFacts(statement, scope(language));
    assert.equal(all.length, 20);
    for (const f of all) assert.doesNotMatch(`${f.name} ${f.text}`, /[=_]|undefined|NaN|taylor-|presence/, f.name);
    assert.equal(new Set(all.map((f) => f.name)).size, all.length, "two have one name");
  }
  const of = (language: "en" | "fr", change = statement) => Object.fromEntries(methodFacts(change, scope(language)).map((f) => [f.name, f.text]));
  const en = of("en");
  assert.deepEqual([en["Method"], en["Period"], en["Confidence"], en["Withheld"], en["Weights are trimmed"], en["Calibrated to the census of"]], ["rollcall-1", "1 October 2002 to 31 October 2002", "95%", "under 30 persons", "no", "MSN Messenger"]);
  assert.equal(en["Kinds of intervals"], "t, logit, Korn–Graubard, Hall, Fieller");
  const fr = of("fr");
  assert.deepEqual([fr["Période"], fr["Signalé comme imprécis"], fr["Non publié ici, peut-être assez"]], ["1er octobre 2002 au 31 octobre 2002", "dès une erreur type de 30\u202f% du chiffre", "pour la moyenne de 2 à 12 mois"]);
  assert.equal(of("en", "trim=0.3,3")["Weights are trimmed"], "at least 0.3 times the mean, at most 3 times the mean");
  assert.equal(of("en", "low=0")["Withheld"], "nothing");
});

test("what of the statement is not known stands as it is", () => {
  assert.deepEqual(methodFacts("method=rollcall-9; twist=a=b; odd", scope("en")).map((f) => [f.name, f.text]), [["Method", "rollcall-9"], ["twist", "a=b"], ["", "odd"]]);
});

test("a citation of the census has no setting for a machine in it", () => {
  assert.equal(sentenceOf("HyperLogLog union; unique accounts of one service, not persons; below_min=50 by --census-min"), "HyperLogLog union; unique accounts of one service, not persons");
  assert.equal(sentenceOf("réunion HyperLogLog\u202f; non des personnes\u202f; below_min=50 par --census-min"), "réunion HyperLogLog\u202f; non des personnes");
});
