import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Client, type Problem } from "./api";
import { texts } from "./texts";

test("a list that comes in parts is whole", async (t) => {
  const asked: string[] = [];
  t.mock.method(globalThis, "fetch", async (address: string) => {
    asked.push(address);
    const last = address.endsWith("after=b");
    return new Response(JSON.stringify({ rows: last ? ["c"] : ["a", "b"] }), { headers: last ? {} : { Link: '</v1/segments?after=b>; rel="next"' } });
  });
  assert.deepEqual(await new Client().rows("/v1/segments"), ["a", "b", "c"]);
  assert.deepEqual(asked, ["/v1/segments", "/v1/segments?after=b"]);
});

test("a refusal is said in the page's language, whatever its code is", async (t) => {
  const refused = async (problem: object) => {
    t.mock.method(globalThis, "fetch", async () => new Response(JSON.stringify(problem), { status: 404, headers: { "Content-Type": "application/problem+json" } }));
    return new Client().get("/v1/x").then(() => assert.fail(), (e: Problem) => e);
  };
  const missing = await refused({ code: "not_found", detail: "version 99 of 2002-10 of panel demo in FR: not found" });
  assert.equal(texts("en").refusal(missing), "version 99 of 2002-10 of panel demo in FR: not found");
  assert.equal(texts("fr").refusal(missing), "Ce qui est demandé n’existe pas ici, ou n’est pas publié.");
  const withdrawn = await refused({ code: "withdrawn", detail: "version 1 of 2002-10 of panel demo in FR was withdrawn on 2026-11-30: a broken meter" });
  assert.equal(texts("fr").refusal(withdrawn), "Cette version a été retirée le 2026-11-30\u00a0: a broken meter");
  const invalid = await refused({ code: "invalid", detail: "location \"moon\": is not home", errors: [{ location: "query.location", message: "is not home" }] });
  assert.equal(texts("fr").refusal(invalid), "Ceci ne peut être utilisé\u00a0: location.");
  const known = [...readFileSync(join(process.env.PAGE!, "../../internal/problem/details.go"), "utf8").matchAll(/^\t\{[\w.]+, (?:http\.Status\w+, )?"(\w+)"\},$/gm)].map((m) => m[1]!);
  assert.ok(known.length > 20, "the codes are read");
  for (const code of known) assert.doesNotMatch(texts("fr").refusal(await refused({ code, detail: "in English" })), /English|Le code de/, code);
});
