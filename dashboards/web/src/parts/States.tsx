// The page when there is nothing to show: not loaded yet, nothing published, a
// key wanted, a month that isn't there, a server that is away.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { changed, write, type Address, type Change } from "../address";
import { Problem } from "../api";
import type { Catalogue, Chosen, Counted, Nothing, Uncounted } from "../load";
import type { Numbers } from "../numbers";
import type { Texts } from "../texts";

/** Waiting holds the place of what comes. */
export function Waiting({ t }: { t: Texts }) {
  return (
    <div class="waiting" role="status">
      <h1 class="visually-hidden">{t.loading}</h1>
      <div class="bone line1" /><div class="bone line2" /><div class="bone line3" /><div class="bone drawing1" />
    </div>
  );
}

/** Later holds a figure's place while its report comes, or says why it doesn't. */
export function Later({ id, title, tall, error, t }: { id: string; title: string; tall: number; error?: Error | undefined; t: Texts }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current!.style.minHeight = error === undefined ? `${tall}px` : "";
  }, [tall, error]);
  return (
    <section class="figure" id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      <div ref={box}>{error === undefined ? <p class="subtitle">{t.loading}…</p> : <p class="subtitle" role="alert">{`${t.notHad}${t.colon}${told(error, t)}`}</p>}</div>
    </section>
  );
}

/** told says in the page's language what an error says. */
export function told(e: Error, t: Texts): string {
  return e instanceof Problem && e.status !== 0 ? t.refusal(e) : e.message;
}

/** Command shows a command or several, each a line that can be copied as one; where
    there is no space, a line goes on under itself, and a flag stays with its value. */
function Command({ text }: { text: string }) {
  const words = (line: string) => line.split(/ (?=--)/).flatMap((w, i) => [i > 0 ? " " : "", <span key={w}>{w}</span>]);
  return <pre tabIndex={0}>{text.split("\n").flatMap((line, i) => [i > 0 ? "\n" : "", <code key={line}>{words(line)}</code>])}</pre>;
}

const load = (market: string, panel: string, month: string) =>
  `rollcall panel load --market ${market} --panel ${panel} --month ${month} --panelists panelists.csv --universe universe.csv
rollcall events load --backfill events.ndjson
rollcall close --market ${market} --panel ${panel} --month ${month}`;

/** demonstrationMonths is how many months the demonstration has. */
const demonstrationMonths = 14;

function Message({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="message">
      <h1>{title}</h1>
      {children}
    </div>
  );
}

export function Missing({ nothing, a, c, t, n, go, name }: { nothing: Nothing; a: Address; c: Chosen | undefined; t: Texts; n: Numbers; go: (change: Change) => void; name: (market: string) => string }) {
  if (nothing.kind === "empty" || nothing.kind === "census") {
    return (
      <Message title={nothing.kind === "census" ? t.emptyCensus : t.empty}>
        {nothing.kind === "census" && <><p>{t.countedIn}</p><Counts all={nothing.nearest} a={a} n={n} go={go} name={name} /></>}
        <p>{t.emptyText}</p>
        <Command text={`rollcall demo\n\nrollcall market add FR --zone Europe/Paris --name France\n${load("FR", "NAME", "2002-10")}`} />
      </Message>
    );
  }
  if (nothing.kind === "loading") {
    const all = Math.max(demonstrationMonths, nothing.loaded);
    return (
      <Message title={t.demonstration}>
        <p role="status">{t.demonstrationText(nothing.loaded, all, nothing.nearest.length)}</p>
        <progress aria-label={t.demonstration} max={2 * all} value={nothing.loaded + nothing.nearest.length} />
        {nothing.nearest.length > 0 && <p>{t.already}</p>}
        <Nearest all={nothing.nearest} a={a} t={t} n={n} go={go} name={name} />
        <p>{t.cutShort}</p>
      </Message>
    );
  }
  const title = { market: t.notFoundMarket(nothing.asked), "no panel": t.noPanelHere(nothing.asked), panel: t.notFoundPanel(nothing.asked), month: t.notFound(n.month(nothing.asked)), "not a month": t.notMonth(nothing.asked) }[nothing.kind];
  return (
    <Message title={title}>
      <p>{nothing.kind === "not a month" ? t.newest : t.nearest}</p>
      <Nearest all={nothing.nearest} a={a} t={t} n={n} go={go} name={name} />
      {nothing.kind === "month" && (
        <>
          <p>{t.howToMonth}</p>
          <Command text={load(c?.market ?? a.market ?? nothing.nearest[0]?.market ?? "FR", c?.panel ?? a.panel ?? nothing.nearest[0]?.panel ?? "NAME", nothing.asked)} />
        </>
      )}
    </Message>
  );
}

interface Beside<N> {
  nothing: N;
  a: Address;
  c: Catalogue;
  t: Texts;
  n: Numbers;
  go: (change: Change) => void;
  name: (market: string) => string;
}

/** NoPanel says of a market that it has no panel, where its accounts are, and
    where there are panels. */
export function NoPanel({ nothing, a, c, t, n, go, name }: Beside<{ asked: string; nearest: Chosen[] }>) {
  const months = c.census[nothing.asked] ?? [];
  const title = months.length > 0 ? t.noPanel(name(nothing.asked)) : t.noPanelHere(name(nothing.asked));
  return (
    <Message title={title}>
      {months.length > 0 && <><p>{t.noPanelText}</p><Counts all={[{ market: nothing.asked, month: months.at(-1)! }]} a={a} n={n} go={go} name={name} /></>}
      <p>{t.panelsAre}</p>
      <Nearest all={nothing.nearest} a={a} t={t} n={n} go={go} name={name} />
    </Message>
  );
}

/** NoCensus says the same of accounts. */
export function NoCensus({ nothing, a, c, t, n, go, name }: Beside<Uncounted>) {
  const { asked, nearest } = nothing;
  if (nothing.kind === "not a month") return <Message title={t.notMonth(asked!)}><p>{t.newest}</p><Counts all={nearest} a={a} n={n} go={go} name={name} /></Message>;
  const paneled = c.publications.some((p) => p.market === asked);
  const title = asked === undefined ? t.noCensusAnywhere : nothing.kind === "market" ? t.notFoundMarket(asked) : paneled ? t.noCensus(name(asked)) : t.noCensusHere(name(asked));
  return (
    <Message title={title}>
      {paneled && <p>{t.noCensusText}</p>}
      {nearest.length > 0 ? <><p>{t.countedIn}</p><Counts all={nearest} a={a} n={n} go={go} name={name} /></> : <><p>{t.noCensusHow}</p><Command text="rollcall events load --backfill events.ndjson" /></>}
    </Message>
  );
}

/** Counts are links to months of the census. */
export function Counts({ all, a, n, go, name }: { all: Counted[]; a: Address; n: Numbers; go: (change: Change) => void; name: (market: string) => string }) {
  return (
    <ul class="nearest">
      {all.map((x) => {
        const change: Change = { page: "accounts", market: x.market, month: x.month, panel: undefined, version: undefined };
        return <li key={`${x.market} ${x.month}`}><a href={write(changed(a, change))} onClick={(e) => (e.preventDefault(), go(change))}>{`${name(x.market)}, ${n.month(x.month)}`}</a></li>;
      })}
    </ul>
  );
}

/** Nearest are links to months. */
function Nearest({ all, a, t, n, go, name }: { all: Chosen[]; a: Address; t: Texts; n: Numbers; go: (change: Change) => void; name: (market: string) => string }) {
  return (
    <ul class="nearest">
      {all.map((x) => {
        const change = { market: x.market, panel: x.panel, month: x.month, version: undefined };
        return (
          <li key={`${x.market} ${x.panel} ${x.month}`}>
            <a href={write(changed(a, change))} onClick={(e) => (e.preventDefault(), go(change))}>{`${name(x.market)}, ${t.panelOf(x.panel)}, ${n.month(x.month)}`}</a>
          </li>
        );
      })}
    </ul>
  );
}

export function Refused({ title, detail, t, go }: { title: string; detail: string; t: Texts; go: () => void }) {
  return (
    <Message title={title}>
      <p role="alert">{detail}</p>
      <p><a href="/" onClick={(e) => (e.preventDefault(), go())}>{t.startAgain}</a></p>
    </Message>
  );
}

export function SignIn({ wrong, oidc, t, send }: { wrong: string; oidc: boolean; t: Texts; send: (key: string) => void }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <Message title={t.keyTitle}>
      <p>{t.keyText}</p>
      <form class="signin" onSubmit={(e) => (e.preventDefault(), send(field.current!.value.trim()))}>
        <label for="key">{t.keyField}</label>
        <input id="key" type="password" autocomplete="current-password" spellcheck={false} required ref={field} aria-describedby={wrong === "" ? undefined : "key-wrong"} />
        <button type="submit">{t.keySend}</button>
      </form>
      {wrong !== "" && <p id="key-wrong" class="wrong" role="alert">{wrong}</p>}
      {oidc && <p><a href={`/v1/oidc/login?to=${encodeURIComponent(location.pathname + location.search)}`}>{t.keyElse}</a></p>}
    </Message>
  );
}

/** Gone says that the server is away, and tries again by itself. */
export function Gone({ at, t, retry }: { at: string | undefined; t: Texts; retry: () => Promise<void> }) {
  const [left, setLeft] = useState(5);
  const [wait, setWait] = useState(5);
  const [trying, setTrying] = useState(false);
  const now = () => {
    setTrying(true);
    void retry().finally(() => {
      const longer = Math.min(2 * wait, 60);
      setTrying(false);
      setWait(longer);
      setLeft(longer);
    });
  };
  useEffect(() => {
    if (trying) return;
    if (left <= 0) return now();
    const id = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(id);
  }, [left, trying]);
  return (
    <aside class="gone" aria-label={t.awayNothing}>
      <p role="alert">{at === undefined ? t.awayNothing : t.away(at)}</p>
      <p>{trying ? t.trying : t.retry(left)} <button type="button" onClick={now} disabled={trying}>{t.retryNow}</button></p>
    </aside>
  );
}
