// Builds every src/**/*.test.ts for Node and runs it with Node's own test runner.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { build } from "vite";

const root = new URL("..", import.meta.url).pathname;
const out = mkdtempSync(join(tmpdir(), "rollcall-page-"));
const files = readdirSync(join(root, "src"), { recursive: true }).filter((f) => f.endsWith(".test.ts"));
let failed = 1;
try {
  symlinkSync(join(root, "node_modules"), join(out, "node_modules"));
  await build({
    root, configFile: false, logLevel: "warn",
    build: {
      ssr: true, outDir: out, emptyOutDir: false, minify: false, target: "node20",
      rolldownOptions: { input: Object.fromEntries(files.map((f) => [basename(f, ".ts"), join(root, "src", f)])), output: { entryFileNames: "[name].mjs" } },
    },
  });
  const tests = files.map((f) => join(out, `${basename(f, ".ts")}.mjs`));
  failed = spawnSync(process.execPath, ["--test", "--test-reporter=spec", ...tests], { stdio: "inherit", env: { ...process.env, PAGE: root, TZ: "America/New_York" } }).status ?? 1;
} finally {
  rmSync(out, { recursive: true });
}
process.exit(failed);
