import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "./api";

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
