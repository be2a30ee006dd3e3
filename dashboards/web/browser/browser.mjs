// The page's browser tests, in one process, for the demonstration is loaded once.
import { after, before, describe } from "node:test";
import { analyst } from "./analyst.mjs";
import { folder, launch, start } from "./apparatus.mjs";
import { looks } from "./looks.mjs";
import { states } from "./states.mjs";

const w = { data: folder() };

before(async () => {
  [w.server, w.browser] = await Promise.all([start("demo", "--data", `${w.data}/demo`, "--listen", "127.0.0.1:0"), launch()]);
});
after(async () => {
  await w.browser?.close();
  await w.server?.stop();
});

describe("an analyst", () => analyst(w));
describe("looks", () => looks(w));
describe("states", () => states(w)); // the last: it stops the server
