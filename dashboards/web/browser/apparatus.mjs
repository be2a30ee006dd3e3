// What the browser tests stand on: a real server, a real Chromium.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const chromiumPath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const rollcall = process.env.ROLLCALL_BIN ?? new URL("../../../bin/rollcall", import.meta.url).pathname;

/** folder makes an empty folder that goes with the process. */
export function folder() {
  const at = mkdtempSync(join(tmpdir(), "rollcall-browser-"));
  process.on("exit", () => rmSync(at, { recursive: true, force: true }));
  return at;
}

/** start runs a server until it says where it listens. */
export async function start(...args) {
  const child = spawn(rollcall, args, { stdio: ["ignore", "pipe", "pipe"] });
  process.on("exit", () => child.kill());
  let said = "";
  const address = await new Promise((listening, failed) => {
    const hear = (chunk) => {
      said += chunk;
      const at = /(?:listens on http:\/\/|"address":"(?:http:\/\/)?)(127\.0\.0\.1:\d+)/.exec(said);
      if (at) listening(`http://${at[1]}`);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("exit", (code) => failed(new Error(`rollcall ${args.join(" ")} ended with ${code}: ${said}`)));
  });
  const stop = () => new Promise((gone) => (child.exitCode === null ? (child.once("exit", gone), child.kill()) : gone()));
  return { address, stop };
}

/** run runs a command to its end and gives what it prints. */
export async function run(...args) {
  const child = spawn(rollcall, args, { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (c) => (out += c));
  child.stderr.on("data", (c) => (err += c));
  const code = await new Promise((done) => child.on("exit", done));
  if (code !== 0) throw new Error(`rollcall ${args.join(" ")}: ${err}`);
  return out;
}

export function launch() {
  return chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
}

/** tab opens a page of its own context; its errors, and whatever the content
    policy blocks, are in faults. */
export async function tab(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB", acceptDownloads: true, ...options });
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (e) => faults.push(String(e)));
  page.on("console", (m) => {
    if (m.type() === "error" && !/Failed to load resource/.test(m.text())) faults.push(m.text());
  });
  return { page, context, faults };
}

/** drawn waits until every figure that is there is drawn. */
export async function drawn(page) {
  await page.waitForFunction(() => {
    const all = [...document.querySelectorAll(".drawing")];
    return all.length > 1 && all.every((d) => d.firstElementChild !== null) && document.querySelector("main.busy, .waiting") === null;
  }, null, { timeout: 60_000 });
}

/** whole waits until the whole page of people is drawn. */
export async function whole(page) {
  await page.waitForFunction(() => document.querySelectorAll(".drawing svg[role=img]").length === 8 && document.querySelector("main.busy") === null, null, { timeout: 60_000 });
}

/** table opens a figure's table and gives its rows, by the heads of its columns. */
export async function table(page, figure) {
  const button = page.locator(`#${figure} button[aria-controls]`);
  if ((await button.getAttribute("aria-expanded")) === "false") await button.click();
  return page.locator(`#${figure}-table table`).evaluate((t) => {
    const head = [...t.querySelectorAll("th")].map((c) => c.textContent);
    return [...t.querySelectorAll("tbody tr")].map((row) => Object.fromEntries([...row.cells].map((c, i) => [head[i], c.textContent])));
  });
}

/** ask asks the API. */
export async function ask(server, path) {
  const answer = await fetch(server.address + path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** persons writes a number as the page does in English. */
export function persons(x) {
  return (x >= 10_000 ? Math.round(x / 1000) * 1000 : Math.round(x)).toLocaleString("en-GB");
}
