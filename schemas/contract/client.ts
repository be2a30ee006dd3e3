// A client whose types are made from the API's description. It is compiled and
// never run: each @ts-expect-error is a fault that must not compile.
import type { components, paths } from "./api.d.ts";

type Reports = { [P in keyof paths as P extends `/v1/reports/${infer Name}` ? Name : never]: paths[P] };
type Get<P> = P extends { get: { parameters: { query: infer Q }; responses: { 200: { content: { "application/json": infer Body } } } } } ? { query: Q; body: Body } : never;

async function report<N extends keyof Reports>(name: N, query: Get<Reports[N]>["query"]): Promise<Get<Reports[N]>["body"]> {
  const words = Object.entries(query as Record<string, unknown>).map(([k, v]): [string, string] => [k, String(v)]);
  const answer = await fetch(`/v1/reports/${name}?${new URLSearchParams(words)}`);
  return (await answer.json()) as Get<Reports[N]>["body"];
}

const of = { market: "FR", panel: "nn", month: "2002-10" };

export async function right(): Promise<void> {
  const ranking = await report("ranking", { ...of, location: "home+work", credit: "use" });
  for (const row of ranking.rows) {
    const reach: number | null | undefined = row.reach?.value;
    const withheld: boolean = row.unique_audience.status === "below";
    console.log(row.service, row.level === "any", reach, withheld, ranking.meta.version);
  }
  const trend = await report("trend", of);
  console.log(trend.rows.map((row) => row.month));
}

export async function wrong(): Promise<void> {
  // @ts-expect-error no report has this name
  await report("rankng", of);
  // @ts-expect-error nor is this a place
  await report("ranking", { ...of, location: "homework" });
  // @ts-expect-error nor this a rule of credit
  await report("ranking", { ...of, credit: "login" });
  // @ts-expect-error the market is required
  await report("ranking", { panel: "nn", month: "2002-10" });
  const ranking = await report("ranking", of);
  // @ts-expect-error a measure has no such status
  console.log(ranking.rows.some((row) => row.unique_audience.status === "suppressed"));
  // @ts-expect-error a ranking has no month a row
  console.log(ranking.rows.map((row) => row.month));
  // @ts-expect-error a version has no such status
  const status: components["schemas"]["Publication"]["status"] = "draft";
  console.log(status);
}
