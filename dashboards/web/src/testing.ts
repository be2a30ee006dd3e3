// What the tests are told: measures, and a scope in either language.
import { read, type Language } from "./address";
import type { Measure, Meta, RankingRow, Report } from "./api";
import type { Scope } from "./figure";
import { Numbers } from "./numbers";
import { texts } from "./texts";

export function measure(value: number, low: number, high: number, n = 200, status: Measure["status"] = n < 60 ? "caution" : "ok"): Measure {
  return { value, se: (high - low) / 4, low, high, n, status };
}

export const below: Measure = { value: null, se: null, low: null, high: null, n: null, status: "below" };

const names: Record<string, [string, string]> = {
  msn: ["MSN Messenger", "MSN"], aim: ["AIM", "AIM"], yahoo: ["Yahoo! Messenger", "Yahoo!"], icq: ["ICQ", "ICQ"], jabber: ["Jabber", "Jabber"], voila: ["Voila Messager", "Voila"],
};

export function scope(language: Language, query = ""): Scope {
  return {
    t: texts(language), n: new Numbers(language), address: read(new URL(`http://localhost/?lang=${language}&${query}`), "en"), market: "France",
    name: (id) => names[id]?.[0] ?? id, short: (id) => names[id]?.[1] ?? id, segment: (id) => ({ "asia-pacific": "Asia and the Pacific", europe: "Europe" })[id] ?? id, colour: () => ({ fill: "var(--s1)", dash: "none" }),
  };
}

export function meta(change: Partial<Meta> = {}): Meta {
  return {
    report: "ranking", market: "FR", panel: "demo", month: "2003-10", location: "home+work", credit: "presence", version: 1, status: "final",
    confidence: 0.95, thresholds: { low: 30, caution: 60 }, method: "method=rollcall-1; population=persons", simulated: false,
    universe: { population: 22_600_000, active: measure(16_800_000, 16_556_668, 17_036_825, 5019), source: "simulated by Rollcall", source_date: "2003-10-01", id: "u" },
    compared: { month: "2003-09", version: 1, document: "d" }, notes: [], ...change,
  };
}

export function row(service: string, rank: number | null, audience: Measure, more: Partial<RankingRow> = {}): RankingRow {
  const nothing = {
    audience_share: null, change: null, change_percent: null, coverage: null, days_per_person: null, exclusive: null, gross: null, loyalty: null, minutes_per_person: null,
    multi_service: null, rank_change: null, rank_high: null, rank_low: null, services_per_user: null, sessions_per_person: null, significant: null, time_share: null,
  };
  return { ...nothing, service, level: service === "any" ? "any" : "service", unique_audience: audience, reach: audience.value === null ? below : measure(audience.value / 168_000, 1, 30), rank, tied_with: [], tie_group: rank, ...more };
}

/** october2003 is the demonstration's ranking: Yahoo! and AIM are tied. */
export function october2003(): Report<RankingRow> {
  return {
    meta: meta(), columns: [],
    rows: [
      row("msn", 1, measure(3_493_999.5, 3_305_241.8, 3_691_474.6, 1014), {
        reach: measure(20.7976, 19.7039, 21.9355, 1014), loyalty: measure(81.65, 79, 84, 829), minutes_per_person: measure(293.9, 279.3, 308.5, 1014),
        change: measure(374_000.4, 224_783, 523_217.8, 912), change_percent: measure(11.987, 6.9, 17.06, 912),
      }),
      row("yahoo", 2, measure(458_999.1, 386_886, 544_224.3, 135), { tied_with: ["aim"], tie_group: 2, rank_low: 2, rank_high: 3, change: measure(10_998.5, -55_779.9, 77_777, 135) }),
      row("aim", 3, measure(452_001.9, 379_602.1, 537_875.9, 129), { tied_with: ["yahoo"], tie_group: 2, rank_low: 2, rank_high: 3, change: measure(-17_997.5, -90_034.1, 54_039.1, 129) }),
      row("icq", 4, measure(215_002.5, 163_912.4, 276_853.4, 61), { tie_group: 3 }),
      row("voila", null, below, { tie_group: null }),
      row("jabber", null, below, { tie_group: null }),
      row("any", null, measure(3_755_723, 3_560_806, 3_959_091, 1093), { tie_group: null }),
    ],
  };
}
