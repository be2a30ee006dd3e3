// About these figures: what they stand on, how to cite them, and what changed
// between two versions of them.
import { useEffect, useRef, useState } from "preact/hooks";
import { path, type Client, type DiffRow, type Measure, type Meta, type Publication, type RankingRow, type Report } from "../api";
import { calibratedTo, level, limits, monthOf, when, why, type Scope } from "../figure";
import { baseOf } from "../figures/ranking";
import { methodFacts, type Fact } from "../method";
import { shown } from "../numbers";
import { told } from "./States";

/** factsOf says what the figures stand on. */
export function factsOf(meta: Meta, versions: readonly Publication[], s: Scope): Fact[] {
  const french = s.t.language === "fr";
  const out: Fact[] = [];
  const add = (name: [string, string], text: [string, string]) => out.push({ name: name[french ? 1 : 0], text: text[french ? 1 : 0] });
  const { universe: u, pool } = meta;
  const at = baseOf(meta, s);
  if (u !== undefined) {
    const dates = u.source_date.split("; ").map((d) => s.n.day(d));
    const [first, last] = [dates[0]!, dates.at(-1)!];
    const study: [string, string] = dates.length > 1 ? [`enumeration studies of ${first} to ${last}`, `études de cadrage du ${first} au ${last}`] : [`enumeration study of ${first}`, `étude de cadrage du ${first}`];
    const mean: [string, string] = pool === undefined ? ["", ""] : [`, the mean of ${pool} months`, `, moyenne de ${pool} mois`];
    add(["Universe", "Univers"], [`${s.n.whole(u.population)} persons in ${s.market}, online or not${mean[0]}, ${study[0]}`, `${s.n.whole(u.population)} personnes en ${s.market}, internautes ou non${mean[1]}, ${study[1]}`]);
    if (shown(u.active)) {
      const active = `${s.n.persons(u.active.value)} (${s.n.range(u.active)})`;
      add(["People online", "Internautes actifs"], [`${active} ${at}${mean[0]}: the base of reach`, `${active} ${at}${mean[1]}\u00a0: la base de la couverture`]);
    }
  }
  const p = meta.sample;
  if (p !== undefined) {
    const [all, home, work] = [p.in_tab, p.home, p.work].map((x) => s.n.whole(x)) as [string, string, string];
    const silent = p.silent ? s.n.whole(p.silent) : "";
    const any: [string, string] = pool === undefined ? [" in the month (in tab)", " dans le mois (retenues, in tab)"] : [` in one or more of the ${pool} months (in tab), each counted once`, ` dans un ou plusieurs des ${pool} mois (retenues, in tab), chacune comptée une fois`];
    add(["Panel", "Panel"], [
      `${all} persons who count${any[0]}; ${home} metered at home, ${work} at work${silent && `; ${silent} sent nothing in the month`}`,
      `${all} personnes qui comptent${any[1]}\u202f; ${home} mesurées à domicile, ${work} au travail${silent && `\u202f; ${silent} n’ont rien envoyé dans le mois`}`,
    ]);
  }
  const w = meta.weights;
  if (w !== undefined) {
    const [n, part] = [s.n.whole(w.n_eff), s.n.percent(w.efficiency)];
    add(["Weights", "Poids"], pool === undefined
      ? [`Raked to the universe; worth ${n} persons (${part})`, `Calés sur l’univers\u202f; valent ${n} personnes (${part})`]
      : [`Each month’s raked to its universe; together worth ${n} persons (${part})`, `Ceux de chaque mois, calés sur son univers\u202f; ensemble, valent ${n} personnes (${part})`]);
  }
  add(["Intervals", "Intervalles"], [`${level(meta, s)}, by linearisation of the calibrated weights`, `${level(meta, s)}, par linéarisation des poids calés`]);
  const counted = meta.credit === "use"
    ? ["had the service in focus, or sent a message, at least once", "ont eu le service au premier plan, ou envoyé un message, au moins une fois"]
    : ["were signed on, online or active at least once", "ont été identifiées, connectées ou actives au moins une fois"];
  add(["Unique visitors", "Visiteurs uniques"], [
    `Persons who ${counted[0]!}, each counted once: what files and the API call unique audience`,
    `Les personnes qui ${counted[1]!}, chacune comptée une fois\u00a0: l’audience unique des fichiers et de l’API`,
  ]);
  const { low, caution } = limits(meta);
  add(["Small samples", "Petits échantillons"], [`${low}–${caution - 1} persons: flagged. Under ${low}: withheld`, `${low}–${caution - 1} personnes\u00a0: signalé. Moins de ${low}\u00a0: non publié`]);
  add(["Not measured", "Non mesuré"], ["Use at unmetered places: work and combined figures are lower bounds", "L’usage en des lieux sans compteur\u00a0: au travail et au total, des minimums"]);
  if ((meta.exclusions ?? []).length > 0) out.push({ name: french ? "Exclus" : "Excluded", text: meta.exclusions!.join("; ") });
  const v = versions.find((x) => x.version === meta.version);
  const closed = v === undefined ? "" : french ? `, close le ${s.n.day(v.time)}` : `, closed ${s.n.day(v.time)}`;
  const document = meta.document === undefined ? "" : `${french ? "\u202f" : ""}; document ${meta.document.slice(0, 8)}`;
  const reason = meta.reason ? ` (${meta.reason})` : "";
  out.push({ name: s.t.version, text: `${meta.version ?? ""}, ${s.t.statuses[meta.status ?? ""] ?? meta.status ?? ""}${reason}${closed}${document}` });
  return out;
}

/** citation is the sentence to copy. */
export function citation(meta: Meta, s: Scope): string {
  const status = s.t.statuses[meta.status ?? ""] ?? meta.status ?? "";
  const method = /method=([^;]+)/.exec(meta.method)?.[1] ?? meta.method;
  const french = s.t.language === "fr";
  const at = s.t.at[meta.location] ?? meta.location;
  const text = `Rollcall, panel ${meta.panel ?? ""}, ${s.market}, ${when(meta, s)}, ${at}, version ${meta.version ?? ""} (${status}), ${french ? "méthode" : "method"} ${method}.`;
  return [text, calibratedTo(meta, s), meta.simulated ? s.t.simulatedDot : ""].filter((x) => x !== "").join(" ");
}

export function About({ r, versions, client, s }: { r: Report<RankingRow>; versions: Publication[]; client: Client; s: Scope }) {
  const notes = useRef<HTMLDetailsElement>(null);
  const method = useRef<HTMLDetailsElement>(null);
  useEffect(() => openWhereNamed(notes.current, "#notes"), [r]);
  useEffect(() => openWhereNamed(method.current, "#method"), [r]);
  return (
    <section class="about" id="about" aria-labelledby="about-title">
      <h2 id="about-title">{s.t.about}</h2>
      <Facts all={factsOf(r.meta, versions, s)} />
      {(r.meta.notes ?? []).length > 0 && (
        <details class="notes" id="notes" ref={notes}>
          <summary>{s.t.notesTitle}</summary>
          <ul>
            {r.meta.notes!.map((n) => <li key={n}>{n}</li>)}
            {r.meta.universe !== undefined && <li>{r.meta.universe.source}</li>}
          </ul>
        </details>
      )}
      <details class="notes" id="method" ref={method}>
        <summary>{s.t.methodTitle}</summary>
        <Facts all={methodFacts(r.meta.method, s)} />
      </details>
      <Definitions r={r} s={s} />
      {versions.length > 1 && <Diff r={r} versions={versions} client={client} s={s} />}
      <Cite text={citation(r.meta, s)} s={s} />
    </section>
  );
}

/** Cite is the sentence to cite figures by, to be copied with the page's address. */
export function Cite({ text, s }: { text: string; s: Scope }) {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    void navigator.clipboard?.writeText(`${text} ${location.href}`).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), 2000);
    }, () => undefined);
  };
  return (
    <p class="cite">
      <span><b>{s.t.cite}</b> {text}</span>
      <button type="button" onClick={copy}><span aria-live="polite">{copied ? s.t.foot.copied : s.t.copy}</span></button>
    </p>
  );
}

/** Words says what the page's words mean, where its figures begin. */
export function Words({ all, s }: { all: readonly Fact[]; s: Scope }) {
  return (
    <details class="notes" id="words">
      <summary>{`${s.t.words}${s.t.colon}${all.map((f) => f.name.charAt(0).toLowerCase() + f.name.slice(1)).join(", ")}`}</summary>
      <Facts all={all} />
    </details>
  );
}

function Facts({ all }: { all: readonly Fact[] }) {
  return (
    <dl class="facts">
      {all.map((f) => (
        <div key={f.name}>
          <dt>{f.name}</dt>
          <dd>{f.text}</dd>
        </div>
      ))}
    </dl>
  );
}

/** openWhereNamed opens the notes or the method where the address names them or
    what they are a part of, and whenever a link to either is followed, a second
    time too. */
function openWhereNamed(part: HTMLDetailsElement | null, own: string): (() => void) | undefined {
  if (part === null) return undefined;
  const named = (hash: string) => hash === "#about" || hash === own;
  const look = () => named(location.hash) && (part.open = true);
  const followed = (e: MouseEvent) => {
    const link = (e.target as Element).closest("a");
    if (link !== null && named(link.hash)) part.open = true;
  };
  look();
  addEventListener("hashchange", look);
  document.addEventListener("click", followed);
  return () => (removeEventListener("hashchange", look), document.removeEventListener("click", followed));
}

function Definitions({ r, s }: { r: Report<RankingRow>; s: Scope }) {
  return (
    <details class="notes">
      <summary>{s.t.language === "fr" ? "Définitions" : "Definitions"}</summary>
      <dl class="facts">
        {r.columns.filter((c) => c.role === "measure" || c.name === "rank" || c.name === "tied_with").map((c) => (
          <div key={c.name}>
            <dt>{c.label}</dt>
            <dd>{c.definition}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** Diff shows what differs between the version shown and another. */
function Diff({ r, versions, client, s }: { r: Report<RankingRow>; versions: Publication[]; client: Client; s: Scope }) {
  const own = r.meta.version ?? 0;
  const others = versions.filter((v) => v.version !== own);
  const [open, setOpen] = useState(false);
  const [other, setOther] = useState(others[0]!.version);
  const [rows, setRows] = useState<DiffRow[] | string | undefined>(undefined);
  useEffect(() => {
    if (!open) return;
    const stop = new AbortController();
    const [a, b] = [Math.min(own, other), Math.max(own, other)];
    setRows(undefined);
    client.get<Report<DiffRow>>(path(`/v1/publications/${r.meta.market}/${r.meta.panel}/${monthOf(r.meta)}/${a}/diff/${b}`), stop.signal).then((d) => setRows(d.rows), (e: Error) => !stop.signal.aborted && setRows(told(e, s.t)));
    return () => stop.abort();
  }, [open, own, other]);
  const french = s.t.language === "fr";
  const [a, b] = [Math.min(own, other), Math.max(own, other)];
  return (
    <details class="notes" onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{s.t.versions}</summary>
      <p>
        <label for="diff">{french ? "Comparer à la version" : "Compare with version"} </label>
        <select id="diff" value={String(other)} onChange={(e) => setOther(Number(e.currentTarget.value))}>
          {others.map((v) => <option value={String(v.version)} key={v.version}>{`${v.version}, ${s.t.statuses[v.status] ?? v.status}${v.reason ? ` (${s.t.named[v.reason] ?? v.reason})` : ""}`}</option>)}
        </select>
      </p>
      {rows === undefined && <p>{s.t.loading}…</p>}
      {typeof rows === "string" && <p role="alert">{rows}</p>}
      {Array.isArray(rows) && (rows.length === 0 ? <p>{french ? "Rien ne diffère." : "Nothing differs."}</p> : (
        <div class="table" role="region" aria-label={s.t.versions} tabIndex={0}>
          <table>
            <thead><tr><th scope="col">{s.t.where}</th><th scope="col">{s.t.service}</th><th scope="col">{french ? "Chiffre" : "Figure"}</th><th scope="col">{`Version ${a}`}</th><th scope="col">{`Version ${b}`}</th></tr></thead>
            <tbody>
              {rows.map((row, i) => (
                <tr key={i}>
                  <td>{s.t.places[row.location ?? ""] ?? row.location ?? ""}</td>
                  <td>{row.service === "any" ? s.t.any : s.name(row.service ?? "")}</td>
                  <td>{r.columns.find((c) => c.name === row.figure)?.label ?? row.figure}</td>
                  <td class="number">{value(row.before, r.meta, s)}</td>
                  <td class="number">{value(row.after, r.meta, s)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ))}
    </details>
  );
}

/** value writes a figure of a version, in words where it is not shown. */
export function value(v: DiffRow["before"], meta: Meta, s: Scope): string {
  if (v == null) return "–";
  if (typeof v !== "object" || Array.isArray(v)) return String(v);
  const m = v as Measure;
  if (!shown(m)) return why(m, meta, s);
  return `${s.n.digits(m.value, Math.abs(m.value) < 1000 ? 2 : 0)}${m.status === "caution" && m.n !== null ? ` (n ${m.n})` : ""}`;
}
