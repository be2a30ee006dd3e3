// What the REST API answers, and a client of it. The types stand in this one
// file; those that a generator makes from the API's description replace it.

export type Status = "ok" | "caution" | "below" | "undefined" | "below_detection";

/** A figure with its precision; all numbers are null where it is withheld. */
export interface Measure {
  value: number | null;
  se: number | null;
  low: number | null;
  high: number | null;
  n: number | null;
  status: Status;
}

export type Location = "home+work" | "home" | "work" | "both" | "home-only" | "work-only";
export type Credit = "presence" | "use";

export interface Meta {
  report: string;
  market: string;
  panel?: string;
  month?: string;
  from?: string;
  to?: string;
  location: string;
  credit: string;
  version?: number;
  status?: string;
  internal?: boolean;
  reason?: string;
  pool?: number;
  universe?: { population: number; active: Measure; source: string; source_date: string; id: string };
  sample?: { in_tab: number; home: number; work: number };
  weights?: { n: number; deff: number; n_eff: number; efficiency: number; trimming?: string };
  compared?: { month: string; version?: number };
  exclusions?: string[];
  confidence: number;
  thresholds: { low?: number; caution?: number; min_accounts?: number };
  document?: string;
  software?: string;
  simulated?: boolean;
  method: string;
  notes?: string[];
  sketch?: { k: number; relative_error: number };
}

export interface Column {
  name: string;
  role: "dimension" | "measure";
  unit?: string;
  label: string;
  definition: string;
}

export interface Report<Row> {
  meta: Meta;
  columns: Column[];
  rows: Row[];
}

export interface RankingRow {
  service: string;
  level: "service" | "any" | "brand" | "owner";
  unique_audience: Measure;
  reach: Measure;
  minutes_per_person?: Measure | null;
  loyalty?: Measure | null;
  multi_service?: Measure | null;
  change?: Measure | null;
  change_percent?: Measure | null;
  significant?: boolean | null;
  rank?: number | null;
  rank_low?: number | null;
  rank_high?: number | null;
  tied_with?: string[] | null;
  tie_group?: number | null;
}

export interface TrendRow {
  month: string;
  service: string;
  unique_audience: Measure;
}

export interface DuplicationRow {
  service: string;
  other: string;
  duplication: Measure;
  share_of_a: Measure;
  index: Measure;
}

export interface CombinationRow {
  services: string[];
  unique_audience: Measure;
}

export interface ProfileRow {
  service: string;
  target: string;
  unique_audience: Measure;
  index: Measure;
}

export interface FrequencyRow {
  service: string;
  days: number | string;
  unique_audience: Measure;
  share: Measure;
  k_plus: Measure;
}

export interface CurveRow {
  service: string;
  day: number;
  date: string;
  unique_audience: Measure;
}

export interface DiffRow {
  location?: string;
  service?: string;
  month?: string;
  figure: string;
  before: Measure | number | string | null;
  after: Measure | number | string | null;
}

export interface CensusRow {
  service: string;
  location?: string;
  platform?: string;
  segment?: string;
  unique_accounts: Measure;
  account_minutes?: Measure | null;
  exact?: boolean;
}

/** Every panel report by name. A wrong name doesn't type-check. */
export interface Reports {
  ranking: RankingRow;
  trend: TrendRow;
  duplication: DuplicationRow;
  combinations: CombinationRow;
  profile: ProfileRow;
  frequency: FrequencyRow;
  curve: CurveRow;
}

export interface Market {
  market: string;
  name: string;
  zone: string;
}

export interface Service {
  service: string;
  name: string;
  brand?: string;
  owner?: string;
}

export interface Publication {
  market: string;
  panel: string;
  month: string;
  version: number;
  status: string;
  internal?: boolean;
  reason?: string;
  time: string;
  aged_out?: string;
  withdrawn?: string;
}

export type Params = Record<string, string | number | undefined>;

/** An answer of the server that is not the one asked for. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly title: string,
  ) {
    super(detail || title);
  }
}

/** No answer: the server is away, or the way to it. */
export class Away extends Error {}

/** The address of an answer, for a request or for a link. */
export function path(route: string, params: Params = {}): string {
  const given = Object.entries(params).filter(([, v]) => v !== undefined && v !== "");
  const query = given.map(([k, v]) => `${k}=${encodeURIComponent(String(v))}`).join("&");
  return query === "" ? route : `${route}?${query}`;
}

/** The API of the server that the page came from. */
export class Client {
  /** base is what every address begins with: "/embed" where the page stands in
      another site's, and has no key. */
  constructor(
    private readonly key: () => string | null,
    private readonly base = "",
  ) {}

  async get<T>(address: string, signal?: AbortSignal): Promise<T> {
    const answer = await this.ask(address, "application/json", signal);
    return (await answer.json()) as T;
  }

  /** rows gives a list's rows. */
  async rows<T>(address: string, signal?: AbortSignal): Promise<T[]> {
    return (await this.get<{ rows: T[] | null }>(address, signal)).rows ?? [];
  }

  report<R extends keyof Reports>(name: R, params: Params, signal?: AbortSignal): Promise<Report<Reports[R]>> {
    return this.get(path(`/v1/reports/${name}`, params), signal);
  }

  census(params: Params, signal?: AbortSignal): Promise<Report<CensusRow>> {
    return this.get(path("/v1/census", params), signal);
  }

  hasKey(): boolean {
    return this.key() !== null;
  }

  /** file gives an answer's bytes: a link can't send a key. */
  async file(address: string): Promise<Blob> {
    return (await this.ask(address, "*/*")).blob();
  }

  private async ask(address: string, accept: string, signal?: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { Accept: accept };
    const key = this.key();
    if (key !== null) headers.Authorization = `Bearer ${key}`;
    let answer: Response;
    try {
      answer = await fetch(this.base + address, { headers, credentials: "same-origin", ...(signal ? { signal } : {}) });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Away(String(error));
    }
    if (!answer.ok) throw await problem(answer);
    return answer;
  }
}

async function problem(answer: Response): Promise<Problem> {
  try {
    const body = (await answer.json()) as { title?: string; detail?: string; errors?: { message: string; location?: string }[] };
    const each = (body.errors ?? []).map((e) => `${e.location ?? ""} ${e.message}`.trim()).join("; ");
    return new Problem(answer.status, [body.detail, each].filter(Boolean).join(": "), body.title ?? answer.statusText);
  } catch {
    return new Problem(answer.status, "", answer.statusText);
  }
}
