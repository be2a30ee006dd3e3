// How the page looks: at every width, in either theme and language, on paper,
// to a screen reader and by keyboard.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { drawn, tab, whole } from "./apparatus.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** violations runs axe. A test script is let past the page's own policy. */
export async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")}`);
}

/** crowded gives the texts of drawings that overlap, stand on a bracket, or leave
    the window. Of a slanting text the box is larger than the text: it is left out. */
export function crowded(page) {
  return page.evaluate(() => {
    const faults = [];
    for (const svg of document.querySelectorAll(".drawing > svg")) {
      const texts = [...svg.querySelectorAll("text")].filter((t) => t.textContent.trim() !== "" && !/rotate\((?!-90 )/.test(t.getAttribute("transform") ?? "") && !t.closest(".tip") && t.getBoundingClientRect().width > 0);
      const boxes = texts.map((t) => t.getBoundingClientRect());
      const name = svg.closest("section").id;
      for (const line of svg.querySelectorAll(".bracket line")) {
        const l = line.getBoundingClientRect();
        const on = boxes.findIndex((b) => b.left < l.right && b.right > l.left && b.top < l.bottom && b.bottom > l.top);
        if (on >= 0) faults.push(`${name}: "${texts[on].textContent}" stands on a bracket`);
      }
      boxes.forEach((a, i) => {
        if (a.left < -1 || a.right > innerWidth + 1) faults.push(`${name}: "${texts[i].textContent}" leaves the window`);
        for (let k = 0; k < i; k++) {
          const b = boxes[k];
          const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
          const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
          if (across > 1.5 && down > 4) faults.push(`${name}: "${texts[i].textContent}" and "${texts[k].textContent}" overlap`);
        }
      });
    }
    return faults;
  });
}

/** beside gives what stands beside the column that the page's text keeps to. */
export function beside(page) {
  return page.evaluate(() => {
    const right = Math.max(...[...document.querySelectorAll("main h2")].map((h) => h.closest("section").getBoundingClientRect().right));
    return [...document.querySelectorAll("main .switch, main .tiles > div, main .pool, main .keys li, main .button, main summary, main p")].filter((e) => e.getBoundingClientRect().right > right + 1).map((e) => `${e.className} "${e.textContent.slice(0, 40)}"`);
  });
}

/** cut gives the texts of drawings that end in an ellipsis, since what they say
    had no space. */
export function cut(page) {
  return page.evaluate(() => [...document.querySelectorAll(".drawing > svg text")].filter((t) => t.textContent.endsWith("…")).map((t) => `${t.closest("section").id}: "${t.textContent}"`));
}

/** silent gives the figures to be used with caution whose n a drawing leaves out. */
export function silent(page) {
  return page.evaluate(() => {
    const boxes = [...document.querySelectorAll("#duplication .drawing > svg rect[stroke-dasharray]")].map((r) => r.getBoundingClientRect());
    const texts = [...document.querySelectorAll("#duplication .drawing > svg text")].map((t) => ({ text: t.textContent, box: t.getBoundingClientRect() }));
    const within = (b) => texts.filter((t) => t.box.left > b.left - 4 && t.box.right < b.right + 4 && t.box.top > b.top - 4 && t.box.bottom < b.bottom + 4).map((t) => t.text);
    return [boxes.length, boxes.map(within).filter((all) => !all.some((t) => /n \d/.test(t)))];
  });
}

/** breakable gives the texts of a French page in which a line can break before a
    sign that French sets off, or which don't set it off. */
export function breakable(page) {
  return page.evaluate(() => {
    const faults = [];
    const walk = document.createTreeWalker(document.querySelector("body"), NodeFilter.SHOW_TEXT);
    for (let n = walk.nextNode(); n; n = walk.nextNode()) {
      const text = n.textContent;
      if (n.parentElement.closest("code, pre, script, noscript, .brand, .goes-on, select")) continue;
      if (/ [:;!?»%](?=[\s.)]|$)|« /.test(text) || /[\p{L}\p{N})’][:;](?=\s|$)|\d%/u.test(text)) faults.push(text.slice(0, 120));
    }
    return faults;
  });
}

/** clipped gives the boxes of the page that cut their own text. */
export function clipped(page) {
  return page.evaluate(() => [...document.querySelectorAll("h1, h2, p, dt, dd, button, .button, label, summary, a, li")]
    .filter((e) => !e.closest(".visually-hidden, .skip, .table") && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).overflow !== "visible")
    .map((e) => `${e.tagName} "${e.textContent.slice(0, 60)}"`));
}

export function looks(w) {
  const keep = process.env.SHOTS; // a folder for the pictures, to be looked at
  for (const [width, height] of [[320, 740], [360, 740], [768, 1024], [1280, 900], [1920, 1080]]) {
    for (const colorScheme of ["light", "dark"]) {
      for (const language of ["en", "fr"]) {
        test(`${width} ${colorScheme} ${language}`, async (t) => {
          const { page, context, faults } = await tab(w.browser, { viewport: { width, height }, colorScheme, bypassCSP: true });
          t.after(() => context.close());
          for (const [name, path] of [["people", "/?month=2003-10"], ["accounts", "/accounts?market=WORLD&month=2002-10"]]) {
            await page.goto(`${w.server.address}${path}&lang=${language}`);
            if (name === "people") await whole(page);
            else {
              await page.locator("#account-windows svg[role=img]").waitFor();
              await drawn(page);
            }
            if (keep) await page.screenshot({ path: `${keep}/${name}-${width}-${colorScheme}-${language}.png`, fullPage: true });
            assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} scrolls sideways`);
            assert.deepEqual(await crowded(page), []);
            assert.deepEqual(await clipped(page), []);
            assert.deepEqual(await beside(page), []);
            assert.deepEqual(await cut(page), []);
            if (name === "people") {
              const [cautioned, without] = await silent(page);
              assert.ok(cautioned > 0, "the matrix has figures to be used with caution");
              assert.deepEqual(without, [], "figures to be used with caution, without their n");
              const said = await page.locator("#profile").textContent();
              for (const service of ["MSN", "Yahoo!", "AIM", "ICQ"]) assert.ok(said.includes(service), `the profile says nothing of ${service}`);
            }
            if (language === "en" ? colorScheme === "light" || width === 1280 : colorScheme === "light" && width === 1280) assert.deepEqual(await violations(page), []);
          }
          assert.deepEqual(faults, []);
        });
      }
    }
  }

  test("French is French: signs set off, names of places, notes", async (t) => {
    const { page, context } = await tab(w.browser);
    t.after(() => context.close());
    for (const path of ["/?month=2003-10", "/?month=2003-10&pool=6", "/?month=2002-10", "/?month=2003-06", "/accounts?market=FR&month=2003-06", "/accounts?market=WORLD&month=2003-10", "/accounts?market=WORLD&month=2003-10&step=28d", "/accounts?market=WORLD&month=2003-10&step=month", "/accounts?market=NOWHERE", "/?market=WORLD"]) {
      await page.goto(`${w.server.address}${path}${path.includes("?") ? "&" : "?"}lang=fr`);
      if (/^\/accounts\?market=(WORLD|FR)/.test(path)) await page.locator("#account-windows svg[role=img]").waitFor();
      else if (path.startsWith("/?month")) await whole(page);
      else await page.locator(".message").waitFor();
      for (const d of await page.locator("details").all()) await d.evaluate((e) => (e.open = true));
      for (const b of await page.locator("button[aria-controls]").all()) await b.click();
      assert.deepEqual(await breakable(page), [], path);
      assert.doesNotMatch(await page.locator("body").innerText(), /\bcompté, sans/, path);
      assert.doesNotMatch(await page.locator("body").innerText(), /\b(World|Europe and|North America|Latin|calibrated|simulated|withheld|own census|users|survey|one account|retenu)\b/, path);
    }
  });

  test("tables open, axe finds nothing", async (t) => {
    for (const width of [360, 1280]) {
      const { page, context } = await tab(w.browser, { viewport: { width, height: 900 }, bypassCSP: true });
      t.after(() => context.close());
      await page.goto(`${w.server.address}/?month=2003-10`);
      await whole(page);
      for (const d of await page.locator("details").all()) await d.evaluate((e) => (e.open = true));
      for (const b of await page.locator("button[aria-controls]").all()) await b.click();
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width} scrolls sideways`);
      const unsaid = await page.evaluate(() => [...document.querySelectorAll(".figure .table")].filter((b) => b.scrollWidth > b.clientWidth !== (b.previousElementSibling?.className === "goes-on")).length);
      assert.equal(unsaid, 0, `${width}: tables are wider than their box and don't say so, or the other way round`);
      if (width === 360) continue; // axe takes its time over thousands of cells
      assert.deepEqual(await violations(page), []);
    }
  });

  test("nothing jumps while it loads; the policy blocks nothing", async (t) => {
    const { page, context, faults } = await tab(w.browser);
    t.after(() => context.close());
    await page.addInitScript(() => {
      globalThis.shifts = [];
      new PerformanceObserver((list) => {
        for (const e of list.getEntries()) if (!e.hadRecentInput) globalThis.shifts.push({ value: e.value, of: e.sources.map((s) => s.node?.outerHTML?.slice(0, 80)) });
      }).observe({ type: "layout-shift", buffered: true });
    });
    await page.goto(`${w.server.address}/?month=2003-10`);
    await whole(page);
    assert.deepEqual(await page.evaluate(() => globalThis.shifts), []);
    assert.deepEqual(faults, []);
    const paint = await page.evaluate(() => performance.getEntriesByType("paint").map((p) => `${p.name} ${Math.round(p.startTime)} ms`));
    t.diagnostic(paint.join(", "));
  });

  test("by keyboard alone", async (t) => {
    const { page, context } = await tab(w.browser);
    t.after(() => context.close());
    await page.goto(`${w.server.address}/?month=2003-10`);
    await whole(page);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    const reached = await page.evaluate(() => {
      const can = [...document.querySelectorAll("a[href], button:not(:disabled), select, input, summary")].filter((e) => e.getClientRects().length > 0 && (e.type !== "radio" || e.checked) && !e.closest("details:not([open]) > :not(summary)"));
      can.forEach((e) => (e.dataset.can = "1"));
      return can.length;
    });
    const seen = new Set([await page.evaluate(() => (document.activeElement.dataset.at = "0"))]);
    for (let i = 1; i < reached + 10; i++) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate((i) => {
        const e = document.activeElement;
        if (e === document.body) return null;
        const style = getComputedStyle(e.type === "radio" ? e.closest("label") : e);
        if (style.outlineStyle === "none") throw new Error(`no outline on ${e.outerHTML.slice(0, 100)}`);
        return (e.dataset.at ??= String(i));
      }, i);
      if (at === null) break;
      seen.add(at);
    }
    assert.equal(seen.size, reached, "every control is reached by Tab");
    await page.locator("#ranking button[aria-controls]").focus();
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("role")), "region", "the table has the focus");
    await page.locator("#ranking .switches details.menu summary").first().focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("#ranking .switches details.menu").first().evaluate((d) => d.open), false);
    assert.equal(await page.evaluate(() => document.activeElement.tagName), "SUMMARY");
  });

  test("a screen reader hears a sentence for each figure, and none of Plot's labels", async (t) => {
    const { page, context } = await tab(w.browser);
    t.after(() => context.close());
    await page.goto(`${w.server.address}/?month=2003-10`);
    await whole(page);
    const told = await page.evaluate(() => [...document.querySelectorAll(".drawing > svg")].map((s) => [s.getAttribute("role"), s.getAttribute("aria-label") === s.closest("section").querySelector("h2").textContent.replaceAll("\u2060", ""), s.querySelectorAll("[aria-label], style").length]));
    assert.deepEqual(told, Array(8).fill(["img", true, 0]));
    const ids = await page.evaluate(() => [...document.querySelectorAll("[id]")].map((e) => e.id));
    assert.equal(new Set(ids).size, ids.length, "an id is twice in the page");
  });

  test("the ranking's figures have heads at every width, and are heard with what they are", async (t) => {
    for (const width of [320, 360, 1280]) {
      for (const [lang, heads, heard] of [
        ["en", ["Rank", "Service", "Unique visitors", /[Rr]each$/, "Change on Sep 2003"], /^MSN Messenger: rank 1, unique visitors 3,494,000 \(.*\), reach 20\.8%, change on Sep 2003 \+374,000 \(\+12%\)\. /],
        ["fr", ["Rang", "Service", "Visiteurs uniques", /[Cc]ouverture$/, "Évol. sur sept. 2003"], /^MSN Messenger\u00a0: rang 1, visiteurs uniques 3\u202f494\u202f000 /],
      ]) {
        const { page, context } = await tab(w.browser, { viewport: { width, height: 740 } });
        t.after(() => context.close());
        await page.goto(`${w.server.address}/?month=2003-10&lang=${lang}`);
        await whole(page);
        const texts = await page.locator("#ranking .drawing > svg > text").evaluateAll((all) => all.map((e) => ({ text: e.textContent, y: Number(e.getAttribute("y")) })));
        const first = texts.find((x) => x.text === "MSN Messenger").y;
        for (const head of heads) assert.ok(texts.some((x) => x.y < first && (typeof head === "string" ? x.text === head : head.test(x.text))), `${width} ${lang}: no head ${head}`);
        const tree = await (await context.newCDPSession(page)).send("Accessibility.getFullAXTree");
        const name = await page.locator("#ranking .drawing > svg").getAttribute("aria-label");
        const heardNow = tree.nodes.filter((n) => n.name?.value === name).map((n) => n.description?.value ?? "");
        assert.ok(heardNow.some((x) => heard.test(x)), `${width} ${lang}: ${heardNow}`);
        assert.deepEqual((await crowded(page)).filter((x) => x.startsWith("ranking:")), []);
      }
    }
  });

  test("every scale's last tick is at or above what is drawn on it", async (t) => {
    for (const width of [360, 1280]) {
      const { page, context } = await tab(w.browser, { viewport: { width, height: 900 } });
      t.after(() => context.close());
      for (const path of ["/?month=2003-10", "/?month=2002-10", "/accounts?market=WORLD&month=2002-10"]) {
        await page.goto(`${w.server.address}${path}&lang=en`);
        if (path.startsWith("/?")) await whole(page);
        else {
          await page.locator("#account-windows svg[role=img]").waitFor();
          await drawn(page);
        }
        const beyond = await page.evaluate(() => [...document.querySelectorAll(".drawing > svg > svg")].flatMap((panel) => {
          const across = panel.querySelectorAll("line[y1][x1]").length; // none: not a panel of a scale
          const dots = [...panel.querySelectorAll("circle")].map((c) => c.getBoundingClientRect());
          const grid = [...panel.querySelectorAll("g > line")].filter((l) => l.getAttribute("stroke") === null || l.closest("g").getAttribute("stroke") === "var(--grid)").map((l) => l.getBoundingClientRect());
          if (across === 0 || dots.length === 0 || grid.length === 0) return [];
          const upright = grid.every((g) => g.width < 1);
          const over = upright ? Math.max(...dots.map((d) => d.left + d.width / 2)) - Math.max(...grid.map((g) => g.left)) : Math.min(...grid.map((g) => g.top)) - Math.min(...dots.map((d) => d.top + d.height / 2));
          return over > 1 ? [`${panel.closest("section").id}: ${Math.round(over)} px beyond the last tick`] : [];
        }));
        assert.deepEqual(beyond, [], `${width} ${path}`);
      }
    }
  });

  test("a link to a figure brings its title below the bar, and the bar's last control can be reached", async (t) => {
    for (const [width, height] of [[320, 740], [360, 740], [640, 450], [320, 256]]) { // the last two: 200 and 400 % zoom
      const { page, context } = await tab(w.browser, { viewport: { width, height } });
      t.after(() => context.close());
      await page.goto(`${w.server.address}/?month=2003-10&lang=fr`);
      await whole(page);
      for (const id of ["trend", "profile"]) {
        await page.locator(`.jump a[href="#${id}"]`).click();
        const [title, bar] = await page.evaluate((id) => [document.querySelector(`#${id} h2`).getBoundingClientRect().top, document.querySelector(".bar").getBoundingClientRect().bottom], id);
        assert.ok(title >= bar, `${width}: the title of #${id} at ${title}, under the bar that ends at ${bar}`);
      }
      await page.locator(".bar summary").click();
      await page.getByLabel("Version", { exact: true }).scrollIntoViewIfNeeded();
      const last = await page.getByLabel("Version", { exact: true }).boundingBox();
      assert.ok(last.y >= 0 && last.y + last.height <= height, `${width} by ${height}: the last control at ${last.y}`);
    }
  });

  test("the filters of a narrow page are low, and scroll away with it", async (t) => {
    for (const [width, height, path] of [[320, 740, "/?month=2003-10"], [360, 740, "/?month=2003-10"], [640, 740, "/?month=2003-10"], [360, 740, "/accounts?market=WORLD&month=2002-10"]]) {
      const { page, context } = await tab(w.browser, { viewport: { width, height } });
      t.after(() => context.close());
      await page.goto(`${w.server.address}${path}&lang=fr`);
      if (path.startsWith("/?")) await whole(page);
      else await page.locator("#account-windows svg[role=img]").waitFor();
      const box = () => page.locator(".bar").evaluate((e) => ({ top: e.getBoundingClientRect().top, bottom: e.getBoundingClientRect().bottom, open: e.open }));
      const open = async () => {
        await page.locator(".bar summary").click();
        await page.waitForFunction(() => document.querySelector(".bar").open);
      };
      await open();
      const { top, bottom } = await box();
      assert.ok(bottom - top <= 0.32 * height, `${width}: the open filters are ${bottom - top} px high`);
      await page.locator(".bar summary").click();
      for (const from of [900, 2000]) {
        await page.evaluate((y) => scrollTo(0, y), from);
        await page.waitForFunction(() => Math.abs(document.querySelector(".bar").getBoundingClientRect().top) < 1 && !document.querySelector(".bar").open);
        await open();
        await page.waitForFunction(() => getComputedStyle(document.querySelector(".bar")).position === "relative");
        const at = await box();
        assert.ok(Math.abs(at.top) < 2, `${width}: opened in the middle of the page they stand at ${at.top}`);
        await page.mouse.wheel(0, 120);
        await page.waitForFunction(() => document.querySelector(".bar").getBoundingClientRect().top < -100);
        await page.mouse.wheel(0, 400);
        await page.waitForFunction(() => !document.querySelector(".bar").open && Math.abs(document.querySelector(".bar").getBoundingClientRect().top) < 1);
      }
      await page.evaluate(() => scrollTo(0, 900));
      await open();
      await page.getByLabel(/^Lieu$/).selectOption("home");
      await page.waitForFunction(() => document.querySelector(".bar summary").textContent.endsWith("domicile"));
      assert.ok((await box()).open, "a choice closes nothing");
    }
  });

  test("in forced colours what is chosen looks unlike what is not", async (t) => {
    for (const colorScheme of ["light", "dark"]) {
      const { page, context } = await tab(w.browser, { colorScheme, forcedColors: "active" });
      t.after(() => context.close());
      await page.goto(`${w.server.address}/?month=2003-10`);
      await whole(page);
      const look = (of) => page.locator(of).first().evaluate((e) => {
        const { backgroundColor, borderBottomColor, borderBottomStyle, borderBottomWidth, color } = getComputedStyle(e);
        return [backgroundColor, borderBottomWidth === "0px" ? "" : borderBottomColor, borderBottomStyle, color].join(" ");
      });
      assert.notEqual(await look(".tabs a[aria-current]"), await look(".tabs a:not([aria-current])"), "the page that is shown");
      assert.notEqual(await look("#places .switch label.on"), await look("#places .switch label:not(.on)"), "what is chosen of a switch");
    }
  });

  test("panels of one period that stand below each other have their days below each other", async (t) => {
    for (const [width, figures] of [[320, ["trend", "curve"]], [360, ["trend", "curve"]], [1280, ["curve"]]]) {
      const { page, context } = await tab(w.browser, { viewport: { width, height: 900 } });
      t.after(() => context.close());
      await page.goto(`${w.server.address}/?month=2003-10`);
      await whole(page);
      for (const id of figures) {
        const ends = await page.locator(`#${id} .drawing > svg > svg`).evaluateAll((all) => all.map((svg) => {
          const lines = [...svg.querySelectorAll("line")].map((l) => l.getBoundingClientRect());
          return [Math.min(...lines.map((l) => l.left)), Math.max(...lines.map((l) => l.right))].map(Math.round);
        }));
        assert.equal(ends.length, 2);
        assert.deepEqual(ends[0], ends[1], `${width}: the panels of #${id}`);
      }
    }
  });

  test("a pointer brings up the figure under it", async (t) => {
    const { page, context } = await tab(w.browser, { bypassCSP: true });
    t.after(() => context.close());
    await page.goto(`${w.server.address}/?month=2003-10`);
    await whole(page);
    for (const [figure, want] of [["ranking", /^MSN Messenger[\d,]+ \([\d.–]+\u00a0M\)n [\d,]+$/], ["trend", /^MSN Messenger, October 2003[\d,]+ /]]) {
      const dots = page.locator(`#${figure} .drawing svg svg`).first().locator("circle");
      await (figure === "ranking" ? dots.first() : dots.last()).hover({ force: true });
      const tip = page.locator(`#${figure} .drawing .tip text`).first();
      await tip.waitFor();
      assert.match((await tip.textContent()).replaceAll("\u200b", ""), want);
    }
    assert.deepEqual(await violations(page), []);
  });

  test("on paper: light, whole, drawn for the sheet's width", async (t) => {
    const { page, context } = await tab(w.browser, { colorScheme: "dark", viewport: { width: 1920, height: 600 } });
    t.after(() => context.close());
    await page.goto(`${w.server.address}/?month=2003-10`);
    await whole(page);
    const before = await page.locator("#ranking .drawing > svg").getAttribute("width");
    await page.evaluate(() => addEventListener("beforeprint", () => (globalThis.widths = [...document.querySelectorAll(".drawing > svg")].map((s) => s.getAttribute("width")))));
    const pdf = await page.pdf({ format: "A4", ...(keep ? { path: `${keep}/people.pdf` } : {}) });
    const pages = (pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length;
    assert.ok(pages >= 3 && pages <= 8, `${pages} sheets`);
    assert.deepEqual(await page.evaluate(() => globalThis.widths), ["686", "686", "686", "330", "330", "686", "330", "330"]);
    assert.equal(await page.locator("#ranking .drawing > svg").getAttribute("width"), before, "it is as it was after the print");
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  });
}
