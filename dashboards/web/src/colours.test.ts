import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { alike, colours, dashes, slots } from "./colours";

type RGB = [number, number, number];

/** tokens reads the colours of one theme from the style sheet that the page has. */
function tokens(theme: "light" | "dark"): Record<string, string> {
  const css = readFileSync(`${process.env.PAGE}/src/tokens.css`, "utf8").replace(/\/\*.*?\*\//gs, "");
  const [light, dark] = css.split("@media");
  const of = (text: string) => Object.fromEntries([...text.matchAll(/--([a-z0-9-]+):\s*(#[0-9a-f]+)/g)].map((m) => [m[1], m[2]]));
  return theme === "light" ? of(light!) : { ...of(light!), ...of(dark!) };
}

function rgb(hex: string): RGB {
  const full = hex.length === 4 ? hex.replace(/[0-9a-f]/g, "$&$&") : hex;
  return [1, 3, 5].map((i) => parseInt(full.slice(i, i + 2), 16) / 255) as RGB;
}

const linear = (c: RGB): RGB => c.map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)) as RGB;

function contrast(a: string, b: string): number {
  const light = (hex: string) => {
    const [r, g, b] = linear(rgb(hex));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [x, y] = [light(a), light(b)].sort((p, q) => q - p) as [number, number];
  return (x + 0.05) / (y + 0.05);
}

/** lab gives CIELAB of a linear colour, D65. */
function lab([r, g, b]: RGB): RGB {
  const f = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 * t + 16) / 116);
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** difference is CIEDE2000 (Sharma, Wu and Dalal 2005). */
function difference([l1, a1, b1]: RGB, [l2, a2, b2]: RGB): number {
  const rad = Math.PI / 180;
  const c7 = (((Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2) ** 7);
  const g = 0.5 * (1 - Math.sqrt(c7 / (c7 + 25 ** 7)));
  const [p1, p2] = [a1 * (1 + g), a2 * (1 + g)];
  const [c1, c2] = [Math.hypot(p1, b1), Math.hypot(p2, b2)];
  const hue = (a: number, b: number) => (a === 0 && b === 0 ? 0 : (Math.atan2(b, a) / rad + 360) % 360);
  const [h1, h2] = [hue(p1, b1), hue(p2, b2)];
  const far = c1 * c2 === 0 ? 0 : h2 - h1 > 180 ? h2 - h1 - 360 : h2 - h1 < -180 ? h2 - h1 + 360 : h2 - h1;
  const dh = 2 * Math.sqrt(c1 * c2) * Math.sin((far / 2) * rad);
  const h = c1 * c2 === 0 ? h1 + h2 : Math.abs(h1 - h2) <= 180 ? (h1 + h2) / 2 : (h1 + h2 + (h1 + h2 < 360 ? 360 : -360)) / 2;
  const [l, c] = [(l1 + l2) / 2, (c1 + c2) / 2];
  const t = 1 - 0.17 * Math.cos((h - 30) * rad) + 0.24 * Math.cos(2 * h * rad) + 0.32 * Math.cos((3 * h + 6) * rad) - 0.2 * Math.cos((4 * h - 63) * rad);
  const sl = 1 + (0.015 * (l - 50) ** 2) / Math.sqrt(20 + (l - 50) ** 2);
  const [sc, sh] = [1 + 0.045 * c, 1 + 0.015 * c * t];
  const rt = -2 * Math.sqrt(c ** 7 / (c ** 7 + 25 ** 7)) * Math.sin(60 * rad * Math.exp(-(((h - 275) / 25) ** 2)));
  return Math.sqrt(((l2 - l1) / sl) ** 2 + ((c2 - c1) / sc) ** 2 + (dh / sh) ** 2 + rt * ((c2 - c1) / sc) * (dh / sh));
}

/** Full deuteranopia and protanopia on linear colours (Machado, Oliveira and Fernandes 2009). */
const blindness: Record<string, number[][]> = {
  none: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
};

function seen(hex: string, m: number[][]): RGB {
  const c = linear(rgb(hex));
  return lab(m.map((row) => Math.min(1, Math.max(0, row.reduce((sum, x, i) => sum + x * c[i]!, 0)))) as RGB);
}

function smallest(hexes: string[], m: number[][]): number {
  let least = Infinity;
  for (let i = 0; i < hexes.length; i++) for (let k = 0; k < i; k++) least = Math.min(least, difference(seen(hexes[i]!, m), seen(hexes[k]!, m)));
  return least;
}

const services = Array.from({ length: 12 }, (_, i) => `s${i + 1}`);

test("CIEDE2000 gives the published pairs", () => {
  for (const [a, b, want] of [
    [[50, 2.6772, -79.7751], [50, 0, -82.7485], 2.0425],
    [[50, 2.5, 0], [73, 25, -18], 27.1492],
    [[60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644],
    [[2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514], 0.9082],
  ] as [RGB, RGB, number][]) assert.ok(Math.abs(difference(a, b) - want) < 5e-5, `${difference(a, b)} is not ${want}`);
});

for (const theme of ["light", "dark"] as const) {
  const of = tokens(theme);

  test(`${theme}: text is read on every ground that it stands on`, () => {
    for (const [text, ground] of [["ink", "bg"], ["ink", "soft"], ["muted", "bg"], ["muted", "soft"], ["link", "bg"], ["link", "soft"], ["note-ink", "note-bg"], ["bg", "ink"], ["t-light", "t1"], ["t-light", "t2"], ["t-light", "t3"], ["t-strong", "t4"], ["t-strong", "t5"]]) {
      const got = contrast(of[text!]!, of[ground!]!);
      assert.ok(got >= 4.5, `${text} on ${ground}: ${got.toFixed(2)}`);
    }
  });

  test(`${theme}: a service's colour stands out from the ground`, () => {
    for (const s of services) {
      assert.ok(contrast(of[s]!, of.bg!) >= 3, `${s} on bg: ${contrast(of[s]!, of.bg!)}`);
      assert.ok(contrast(of[s]!, of.soft!) >= 3, `${s} on soft: ${contrast(of[s]!, of.soft!)}`);
    }
    for (const line of ["axis", "focus"]) assert.ok(contrast(of[line]!, of.bg!) >= 3, line);
  });

  test(`${theme}: no two services are alike, to the colour-blind neither`, () => {
    const all = services.map((s) => of[s]!);
    assert.ok(smallest(all, blindness.none!) >= 17, String(smallest(all, blindness.none!)));
    for (const kind of ["deuteranopia", "protanopia"]) {
      assert.ok(smallest(all, blindness[kind]!) >= 9, `${kind}: ${smallest(all, blindness[kind]!)}`);
      assert.ok(smallest(all.slice(0, 6), blindness[kind]!) >= 14, `${kind}, of 2002: ${smallest(all.slice(0, 6), blindness[kind]!)}`);
    }
  });
}

/** apart says whether two colours of both themes are told apart by anybody, the
    colour-blind too, on lines two pixels wide. */
function apart(a: string, b: string): boolean {
  return (["light", "dark"] as const).every((theme) => {
    const of = tokens(theme);
    return Object.entries(blindness).every(([kind, m]) => difference(seen(of[a]!, m), seen(of[b]!, m)) >= (kind === "none" ? 22 : 12.5));
  });
}

test("the pairs of colours that are alike are those that the tokens give", () => {
  const pairs = services.flatMap((_, i) => services.slice(i + 1).map((_, k): [number, number] => [i + 1, i + k + 2]));
  assert.deepEqual(alike, pairs.filter(([a, b]) => !apart(`s${a}`, `s${b}`)));
});

/** catalogued are the services that Rollcall knows from the start. */
const catalogued = readFileSync(`${process.env.PAGE}/../../schemas/services.csv`, "utf8").trim().split("\n").slice(1).map((line) => line.split(",")).filter((cells) => cells[4] !== "").map((cells) => ({ service: cells[0]!, colour: Number(cells[4]) }));

test("any services that are shown together differ in colour, or in their dashes where the colours are alike", () => {
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const views = Array.from({ length: 300 }, (_, i) => [...catalogued].sort(() => random() - 0.5).slice(0, 2 + (i % (slots - 1))).map((k) => k.service));
  for (const view of [["mattermost", "irc", "tchap", "signal", "zulip", "slack"], ...views]) {
    const c = colours(view, catalogued);
    for (const a of view) for (const b of view.slice(0, view.indexOf(a))) {
      const [x, y] = [c.get(a)!, c.get(b)!];
      if (x.dash === y.dash) assert.ok(x.fill !== y.fill && apart(x.fill.slice(6, -1), y.fill.slice(6, -1)), `${a} and ${b} of ${view}: ${x.fill} and ${y.fill}, both ${x.dash}`);
    }
    assert.deepEqual(colours([...view].reverse(), catalogued), c, "the order of a ranking changes nothing");
    for (const k of catalogued) assert.ok((c.get(k.service)?.fill ?? `var(--s${k.colour})`) === `var(--s${k.colour})`, `${k.service} keeps its colour`);
  }
});

test("a service keeps its colour; a new one takes the lowest that is free; the second of a colour is dashed", () => {
  const c = colours(["signal", "chat", "aim", "msn", "any"], [{ service: "aim", colour: 2 }, { service: "chat" }, { service: "msn", colour: 1 }, { service: "signal", colour: 1 }]);
  assert.deepEqual(c.get("msn"), { fill: "var(--s1)", dash: "none" });
  assert.deepEqual(c.get("aim"), { fill: "var(--s2)", dash: "none" });
  assert.deepEqual(c.get("chat"), { fill: "var(--s3)", dash: "none" });
  assert.deepEqual(c.get("signal"), { fill: "var(--s1)", dash: "8 4" });
  assert.equal(c.get("any")!.fill, "var(--ink)");
});

test("thirty services all have a colour, and none its colour and dashes from another", () => {
  const many = Array.from({ length: 30 }, (_, i) => `x${i}`);
  const c = colours(many, many.map((service) => ({ service })));
  assert.ok(many.every((id) => /^var\(--s([1-9]|1[0-2])\)$/.test(c.get(id)!.fill) && dashes.includes(c.get(id)!.dash)));
  assert.equal(new Set(many.map((id) => `${c.get(id)!.fill} ${c.get(id)!.dash}`)).size, 30);
});
