// What an analyst asks, answered from the page alone and held against the API.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { inflateRawSync } from "node:zlib";
import { ask, folder, persons, run, start, tab, table, whole } from "./apparatus.mjs";
import { clipped, violations } from "./looks.mjs";

const of = (month) => `market=FR&panel=demo&month=${month}`;
const row = (r, service) => r.rows.find((x) => x.service === service);

/** take opens the ranking's data menu and clicks a form. */
async function take(page, form) {
  await page.locator("#ranking details.menu summary").last().click();
  await page.getByRole("link", { name: `Data as ${form}` }).first().click();
}

/** unzipped gives the texts of a zip's files of a name. */
function unzipped(zip, name) {
  const out = [];
  let at = zip.readUInt32LE(zip.lastIndexOf("PK\x05\x06") + 16);
  while (zip.readUInt32LE(at) === 0x02014b50) {
    const [size, long, extra, comment, file] = [zip.readUInt32LE(at + 20), zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32), zip.readUInt32LE(at + 42)];
    const from = file + 30 + zip.readUInt16LE(file + 26) + zip.readUInt16LE(file + 28);
    const packed = zip.subarray(from, from + size);
    if (name.test(zip.toString("utf8", at + 46, at + 46 + long))) out.push((zip.readUInt16LE(at + 10) === 8 ? inflateRawSync(packed) : packed).toString());
    at += 46 + long + extra + comment;
  }
  return out;
}

/** parsed reads CSV as RFC 4180 says. */
function parsed(text) {
  const rows = [[]];
  for (const [, end, quoted, plain] of text.replace(/\r\n$/, "").matchAll(/(^|,|\r\n)(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g)) {
    if (end === "\r\n") rows.push([]);
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
  }
  return rows;
}

export function analyst(w) {
  const open = async (t, path) => {
    const it = await tab(w.browser);
    t.after(() => it.context.close());
    await it.page.goto(w.server.address + path);
    await whole(it.page);
    return it;
  };

  test("what do reach, universe, interval and in tab mean? It is said where the figures begin", async (t) => {
    for (const [path, lang, words] of [["/?month=2003-10", "en", ["Unique visitors", "Reach", "Universe", "Interval", "In tab"]], ["/?month=2003-10", "fr", ["Visiteurs uniques", "Couverture", "Univers", "Intervalle", "Retenus (in tab)"]], ["/accounts?market=WORLD&month=2002-10", "en", ["Unique accounts", "Census", "Sketch", "Segment"]]]) {
      const it = await tab(w.browser);
      t.after(() => it.context.close());
      await it.page.goto(`${w.server.address}${path}&lang=${lang}`);
      const summary = it.page.locator(".opening #words summary");
      await summary.click();
      assert.ok((await summary.boundingBox()).y < 900, "in the first window");
      assert.deepEqual(await it.page.locator("#words dt").allTextContents(), words);
      for (const said of await it.page.locator("#words dd").all()) assert.ok(await said.isVisible());
    }
  });

  test("who led in October 2002, and by how much?", async (t) => {
    const { page, faults } = await open(t, "/?month=2002-10");
    const r = await ask(w.server, `/v1/reports/ranking?${of("2002-10")}`);
    const [first, second] = r.rows;
    assert.equal(first.service, "msn");
    assert.equal(await page.locator("h1").textContent(), `MSN Messenger leads with ${persons(first.unique_audience.value)} unique visitors in October 2002`);
    assert.match(await page.locator(".lede").textContent(), new RegExp(`AIM \\(${persons(second.unique_audience.value)}\\) follows`));
    const rows = await table(page, "ranking");
    assert.deepEqual(rows.slice(0, 2).map((x) => [x.Rank, x.Service, x["Unique visitors"], x["Unique visitors, low"], x["Unique visitors, high"]]), [first, second].map((x, i) => [String(i + 1), ["MSN Messenger", "AIM"][i], persons(x.unique_audience.value), persons(x.unique_audience.low), persons(x.unique_audience.high)]));
    assert.deepEqual(faults, []);
  });

  test("is Yahoo! ahead of AIM in October 2003?", async (t) => {
    const { page } = await open(t, "/?month=2003-10");
    const r = await ask(w.server, `/v1/reports/ranking?${of("2003-10")}`);
    assert.deepEqual(row(r, "yahoo").tied_with, ["aim"], "the demonstration has them tied");
    assert.equal(await page.locator("#ranking h2").textContent(), "MSN Messenger is first; Yahoo! Messenger and AIM cannot be told apart");
    assert.match(await page.locator(".lede").textContent(), /Yahoo! Messenger \([\d,]+\) and AIM \([\d,]+\) are tied for second\./);
    assert.ok(await page.locator("#ranking svg[role=img] text", { hasText: /^tied$/ }).isVisible(), "the bracket says so");
    const rows = await table(page, "ranking");
    assert.equal(rows.find((x) => x.Service === "AIM")["Tied with"], "Yahoo! Messenger");
  });

  test("who else do MSN's users use?", async (t) => {
    const { page } = await open(t, "/?month=2003-10");
    const r = await ask(w.server, `/v1/reports/duplication?${of("2003-10")}&service=msn,aim,yahoo`);
    const part = (other) => `${Math.round(row({ rows: r.rows.filter((x) => x.other === other) }, "msn").share_of_a.value)}%`;
    const title = await page.locator("#duplication h2").textContent();
    assert.ok(title.startsWith(`Of MSN Messenger users, ${part("yahoo")} also use Yahoo! Messenger, ${part("aim")} AIM`), title);
    const rows = await table(page, "duplication");
    for (const other of ["aim", "yahoo"]) {
      const want = r.rows.find((x) => x.service === "msn" && x.other === other).share_of_a;
      const got = rows.find((x) => x.Service === "MSN Messenger" && x["also use"] === (other === "aim" ? "AIM" : "Yahoo! Messenger"));
      assert.deepEqual([got.Share, got["Share, low"], got["Share, n"]], [`${want.value.toFixed(1)}%`, `${want.low.toFixed(1)}%`, String(want.n)]);
    }
  });

  test("how many use ICQ at work, and how sure is that?", async (t) => {
    const { page } = await open(t, "/?month=2002-10");
    const want = row(await ask(w.server, `/v1/reports/ranking?${of("2002-10")}&location=work`), "icq").unique_audience;
    const got = (await table(page, "places")).find((x) => x.Service === "ICQ");
    assert.deepEqual([got["At work"], got["At work, low"], got["At work, high"], got["At work, n"]], want.value === null ? ["under 30 persons", "", "", ""] : [persons(want.value), persons(want.low), persons(want.high), String(want.n)]);
  });

  test("what is withheld is never a number", async (t) => {
    const { page } = await open(t, "/?month=2003-10");
    const jabber = (await table(page, "ranking")).find((x) => x.Service === "Jabber");
    assert.deepEqual([jabber.Rank, jabber["Unique visitors"], jabber["Unique visitors, low"], jabber.Reach], ["–", "under 30 persons", "", "under 30 persons"]);
    const text = await page.locator("main").textContent();
    assert.doesNotMatch(text, /NaN|undefined|null|\[object/);
  });

  test("how many use the service that is readable only pooled?", async (t) => {
    const { page } = await open(t, "/?month=2003-10");
    await page.getByRole("link", { name: "Pool 6 months, perhaps enough for Jabber and Voila Messager" }).click();
    await page.waitForFunction(() => document.querySelector("h1").textContent.endsWith("(mean of 6 months)"));
    const want = row(await ask(w.server, `/v1/reports/ranking?${of("2003-10")}&pool=6`), "jabber").unique_audience;
    assert.notEqual(want.value, null, "the demonstration's Jabber is readable over six months");
    const got = (await table(page, "ranking")).find((x) => x.Service === "Jabber");
    assert.deepEqual([got["Unique visitors"], got["Unique visitors, low"], got["Unique visitors, n"]], [persons(want.value), persons(want.low), String(want.n)]);
    assert.match(page.url(), /pool=6/);
    assert.match(await page.locator("#ranking .source").textContent(), /Oct 2003 \(mean of 6 months\)/);
    assert.doesNotMatch(await page.locator("#trend .source").textContent(), /mean of/, "the trend is not pooled");
    await page.getByRole("link", { name: "Back to the single month" }).click();
    await page.waitForFunction(() => !document.querySelector("h1").textContent.includes("mean of"));
  });

  test("pooling is offered where the notes tell of it, and of a mean says what it stands on", async (t) => {
    const { page } = await open(t, "/?month=2002-10");
    assert.match(await page.locator("#notes").textContent(), /ask for it with pool, 2 months/);
    await page.getByRole("link", { name: /^Pool 2 months, perhaps enough for / }).click();
    await page.waitForFunction(() => document.querySelector("h1").textContent.includes("mean of 2 months"));
    assert.match(await page.locator("#about").textContent(), /the mean of 2 months, enumeration studies of 1 September 2002 to 1 October 2002.*in one or more of the 2 months \(in tab\), each counted once/s);
    await page.goto(`${w.server.address}/?month=2002-09`);
    await whole(page);
    assert.doesNotMatch(await page.locator("#notes").textContent(), /with pool/);
    assert.equal(await page.locator(".pool").count(), 0);
  });

  test("how does it compare with a year before?", async (t) => {
    const { page } = await open(t, "/?month=2003-10");
    await page.getByLabel("Compare with").selectOption({ label: "October 2002" });
    await page.waitForFunction(() => document.querySelector(".lede").textContent.includes("on October 2002"));
    assert.match(page.url(), /compare=year/);
    const want = row(await ask(w.server, `/v1/reports/ranking?${of("2003-10")}&compare=year`), "msn").change;
    const got = (await table(page, "ranking"))[0];
    assert.deepEqual([got.Change, got["Change, low"], got["Beyond chance"]], [`+${persons(want.value)}`, `+${persons(want.low)}`, "yes"]);
    await page.locator("#ranking svg text", { hasText: "Change on Oct 2002" }).waitFor();
    assert.match(await page.locator("#ranking .keys").textContent(), /October 2002/);
  });

  test("the data of a figure are those that it shows", async (t) => {
    const { page } = await open(t, "/?month=2002-10");
    const [download] = await Promise.all([page.waitForEvent("download"), take(page, "CSV")]);
    const [head, ...lines] = parsed(await readFile(await download.path(), "utf8"));
    const column = (name) => head.indexOf(name);
    const msn = lines.find((l) => l[column("service")] === "msn");
    const shown = (await table(page, "ranking"))[0];
    assert.equal(persons(Number(msn[column("unique_audience")])), shown["Unique visitors"]);
    assert.equal(msn[column("unique_audience_n")], shown["Unique visitors, n"].replace(",", ""));
    assert.match(download.suggestedFilename(), /ranking.*\.csv$/);
  });

  test("the same as a workbook", async (t) => {
    const { page } = await open(t, "/?month=2002-10");
    const [download] = await Promise.all([page.waitForEvent("download"), take(page, "XLSX")]);
    const sheets = unzipped(await readFile(await download.path()), /^xl\/worksheets\/.*\.xml$/).join("");
    const want = row(await ask(w.server, `/v1/reports/ranking?${of("2002-10")}`), "msn").unique_audience;
    for (const x of [want.value, want.low, want.n]) assert.ok([...sheets.matchAll(/<v>([^<]+)<\/v>/g)].some(([, v]) => Math.abs(Number(v) - x) < 1e-6 * x), `no cell has ${x}`);
    assert.equal((await table(page, "ranking"))[0]["Unique visitors"], persons(want.value));
  });

  test("the whole month to take away: a workbook of every report, and a folder", async (t) => {
    const { page } = await open(t, "/?month=2002-10");
    const taken = async (name) => {
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name }).click()]);
      return readFile(await download.path());
    };
    const shown = (await table(page, "ranking"))[0];
    const workbook = unzipped(await taken("workbook (XLSX)"), /^xl\/worksheets\/.*\.xml$/).join("");
    assert.equal(shown.Service, "MSN Messenger");
    assert.ok([...workbook.matchAll(/<v>([^<]+)<\/v>/g)].some(([, v]) => persons(Number(v)) === shown["Unique visitors"]), "no sheet has MSN's visitors");
    const [csv] = unzipped(await taken("all files (ZIP)"), /ranking\.csv$/);
    const [head, ...lines] = parsed(csv.replace(/^\ufeff/, ""));
    const msn = lines.find((l) => l[head.indexOf("service")] === "msn");
    assert.equal(persons(Number(msn[head.indexOf("unique_audience")])), shown["Unique visitors"]);
  });

  test("a picture has its title, its source and no colour by name", async (t) => {
    const { page, faults } = await open(t, "/?month=2002-10");
    const saved = async (form) => {
      await page.locator("#ranking details.menu summary").first().click();
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: `Picture as ${form}` }).click()]);
      return readFile(await download.path());
    };
    const svg = (await saved("SVG")).toString();
    for (const want of ["MSN Messenger is first", "Rollcall, panel demo, France, Oct 2002, v1 final. Simulated.", 'width="1136"', "#3d8afe"]) assert.ok(svg.includes(want), `the picture lacks ${want}`);
    assert.doesNotMatch(svg, /var\(|<style/);
    const png = await saved("PNG");
    assert.deepEqual([png.subarray(1, 4).toString(), png.readUInt32BE(16)], ["PNG", 2 * 1136]);
    assert.deepEqual(faults, []);
  });

  test("a link opens the same figures for somebody else", async (t) => {
    const { page, context } = await open(t, "/?month=2002-10&location=work");
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.locator("#trend").getByRole("link", { name: "Link" }).click();
    await page.locator("#trend").getByRole("link", { name: "Copied" }).waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(link, /month=2002-10&location=work&version=1.*#trend$/);
    const other = await tab(w.browser, { locale: "fr-FR" });
    t.after(() => other.context.close());
    const others = Promise.all(["frequency", "curve", "profile", "duplication"].map((name) => other.page.waitForResponse((r) => r.url().includes(`/reports/${name}`))));
    await other.page.route(/\/reports\/trend\?/, (route) => others.then(() => route.continue())); // the figure that the link is to comes last
    await other.page.goto(link);
    await whole(other.page);
    assert.equal(await other.page.locator("h1").textContent(), await page.locator("h1").textContent());
    await other.page.waitForFunction(() => Math.abs(document.querySelector("#trend").getBoundingClientRect().top) < 60);
  });

  test("how to cite the figures of people, and of accounts", async (t) => {
    const { page, context } = await open(t, "/?month=2002-10");
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    for (const [path, cited] of [["/?month=2002-10", /^Rollcall, panel demo, France, October 2002, .* http.*month=2002-10/], ["/accounts?market=WORLD&month=2002-10", /^Rollcall, census, World of May 2001.*, October 2002, .* http.*accounts/]]) {
      await page.goto(w.server.address + path);
      await page.locator(".cite").getByRole("button", { name: "Copy" }).click();
      await page.locator(".cite").getByRole("button", { name: "Copied" }).waitFor();
      assert.match(await page.evaluate(() => navigator.clipboard.readText()), cited);
    }
  });

  test("a menu closes when something else is pressed", async (t) => {
    const { page } = await open(t, "/?month=2003-10");
    for (const menu of ["#ranking .switches details.menu", "#profile details.menu.services"]) {
      await page.locator(`${menu} > summary`).first().click();
      assert.equal(await page.locator(menu).first().evaluate((d) => d.open), true);
      await page.locator("#ranking .subtitle").click();
      assert.equal(await page.locator(menu).first().evaluate((d) => d.open), false, menu);
    }
  });

  test("controls write the address; back goes back", async (t) => {
    const { page } = await open(t, "/?month=2003-10");
    await page.getByRole("button", { name: "Previous month" }).click();
    await page.waitForFunction(() => document.querySelector("h1").textContent.includes("September 2003"));
    assert.match(page.url(), /month=2003-09/);
    await page.getByLabel("Where").selectOption("home");
    await page.waitForFunction(() => document.querySelector("#ranking .subtitle").textContent.includes(", at home, "));
    assert.match(page.url(), /month=2003-09&location=home/);
    await page.goBack();
    await page.goBack();
    await page.waitForFunction(() => document.querySelector("h1").textContent.includes("October 2003") && document.querySelector("#ranking .subtitle").textContent.includes("at home or at work"));
    await page.getByLabel("Counted when").selectOption("use");
    await page.waitForFunction(() => document.querySelector("#about").textContent.includes("had the service in focus"));
  });

  test("home, both and work without overlap add up", async (t) => {
    const { page } = await open(t, "/?month=2003-10");
    await page.getByText("Without overlap").click();
    await page.waitForFunction(() => document.querySelector("#places .subtitle").textContent.includes("add up"));
    const msn = (await table(page, "places"))[0];
    const n = (text) => Number(text.replaceAll(",", ""));
    const all = row(await ask(w.server, `/v1/reports/ranking?${of("2003-10")}`), "msn").unique_audience.value;
    assert.ok(Math.abs(n(msn["At home only"]) + n(msn["At both"]) + n(msn["At work only"]) - all) <= 2000, JSON.stringify(msn));
  });

  test("the method is there to read", async (t) => {
    const { page } = await open(t, "/");
    for (const name of ["Method", "How they were made", "How they were made"]) {
      await page.locator("#notes").evaluate((d) => (d.open = false));
      await page.getByRole("link", { name }).click();
      await page.waitForFunction(() => document.querySelector("#notes").open);
      await page.getByText(/^simulated by Rollcall \(seed \d+\); calibrated to/).waitFor();
    }
    assert.ok(await page.locator("#notes").evaluate((d) => d.getBoundingClientRect().top < innerHeight / 2), "it goes to the notes");
    assert.doesNotMatch(await page.locator("main").textContent(), /method=|idle_gap_minutes|=raking/, "settings are told in words");
    await page.locator("#method").evaluate((d) => (d.open = false));
    await page.getByRole("link", { name: "Method" }).click();
    assert.match(await page.locator("#method[open]").innerText(), /Method\s+rollcall-1\s.*Kinds of intervals\s+t, logit, Korn–Graubard/s);
    await page.locator("#method").evaluate((d) => (d.open = false));
    await page.getByText("Definitions", { exact: true }).click();
    const r = await ask(w.server, `/v1/reports/ranking?${of("2003-10")}`);
    const labels = await page.locator(".about details", { has: page.getByText("Definitions", { exact: true }) }).locator("dt").allTextContents();
    assert.deepEqual(labels.filter((x, i) => labels.indexOf(x) !== i), [], "no two definitions have one name");
    for (const name of ["unique_audience", "reach", "loyalty"]) {
      const { definition } = r.columns.find((c) => c.name === name);
      assert.ok(await page.getByText(definition, { exact: true }).isVisible(), definition);
    }
    assert.match(await page.locator("#about").textContent(), /6,750 persons who count in the month \(in tab\).*Raked to the universe/s);
  });

  test("it reads French, and stays French", async (t) => {
    const { page } = await open(t, "/?month=2003-10");
    await page.getByRole("link", { name: "Français" }).click();
    await page.waitForFunction(() => document.documentElement.lang === "fr");
    assert.match(await page.locator("h1").textContent(), /^MSN Messenger en tête avec 3\u202f494\u202f000 visiteurs uniques en octobre 2003$/);
    assert.match(await page.locator("#ranking h2").textContent(), /ne se départagent pas$/);
    await page.reload();
    await whole(page);
    assert.match(page.url(), /lang=fr/);
    assert.equal(await page.evaluate(() => document.documentElement.lang), "fr");
  });

  test("the accounts are another page, by day, week and month", async (t) => {
    const it = await tab(w.browser);
    t.after(() => it.context.close());
    const { page } = it;
    await page.goto(`${w.server.address}/accounts?market=WORLD&month=2002-10`);
    await page.locator("#account-places svg[role=img]").waitFor();
    const r = await ask(w.server, "/v1/census?market=WORLD&from=2002-10-01&to=2002-10-31");
    const most = Math.max(...r.rows.map((x) => x.unique_accounts.value));
    assert.equal(await page.locator("h1").textContent(), `MSN Messenger’s servers saw ${Math.round(most).toLocaleString("en-GB")} accounts in October 2002`);
    assert.match(await page.locator(".simulated").textContent(), /Accounts, not people\./);
    const number = (x) => Math.round(x).toLocaleString("en-GB");
    const [msn, icq] = ["msn", "icq"].map((id) => row(r, id).unique_accounts);
    const lede = await page.locator(".lede").textContent();
    assert.ok(lede.startsWith(`Between ${number(msn.low)} and ${number(msn.high)}, with 95% confidence: estimated by a sketch.`), lede);
    assert.ok(lede.includes("ICQ 23,000 (counted, without error)") && icq.value === 23_000, lede);
    const days = await table(page, "accounts");
    assert.equal(days.length, 31 * r.rows.length);
    const one = await ask(w.server, "/v1/census?market=WORLD&from=2002-10-05&to=2002-10-05");
    assert.equal(days.find((x) => x.Period === "5 October 2002" && x.Service === "ICQ").Accounts, Math.round(row(one, "icq").unique_accounts.value).toLocaleString("en-GB"));
    const device = await ask(w.server, "/v1/census?market=WORLD&from=2002-10-01&to=2002-10-31&by=platform&service=icq");
    const devices = (await table(page, "account-platforms")).filter((x) => x.Service === "ICQ");
    assert.equal(devices.find((x) => x.Device === "Phone").Accounts, number(device.rows.find((x) => x.platform === "phone").unique_accounts.value));
    assert.deepEqual(new Set(devices.map((x) => x.How)), new Set(["counted, without error"]));
    assert.equal((await table(page, "account-segments")).find((x) => x.Service === "MSN Messenger").How, "sketch, ± 95% interval");
    await page.locator("#account-windows svg[role=img]").waitFor();
    const windows = (await table(page, "account-windows")).filter((x) => x.Service === "AIM");
    const seven = await ask(w.server, "/v1/census?market=WORLD&from=2002-10-31&to=2002-10-31&window=7d&service=aim");
    assert.equal(windows.find((x) => x.Window === "7 days").Accounts, number(seven.rows[0].unique_accounts.value));
    assert.equal(windows.find((x) => x.Window === "The month").Accounts, number(row(r, "aim").unique_accounts.value));
    await page.getByText("Week", { exact: true }).click();
    await page.waitForFunction(() => document.querySelector("#accounts h2").textContent.includes(" accounts a week"));
    assert.match(page.url(), /step=week/);
    await page.goto(`${w.server.address}/accounts?market=WORLD&month=2003-10&step=28d`);
    await page.locator("#accounts svg[role=img]").waitFor();
    const rolling = await ask(w.server, "/v1/census?market=WORLD&from=2003-10-28&to=2003-10-31&window=28d&service=msn");
    const values = rolling.rows.map((x) => x.unique_accounts.value);
    const title = await page.locator("#accounts h2").textContent();
    assert.ok(title.startsWith(`MSN Messenger had between ${number(Math.min(...values))} and ${number(Math.max(...values))} accounts in 28 days; AIM between `), `${title}: September has no census`);
    assert.match(await page.locator("#account-platforms .keys").textContent(), /ICQ and the smallest figures of the others: counted, without error/);
    assert.equal(await page.locator("#account-segments h2").textContent(), "Most accounts: North America for MSN Messenger, AIM and Yahoo! Messenger; Europe for ICQ");
    assert.match(await page.locator("#accounts").textContent(), /days that reach into a month without a census: too low/);
    await page.getByRole("link", { name: "People" }).click();
    assert.equal(await page.locator("h1").textContent(), "World of May 2001, one account in a thousand: a census, and no panel");
    await page.getByRole("link", { name: /^France, panel demo, / }).click();
    await whole(page);
  });

  test("the accounts open where there is a census; a market without one says so, and where there is", async (t) => {
    const it = await tab(w.browser);
    t.after(() => it.context.close());
    const { page } = it;
    await page.goto(`${w.server.address}/accounts`);
    await page.locator("#account-windows svg[role=img]").waitFor();
    assert.match(await page.locator("h1").textContent(), /^MSN Messenger’s servers saw 30,252 accounts in October 2003$/);
    assert.deepEqual(await page.locator("#month option").allTextContents(), ["October 2003", "October 2002"]);
    await page.route(/census\/months\?market=FR/, (r) => r.fulfill({ json: { rows: [] } })); // as of a market with a panel alone
    await page.goto(`${w.server.address}/?market=FR&month=2003-05`);
    await whole(page);
    await page.getByRole("link", { name: "Accounts census" }).click();
    await page.locator(".message").waitFor();
    assert.equal(await page.locator("h1").textContent(), "France: a panel, and no census");
    assert.deepEqual(await violations(page), []);
    await page.getByRole("link", { name: "World of May 2001, one account in a thousand, October 2003" }).click();
    await page.locator("#account-windows svg[role=img]").waitFor();
    assert.match(page.url(), /\/accounts\?market=WORLD&month=2003-10/);
    await page.goBack();
    await page.locator(".message").waitFor();
    await page.goto(`${w.server.address}/accounts?market=WORLD&month=2003-05&lang=fr`);
    await page.locator(".nearest").waitFor();
    assert.equal(await page.locator("h1").textContent(), "Aucun compte vu en mai 2003");
    assert.deepEqual(it.faults, []);
  });

  test("which segments has ICQ? They stand under its name, and it can be chosen alone", async (t) => {
    const { page, context, faults } = await tab(w.browser);
    t.after(() => context.close());
    await page.goto(`${w.server.address}/accounts?market=WORLD&month=2003-10&lang=en`);
    await page.locator("#account-windows svg[role=img]").waitFor();
    await page.locator("#account-segments svg[role=img]").waitFor();
    const panels = (id) => page.locator(`#${id} .drawing > svg > svg`).count();
    const texts = () => page.locator("#account-segments .drawing > svg > text").allTextContents();
    assert.equal(await panels("account-segments"), 4);
    const all = await texts();
    const own = all.slice(all.indexOf("ICQ") + 1);
    assert.deepEqual(own.filter((x) => /Europe|America|Asia/.test(x)).slice(0, 2), ["Europe", "North America"], "its own order, the largest first");
    await page.locator("#account-segments .services summary").click();
    for (const name of ["MSN Messenger", "AIM", "Yahoo! Messenger"]) await page.locator("#account-segments .services").getByLabel(name, { exact: true }).uncheck();
    await page.waitForFunction(() => document.querySelectorAll("#account-segments .drawing > svg > svg").length === 1);
    assert.match(page.url(), /services=icq/);
    assert.ok((await texts()).includes("ICQ") && !(await texts()).includes("AIM"));
    assert.equal(await panels("account-platforms"), 1, "the other panels are of the same services");
    assert.deepEqual(faults, []);
  });

  test("an operator's accounts: by device, by segment, over windows; no home, no work", async (t) => {
    const at = folder();
    const data = `${at}/operator`;
    const lines = [];
    for (let day = 1; day <= 31; day++) {
      for (let i = 0; i < 303; i++) {
        if ((i * 7 + day * 13) % 5 > 1) continue;
        lines.push(JSON.stringify({
          time: `2026-10-${String(day).padStart(2, "0")}T00:00:00Z`, market: "ORG", service: "mychat", location: "elsewhere", kind: "presence", precision: "day",
          account: `user${i}`, segment: ["agriculture", "justice", "culture", undefined][i % 4], platform: ["computer", "phone"][i % 2],
        }));
      }
    }
    await writeFile(`${at}/visits.ndjson`, lines.join("\n"));
    await run("market", "add", "ORG", "--zone", "UTC", "--name", "The organisation", "--data", data);
    await run("service", "add", "mychat", "--name", "MyChat", "--census", "exact", "--epoch", "none", "--data", data);
    await run("segment", "add", "agriculture", "--name", "Ministry of Agriculture", "--data", data);
    await run("segment", "add", "justice", "--name", "Ministry of Justice", "--data", data);
    await run("events", "load", "--backfill", "--data", data, `${at}/visits.ndjson`);
    const server = await start("run", "--data", data, "--listen", "127.0.0.1:0");
    t.after(() => server.stop());
    const it = await tab(w.browser);
    t.after(() => it.context.close());
    const { page } = it;
    await page.goto(`${server.address}/accounts?market=ORG&month=2026-10`);
    await page.locator("#account-segments svg[role=img]").waitFor();
    assert.equal(await page.locator("h1").textContent(), "MyChat’s servers saw 303 accounts in October 2026");
    assert.equal(await page.locator(".lede").textContent(), "Counted one by one, without error.");
    const segments = await table(page, "account-segments");
    assert.deepEqual(segments.map((x) => [x.Segment, x.Accounts]), [["Ministry of Agriculture", "76"], ["culture", "76"], ["Ministry of Justice", "76"], ["no segment", "75"]]);
    const devices = await table(page, "account-platforms");
    assert.deepEqual(devices.map((x) => [x.Device, x.Accounts]), [["Computer", "152"], ["Phone", "151"]]);
    assert.equal(await page.locator("#account-places").count(), 0);
    await page.locator("#accounts").getByText("7 days", { exact: true }).click();
    await page.waitForFunction(() => document.querySelector("#accounts h2").textContent.endsWith("in 7 days"));
    const week = await ask(server, "/v1/census?market=ORG&from=2026-10-07&to=2026-10-13");
    const shown = await table(page, "accounts");
    assert.equal(shown.find((x) => x.Period === "13 October 2026").Accounts, String(week.rows[0].unique_accounts.value));
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/operator.png`, fullPage: true });
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(await clipped(page), []);
    await server.stop();
    const key = /rc_\S+/.exec(await run("token", "new", "--name", "a reader", "--role", "read", "--tokens", `${at}/tokens`))[0];
    const guarded = await start("run", "--data", data, "--listen", "127.0.0.1:0", "--tokens", `${at}/tokens`);
    t.after(() => guarded.stop());
    await page.goto(`${guarded.address}/accounts?market=ORG&month=2026-10&step=week&lang=fr`);
    await page.locator("input[type=password]").fill(key);
    await page.keyboard.press("Enter");
    await page.locator("#account-windows svg[role=img]").waitFor();
    assert.match(await page.locator(".lede").textContent(), /Arrondis à 10 comptes, comme pour tout lecteur\./);
    const weeks = await table(page, "accounts");
    assert.deepEqual(weeks.map((x) => x.Comptes), ["300 (trop bas)", "300", "300", "300", "300 (trop bas)"], "whole weeks, as a reader's must be, of which two reach into months without a census");
    assert.deepEqual((await table(page, "account-segments")).map((x) => [x.Segment, x.Comptes]), [["Ministry of Agriculture", "80"], ["culture", "80"], ["Ministry of Justice", "80"], ["sans segment", "80"]]);
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/operator-reader.png`, fullPage: true });
    assert.deepEqual(await violations(page), []);
    const own = /rc_\S+/.exec(await run("token", "new", "--name", "of a ministry", "--role", "read", "--segment", "agriculture,none", "--tokens", `${at}/tokens`))[0];
    await page.getByRole("button", { name: "Se déconnecter" }).click();
    await page.locator("input[type=password]").fill(own);
    await page.keyboard.press("Enter");
    await page.locator("#account-windows svg[role=img]").waitFor();
    assert.equal(await page.locator("h1").textContent(), "Les serveurs de MyChat ont vu 150 comptes en octobre 2026");
    assert.deepEqual((await table(page, "account-segments")).map((x) => [x.Segment, x.Comptes]), [["Ministry of Agriculture", "80"], ["sans segment", "80"]]);
    assert.deepEqual(it.faults, []);
  });
}
