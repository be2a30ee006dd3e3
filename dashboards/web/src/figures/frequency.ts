// Frequency: on how many days of the month the users came.
import * as marks from "@observablehq/plot";
import type { FrequencyRow, Measure, RankingRow, Report } from "../api";
import { axisY, element, faces, layer, measure, plot, scale, Sheet, thatFits, widest, withheldHeight, withheldOnly } from "../draw";
import { cellHeads, cells, limits, source, when, level, type Figure, type Key, type Scope } from "../figure";
import { shown } from "../numbers";
import { of, whose } from "../texts";
import { chosen } from "./profile";
import { ranked } from "./ranking";

export type Frequency = Report<FrequencyRow>;

/** bandsOf gives the days' bands in their order: 1, 2-3, 15+. */
export function bandsOf(r: Frequency): string[] {
  return [...new Set(r.rows.map((row) => String(row.days)))].sort((a, b) => parseInt(a, 10) - parseInt(b, 10));
}

export function bandText(band: string): string {
  return band.replace("-", "–");
}

const often = 8;

/** oftenRow gives the row whose k_plus tells of so many days or more. */
export function oftenRow(r: Frequency, service: string): FrequencyRow | undefined {
  return r.rows.find((row) => row.service === service && parseInt(String(row.days), 10) === often);
}

export function sentence(r: Frequency, service: string | undefined, s: Scope): string {
  const french = s.t.language === "fr";
  if (service === undefined) return french ? "Fréquence d’usage" : "Frequency of use";
  const k = oftenRow(r, service)?.k_plus;
  const name = s.name(service);
  if (!shown(k)) return french ? `Jours d’usage ${of(name)}` : `On how many days ${name} was used`;
  const v = s.n.persons(k.value);
  return french ? `${v} visiteurs ${of(name)} sont venus ${often} jours ou plus` : `${v} of ${whose(name)} visitors came on ${often} days or more`;
}

export function frequency(r: Frequency, ranking: Report<RankingRow>, data: string, s: Scope): Figure {
  const french = s.t.language === "fr";
  const order = ranked(ranking).map((row) => row.service);
  const services = chosen(s.address.services, order, 3);
  const drawn = r.rows.filter((row) => services.includes(row.service)).map((row) => row.share);
  const rest = order.filter((id) => !services.includes(id));
  return {
    id: "frequency",
    sentence: sentence(r, services[0], s),
    subtitle: french ? `Part des visiteurs de chaque service selon le nombre de jours d’usage, ${when(r.meta, s)}` : `Share of each service’s visitors by the number of days used, ${when(r.meta, s)}`,
    keys: services.length === 0 ? [] : keys(drawn, r, s),
    notes: rest.length > 0 ? [s.t.inTable(s.n.some(rest.map(s.name)))] : [],
    source: source(r.meta, s),
    data,
    table: {
      head: [s.t.service, french ? "Jours" : "Days", ...cellHeads(french ? "Part" : "Share", s), ...cellHeads(s.t.visitors, s).slice(0, 3), ...cellHeads(french ? "Ce nombre de jours ou plus" : "That many days or more", s).slice(0, 3)],
      rows: r.rows.map((row) => [
        s.name(row.service), bandText(String(row.days)), ...cells(row.share, r.meta, s, (x) => s.n.percent(x)),
        ...cells(row.unique_audience, r.meta, s, (x) => s.n.persons(x)).slice(0, 3), ...cells(row.k_plus, r.meta, s, (x) => s.n.persons(x)).slice(0, 3),
      ]),
    },
    height: () => (services.length === 0 ? withheldHeight : services.length * block + 10),
    draw: (width) => draw(r, services, width, s),
  };
}

function keys(drawn: readonly (Measure | null)[], r: Frequency, s: Scope): Key[] {
  const { low, caution } = limits(r.meta);
  const out: Key[] = [{ mark: "none", text: s.t.language === "fr" ? `Traits\u00a0: intervalle à ${level(r.meta, s)}` : `Lines: ${level(r.meta, s)} interval` }];
  if (drawn.some((m) => shown(m) && m.status === "caution")) out.push({ mark: "cell", text: s.t.key.caution(low, caution) });
  if (drawn.some((m) => m !== null && !shown(m))) out.push({ mark: "below", text: s.t.key.below(low) });
  return out;
}

const block = 140;
const title = 22;

function draw(r: Frequency, services: readonly string[], width: number, s: Scope): SVGSVGElement {
  if (services.length === 0) return withheldOnly(width, sentence(r, undefined, s), s.t.under(limits(r.meta).low));
  const bands = bandsOf(r);
  const sheet = new Sheet(width, services.length * block + 10, sentence(r, services[0], s));
  const shareOf = (id: string, band: string) => r.rows.find((row) => row.service === id && String(row.days) === band)?.share ?? null;
  const max = Math.max(10, ...services.flatMap((id) => bands.map((b) => shareOf(id, b))).map((m) => (shown(m) ? (m.high ?? m.value) : 0)));
  const y = scale(max, 3, (v) => s.n.percentShort(v));
  const left = widest(y.ticks.values.map((v) => y.ticks.text(v)), faces.tick) + 12;
  services.forEach((id, k) => {
    sheet.text(left, k * block + 14, thatFits([s.name(id), s.short(id)], width - left, faces.name), faces.name);
    sheet.place(panel(bands, (b) => shareOf(id, b), { width, left, y, fill: s.colour(id).fill, low: limits(r.meta).low, sheet }, s), 0, k * block + title);
  });
  const each = (width - left) / Math.max(1, bands.length);
  const every = Math.ceil((widest(bands.map(bandText), faces.tick) + 6) / each);
  bands.forEach((b, i) => {
    if (i % every === 0) sheet.text(left + (i + 0.5) * each, services.length * block, bandText(b), { ...faces.tick, anchor: "middle" });
  });
  return sheet.svg;
}

interface Columns {
  width: number;
  left: number;
  y: ReturnType<typeof scale>;
  fill: string;
  low: number;
  sheet: Sheet;
}

function panel(bands: readonly string[], share: (band: string) => Measure | null, c: Columns, s: Scope): SVGSVGElement {
  const tall = block - title;
  const each = (c.width - c.left) / Math.max(1, bands.length);
  return plot({
    width: c.width, height: tall, marginLeft: c.left, marginRight: 0, marginTop: 18, marginBottom: 16,
    x: { domain: [0, bands.length], type: "linear" }, y: { domain: c.y.domain },
    marks: [
      ...axisY(c.y.ticks),
      layer((at, into) => bands.forEach((b, i) => column(into, share(b), { x: at.x(i) + each * 0.12, width: each * 0.76, y: (v) => at.y(v) }, c, s))),
      marks.ruleY([0], { stroke: "var(--axis)" }) as marks.Markish,
    ],
  });
}

/** column draws a band: filled, outlined where it is to be used with caution, a
    short swatch where it is withheld. */
function column(into: SVGGElement, m: Measure | null, at: { x: number; width: number; y: (v: number) => number }, c: Columns, s: Scope): void {
  const base = at.y(0);
  const middle = at.x + at.width / 2;
  const write = (y: number, text: string, attributes: Record<string, string | number>) => {
    const t = element("text", { x: middle, y, "text-anchor": "middle", ...attributes });
    t.textContent = text;
    into.append(t);
  };
  if (!shown(m)) {
    if (m === null || m.status === "undefined") return;
    const wide = Math.min(16, at.width);
    const swatch = c.sheet.hatch(middle - wide / 2, base - 9, wide, 9);
    into.append(swatch);
    if (measure(s.t.underShort(c.low), faces.withheld) <= at.width / 0.76) write(base - 14, s.t.underShort(c.low), { "font-size": 12, "font-style": "italic", fill: "var(--muted)" });
    return;
  }
  const caution = m.status === "caution";
  const top = at.y(m.value);
  const inset = caution ? 0.75 : 0;
  into.append(element("rect", { x: at.x + inset, y: top + inset, width: at.width - 2 * inset, height: Math.max(0, base - top - inset), fill: caution ? "none" : c.fill, "fill-opacity": 0.85, stroke: caution ? c.fill : "none", "stroke-width": 1.5, "stroke-dasharray": "3 2" }));
  into.append(element("line", { x1: middle, x2: middle, y1: at.y(m.low ?? m.value), y2: at.y(m.high ?? m.value), stroke: "var(--ink)", "stroke-width": 1.5 }));
  if (measure("88 %", faces.value) <= at.width / 0.76) write(at.y(m.high ?? m.value) - 5, s.n.percent(m.value, 0), { "font-size": 12, "font-weight": 600, fill: "var(--ink)" });
}
