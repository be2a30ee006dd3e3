// What the page shows when there is nothing to show, or too much.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { test } from "node:test";
import { folder, run, start, tab, whole } from "./apparatus.mjs";
import { clipped, crowded, cut, violations } from "./looks.mjs";
import { largeMarket } from "./large.mjs";

export function states(w) {
  const open = async (t, options) => {
    const it = await tab(w.browser, { bypassCSP: true, ...options });
    t.after(() => it.context.close());
    return it.page;
  };

  test("a month that isn't published names the nearest, and how to publish it", async (t) => {
    const page = await open(t);
    await page.goto(`${w.server.address}/?market=FR&panel=demo&month=2004-02`);
    await page.getByRole("heading", { name: "February 2004 is not published" }).waitFor();
    assert.match(await page.locator("pre").textContent(), /rollcall panel load --market FR --panel demo --month 2004-02/);
    assert.deepEqual(await violations(page), []);
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: 740 });
      assert.deepEqual(await page.locator("pre").evaluate((e) => [e.scrollWidth - e.clientWidth, document.documentElement.scrollWidth - innerWidth]), [0, 0], `${width}: the commands are cut off`);
    }
    assert.equal((await page.locator("pre").textContent()).split("\n").length, 3, "a command is one line where it is copied");
    assert.equal(await page.locator('header a[href="#about"]').count(), 0, "a link to a method that is not here");
    await page.getByRole("link", { name: /October 2003/ }).click();
    await whole(page);
    assert.match(await page.locator("h1").textContent(), /October 2003$/);
    assert.equal(await page.locator('header a[href="#about"]').count(), 1);
  });

  test("what is no month is told so, and the newest offered; what else of an address is passed over is named", async (t) => {
    const page = await open(t);
    for (const [path, newest] of [["/?market=FR&month=2099-13", /^France, panel demo, October 2003$/], ["/accounts?market=WORLD&month=2099-13", /, October 2003$/]]) {
      await page.goto(w.server.address + path);
      await page.getByRole("heading", { name: "2099-13 is not a month" }).waitFor();
      assert.deepEqual(await page.locator("pre").count(), 0, "nothing could publish it");
      assert.deepEqual(await violations(page), []);
      await page.getByRole("link", { name: newest }).click();
      await page.waitForFunction(() => document.querySelector("h1").textContent.endsWith("October 2003"));
    }
    await page.goto(`${w.server.address}/?month=2003-10&location=moon&moth=2002-10&services=mns&lang=en`);
    await whole(page);
    assert.equal(await page.locator(".passed-over").textContent(), "Some of the address was not understood, so it was left out: location=moon, moth=2002-10, services=mns.");
    const apart = await page.evaluate(() => {
      const box = (of) => document.querySelector(of).getBoundingClientRect();
      return [box(".passed-over").top - box(".bar").bottom, box(".simulated").top - box(".passed-over").bottom];
    });
    assert.ok(apart.every((gap) => gap >= 12), `it stands ${apart} px from what is around it`);
    assert.deepEqual(await violations(page), []);
    await page.getByLabel("Where").selectOption("home");
    await page.waitForFunction(() => document.querySelector(".passed-over").textContent.endsWith(": services=mns."));
  });

  test("an unknown market names those there are", async (t) => {
    const page = await open(t);
    await page.goto(`${w.server.address}/?market=XX`);
    await page.getByRole("heading", { name: "There is no market XX" }).waitFor();
    assert.ok(await page.getByRole("link", { name: /France/ }).isVisible());
  });

  test("what the server refuses is said in its words", async (t) => {
    const page = await open(t);
    await page.route("**/v1/reports/ranking*", (r) => r.fulfill({ status: 410, contentType: "application/problem+json", body: JSON.stringify({ title: "Gone", status: 410, detail: "2002-10 has aged out" }) }));
    await page.goto(`${w.server.address}/?month=2002-10`);
    await page.getByRole("alert").filter({ hasText: "2002-10 has aged out" }).waitFor();
    assert.deepEqual(await violations(page), []);
  });

  test("a version that is not there is said in the page's language", async (t) => {
    const page = await open(t);
    for (const [lang, title, why] of [["en", "There is no version 99 of this month", /^version 99 of 2002-10 of panel demo in FR: not found; there is version 1$/], ["fr", "Ce mois n’a pas de version 99", /^Ce qui est demandé n’existe pas ici/]]) {
      await page.goto(`${w.server.address}/?market=FR&month=2002-10&version=99&lang=${lang}`);
      await page.getByRole("heading", { name: title }).waitFor();
      assert.match(await page.getByRole("alert").textContent(), why);
      assert.deepEqual(await violations(page), []);
    }
  });

  test("a version that is not there stands in the control that chooses another", async (t) => {
    const page = await open(t);
    await page.goto(`${w.server.address}/?month=2003-10&version=99`);
    await page.getByRole("alert").waitFor();
    assert.equal(await page.getByLabel("Version", { exact: true }).locator("option:checked").textContent(), "99");
    assert.deepEqual(await violations(page), []);
    await page.getByLabel("Version", { exact: true }).selectOption({ label: "1, final" });
    await whole(page);
    assert.equal(new URL(page.url()).searchParams.get("version"), null);
  });

  test("an address at which nothing is: a page to read, with a link to the start", async (t) => {
    for (const [locale, title, start] of [["en-GB", "There is nothing at /nowhere", "Go to the start"], ["fr-FR", "Il n’y a rien à /nowhere", "Aller au début"]]) {
      const page = await open(t, { locale });
      const answer = await page.goto(`${w.server.address}/nowhere`);
      assert.equal(answer.status(), 404);
      await page.getByRole("heading", { name: title }).waitFor();
      assert.deepEqual(await violations(page), []);
      await page.getByRole("link", { name: start }).click();
      await whole(page);
      assert.equal((await page.goto(`${w.server.address}/v1/nowhere`)).headers()["content-type"], "application/problem+json");
    }
  });

  test("one figure that fails leaves the others", async (t) => {
    const page = await open(t);
    await page.route("**/v1/reports/profile*", (r) => r.fulfill({ status: 500, contentType: "application/problem+json", body: JSON.stringify({ title: "Internal Server Error", status: 500, detail: "see the log" }) }));
    await page.goto(`${w.server.address}/?month=2002-10`);
    await page.locator("#profile").getByRole("alert").filter({ hasText: "see the log" }).waitFor();
    await page.locator("#frequency .drawing svg").first().waitFor();
  });

  test("one figure of accounts that fails says so, and leaves the others", async (t) => {
    for (const [part, id] of [[/\/v1\/census\?.*by=segment/, "account-segments"], [/\/v1\/census\?.*by=platform/, "account-platforms"], [/\/v1\/census\?.*location=both/, "account-places"]]) {
      const page = await open(t);
      await page.route(part, (r) => r.fulfill({ status: 500, contentType: "application/problem+json", body: JSON.stringify({ title: "Internal Server Error", status: 500, detail: "see the log" }) }));
      await page.goto(`${w.server.address}/accounts?market=WORLD&month=2002-10`);
      await page.locator("#account-windows svg[role=img]").waitFor();
      await page.locator(`#${id}`).getByRole("alert").filter({ hasText: "see the log" }).waitFor();
      await page.locator("#accounts svg[role=img]").waitFor();
      assert.equal(await page.getByText("Loading…").count(), 0, "something is waited for that never comes");
      assert.deepEqual(await violations(page), []);
    }
  });

  test("while it loads, the places of what comes are held", async (t) => {
    const page = await open(t);
    let release;
    const held = new Promise((r) => (release = r));
    await page.route("**/v1/reports/**", async (r) => (await held, r.continue()));
    await page.goto(`${w.server.address}/?month=2002-10`);
    await page.locator(".waiting").waitFor();
    assert.deepEqual(await violations(page), []);
    release();
    await whole(page);
  });

  test("nothing published: what to do", async (t) => {
    const server = await start("run", "--data", `${folder()}/empty`, "--listen", "127.0.0.1:0");
    t.after(() => server.stop());
    const page = await open(t);
    await page.goto(server.address);
    await page.getByRole("heading", { name: "Nothing is published yet" }).waitFor();
    assert.match(await page.locator("pre").textContent(), /rollcall demo/);
    assert.deepEqual(await violations(page), []);
  });

  test("a census alone, of fewer accounts than the limit: where it is, and that it is withheld", async (t) => {
    const data = `${folder()}/counted`;
    const visit = (i) => JSON.stringify({ time: "2026-10-05T10:00:00Z", market: "ORG", service: "mychat", location: "elsewhere", kind: "presence", precision: "day", account: `user${i}`, platform: "computer" });
    await writeFile(`${data}.ndjson`, [1, 2, 3].map(visit).join("\n"));
    await run("market", "add", "ORG", "--zone", "UTC", "--name", "The organisation", "--data", data);
    await run("service", "add", "mychat", "--name", "MyChat", "--census", "exact", "--epoch", "none", "--data", data);
    await run("events", "load", "--backfill", "--data", data, `${data}.ndjson`);
    const server = await start("run", "--data", data, "--listen", "127.0.0.1:0");
    t.after(() => server.stop());
    for (const [lang, none, link, under, said] of [
      ["en", "A census, and no panel yet", "The organisation, October 2026", "under 50 accounts", "Under 50 accounts of MyChat in October 2026: withheld"],
      ["fr", "Un recensement, et pas encore de panel", "The organisation, octobre 2026", "moins de 50 comptes", "Moins de 50 comptes de MyChat en octobre 2026\u00a0: non publié"],
    ]) {
      const page = await open(t);
      await page.goto(`${server.address}/?lang=${lang}`);
      await page.getByRole("heading", { name: none }).waitFor();
      assert.deepEqual(await violations(page), []);
      await page.getByRole("link", { name: link }).click();
      await page.locator("#account-windows svg[role=img]").waitFor();
      assert.equal(await page.locator("h1").textContent(), said);
      for (const id of ["accounts", "account-platforms", "account-windows"]) {
        const drawing = page.locator(`#${id} .drawing`);
        assert.equal(await drawing.textContent(), under, id);
        assert.equal(await drawing.locator("rect[fill^=url]").count(), 1, `#${id} has no hatched piece`);
        assert.equal(await drawing.locator("svg svg").count(), 0, `#${id} has a scale with nothing on it`);
        assert.ok((await drawing.boundingBox()).height < 60, `#${id} is tall`);
      }
      assert.deepEqual(await violations(page), []);
    }
  });

  test("a demonstration that loads: how far it is, and then its figures by themselves", async (t) => {
    const page = await open(t);
    const month = (m, version) => ({ market: "FR", panel: "demo", month: m, ...(version ? { version, status: "final", time: "2003-11-10T00:00:00Z" } : {}) });
    let closed = 0;
    const rows = (r, all) => r.fulfill({ contentType: "application/json", body: JSON.stringify({ rows: all }) });
    await page.route("**/v1/publications?market=FR", (r) => (closed < 2 ? rows(r, [month("2002-09", 1)].slice(0, closed)) : r.continue()));
    await page.route("**/v1/months", (r) => (closed < 2 ? rows(r, [month("2002-09", closed), month("2002-10", 0)]) : r.continue()));
    await page.goto(w.server.address);
    await page.getByRole("heading", { name: "The demonstration is loading" }).waitFor();
    assert.match(await page.getByRole("status").textContent(), /^2 of the 14 months of its panel are here, none of them closed/);
    assert.deepEqual(await violations(page), []);
    closed = 1;
    await page.getByRole("link", { name: /September 2002/ }).waitFor();
    assert.match(await page.getByRole("status").textContent(), /1 of them closed/);
    assert.deepEqual(await violations(page), []);
    closed = 2;
    await whole(page);
    assert.match(await page.locator("h1").textContent(), /October 2003$/);
  });

  test("thirty services, sixty months", async (t) => {
    for (const width of [360, 1280]) {
      const page = await open(t, { viewport: { width, height: 900 } });
      await largeMarket(page);
      await page.goto(`${w.server.address}/`);
      await whole(page);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width} scrolls sideways`);
      assert.deepEqual(await crowded(page), []);
      assert.deepEqual(await clipped(page), []);
      const over = await page.evaluate(() => {
        const scale = document.querySelector("#ranking .drawing > svg > svg").getBoundingClientRect();
        return [...document.querySelectorAll("#ranking .drawing > svg > text[text-anchor=end]")].filter((e) => e.getBoundingClientRect().left < scale.right && e.getBoundingClientRect().right > scale.right).map((e) => e.textContent);
      });
      if (width === 1280) assert.deepEqual(over, [], "figures reach into the scale");
      assert.deepEqual((await cut(page)).filter((x) => !x.startsWith('profile: "a long name')), [], "services that can't be told apart by their names");
      assert.deepEqual(await violations(page), []);
      if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/large-${width}.png`, fullPage: true });
    }
  });

  test("twelve services: each has its name beside its line, and no line looks like another", async (t) => {
    for (const [width, colorScheme] of [[360, "light"], [1280, "dark"]]) {
      const page = await open(t, { viewport: { width, height: 900 }, colorScheme });
      await largeMarket(page, 12);
      await page.goto(`${w.server.address}/`);
      await whole(page);
      assert.deepEqual(await crowded(page), []);
      for (const [id, lines] of [["trend", [13, 11]], ["curve", [1, 11]]]) {
        const panels = await page.locator(`#${id} .drawing > svg > svg`).evaluateAll((all) => all.map((svg) => [...svg.querySelectorAll('path[stroke-linejoin="round"]')].map((e) => `${e.getAttribute("stroke")} ${e.getAttribute("stroke-dasharray")}`)));
        assert.deepEqual(panels.map((all) => new Set(all).size), lines, `${width} #${id}: lines that look alike: ${panels}`);
        const said = await page.locator(`#${id} .drawing > svg > text`).allTextContents();
        for (const name of ["S0", "S4", "S11"]) assert.ok(said.some((x) => x === name || x === `Service ${name.slice(1)}`), `${width} #${id}: ${name} has no name`);
        assert.doesNotMatch(await page.locator(`#${id}`).textContent(), /Grey lines/);
      }
    }
  });

  test("one service alone: nothing is shown or offered that takes two", async (t) => {
    const page = await open(t);
    await largeMarket(page, 1);
    await page.goto(`${w.server.address}/`);
    await page.locator("#frequency svg[role=img]").waitFor();
    assert.match(await page.locator("h1").textContent(), /^Service 0 had 9,000,000 unique visitors in /);
    assert.equal(await page.locator("#duplication, #combinations, a[href='#duplication'], .services").count(), 0);
    assert.deepEqual(await crowded(page), []);
    assert.deepEqual(await violations(page), []);
  });

  test("huge figures crowd nothing, and are never broken", async (t) => {
    const times = (m) => (m?.value == null ? m : { ...m, ...Object.fromEntries(["value", "se", "low", "high"].map((k) => [k, m[k] === null ? null : 400 * m[k]])) });
    for (const width of [320, 360, 768]) {
      const page = await open(t, { viewport: { width, height: 740 } });
      await page.route("**/v1/reports/*", async (r) => {
        const body = await (await r.fetch()).json();
        const rows = body.rows.map((row) => ({ ...row, ...Object.fromEntries(["unique_audience", "change", "k_plus"].filter((k) => k in row).map((k) => [k, times(row[k])])) }));
        await r.fulfill({ contentType: "application/json", body: JSON.stringify({ ...body, rows }) });
      });
      await page.goto(`${w.server.address}/?month=2003-10&lang=fr`);
      await whole(page);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width} scrolls sideways`);
      assert.deepEqual(await crowded(page), []);
      assert.deepEqual(await page.locator(".tiles .value").evaluateAll((all) => all.filter((e) => e.getBoundingClientRect().height > 1.5 * parseFloat(getComputedStyle(e).lineHeight)).map((e) => e.textContent)), [], "a figure on two lines");
    }
  });

  test("names that are long or can't be broken leave the drawings their space", async (t) => {
    const page = await open(t, { viewport: { width: 320, height: 740 } });
    await page.route("**/v1/services", async (r) => {
      const { rows } = await (await r.fetch()).json();
      await r.fulfill({ contentType: "application/json", body: JSON.stringify({ rows: rows.map((x, i) => ({ ...x, brand: "", name: i % 2 ? `${x.name}ohneunterbrechungzusammengeschriebenermessengername` : `${x.name} for the Extended Enterprise` })) }) });
    });
    for (const path of ["/?month=2003-10", "/accounts?market=WORLD&month=2002-10"]) {
      await page.goto(w.server.address + path);
      if (path.startsWith("/?")) await whole(page);
      else await page.locator("#account-windows svg[role=img]").waitFor();
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path} scrolls sideways`);
      assert.deepEqual(await crowded(page), []);
      const scales = await page.evaluate(() => [...document.querySelectorAll(".drawing > svg > svg")].map((p) => [p.closest("section").id, p.getBoundingClientRect().width, Math.max(0, ...[...p.querySelectorAll("g > line, g > path")].map((e) => e.getBoundingClientRect().width))]));
      assert.deepEqual(scales.filter(([id, , wide]) => /trend|curve|accounts/.test(id) && wide < 100), [], "a line has no space");
    }
  });

  test("a month in which everything is withheld says so in place of empty scales", async (t) => {
    const none = { value: null, se: null, low: null, high: null, n: null, status: "below" };
    const emptied = (row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, v?.status !== undefined ? none : /^(rank|tie)/.test(k) ? null : k === "tied_with" ? [] : v]));
    for (const [width, lang, said] of [[320, "fr", "moins de 30 personnes"], [1280, "en", "under 30 persons"]]) {
      const page = await open(t, { viewport: { width, height: 900 } });
      await page.route("**/v1/reports/*", async (r) => {
        const body = await (await r.fetch()).json();
        await r.fulfill({ contentType: "application/json", body: JSON.stringify({ ...body, rows: body.rows.map(emptied) }) });
      });
      await page.goto(`${w.server.address}/?month=2003-10&lang=${lang}`);
      await whole(page);
      for (const [id, words] of [["ranking .keys", /September|septembre/], ["duplication", /Small figures|Petits chiffres/]]) assert.doesNotMatch(await page.locator(`#${id}`).textContent(), words, "a mark is explained that is not there");
      for (const id of ["trend", "duplication", "combinations", "profile", "curve", "frequency"]) {
        assert.match(await page.locator(`#${id} .drawing`).textContent(), new RegExp(said), `#${id} says nothing`);
        assert.equal(await page.locator(`#${id} .drawing > svg > svg`).count(), 0, `#${id} has a scale with nothing on it`);
      }
      assert.deepEqual(await crowded(page), []);
      assert.deepEqual(await violations(page), []);
    }
  });

  test("without JavaScript: what is missing, and where the figures are, in both languages", async (t) => {
    const page = await open(t, { javaScriptEnabled: false, bypassCSP: false });
    await page.goto(w.server.address);
    const said = page.locator("noscript");
    for (const words of [/draws its charts with JavaScript/, /dessine ses graphiques en JavaScript/]) assert.match(await said.textContent(), words);
    const box = await said.locator("p").first().boundingBox();
    assert.ok(box.x >= 16 && box.y >= 16, "it stands at the edge of the window");
  });

  test("two versions of a month, and what changed between them", async (t) => {
    await run("close", "--market", "FR", "--panel", "demo", "--month", "2002-09", "--status", "restated", "--reason", "Wider intervals", "--confidence", "0.99", "--data", `${w.data}/demo`);
    const page = await open(t);
    await page.goto(`${w.server.address}/?month=2002-09`);
    await whole(page);
    assert.match(await page.locator(".lede").textContent(), /at 99% confidence/);
    assert.match(await page.locator("#about").textContent(), /2, restated \(Wider intervals\)/);
    await page.getByText("What changed between versions").click();
    const changes = page.getByRole("region", { name: "What changed between versions" });
    await changes.waitFor();
    assert.match(await changes.textContent(), /MSN Messenger/);
    await page.getByLabel("Version", { exact: true }).selectOption("1");
    await page.waitForFunction(() => document.querySelector(".lede").textContent.includes("at 95% confidence"));
    assert.match(page.url(), /version=1/);
  });

  test("a server that stops, and comes back", async (t) => {
    const page = await open(t);
    await page.goto(`${w.server.address}/?month=2003-10`);
    await whole(page);
    await w.server.stop();
    await page.getByRole("button", { name: "Previous month" }).click();
    await page.getByRole("alert").filter({ hasText: "The server does not answer. These figures are of" }).waitFor();
    assert.match(await page.locator(".gone").textContent(), /are of ([01]\d|2[0-3]):[0-5]\d\./, "the hour, of 24");
    assert.match(await page.locator("h1").textContent(), /October 2003$/, "the figures stay");
    assert.match(await page.locator(".gone").textContent(), /Trying again in \d+ s/);
    assert.deepEqual(await violations(page), []);
    w.server = await start("run", "--data", `${w.data}/demo`, "--listen", new URL(w.server.address).host);
    await page.getByRole("button", { name: "Try now" }).click();
    await page.waitForFunction(() => document.querySelector("h1").textContent.includes("September 2003"));
    assert.equal(await page.locator(".gone").count(), 0);
  });

  test("a server that asks for a key", async (t) => {
    await w.server.stop();
    const tokens = `${w.data}/tokens`;
    const key = /rc_\S+/.exec(await run("token", "new", "--name", "analyst", "--role", "read", "--tokens", tokens))[0];
    w.server = await start("run", "--data", `${w.data}/demo`, "--listen", "127.0.0.1:0", "--tokens", tokens);
    const page = await open(t);
    assert.equal((await page.goto(`${w.server.address}/nowhere`)).status(), 404);
    await page.getByRole("heading", { name: "There is nothing at /nowhere" }).waitFor();
    await page.goto(`${w.server.address}/?month=2002-10`);
    await page.getByLabel("API key").fill("rc_wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "not known" }).waitFor();
    assert.deepEqual(await violations(page), []);
    await page.getByLabel("API key").fill(key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await whole(page);
    assert.match(await page.locator("h1").textContent(), /October 2002$/, "it goes on to the same address");
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#ranking details.menu summary").last().click().then(() => page.getByRole("link", { name: "Data as CSV" }).first().click())]);
    assert.match(download.suggestedFilename(), /ranking.*\.csv$/);
    const held = await page.evaluate(() => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]));
    assert.equal(held, '["",{},{}]', "no script can read what the browser holds");
    const [cookie] = await page.context().cookies();
    assert.ok(cookie.httpOnly && cookie.sameSite === "Strict" && !cookie.value.includes(key), "the cookie is not the key");
    await page.reload();
    await whole(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("API key").waitFor();
  });

  test("a link with a key of one market", async (t) => {
    const tokens = `${w.data}/tokens`;
    const key = /rc_\S+/.exec(await run("token", "new", "--name", "a partner", "--role", "read", "--markets", "FR", "--tokens", tokens))[0];
    const page = await open(t);
    const asked = [];
    page.on("request", (r) => asked.push(r.url(), JSON.stringify(r.headers())));
    await page.goto(`${w.server.address}/?market=FR&month=2002-10#key=${key}`);
    await whole(page);
    assert.match(await page.locator("h1").textContent(), /October 2002$/);
    assert.equal(new URL(page.url()).hash, "", "the key does not stay in the address");
    assert.ok(asked.length > 20 && !asked.some((x) => x.includes(key)), "the key is in no address and no header");
    assert.deepEqual(await page.locator("#market option").allTextContents(), ["France"]);
    const stranger = await open(t);
    await stranger.goto(page.url());
    await stranger.getByLabel("API key").waitFor();
    await stranger.goto(`${w.server.address}/?month=2002-10#key=rc_wrong`);
    await stranger.getByRole("alert").filter({ hasText: "not known" }).waitFor();
    assert.equal(new URL(stranger.url()).hash, "");
  });

  test("a chart in a page of another site, without a key", async (t) => {
    const site = async (src) => {
      const server = createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end(`<h1>A site</h1><iframe title="chart" src="${src()}" width="700" height="700"></iframe>`));
      await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
      t.after(() => server.close());
      return `http://127.0.0.1:${server.address().port}`;
    };
    const src = () => `${w.server.address}/embed/trend?market=FR&month=2003-10&lang=en`;
    const [listed, other] = [await site(src), await site(src)];
    await w.server.stop();
    w.server = await start("run", "--data", `${w.data}/demo`, "--listen", "127.0.0.1:0", "--tokens", `${w.data}/tokens`, "--embed-sites", listed, "--embed-markets", "FR");
    const page = await open(t, { bypassCSP: false });
    await page.goto(listed);
    const chart = page.frameLocator("iframe");
    await chart.locator("#trend svg[role=img]").waitFor();
    assert.match(await chart.locator("h2").textContent(), /^MSN Messenger rose from/);
    assert.equal(await chart.locator("header, .bar, a[download]").count(), 0);
    assert.match(await chart.getByRole("link", { name: /Rollcall/ }).getAttribute("href"), /^\/\?market=FR&panel=demo&month=2003-10&version=1.*#trend$/);
    const stranger = await open(t, { bypassCSP: false });
    const refused = stranger.waitForEvent("console", (m) => /frame-ancestors/.test(m.text()));
    await stranger.goto(other);
    await refused;
    assert.equal(await stranger.frameLocator("iframe").locator("#trend").count(), 0);
  });
}
