// The marks that are explained under a figure.
import { element, estimate } from "./draw";
import type { KeyMark } from "./figure";

export const keyWidth = 30;

/** mark draws a key's mark in a box of 30 by 14, or nothing where words do. */
export function mark(of: KeyMark): SVGGElement | null {
  const g = element("g");
  const grey = "var(--muted)";
  switch (of) {
    case "interval":
      g.append(estimate({ x: 14, low: 3, high: 25 }, 7, grey, false));
      return g;
    case "caution":
      g.append(estimate({ x: 14, low: 3, high: 25 }, 7, grey, true));
      return g;
    case "hollow":
      g.append(element("line", { x1: 2, x2: 26, y1: 7, y2: 7, stroke: grey, "stroke-width": 2 }), element("circle", { cx: 14, cy: 7, r: 3, fill: "var(--bg)", stroke: grey, "stroke-width": 1.6 }));
      return g;
    case "below":
      g.append(hatching());
      return g;
    case "compared":
      g.append(element("rect", { x: 13, y: 0, width: 3, height: 14, fill: "var(--axis)" }));
      return g;
    case "tied":
      g.append(element("path", { d: "M10,1H17V13H10", fill: "none", stroke: "var(--ink)", "stroke-width": 1.5 }));
      return g;
    case "cell":
      g.append(element("rect", { x: 3, y: 1, width: 22, height: 12, fill: "none", stroke: "var(--ink)", "stroke-width": 1.5, "stroke-dasharray": "3 2" }));
      return g;
    case "change":
      return letter(g, "▲▼", 700);
    case "maybe":
      return letter(g, "≈", 400);
    case "none":
      return null;
  }
}

function letter(g: SVGGElement, text: string, weight: number): SVGGElement {
  const t = element("text", { x: 14, y: 11.5, "font-size": 12, "font-weight": weight, "text-anchor": "middle", fill: "var(--ink)" });
  t.textContent = text;
  g.append(t);
  return g;
}

/** hatching is drawn by lines: a pattern would need an id of its own. */
function hatching(): SVGGElement {
  const g = element("g");
  g.append(element("rect", { x: 6.5, y: 1.5, width: 16, height: 11, fill: "none", stroke: "var(--hatch)" }));
  g.append(element("path", { d: "M7,7L12.5,1.5M7,12.5L18,1.5M12.5,12.5L22.5,2.5M18,12.5L22.5,8", stroke: "var(--hatch)", "stroke-width": 1.8 }));
  return g;
}
