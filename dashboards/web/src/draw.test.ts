import assert from "node:assert/strict";
import { test } from "node:test";
import { scale, sizes, spaced, spread, wrap } from "./draw";
import { enlarged, runs, splits, top, unnamed, type Series } from "./lines";
import { below, measure } from "./testing";

test("labels don't overlap, keep their order, and stay inside", () => {
  const labels = [{ y: 100, height: 35 }, { y: 102, height: 35 }, { y: 5, height: 18 }, { y: 195, height: 35 }, { y: 196, height: 18 }];
  const at = spread(labels, 0, 200);
  const order = [2, 0, 1, 3, 4];
  for (let i = 1; i < order.length; i++) {
    const [a, b] = [order[i - 1]!, order[i]!];
    assert.ok(at[b]! - at[a]! >= (labels[a]!.height + labels[b]!.height) / 2 - 1e-9, `${a} and ${b} overlap: ${at}`);
  }
  assert.ok(Math.min(...at.map((y, i) => y - labels[i]!.height / 2)) >= 0 && Math.max(...at.map((y, i) => y + labels[i]!.height / 2)) <= 200);
  assert.deepEqual(spread([{ y: 50, height: 10 }], 0, 100), [50]);
});

test("an interval under 8 pixels isn't drawn, under 14 the dot is small", () => {
  assert.deepEqual([7.9, 8, 13.9, 14].map(sizes), [{ interval: false, radius: 4.4 }, { interval: true, radius: 2.4 }, { interval: true, radius: 2.4 }, { interval: true, radius: 4.4 }]);
});

test("a scale's numbers that have no space are left out, its end never", () => {
  const long = () => 30;
  assert.deepEqual(spaced([0, 1, 2, 3, 4], 200, long), [0, 1, 2, 3, 4]);
  assert.deepEqual(spaced([0, 1, 2, 3, 4], 100, long), [0, 2, 4]);
  assert.deepEqual(spaced([0, 1, 2, 3], 60, long), [1, 3], "counted from the end");
  assert.deepEqual(spaced([0, 1, 2], 20, long), [2]);
  assert.deepEqual(spaced([0], 20, long), [0]);
});

test("a scale's steps are round, and its last tick is at or above what is greatest, not far above", () => {
  const text = String;
  assert.deepEqual(scale(3_960_000, 5, text).ticks.values, [0, 1e6, 2e6, 3e6, 4e6]);
  assert.deepEqual(scale(4_000_000, 4, text).ticks.values, [0, 1e6, 2e6, 3e6, 4e6]);
  assert.deepEqual(scale(2_950_000, 2, text).ticks.values, [0, 1_500_000, 3_000_000]);
  assert.deepEqual(scale(0, 4, text).ticks.values, [0]);
  for (let max = 1; max < 1e7; max = max * 1.07 + 0.3) {
    for (let about = 1; about <= 12; about += 0.5) {
      const { domain, ticks } = scale(max, about, text);
      const last = ticks.values.at(-1)!;
      assert.equal(domain[1], last, `${max}, ${about}`);
      assert.ok(last >= max * 0.9999 && last <= max * (about < 3 ? 1.51 : 1.34), `${max}, ${about}: ${ticks.values}`);
      assert.ok(ticks.values.length >= (about < 2 ? 2 : 3) && ticks.values.length <= about + 1, `${max}, ${about}: ${ticks.values}`);
    }
  }
});

test("a scale of what is counted has whole numbers alone, however few they are", () => {
  assert.deepEqual(scale(15, 2, String, true).ticks.values, [0, 8, 16]);
  assert.deepEqual(scale(1, 5, String, true).ticks.values, [0, 1]);
  for (let max = 0.4; max < 1e6; max = max * 1.07 + 0.3) {
    for (let about = 1; about <= 12; about += 0.5) {
      const { ticks } = scale(max, about, String, true);
      assert.ok(ticks.values.length > 1 && ticks.values.every(Number.isInteger) && ticks.values.at(-1)! >= max * 0.9999, `${max}, ${about}: ${ticks.values}`);
    }
  }
});

const line = (id: string, values: (number | null)[]): Series => ({ id, name: id, short: id, fill: "", dash: "none", points: values.map((v, x) => ({ x, m: v === null ? below : measure(v, v * 0.9, v * 1.1), said: "" })) });

test("the first hides the others when it is over three times the second", () => {
  assert.ok(splits([line("any", [99]), line("a", [31]), line("b", [10]), line("c", [1])]));
  assert.ok(!splits([line("any", [99]), line("a", [30]), line("b", [10])]));
  assert.ok(!splits([line("a", [30]), line("b", [null])]));
  assert.ok(splits([line("any", [15]), line("a", [9]), line("b", [3.4]), line("c", [1.9]), line("d", [1.3]), line("e", [0.9])]), "three small ones at the bottom of the scale");
  assert.ok(!splits([line("any", [10]), line("a", [9]), line("b", [8.9]), line("c", [1.9]), line("d", [1.3]), line("e", [0.9])]), "without the first they would have little more space");
  assert.equal(enlarged([line("a", [60])], [line("b", [10])], 200), Math.round(scale(66, 5, String).domain[1] / scale(11, 5, String).domain[1]));
  assert.equal(enlarged([line("a", [60])], [line("b", [10])], 100, 200), Math.round((2 * scale(66, 2.5, String).domain[1]) / scale(11, 5, String).domain[1]), "of two heights, by their pixels");
  assert.ok(Math.abs(top([line("a", [100, 10])]) - 110) < 1e-9);
});

test("of more than twelve services the smallest have no name beside their lines", () => {
  const many = Array.from({ length: 14 }, (_, i) => line(`x${i}`, [i + 1]));
  assert.deepEqual(unnamed([line("any", [1]), ...many]).map((l) => l.id), ["x1", "x0"]);
  assert.deepEqual(unnamed(many.slice(0, 12)), []);
});

test("a line has a gap where a figure is withheld", () => {
  assert.deepEqual(runs(line("a", [null, 1, 2, null, 3]).points).map((r) => r.map((p) => p.m.value)), [[1, 2], [3]]);
});

test("a long title is cut between words", () => {
  assert.deepEqual(wrap("one two three", 7, (t) => t.length), ["one two", "three"]);
  assert.deepEqual(wrap("enormous", 3, (t) => t.length), ["enormous"]);
});
