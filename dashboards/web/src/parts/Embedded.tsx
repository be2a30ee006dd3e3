// One figure, for a page of another site.
import { useMemo } from "preact/hooks";
import { changed, write } from "../address";
import type { Measure, Report } from "../api";
import type { Figure, Scope } from "../figure";
import { combinations } from "../figures/combinations";
import { curve } from "../figures/curve";
import { duplication } from "../figures/duplication";
import { frequency } from "../figures/frequency";
import { places, placesOf } from "../figures/places";
import { profile } from "../figures/profile";
import { ranking } from "../figures/ranking";
import { trend } from "../figures/trend";
import { isReport, type Part, type People } from "../load";
import { Frame } from "./Frame";
import { Later } from "./States";

export function Embedded({ p, s }: { p: People; s: Scope }) {
  const id = s.address.embed!;
  const figure = useMemo(() => one(id, p, s), [id, p, s]);
  if (figure === undefined || figure instanceof Error) return <Later id={id} title={s.t.jump[id as keyof typeof s.t.jump] ?? id} tall={300} error={figure} t={s.t} />;
  const link = write(changed(s.address, { ...p.chosen, version: p.ranking.meta.version, embed: undefined }), id);
  return <Frame figure={figure} t={s.t} link={link} embedded />;
}

/** one makes the figure of a name, once what it is made of is there. */
function one(id: string, p: People, s: Scope): Figure | Error | undefined {
  const r = p.ranking;
  const from = <Row,>(part: Part<Row>, make: (r: Report<Row>) => Figure) => (isReport(part) ? make(part) : part);
  switch (id) {
    case "ranking":
      return ranking(r, new Map((p.before?.rows ?? []).map((row): [string, Measure] => [row.service, row.unique_audience])), "", s);
    case "trend":
      return from(p.trend, (x) => trend(x, "", s));
    case "places":
      return placesFigure(p, s);
    case "duplication":
      return from(p.duplication, (x) => duplication(x, r, "", s));
    case "combinations":
      return from(p.combinations, (x) => combinations(x, r, "", s));
    case "profile":
      return from(p.profile, (x) => profile(x, r, "", s));
    case "curve":
      return from(p.curve, (x) => curve(x, "", s));
    case "frequency":
      return from(p.frequency, (x) => frequency(x, r, "", s));
  }
  return new Error(s.t.language === "fr" ? `il n’y a pas de figure ${id}` : `there is no figure ${id}`);
}

function placesFigure(p: People, s: Scope): Figure | Error | undefined {
  const parts = placesOf(s.address.places).map((place) => [place, p.places[place]] as const);
  const failed = [p.either, ...parts.map((x) => x[1])].find((x) => x instanceof Error);
  if (failed !== undefined) return failed as Error;
  const ready = parts.flatMap(([place, x]) => (isReport(x) ? [[place, x] as const] : []));
  if (!isReport(p.either) || ready.length < parts.length) return undefined;
  return places(p.either, new Map(ready), s.address.places, "", s);
}
