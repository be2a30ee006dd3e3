// The page of people: the panel's figures of a month, in the order of reading.
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { changed, write, type Change } from "../address";
import { path, type Client, type Measure, type Publication, type RankingRow, type Report, type ReportName } from "../api";
import { calibratedTo, level, type Figure, type Scope } from "../figure";
import { combinations } from "../figures/combinations";
import { curve } from "../figures/curve";
import { duplication } from "../figures/duplication";
import { frequency } from "../figures/frequency";
import { markets } from "../figures/markets";
import { places, placesOf } from "../figures/places";
import { chosen, profile } from "../figures/profile";
import { alone, headline, lede, older, ranked, ranking, tiles, withheld } from "../figures/ranking";
import { older as olderMonths, trend, type Trend } from "../figures/trend";
import { csv, isReport, locale, marketsParams, params, poolable, pooledParams, rankingParams, type Catalogue, type Part, type People as Loaded } from "../load";
import { peopleWords } from "../words";
import { About, Words } from "./About";
import { Frame, Menu } from "./Frame";
import { Later } from "./States";

interface Props {
  p: Loaded;
  versions: Publication[];
  catalogue: Catalogue;
  client: Client;
  s: Scope;
  go: (change: Change) => void;
}

export function People({ p, versions, catalogue, client, s, go }: Props) {
  const { t } = s;
  const r = p.ranking;
  const link = (id: string) => write(changed(s.address, { ...p.chosen, version: r.meta.version }), id);
  const q = params(s.address, p.chosen);
  const pooled = pooledParams(s.address, p.chosen);
  const address = (name: ReportName) => csv(name, q);
  const before = useMemo(() => beforeOf(p), [p.before]);
  const first = useMemo(() => {
    const figure = ranking(r, before, csv("ranking", rankingParams(s.address, p.chosen)), s);
    return { ...figure, notes: [...figure.notes, ...older(r, catalogue.publications, s)] };
  }, [r, before, catalogue, s]);
  const trended = (x: Trend) => {
    const figure = trend(x, address("trend"), s);
    return { ...figure, notes: [...figure.notes, ...olderMonths(x, catalogue.publications, s)] };
  };
  const frame = (figure: Figure, half = false, controls?: ComponentChildren) => <Frame figure={figure} t={t} half={half} link={link(figure.id)} controls={controls} />;
  return (
    <>
      <Opening p={p} s={s} />
      {frame(first, false, <Pool p={p} s={s} go={go} />)}
      <Shown id="trend" title={t.jump.trend} tall={300} part={p.trend} s={s} make={(x) => trended(x)} frame={frame} />
      <Where p={p} s={s} go={go} frame={frame} />
      {!alone(r) && <div class="pair">
        <Shown id="duplication" title={t.jump.duplication} tall={260} part={p.duplication} s={s} make={(x) => duplication(x, r, csv("duplication", pooled), s)} frame={(f) => frame(f, true)} />
        <Shown id="combinations" title={t.jump.combinations} tall={260} part={p.combinations} s={s} make={(x) => combinations(x, r, csv("combinations", pooled), s)} frame={(f) => frame(f, true)} />
      </div>}
      <Shown id="profile" title={t.jump.profile} tall={400} part={p.profile} s={s} make={(x) => profile(x, r, csv("profile", pooled), s)} frame={(f) => frame(f, false, !alone(r) && <Services all={ranked(r).map((row) => row.service)} s={s} go={go} />)} />
      <div class="pair">
        <Shown id="curve" title={t.jump.curve} tall={430} part={p.curve} s={s} make={(x) => curve(x, address("curve"), s)} frame={(f) => frame(f, true)} />
        <Shown id="frequency" title={t.jump.frequency} tall={430} part={p.frequency} s={s} make={(x) => frequency(x, r, csv("frequency", pooled), s)} frame={(f) => frame(f, true)} />
      </div>
      <Across p={p} catalogue={catalogue} s={s} frame={frame} />
      <About r={r} versions={versions} client={client} s={s} />
    </>
  );
}

function beforeOf(p: Loaded): Map<string, Measure> {
  return new Map((p.before?.rows ?? []).filter((row) => row.level === "service" || row.level === "any").map((row) => [row.service, row.unique_audience]));
}

/** Shown is a figure once its report is there. */
function Shown<Row>({ id, title, tall, part, s, make, frame }: { id: string; title: string; tall: number; part: Part<Row>; s: Scope; make: (r: { meta: never; columns: never; rows: Row[] } & object) => Figure; frame: (f: Figure) => ComponentChildren }) {
  const figure = useMemo(() => (isReport(part) ? make(part as never) : undefined), [part, s]);
  if (figure === undefined) return <Later id={id} title={title} tall={tall} error={part instanceof Error ? part : undefined} t={s.t} />;
  return <>{frame(figure)}</>;
}

/** Across is the leading service in every market, where several have the month and
    each has a panel that stands for it. */
function Across({ p, catalogue, s, frame }: { p: Loaded; catalogue: Catalogue; s: Scope; frame: (f: Figure) => ComponentChildren }) {
  const asked = marketsParams(s.address, p.chosen, p.ranking, catalogue);
  const figure = useMemo(() => (asked !== undefined && isReport(p.markets) && p.markets.rows.length > 1 ? markets(p.markets, path("/v1/reports/markets", { ...asked, format: "csv" }), s) : undefined), [p.markets, s]);
  return figure === undefined ? null : <>{frame(figure)}</>;
}

/** Opening is what is read first: the headline, how sure it is, four figures. */
function Opening({ p, s }: { p: Loaded; s: Scope }) {
  const { t } = s;
  const r = p.ranking;
  return (
    <div class="opening">
      {r.meta.simulated && (
        <p class="simulated">
          <b>{t.simulated}</b> {t.simulatedNote} <a href="#notes">{t.simulatedHow}</a>
        </p>
      )}
      {calibratedTo(r.meta, s) !== "" && <p class="calibrated">{calibratedTo(r.meta, s)}</p>}
      <h1>{headline(r, s)}</h1>
      <p class="lede">{lede(r, s)}</p>
      <dl class="tiles">
        {tiles(r, s).map((tile) => (
          <div key={tile.name}>
            <dt>{tile.name}</dt>
            <dd class="value">{tile.value}</dd>
            <dd class="range">{tile.note}</dd>
          </div>
        ))}
      </dl>
      <Words all={peopleWords(level(r.meta, s), s)} s={s} />
      <nav class="jump" aria-label={t.onThisPage}>
        {Object.entries(t.jump).filter(([id]) => !alone(r) || !["duplication", "combinations"].includes(id)).map(([id, text]) => <a href={`#${id}`} key={id}>{text}</a>)}
      </nav>
      <Whole r={r} s={s} />
    </div>
  );
}

/** Whole is the month's whole report to take away: every table, its charts and
    notes as a workbook, or with all other forms and the method as a folder. */
function Whole({ r, s }: { r: Report<RankingRow>; s: Scope }) {
  const m = r.meta;
  if (m.version === undefined || m.panel === undefined || m.month === undefined) return null;
  const name = `rollcall-${m.market}-${m.panel}-${m.month}-v${m.version}`.toLowerCase();
  const written = { locale: locale(s.t.language) };
  const files = [
    ["workbook.xlsx", s.t.workbook, written, `${name}.xlsx`], ["folder.zip", s.t.folder, written, `${name}.zip`],
    ["replicates.parquet", s.t.replicates, {}, `${name}-replicates.parquet`], ["uses.parquet", s.t.uses, {}, `${name}-uses.parquet`],
  ] as const;
  return (
    <p class="whole">
      {s.t.whole(s.n.month(m.month))}
      {files.map(([file, text, asked, as]) => {
        const href = path(`/v1/publications/${m.market}/${m.panel}/${m.month}/${m.version}/${file}`, asked);
        return <a key={file} href={href} download={as}>{text}</a>;
      })}
    </p>
  );
}

function Where({ p, s, go, frame }: { p: Loaded; s: Scope; go: Props["go"]; frame: (f: Figure, half?: boolean, controls?: ComponentChildren) => ComponentChildren }) {
  const which = s.address.places;
  const parts = placesOf(which).map((place) => p.places[place]);
  const ready = isReport(p.either) && parts.every((x) => isReport(x));
  const figure = useMemo(() => {
    if (!ready || !isReport(p.either)) return undefined;
    const by = new Map(placesOf(which).flatMap((place) => {
      const r = p.places[place];
      return isReport(r) ? [[place, r] as const] : [];
    }));
    return places(p.either, by, which, csv("ranking", { ...pooledParams(s.address, p.chosen), location: placesOf(which)[0] }), s);
  }, [ready, p.either, p.places, which, s]);
  if (figure === undefined) return <Later id="places" title={s.t.jump.places} tall={300} error={parts.find((x) => x instanceof Error) as Error | undefined} t={s.t} />;
  const french = s.t.language === "fr";
  const names = french ? { overlap: "Domicile, travail, deux", apart: "Sans recoupement" } : { overlap: "Home, work, both", apart: "Without overlap" };
  return <>{frame(figure, false, <Switch name="places" label={s.t.where} value={which} options={names} onPick={(places) => go({ places })} />)}</>;
}

export function Switch<T extends string>({ name, label, value, options, onPick }: { name: string; label: string; value: T; options: Record<T, string>; onPick: (v: T) => void }) {
  return (
    <fieldset class="switch">
      <legend class="visually-hidden">{label}</legend>
      {(Object.entries(options) as [T, string][]).map(([v, text]) => (
        <label key={v} class={v === value ? "on" : ""}>
          <input type="radio" name={name} checked={v === value} onChange={() => onPick(v)} />
          {text}
        </label>
      ))}
    </fieldset>
  );
}

/** Services picks the services of the figures that have a panel each. */
export function Services({ all, s, go }: { all: readonly string[]; s: Scope; go: Props["go"] }) {
  const asked = s.address.services.filter((id) => all.includes(id));
  const on = new Set(chosen(asked, all, 4));
  const toggle = (id: string) => {
    const next = all.filter((x) => (x === id ? !on.has(x) : on.has(x)));
    go({ services: next });
  };
  return (
    <Menu kind="services" name={`${s.t.services}${s.t.colon}${asked.length === 0 ? s.t.choose : s.t.chosen(asked.length)}`}>
      {() => (
        <fieldset>
          <legend class="visually-hidden">{s.t.services}</legend>
          {all.map((id) => (
            <label key={id}>
              <input type="checkbox" checked={on.has(id)} onChange={() => toggle(id)} />
              {s.name(id)}
            </label>
          ))}
          <button type="button" onClick={() => go({ services: [] })}>{s.t.first}</button>
        </fieldset>
      )}
    </Menu>
  );
}

/** Pool offers what is too small alone over several months together, wherever the
    report's notes tell of it. */
function Pool({ p, s, go }: { p: Loaded; s: Scope; go: Props["go"] }) {
  const step = (change: Change, text: string) => (
    <a class="pool" href={write(changed(s.address, change))} onClick={(e) => (e.preventDefault(), go(change))}>{text}</a>
  );
  if (s.address.pool !== undefined) return step({ pool: undefined }, s.t.unpool);
  const hidden = withheld(p.ranking, s).filter((row) => row.unique_audience.status !== "undefined");
  const n = Math.min(6, poolable(p.ranking.meta));
  return n > 1 ? step({ pool: n }, s.t.poolLink(n, hidden.map((row) => s.name(row.service)))) : null;
}
