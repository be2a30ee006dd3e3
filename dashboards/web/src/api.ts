// What the REST API answers, and a client of it. The types are made from the
// API's description by `npm run types`.
import type { components, paths } from "./openapi";
import type { Session } from "./session";

type Schemas = components["schemas"];

export type Status = Schemas["MeasureStatus"];
/** A figure with its precision; all numbers are null where it is withheld. */
export type Measure = Schemas["Measure"];
export type Location = Schemas["Location"];
export type Credit = Schemas["Credit"];
export type Meta = Schemas["Meta"];
export type Column = Schemas["Column"];
export type Market = Schemas["Market"];
export type Service = Schemas["Service"];
export type Segment = Schemas["Segment"];
export type Publication = Schemas["Publication"];
/** A month that has a roster or a version. */
export type Month = Schemas["MonthRow"];

export interface Report<Row> {
  meta: Meta;
  columns: Column[];
  rows: Row[];
}

export type RankingRow = Schemas["RankingRow"];
/** calibrated is there where a month of the trend is calibrated to a census. */
export type TrendRow = Schemas["TrendRow"] & { calibrated?: boolean | null };
export type DuplicationRow = Schemas["DuplicationRow"];
export type CombinationRow = Schemas["CombinationsRow"];
export type ProfileRow = Schemas["ProfileRow"];
export type FrequencyRow = Schemas["FrequencyRow"];
export type CurveRow = Schemas["CurveRow"];
export type MarketRow = Schemas["MarketsRow"];
export type CensusRow = Schemas["CensusRow"];
export type DiffRow = Schemas["DiffRow"];

type Reported = { [P in keyof paths as P extends `/v1/reports/${infer Name}` ? Name : never]: paths[P] };
type Query<P> = P extends { get: { parameters: { query: infer Q } } } ? Q : never;
type Answer<P> = P extends { get: { responses: { 200: { content: { "application/json": infer Body } } } } } ? Body : never;

/** Every panel report by name. A wrong name doesn't type-check. */
export type ReportName = keyof Reported & string;
/** What may be asked; a parameter that isn't given may be undefined. */
export type Asked<Q> = { [K in keyof Q]: Q[K] | undefined };
/** What every panel report is asked with. */
export type Common = Asked<Pick<Query<Reported["trend"]>, "market" | "panel" | "month" | "location" | "credit" | "version" | "locale">>;
type RowOf<N extends ReportName> = Answer<Reported[N]> extends { rows: (infer Row)[] } ? Row : never;

export type Params = Record<string, string | number | undefined>;

/** An answer of the server that is not the one asked for. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly title: string,
    readonly code = "", // what kind of failure it is
    readonly fields: readonly string[] = [], // what of the question can't be used
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
  constructor(private readonly base = "") {}

  get embedded(): boolean {
    return this.base !== "";
  }

  async get<T>(address: string, signal?: AbortSignal): Promise<T> {
    const answer = await this.ask(address, { headers: { Accept: "application/json" } }, signal);
    return (await answer.json()) as T;
  }

  /** rows gives a list's rows: a long list comes in parts. */
  async rows<T>(address: string, signal?: AbortSignal): Promise<T[]> {
    const all: T[] = [];
    for (let next: string | undefined = address; next !== undefined; ) {
      const answer: Response = await this.ask(next, { headers: { Accept: "application/json" } }, signal);
      all.push(...(((await answer.json()) as { rows: T[] | null }).rows ?? []));
      next = /<([^>]+)>; rel="next"/.exec(answer.headers.get("Link") ?? "")?.[1];
    }
    return all;
  }

  report<N extends ReportName>(name: N, query: Asked<Query<Reported[N]>>, signal?: AbortSignal): Promise<Report<RowOf<N>>> {
    return this.get(path(`/v1/reports/${name}`, query as Params), signal);
  }

  census(query: Asked<Query<paths["/v1/census"]>>, signal?: AbortSignal): Promise<Report<CensusRow>> {
    return this.get(path("/v1/census", query), signal);
  }

  session(): Promise<Session> {
    return this.get("/v1/session");
  }

  /** signIn begins a session; the page holds no key afterwards. */
  async signIn(key: string): Promise<void> {
    await this.ask("/v1/session", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ key }) });
  }

  async signOut(): Promise<void> {
    await this.ask("/v1/session", { method: "DELETE", headers: { "Content-Type": "application/json" } });
  }

  private async ask(address: string, how: RequestInit, signal?: AbortSignal): Promise<Response> {
    let answer: Response;
    try {
      answer = await fetch(this.base + address, { credentials: "same-origin", ...how, ...(signal ? { signal } : {}) });
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
    const body = (await answer.json()) as { title?: string; code?: string; detail?: string; errors?: { message: string; location?: string }[] };
    const each = (body.errors ?? []).map((e) => `${e.location ?? ""} ${e.message}`.trim()).join("; ");
    const fields = (body.errors ?? []).flatMap((e) => (e.location === undefined ? [] : [e.location.replace(/^\w+\./, "")]));
    return new Problem(answer.status, [body.detail, each].filter(Boolean).join(": "), body.title ?? answer.statusText, body.code, fields);
  } catch {
    return new Problem(answer.status, "", answer.statusText);
  }
}
