// What French asks of spaces: none before these signs that a line may break at.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import ts from "typescript";

/** textsOf gives what a source's string literals and templates hold. */
function textsOf(name: string, source: string): string[] {
  const out: string[] = [];
  const visit = (n: ts.Node) => {
    if (ts.isStringLiteral(n) || ts.isNoSubstitutionTemplateLiteral(n) || ts.isTemplateHead(n) || ts.isTemplateMiddle(n) || ts.isTemplateTail(n)) out.push(n.text);
    ts.forEachChild(n, visit);
  };
  visit(ts.createSourceFile(name, source, ts.ScriptTarget.Latest, false, name.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS));
  return out;
}

const breakable = / [:;?!»](?=\s|[.)]|$)|« /;

test("a sign that French sets off stands behind a space that doesn't break", () => {
  const root = join(process.env.PAGE!, "src");
  const files = readdirSync(root, { recursive: true }).map(String).filter((f) => /\.tsx?$/.test(f) && !/\.(test|d)\.ts$/.test(f));
  const texts = files.flatMap((f) => textsOf(f, readFileSync(join(root, f), "utf8")).map((text) => ({ f, text })));
  assert.ok(texts.filter(({ text }) => /\u00a0:/.test(text)).length > 30, "the sources are read");
  assert.deepEqual(texts.filter(({ text }) => breakable.test(text)), []);
});
