// Where: home, work and both, side by side on one scale.
import type { Places } from "../address";
import type { Location, RankingRow, Report } from "../api";
import { cellHeads, csvText, cells, intervalKeys, limits, monthOf, source, when, type Figure, type Scope } from "../figure";
import { shown } from "../numbers";
import { of, whose } from "../texts";
import * as panels from "./dots";
import { ranked, withheld } from "./ranking";

type Ranking = Report<RankingRow>;

/** The places whose panels stand side by side. */
export function placesOf(which: Places): Location[] {
  return which === "apart" ? ["home-only", "both", "work-only"] : ["home", "work", "both"];
}

function figureOf(r: Ranking | undefined, service: string) {
  return r?.rows.find((row) => row.service === service && (row.level === "service" || row.level === "any"))?.unique_audience ?? null;
}

export function sentence(either: Ranking, by: ReadonlyMap<string, Ranking>, s: Scope): string {
  const french = s.t.language === "fr";
  const first = ranked(either)[0];
  if (first === undefined) return french ? "Domicile et travail" : "Home and work";
  const name = s.name(first.service);
  const both = figureOf(by.get("both"), first.service);
  const all = figureOf(either, first.service);
  if (shown(both) && shown(all)) {
    const [b, a] = [s.n.persons(both.value), s.n.persons(all.value)];
    return french ? `${b} des ${a} visiteurs ${of(name)} ont été vus à la fois à domicile et au travail` : `${b} of ${whose(name)} ${a} visitors were seen both at home and at work`;
  }
  const home = figureOf(by.get("home") ?? by.get("home-only"), first.service);
  if (!shown(home)) return french ? `${name} par lieu` : `${name} by place`;
  return french ? `${name}\u00a0: ${s.n.persons(home.value)} visiteurs à domicile` : `${name} had ${s.n.persons(home.value)} visitors at home`;
}

/** places makes the figure: either is the ranking at home or at work, by that of
    each place. */
export function places(either: Ranking, by: ReadonlyMap<string, Ranking>, which: Places, data: string, s: Scope): Figure {
  const french = s.t.language === "fr";
  const services = [...ranked(either), ...withheld(either, s)].map((row) => row.service);
  const few = services.slice(0, 12);
  const some = [...by.values()][0] ?? either;
  const ids = placesOf(which);
  const layout: panels.Layout = {
    rows: few.map(s.name),
    shortRows: few.map(s.short),
    panels: ids.map((place) => ({
      title: s.t.places[place] ?? place,
      marks: few.map((id) => ({ m: figureOf(by.get(place), id), fill: s.colour(id).fill, said: `${s.name(id)}, ${s.t.at[place] ?? place}` })),
    })),
    below: s.t.under(limits(some.meta).low),
    belowShort: s.t.underShort(limits(some.meta).low),
    number: (x) => s.n.persons(x),
    range: (m) => s.n.range(m),
    tick: (x) => s.n.short(x),
    label: sentence(either, by, s),
  };
  const add = which === "apart" ? (french ? "Ces trois lieux s’additionnent" : "These three add up") : french ? "Domicile et travail se recoupent\u00a0: ne pas les additionner" : "Home and work overlap: do not add them";
  return {
    id: "places",
    sentence: sentence(either, by, s),
    subtitle: `${french ? "Visiteurs uniques par lieu" : "Unique visitors by place"}, ${s.market}, ${when(either.meta, s)}. ${add}`,
    keys: intervalKeys(layout.panels.flatMap((p) => p.marks.map((d) => d.m)), some.meta, s),
    notes: services.length > few.length ? [s.t.inTable(s.n.some(services.slice(few.length).map(s.name)))] : [],
    source: source(some.meta, s),
    data,
    file: () => {
      const { market, panel = "", credit, version } = some.meta;
      const of = (place: string, id: string) => [market, panel, monthOf(some.meta), place, credit, String(version ?? ""), id];
      return csvText(["market", "panel", "period", "location", "credit", "version", "service"], "unique_audience", ids.flatMap((place) => [...services, "any"].map((id) => ({ of: of(place, id), m: figureOf(by.get(place), id) }))));
    },
    table: {
      head: [s.t.service, ...ids.flatMap((place) => cellHeads(s.t.places[place] ?? place, s))],
      rows: [...services, "any"].map((id) => [id === "any" ? s.t.any : s.name(id), ...ids.flatMap((place) => cells(figureOf(by.get(place), id), some.meta, s, (x) => s.n.persons(x)))]),
    },
    height: (width) => panels.height(layout, width),
    draw: (width) => panels.dots(layout, width),
  };
}
