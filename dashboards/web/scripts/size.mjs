// Fails if the page's JavaScript is over its limit, gzipped.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const limit = 150_000;
const assets = new URL("../dist/assets/", import.meta.url);
const sizes = { js: 0, css: 0 };
for (const name of readdirSync(assets)) {
  const kind = name.split(".").pop();
  if (kind in sizes) sizes[kind] += gzipSync(readFileSync(new URL(name, assets)), { level: 9 }).length;
}
console.log(`gzipped: JavaScript ${sizes.js} bytes of ${limit}, CSS ${sizes.css}`);
if (sizes.js === 0 || sizes.js > limit) process.exit(1);
