// Markets: the reach of the leading service in every market whose month is
// published.
import type { MarketRow, Report } from "../api";
import { cellHeads, cells, intervalKeys, monthOf, when, type Figure, type Scope } from "../figure";
import { shown } from "../numbers";
import { of, whose } from "../texts";
import * as panels from "./dots";

type Markets = Report<MarketRow>;
type About = NonNullable<Markets["meta"]["markets"]>[number];

function about(r: Markets, id: string): About | undefined {
  return r.meta.markets?.find((m) => m.market === id);
}

/** named gives a market's name. */
export function named(r: Markets, id: string): string {
  return about(r, id)?.name || id;
}

/** low gives the persons under which a market's figures are withheld. */
function low(r: Markets, id: string): number {
  return about(r, id)?.thresholds["low"] ?? 30;
}

export function sentence(r: Markets, s: Scope): string {
  const french = s.t.language === "fr";
  const name = s.name(r.meta.service ?? "");
  const [first, second] = r.rows.filter((row) => shown(row.reach));
  if (first === undefined || !shown(first.reach)) return french ? `${name} par marché` : `${name} by market`;
  const a = named(r, first.market);
  if (second === undefined) return french ? `La couverture ${of(name)}\u00a0: ${a}, ${s.n.percent(first.reach.value)}` : `${whose(name)} reach is ${s.n.percent(first.reach.value)} in ${a}`;
  const b = named(r, second.market);
  if (second.differs !== true) return french ? `${a} et ${b} ne se départagent pas par la couverture ${of(name)}` : `${a} and ${b} cannot be told apart by ${whose(name)} reach`;
  return french ? `La couverture ${of(name)} est la plus forte ici\u00a0: ${a}, ${s.n.percent(first.reach.value)}` : `${whose(name)} reach is highest in ${a}, at ${s.n.percent(first.reach.value)}`;
}

/** source names the panel and the version that stand for each market, and says
    which are calibrated, and to whose census, and which are simulated. */
function source(r: Markets, s: Scope): string {
  const all = r.meta.markets ?? [];
  const some = all.some((m) => !m.simulated);
  const each = all.map((m) => {
    const version = s.t.versionText(m.version, s.t.statuses[m.status] ?? m.status);
    const to = (m.calibrated ?? []).map((c) => s.name(c.service)).join(", ");
    return `${m.name || m.market} (${m.panel}, ${version}${to === "" ? "" : `, ${s.t.calibratedTo(to)}`}${m.simulated && some ? `, ${s.t.simulated.toLowerCase()}` : ""})`;
  });
  const text = `Rollcall, ${s.n.monthShort(monthOf(r.meta))}: ${each.join(", ")}.`;
  return r.meta.simulated && !some ? `${text} ${s.t.simulatedDot}` : text;
}

function told(differs: boolean | null | undefined, s: Scope): string {
  if (differs == null) return "–";
  if (s.t.language === "fr") return differs ? "oui" : "non, ou hasard";
  return differs ? "yes" : "may be chance";
}

/** markets makes the figure. */
export function markets(r: Markets, data: string, s: Scope): Figure {
  const french = s.t.language === "fr";
  const names = r.rows.map((row) => named(r, row.market));
  const limits = new Set(r.rows.filter((row) => row.reach?.status === "below").map((row) => low(r, row.market)));
  const one = limits.size === 1 ? [...limits][0]! : undefined;
  const few = french ? "trop peu de personnes" : "too few persons";
  const meta = { ...r.meta, thresholds: r.meta.thresholds ?? { low: one ?? 30, caution: 60 } };
  const layout: panels.Layout = {
    rows: names,
    shortRows: names,
    panels: [{ title: french ? "Couverture active" : "Active reach", marks: r.rows.map((row, i) => ({ m: row.reach, fill: s.colour(r.meta.service ?? "").fill, said: names[i]! })) }],
    below: one === undefined ? few : s.t.under(one),
    belowShort: one === undefined ? few : s.t.underShort(one),
    number: (x) => s.n.percent(x),
    range: (m) => s.n.percentRange(m),
    tick: (x) => s.n.percentShort(x),
    label: sentence(r, s),
  };
  const base = french ? "Part de l’univers actif de chaque marché" : "Share of each market’s own active universe";
  const chance = r.rows.flatMap((row, i) => (row.differs === false ? [french ? `${names[i - 1]} et ${names[i]}\u00a0: l’écart peut être dû au hasard.` : `${names[i - 1]} and ${names[i]}: the difference may be chance.`] : []));
  return {
    id: "markets",
    sentence: sentence(r, s),
    subtitle: `${base}, ${s.name(r.meta.service ?? "")}, ${when(r.meta, s)}`,
    keys: intervalKeys(r.rows.map((row) => row.reach), meta, s),
    notes: chance,
    source: source(r, s),
    data,
    table: {
      head: [french ? "Marché" : "Market", ...cellHeads(french ? "Couverture" : "Reach", s), ...cellHeads(french ? "Visiteurs uniques" : "Unique visitors", s), french ? "Rang" : "Rank", french ? "Diffère de celui du dessus" : "Differs from the one above"],
      rows: r.rows.map((row, i) => {
        const own = { ...r.meta, thresholds: { low: low(r, row.market), caution: 60 } };
        return [names[i]!, ...cells(row.reach, own, s, (x) => s.n.percent(x)), ...cells(row.unique_audience, own, s, (x) => s.n.persons(x)), row.rank === null ? "–" : String(row.rank), told(row.differs, s)];
      }),
    },
    height: (width) => panels.height(layout, width),
    draw: (width) => panels.dots(layout, width),
  };
}
