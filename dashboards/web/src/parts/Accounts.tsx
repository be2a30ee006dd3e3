// The page of accounts: what the services' own servers saw. Accounts, not people.
import { useMemo } from "preact/hooks";
import { changed, write, type Change } from "../address";
import { path, type Publication } from "../api";
import { level, type Scope } from "../figure";
import { divided, ended, headline, lede, parts, perPerson, partsThere, places, placesThere, services, steps } from "../figures/census";
import { censusPlaces, nearestMonths, stepsQuery, windows, windowsEnd, type Accounts as Loaded } from "../load";
import { sentenceOf } from "../method";
import { lastDay } from "../numbers";
import { accountsWords } from "../words";
import { Cite, Words } from "./About";
import { Frame } from "./Frame";
import { Services, Switch } from "./People";
import { Counts, Later } from "./States";

interface Props {
  p: Loaded;
  publications: readonly Publication[];
  months: string[]; // that the market has a census of
  s: Scope;
  go: (change: Change) => void;
}

export function Accounts({ p, publications, months, s, go }: Props) {
  const { t } = s;
  const french = t.language === "fr";
  const a = s.address;
  const base = { market: p.market, from: `${p.month}-01`, to: lastDay(p.month), location: a.location, credit: a.credit, format: "csv" };
  const data = path("/v1/census", base);
  const series = path("/v1/census", { ...base, ...stepsQuery(a, p.month) });
  const link = (id: string) => write(changed(a, { market: p.market, month: p.month }), id);
  const lines = useMemo(() => (p.steps === undefined ? undefined : steps(p, months, series, s)), [p.steps, months, s]);
  const all = censusPlaces.every((x) => p.places[x] !== undefined);
  const where = useMemo(() => (all ? places(p, data, s) : undefined), [all, p.total, s]);
  const part = (by: "platform" | "segment") => useMemo(() => (partsThere(p.parts[by], by).some((name) => name !== "none") ? parts(p, by, path("/v1/census", { ...base, by }), s) : undefined), [p.parts[by], s]);
  const [platforms, segments] = [part("platform"), part("segment")];
  const last = windows.every((w) => p.windows[w] !== undefined);
  const end = windowsEnd(p.month);
  const closing = useMemo(() => (last ? ended(p, months, path("/v1/census", { ...base, from: end, to: end, window: "30d" }), s) : undefined), [last, p.total, months, s]);
  const options = french ? { day: "Jour", week: "Semaine", month: "Mois", "7d": "7 jours", "28d": "28", "30d": "30" } : { day: "Day", week: "Week", month: "Month", "7d": "7 days", "28d": "28", "30d": "30" };
  const byStep = <Switch name="step" label={french ? "Pas" : "By"} value={a.step} options={options} onPick={(step) => go({ step })} />;
  const banner = french
    ? ["Des comptes, pas des personnes.", "Une personne peut avoir plusieurs comptes, un compte servir à plusieurs personnes. À ne pas rapprocher des chiffres du panel."]
    : ["Accounts, not people.", "One person may hold several accounts, one account may serve several people. Do not set these beside panel figures."];
  // picked offers to choose services, where there are more than so many.
  const picked = (all: string[], most: number) => all.length > most && <Services all={all} s={s} go={go} />;
  const failed = (of: "platform" | "segment" | "location") => {
    const error = p.failed?.[of];
    if (error === undefined) return undefined;
    const [id, title] = { platform: ["account-platforms", t.part.platform], segment: ["account-segments", t.part.segment], location: ["account-places", t.where] }[of] as [string, string];
    return <Later id={id} title={title} tall={160} error={error} t={t} />;
  };
  return (
    <>
      <div class="opening">
        <p class="simulated">{p.total.meta.simulated && <><b>{t.simulated}</b> {t.simulatedNote} </>}<b>{banner[0]}</b> {banner[1]}</p>
        <h1>{headline(p.total, p.month, s)}</h1>
        <p class="lede">{[lede(p.total, s), ...perPerson(p.total, publications, p.month, s)].join(" ")}</p>
        {p.total.rows.length > 0 && <Words all={accountsWords(level(p.total.meta, s), s)} s={s} />}
      </div>
      {p.total.rows.length === 0 && <><p>{t.countedIn}</p><Counts all={nearestMonths(months, p.month).map((month) => ({ market: p.market, month }))} a={a} n={s.n} go={go} name={() => s.market} /></>}
      {p.total.rows.length > 0 && (
        <>
          {lines === undefined ? <Later id="accounts" title={t.accounts} tall={320} t={t} /> : <Frame figure={lines} t={t} link={link("accounts")} controls={byStep} />}
          {failed("platform")}
          {platforms && <Frame figure={platforms} t={t} link={link(platforms.id)} controls={picked(services(p.total), 4)} />}
          {failed("location") ?? (all && placesThere(p).length === 0 ? null : where === undefined ? <Later id="account-places" title={t.where} tall={160} t={t} /> : <Frame figure={where} t={t} link={link("account-places")} controls={picked(services(p.total), 4)} />)}
          {failed("segment")}
          {segments && <Frame figure={segments} t={t} link={link(segments.id)} controls={picked(divided(p), 1)} />}
          {closing === undefined ? <Later id="account-windows" title={t.lastDays} tall={240} t={t} /> : <Frame figure={closing} t={t} link={link(closing.id)} controls={picked(services(p.total), 4)} />}
        </>
      )}
      <section class="about" id="about" aria-labelledby="about-title">
        <h2 id="about-title">{t.about}</h2>
        <ul class="plain">{(p.total.meta.notes ?? []).map((n) => <li key={n}>{n}</li>)}</ul>
        <Cite text={`Rollcall, ${t.census}, ${s.market}, ${s.n.month(p.month)}, ${t.at[a.location] ?? a.location}${french ? "\u202f" : ""}; ${sentenceOf(p.total.meta.method)}.${p.total.meta.simulated ? ` ${t.simulatedDot}` : ""}`} s={s} />
      </section>
    </>
  );
}
