// The page's address holds everything that is shown: a link is the page.
import type { Credit, Location } from "./api";

export type Language = "en" | "fr";
export type Page = "people" | "accounts";
export type Places = "overlap" | "apart"; // home, work, both; or home only, both, work only
export type Step = "day" | "week" | "month" | "7d" | "28d" | "30d"; // of so many days: rolling

export interface Address {
  page: Page;
  embed?: string; // this figure alone, for a page of another site
  market?: string;
  panel?: string;
  month?: string;
  location: Location | CensusLocation;
  credit: Credit;
  compare: string; // previous, year or a month
  version?: number;
  pool?: number;
  services: string[]; // those that a figure of one panel a service shows; empty: the first
  places: Places;
  step: Step;
  language: Language;
}

export type CensusLocation = "any" | "elsewhere";

const locations = {
  people: ["home+work", "home", "work", "both", "home-only", "work-only"],
  accounts: ["any", "home+work", "home", "work", "elsewhere", "both"],
} as const;
const steps = ["day", "week", "month", "7d", "28d", "30d"] as const;

/** The place that a page is about where its address says none. */
const anywhere = { people: "home+work", accounts: "any" } as const;

function oneOf<T extends string>(allowed: readonly T[], given: string | null, otherwise: T): T {
  return allowed.find((v) => v === given) ?? otherwise;
}

/** isMonth says whether a text is a month: 2003-10. */
export function isMonth(text: string): boolean {
  return /^\d{4}-(0[1-9]|1[0-2])$/.test(text);
}

function comparison(given: string | null): string {
  return given !== null && (given === "year" || isMonth(given)) ? given : "previous";
}

function whole(given: string | null): number | undefined {
  const n = Number(given);
  return given !== null && Number.isInteger(n) && n > 0 ? n : undefined;
}

/** read gives what an address asks for. preferred is the reader's language. */
export function read(url: URL, preferred: Language): Address {
  const q = url.searchParams;
  const page: Page = url.pathname.replace(/\/$/, "") === "/accounts" ? "accounts" : "people";
  const a: Address = {
    page,
    location: oneOf<Address["location"]>(locations[page], plus(q.get("location") ?? ""), anywhere[page]),
    credit: oneOf(["presence", "use"] as const, q.get("credit"), "presence"),
    compare: comparison(q.get("compare")),
    services: (q.get("services") ?? "").split(",").filter((s) => s !== ""),
    places: oneOf(["overlap", "apart"] as const, q.get("places"), "overlap"),
    step: oneOf(steps, q.get("step"), "day"),
    language: oneOf(["en", "fr"] as const, q.get("lang"), preferred),
  };
  const embed = /^\/embed\/([a-z]+)$/.exec(url.pathname);
  if (embed !== null) a.embed = embed[1]!;
  for (const name of ["market", "panel", "month"] as const) {
    const given = q.get(name);
    if (given) a[name] = given;
  }
  const version = whole(q.get("version"));
  const pool = whole(q.get("pool"));
  if (version !== undefined) a.version = version;
  if (pool !== undefined) a.pool = pool;
  return a;
}

const names = ["market", "panel", "month", "location", "credit", "compare", "version", "pool", "services", "places", "step", "lang"];

/** passedOver gives what of an address is not taken from it, as it stands there:
    values that can't be, names that this page does not know, and services that are
    not among those there are. */
export function passedOver(url: URL, services?: readonly string[]): string[] {
  const a = read(url, "en");
  const taken: Record<string, string | undefined> = {
    location: a.location, credit: a.credit, compare: a.compare, version: a.version?.toString(), pool: a.pool?.toString(), places: a.places, step: a.step, lang: a.language,
  };
  const out: string[] = [];
  const tell = (name: string, value: string) => out.push(`${name}=${value.length > 40 ? `${value.slice(0, 40)}…` : value}`);
  for (const [name, value] of url.searchParams) {
    if (name === "services") {
      const strange = services === undefined ? [] : a.services.filter((id) => !services.includes(id));
      if (strange.length > 0) tell(name, strange.join(","));
    } else if (!names.includes(name)) tell(name, value);
    else if (name in taken && value !== "" && plus(value) !== taken[name]) tell(name, value);
  }
  return out;
}

/** plus reads a place whose plus came as a space. */
function plus(value: string): string {
  return value.replace(" ", "+");
}

/** write gives the shortest address that reads back the same. lang is always
    said, so that a link that is passed on reads as it was seen. */
export function write(a: Address, fragment = ""): string {
  const q: [string, string | number | undefined][] = [
    ["market", a.market],
    ["panel", a.panel],
    ["month", a.month],
    ["location", a.location === anywhere[a.page] ? undefined : a.location],
    ["credit", a.credit === "presence" ? undefined : a.credit],
    ["compare", a.compare === "previous" ? undefined : a.compare],
    ["version", a.version],
    ["pool", a.pool],
    ["services", a.services.length > 0 ? a.services.join(",") : undefined],
    ["places", a.places === "overlap" ? undefined : a.places],
    ["step", a.step === "day" ? undefined : a.step],
    ["lang", a.language],
  ];
  const query = q.flatMap(([k, v]) => (v === undefined ? [] : [`${k}=${encodeURIComponent(v).replaceAll("%2C", ",")}`])).join("&");
  const path = a.embed !== undefined ? `/embed/${a.embed}` : a.page === "accounts" ? "/accounts" : "/";
  return `${path}?${query}${fragment && `#${fragment}`}`;
}

/** A change of what is shown; undefined takes what an address said away. */
export type Change = { [K in keyof Address]?: Address[K] | undefined };

export function changed(a: Address, change: Change): Address {
  const out: Record<string, unknown> = { ...a };
  if (change.page !== undefined && change.page !== a.page) out.location = anywhere[change.page];
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined) delete out[name];
    else out[name] = value;
  }
  return out as unknown as Address;
}
