// A figure as a file: drawn anew, wide, in light colours, with its title, keys
// and source.
import { faces, measure, Sheet, wrap, type Face } from "./draw";
import type { Figure } from "./figure";
import { keyWidth, mark } from "./keys";

const width = 1136;
const edge = 24;

/** svgText gives the figure as the text of an SVG file. */
export function svgText(figure: Figure): string {
  const drawing = figure.draw(width - 2 * edge);
  const sheet = new Sheet(width, 0, figure.sentence);
  let y = edge;
  const write = (text: string, face: Face, high: number) => {
    for (const line of wrap(text, width - 2 * edge, (t) => measure(t, face))) {
      y += high;
      sheet.text(edge, y, line, face);
    }
  };
  write(figure.sentence, { size: 20, weight: 600 }, 26);
  write(figure.subtitle, { size: 15, fill: "var(--muted)" }, 22);
  y += 22;
  for (const tip of drawing.querySelectorAll(".tip")) tip.remove();
  sheet.place(drawing, edge, y);
  y += Number(drawing.getAttribute("height")) + 18;
  y = keys(sheet, figure, y);
  for (const note of figure.notes) write(note, faces.head, 20);
  write(figure.source, faces.head, 22);
  const height = Math.ceil(y + edge);
  sheet.svg.setAttribute("height", String(height));
  sheet.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [k, v] of Object.entries({ width, height, fill: "var(--bg)" })) paper.setAttribute(k, String(v));
  sheet.svg.prepend(paper);
  return resolved(sheet.svg);
}

function keys(sheet: Sheet, figure: Figure, from: number): number {
  let [x, y] = [edge, from];
  for (const key of figure.keys) {
    const drawn = mark(key.mark);
    const long = (drawn ? keyWidth + 6 : 0) + measure(key.text, faces.head) + 24;
    if (x > edge && x + long > width - edge) [x, y] = [edge, y + 22];
    if (drawn) {
      drawn.setAttribute("transform", `translate(${x} ${y})`);
      sheet.svg.append(drawn);
    }
    sheet.text(x + (drawn ? keyWidth + 6 : 0), y + 11.5, key.text, faces.head);
    x += long;
  }
  return figure.keys.length > 0 ? y + 16 : y;
}

/** resolved writes an SVG with the light colours in the place of their names. */
function resolved(svg: SVGSVGElement): string {
  const light = document.createElement("div");
  light.className = "light";
  document.body.append(light);
  const style = getComputedStyle(light);
  svg.setAttribute("font-family", getComputedStyle(document.body).fontFamily);
  svg.style.setProperty("font-kerning", "none");
  const text = new XMLSerializer().serializeToString(svg).replace(/var\((--[a-z0-9-]+)\)/g, (_, name: string) => style.getPropertyValue(name).trim());
  light.remove();
  return text;
}

/** png gives the same as a picture of twice as many pixels. */
export async function png(text: string): Promise<Blob> {
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = 2 * image.naturalWidth;
    canvas.height = 2 * image.naturalHeight;
    const c = canvas.getContext("2d")!;
    c.scale(2, 2);
    c.drawImage(image, 0, 0);
    return await new Promise((done, failed) => canvas.toBlob((b) => (b ? done(b) : failed(new Error("no picture"))), "image/png"));
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** save hands a file to the reader. */
export function save(file: Blob, name: string): void {
  const a = document.createElement("a");
  a.href = URL.createObjectURL(file);
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10_000);
}
