// The reach curve: how many had come by each day of the month.
import type { CurveRow, Report } from "../api";
import { Sheet, withheldHeight, withheldOnly } from "../draw";
import { cellHeads, cells, limits, source, level, type Figure, type Scope } from "../figure";
import { enlarged, last, lines, shared, splits, under, unnamed, type Ground, type Series } from "../lines";
import { shown } from "../numbers";
import { of, whose } from "../texts";

export type Curve = Report<CurveRow>;

export function seriesOf(r: Curve, s: Scope): Series[] {
  const all = [...grouped(r.rows)].map(([id, rows]) => ({
    id,
    name: s.name(id),
    short: s.short(id),
    fill: s.colour(id).fill,
    dash: s.colour(id).dash,
    points: rows.map((row) => ({ x: row.day, m: row.unique_audience, said: s.n.day(row.date) })),
  }));
  return all.sort((a, b) => (last(b)?.m.value ?? 0) - (last(a)?.m.value ?? 0));
}

function grouped(rows: readonly CurveRow[]): Map<string, CurveRow[]> {
  const out = new Map<string, CurveRow[]>();
  for (const row of rows) out.set(row.service, [...(out.get(row.service) ?? []), row]);
  return out;
}

const early = 7; // the day that the sentence tells of

export function sentence(r: Curve, s: Scope): string {
  const french = s.t.language === "fr";
  const first = seriesOf(r, s)[0];
  const end = first && last(first);
  if (first === undefined || end === undefined) return french ? "Aucun service n’a assez de panélistes pour une courbe" : "No service has enough panelists for a curve";
  const by = first.points.find((p) => p.x === early)?.m;
  const all = s.n.persons(end.m.value);
  if (!shown(by)) return french ? `${first.name}\u00a0: ${all} visiteurs à la fin du mois` : `${all} visitors of ${first.name} had come by the month’s end`;
  const v = s.n.persons(by.value);
  if (french) return `Au jour ${early}, ${v} des ${all} visiteurs ${of(first.name)} étaient venus`;
  return `By day ${early}, ${v} of ${whose(first.name)} ${all} visitors had come`;
}

export function curve(r: Curve, data: string, s: Scope): Figure {
  const all = seriesOf(r, s);
  const french = s.t.language === "fr";
  const month = s.n.month(r.meta.month ?? "");
  const hollow = all.some((l) => l.points.some((p) => shown(p.m) && p.m.status === "caution"));
  const { low, caution } = limits(r.meta);
  const never = all.filter((l) => last(l) === undefined).map((l) => l.name);
  const notes = never.length === all.length ? [] : [french ? "Le dernier jour est le chiffre du mois." : "The last day is the month’s figure."];
  if (never.length > 0) notes.push(`${s.n.some(never)}${s.t.colon}${s.t.under(low)}.`);
  const grey = unnamed(all).map((l) => l.name);
  if (grey.length > 0) notes.push(s.t.grey(s.n.some(grey)));
  return {
    id: "curve",
    sentence: sentence(r, s),
    subtitle: french
      ? `Personnes différentes touchées depuis le 1er, par jour ${of(month)}. Bandes\u00a0: intervalle à ${level(r.meta, s)}`
      : `Different people reached since the 1st, by day of ${month}. Bands: ${level(r.meta, s)} interval`,
    keys: hollow ? [{ mark: "hollow", text: s.t.key.caution(low, caution) }] : [],
    notes: s.address.pool === undefined ? notes : [...notes, s.t.alone],
    source: source(r.meta, s),
    data,
    table: {
      head: [s.t.service, french ? "Jour" : "Day", ...cellHeads(s.t.visitors, s)],
      rows: r.rows.map((row) => [s.name(row.service), s.n.day(row.date), ...cells(row.unique_audience, r.meta, s, (x) => s.n.persons(x))]),
    },
    height: () => (!all.some(last) ? withheldHeight : splits(all) ? 150 + under + 40 + 190 + under : 300 + under),
    draw: (width) => draw(all, r, width, s),
  };
}

function draw(all: readonly Series[], r: Curve, width: number, s: Scope): SVGSVGElement {
  const split = splits(all);
  const days = Math.max(...all.flatMap((l) => l.points.map((p) => p.x)), 2);
  const values = [1, 7, 14, 21, days].filter((d, i, a) => d <= days && a.indexOf(d) === i && (d === days || days - d > 2));
  const x = { domain: [1, days] as [number, number], ticks: { values, text: (v: number) => String(v) } };
  const label = sentence(r, s);
  if (!all.some(last)) return withheldOnly(width, label, s.t.under(limits(r.meta).low));
  const grey = unnamed(all);
  if (!split) {
    const sheet = new Sheet(width, 300 + under, label);
    lines(sheet, { x: 0, y: 4 }, all, { width, height: 290, x, values: () => true, grey }, s);
    return sheet.svg;
  }
  const sheet = new Sheet(width, 150 + under + 40 + 190 + under, label);
  const others = all.slice(1);
  const whole: Ground = { width, height: 146, x, values: () => true, grey };
  const larger: Ground = { ...whole, height: 190 };
  const margins = shared([[all.slice(0, 1), whole], [others, larger]], s);
  lines(sheet, { x: 0, y: 4 }, all.slice(0, 1), { ...whole, margins }, s);
  const times = enlarged(all.slice(0, 1), others, 146, 190);
  const title = s.t.language === "fr" ? `Les autres, échelle agrandie ${times} fois` : `The others, scale enlarged ${times} times`;
  sheet.text(0, 150 + under + 26, title, { size: 14, weight: 600 });
  lines(sheet, { x: 0, y: 150 + under + 38 }, others, { ...larger, margins }, s);
  return sheet.svg;
}
