// A market of 30 services and 60 months, for the page to be looked at with: the
// API's answers, made up.
const services = Array.from({ length: 30 }, (_, i) => ({ service: `s${i}`, name: i % 7 === 3 ? `A Messenger With A Long Name ${i}` : `Service ${i}`, brand: `S${i}`, owner: "" }));
const months = Array.from({ length: 60 }, (_, i) => `${1999 + Math.floor(i / 12)}-${String((i % 12) + 1).padStart(2, "0")}`);
const last = months.at(-1);

const none = { value: null, se: null, low: null, high: null, n: null, status: "below" };

function measure(value, n, spread = 0.1) {
  n = Math.round(n);
  if (n < 30) return none;
  return { value, se: (value * spread) / 2, low: value * (1 - spread), high: value * (1 + spread), n, status: n < 60 ? "caution" : "ok" };
}

const size = (i) => 9_000_000 / (i + 1) ** 1.4;
const people = (i) => Math.round(size(i) / 3300);

function meta(report) {
  return {
    report, market: "ZZ", panel: "large", month: last, location: "home+work", credit: "presence", version: 3, status: "restated", confidence: 0.95,
    thresholds: { low: 30, caution: 60 }, method: "method=rollcall-1", notes: ["Made up."], compared: { month: months.at(-2), version: 1 },
    universe: { population: 60e6, active: measure(4e7, 9000, 0.02), source: "simulated", source_date: `${last}-01`, id: "u" },
    sample: { in_tab: 9000, home: 8000, work: 3000 }, weights: { n: 9000, deff: 1.1, n_eff: 8181, efficiency: 90.9 },
  };
}

const columns = [{ name: "unique_audience", role: "measure", unit: "persons", label: "Unique visitors", definition: "Persons." }];

function ranking(place) {
  const part = { home: 0.8, work: 0.4, both: 0.2, "home-only": 0.6, "work-only": 0.2 }[place] ?? 1;
  const rows = services.map((s, i) => {
    const m = measure(size(i) * part, people(i) * part);
    const tied = m.value !== null && i >= 4 && i < 12;
    return {
      service: s.service, level: "service", unique_audience: m, reach: measure(size(i) / 4e5, people(i)), loyalty: measure(50, people(i)), minutes_per_person: measure(300, people(i)),
      change: i % 3 === 0 ? measure(40_000, people(i), 0.3) : { ...measure(1000, people(i), 9) }, change_percent: measure(4, people(i), 0.3),
      rank: m.value === null ? null : i + 1, rank_low: tied ? 5 : i + 1, rank_high: tied ? 12 : i + 1, tied_with: [], tie_group: tied ? 5 + (i % 2) : 20 + i,
    };
  });
  rows.push({ service: "any", level: "any", unique_audience: measure(15e6 * part, 4000), reach: measure(37, 4000), multi_service: measure(44, 1700), change: measure(40_000, 3000, 0.3), change_percent: measure(1, 3000, 0.3), rank: null });
  return rows;
}

const answers = {
  ranking: (q) => ranking(q.get("location")),
  trend: () => months.flatMap((month, t) => services.map((s, i) => ({ month, service: s.service, unique_audience: measure(size(i) * (0.5 + t / 120), Math.round(people(i) * (0.5 + t / 120))) })).concat({ month, service: "any", unique_audience: measure(15e6, 4000) })),
  duplication: () => services.flatMap((a, i) => services.filter((b) => b !== a).map((b) => {
    const k = services.indexOf(b);
    const n = Math.round(people(Math.max(i, k)) * 0.4);
    return { service: a.service, other: b.service, duplication: measure(1e5, n), share_of_a: measure(Math.min(90, (size(k) / 9e6) * 90 + 4), n), index: measure(120, n) };
  })),
  combinations: () => Array.from({ length: 400 }, (_, i) => ({ services: services.filter((_, k) => k === i % 30 || (i >> 4) % (k + 2) === 1).slice(0, 6).map((s) => s.service), unique_audience: measure(4e6 / (i + 1), Math.round(1200 / (i + 1))) })),
  profile: () => services.flatMap((s, i) => ["sex=F", "sex=M", "age=15-24", "age=25-34", "age=35-49", "age=50+", 'occupation="a long name of an occupation"', "occupation=other"].map((target, k) => ({ service: s.service, target, unique_audience: measure(1e5, people(i) / 4), index: measure(60 + 25 * k, people(i) / 4, 0.2) }))),
  curve: () => services.flatMap((s, i) => Array.from({ length: 31 }, (_, d) => ({ service: s.service, day: d + 1, date: `${last}-${String(d + 1).padStart(2, "0")}`, unique_audience: measure(size(i) * (1 - Math.exp(-(d + 1) / 6)), Math.round(people(i) * (1 - Math.exp(-(d + 1) / 6)))) }))),
  frequency: () => services.flatMap((s, i) => ["1", "2-3", "4-7", "8-14", "15+"].map((days, k) => ({ service: s.service, days, unique_audience: measure(1e5, people(i) / 5), share: measure(12 + 4 * k, people(i) / 5), k_plus: measure(2e5, people(i) / 5) }))),
};

/** ofFirst leaves out what is not of a market's first services, and all but its last 13 months. */
function ofFirst(rows, count) {
  const there = (id) => id === "any" || Number(id.slice(1)) < count;
  return rows.filter((r) => [r.service, r.other, ...(r.services ?? [])].every((id) => id === undefined || there(id)) && (r.month === undefined || months.indexOf(r.month) >= months.length - 13));
}

/** largeMarket has a page's requests answered with the made-up market, of all its
    services or of so many. */
export async function largeMarket(page, count = services.length) {
  const json = (r, body) => r.fulfill({ contentType: "application/json", body: JSON.stringify(body) });
  await page.route("**/v1/markets", (r) => json(r, { rows: [{ market: "ZZ", name: "A Country With A Long Name", zone: "UTC" }] }));
  await page.route("**/v1/services", (r) => json(r, { rows: services.slice(0, count) }));
  await page.route("**/v1/publications?*", (r) => json(r, { rows: months.flatMap((month) => [1, 2, 3].map((version) => ({ market: "ZZ", panel: "large", month, version, status: version === 3 ? "restated" : "final", time: "2004-01-10T00:00:00Z" }))) }));
  await page.route("**/v1/reports/*", (r) => {
    const url = new URL(r.request().url());
    const name = url.pathname.split("/").pop();
    return json(r, { meta: meta(name), columns, rows: count < services.length ? ofFirst(answers[name](url.searchParams), count) : answers[name](url.searchParams) });
  });
}
