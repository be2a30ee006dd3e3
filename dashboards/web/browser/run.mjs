// Runs the browser tests where there is a Chromium; says so where there is none,
// and fails under ROLLCALL_ENGINES=require.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromiumPath } from "./apparatus.mjs";

if (!existsSync(chromiumPath)) {
  console.log(`skipped the page's browser tests: no Chromium at ${chromiumPath}; apt-get install chromium, or say CHROMIUM=`);
  process.exit(process.env.ROLLCALL_ENGINES === "require" ? 1 : 0);
}
const tests = new URL("browser.mjs", import.meta.url).pathname;
process.exit(spawnSync(process.execPath, ["--test", "--test-reporter=spec", ...process.argv.slice(2), tests], { stdio: "inherit" }).status ?? 1);
