import assert from "node:assert/strict";
import { test } from "node:test";
import { changed, passedOver, read, write } from "./address";

const at = (path: string) => read(new URL(path, "http://localhost"), "en");

test("an address is read back as it was written", () => {
  for (const path of [
    "/?lang=en",
    "/?market=FR&panel=demo&month=2003-10&location=work&credit=use&compare=year&version=2&lang=fr",
    "/?market=FR&pool=6&services=msn,aim&places=apart&lang=en",
    "/embed/ranking?market=FR&month=2002-10&lang=fr",
    "/accounts?market=WORLD&month=2002-10&location=elsewhere&step=week&lang=fr",
  ]) {
    assert.equal(write(at(path)), path);
    assert.deepEqual(at(write(at(path))), at(path));
  }
});

test("a plus is a plus, encoded, bare or as a space", () => {
  for (const place of ["home%2Bwork", "home+work", "home%20work"]) assert.equal(at(`/?location=${place}`).location, "home+work");
});

test("what can't be is passed over", () => {
  const a = at("/?location=moon&credit=cash&compare=2002-13&version=-1&pool=x&step=hour&lang=de");
  assert.deepEqual([a.location, a.credit, a.compare, a.version, a.pool, a.step, a.language], ["home+work", "presence", "previous", undefined, undefined, "day", "en"]);
});

test("what was passed over can be told", () => {
  const over = (path: string, services?: string[]) => passedOver(new URL(path, "http://localhost"), services);
  assert.deepEqual(over("/?location=moon&credit=cash&compare=2002-13&version=-1&pool=x&places=both&step=hour&lang=de&moth=2002-10"), ["location=moon", "credit=cash", "compare=2002-13", "version=-1", "pool=x", "places=both", "step=hour", "lang=de", "moth=2002-10"]);
  assert.deepEqual(over("/accounts?location=home-only"), ["location=home-only"]);
  assert.deepEqual(over("/?services=msn,mns", ["msn", "aim"]), ["services=mns"]);
  assert.deepEqual(over(`/?credit=${"x".repeat(99)}`), [`credit=${"x".repeat(40)}…`]);
  for (const path of ["/", "/?market=XX&panel=nn&month=2099-13", "/?location=home+work&location=home%2Bwork&credit=use&compare=year&version=2&pool=6&services=msn&places=apart&lang=fr", "/?compare=2002-10&version=&location=", "/accounts?step=28d&location=elsewhere"]) assert.deepEqual(over(path, ["msn"]), [], path);
});

test("each page has places of its own", () => {
  assert.equal(at("/accounts").location, "any");
  assert.equal(at("/accounts?location=home-only").location, "any");
  assert.equal(at("/?location=any").location, "home+work");
  assert.equal(write(changed(at("/?location=work&lang=en"), { page: "accounts" })), "/accounts?lang=en");
  assert.equal(write(changed(at("/accounts?lang=en"), { page: "people" })), "/?lang=en");
});

test("a link to a figure ends in its name", () => {
  assert.equal(write(at("/?market=FR&lang=en"), "trend"), "/?market=FR&lang=en#trend");
});

test("a change to undefined takes away", () => {
  assert.equal(write(changed(at("/?version=2&month=2003-10&lang=en"), { version: undefined, month: "2003-09" })), "/?month=2003-09&lang=en");
});

test("the reader's language where the address says none", () => {
  assert.equal(read(new URL("http://localhost/"), "fr").language, "fr");
});
