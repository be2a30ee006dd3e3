// The page: what the address asks for, and what to show while it isn't there.
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { changed, passedOver, read, write, type Address, type Change, type Language } from "./address";
import { Away, Client, Problem } from "./api";
import { colours } from "./colours";
import type { Scope } from "./figure";
import { accounts, allCounted, allHere, catalogue, choose, chooseCensus, people, type Accounts as AccountsLoaded, type Catalogue, type Chosen, type People as PeopleLoaded } from "./load";
import { Numbers } from "./numbers";
import { takeKey } from "./session";
import { texts, type Texts } from "./texts";
import { Accounts } from "./parts/Accounts";
import { Embedded } from "./parts/Embedded";
import { AccountsControls, marketName, PeopleControls } from "./parts/Controls";
import { People } from "./parts/People";
import { Gone, Missing, NoCensus, NoPanel, Refused, SignIn, Waiting, told } from "./parts/States";

const preferred: Language = navigator.language.startsWith("fr") ? "fr" : "en";
const client = location.pathname.startsWith("/embed/") ? new Client("/embed") : new Client();

/** What came with the address: a key to sign in with, if the server asks for one. */
const given = { key: takeKey() };

/** What stands in the way of showing what is asked for. */
type Trouble = { kind: "key"; wrong: string; oidc: boolean } | { kind: "problem"; problem: Problem } | { kind: "away" } | undefined;

export function App() {
  const [a, setAddress] = useState<Address>(() => read(new URL(location.href), preferred));
  const [c, setCatalogue] = useState<Catalogue>();
  const [people, setPeople] = useState<PeopleLoaded>();
  const [census, setCensus] = useState<AccountsLoaded>();
  const [trouble, setTrouble] = useState<Trouble>();
  const [again, setAgain] = useState(0);
  const t = texts(a.language);
  const n = useMemo(() => new Numbers(a.language), [a.language]);

  const go = useCallback((change: Change) => {
    setAddress((now) => {
      const next = changed(now, change);
      history.pushState(null, "", write(next));
      return next;
    });
  }, []);
  useEffect(() => {
    const back = () => setAddress(read(new URL(location.href), preferred));
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }, []);

  const found = c === undefined ? undefined : choose(a, c);
  const chosen = found === undefined || "kind" in found ? undefined : found;
  const counted = c === undefined ? undefined : chooseCensus(a, c);
  const { market, month } = counted === undefined || "kind" in counted ? { market: undefined, month: undefined } : counted;
  const months = market === undefined ? [] : (c?.census[market] ?? []);
  useLoad({ a, c, chosen, market, month, again, setCatalogue, setPeople, setCensus, setTrouble, setAgain });
  useWatch(trouble, setTrouble, found !== undefined && "kind" in found && ["empty", "census", "loading"].includes(found.kind) || a.page === "accounts" && counted !== undefined && "kind" in counted, setAgain);

  const own = a.page === "accounts" ? census?.market === market && census?.month === month : people !== undefined;
  const s = useScope(a, c, a.page === "accounts" ? (census?.market ?? market) : people?.chosen.market, a.page === "accounts" ? census?.total.rows.map((r) => r.service) : people?.ranking.rows.filter((r) => r.level === "service").map((r) => r.service), t, n);
  useTitle(t, s, people);
  useFragment(people, census, a.places);

  const over = passedOver(new URL(location.href), c?.services.map((x) => x.service));
  const nothing = trouble?.kind === "key" || trouble?.kind === "problem" || ((found: object | undefined) => found !== undefined && "kind" in found)(a.page === "people" ? found : counted);
  const busy = trouble === undefined && a.page === "people" && people !== undefined && chosen !== undefined && people.chosen.month !== chosen.month;
  const at = (a.page === "accounts" ? census : people)?.at.toLocaleTimeString(a.language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  if (a.embed !== undefined) return <main id="main" class="embedded">{body()}</main>;
  return (
    <>
      <a class="skip" href="#main">{t.skip}</a>
      <Header a={a} t={t} method={!nothing} go={go} />
      {c && a.page === "people" && chosen && <PeopleControls a={a} c={c} chosen={chosen} t={t} n={n} go={go} />}
      {c && a.page === "accounts" && market && month && <AccountsControls a={a} c={c} market={market} month={month} months={months} t={t} n={n} go={go} />}
      {trouble?.kind === "away" && <Gone at={own ? at : undefined} t={t} retry={async () => retry(setTrouble, setAgain)} />}
      {(c !== undefined || trouble !== undefined) && <main id="main" tabIndex={-1} aria-busy={busy} class={busy ? "busy" : ""}>{over.length > 0 && <p class="passed-over">{t.passedOver(over)}</p>}{body()}</main>}
      {own && <Footer t={t} />}
    </>
  );

  function body() {
    if (trouble?.kind === "key") return <SignIn wrong={trouble.wrong} oidc={trouble.oidc} t={t} send={(key) => void signIn(key, t, setTrouble, () => (setCatalogue(undefined), setAgain((x) => x + 1)))} />;
    if (trouble?.kind === "problem") return <Refused title={refusal(trouble.problem, a, t)} detail={told(trouble.problem, t)} t={t} go={() => restart(a, go)} />;
    if (a.page === "people" && found !== undefined && "kind" in found && found.kind === "no panel") return <NoPanel nothing={found} a={a} c={c!} t={t} n={n} go={go} name={(m) => marketName(c!, m, t)} />;
    if (a.page === "people" && found !== undefined && "kind" in found) return <Missing nothing={found} a={a} c={undefined} t={t} n={n} go={go} name={(m) => marketName(c!, m, t)} />;
    if (a.page === "accounts" && counted !== undefined && "kind" in counted) return <NoCensus nothing={counted} a={a} c={c!} t={t} n={n} go={go} name={(m) => marketName(c!, m, t)} />;
    if (!own || s === undefined || c === undefined) return trouble?.kind === "away" ? null : <Waiting t={t} />;
    if (a.page === "accounts") return <Accounts p={census!} publications={c!.publications} months={months} s={s} go={go} />;
    if (a.embed !== undefined) return <Embedded p={people!} s={s} />;
    const versions = c.publications.filter((p) => p.market === people!.chosen.market && p.panel === people!.chosen.panel && p.month === people!.chosen.month);
    return <People p={people!} versions={versions} catalogue={c} client={client} s={s} go={go} />;
  }
}

function Footer({ t }: { t: Texts }) {
  const [signedIn, setSignedIn] = useState(false);
  useEffect(() => void client.session().then((who) => setSignedIn(who.signed_in), () => undefined), []);
  return (
    <footer class="site">
      <p>Rollcall <a href="/openapi.json">{t.api}</a> {t.footer}</p>
      {signedIn && <button type="button" onClick={() => void client.signOut().then(() => location.reload())}>{t.signOut}</button>}
    </footer>
  );
}

/** Header leads to the other pages; method: whether this one tells of its figures. */
function Header({ a, t, method, go }: { a: Address; t: Texts; method: boolean; go: (c: Change) => void }) {
  const to = (change: Change, fresh: boolean) => ({
    href: write(changed(a, change)),
    onClick: (e: MouseEvent) => {
      if (e.ctrlKey || e.metaKey || e.shiftKey) return;
      e.preventDefault();
      go(change);
      if (fresh) scrollTo(0, 0);
    },
  });
  const other: Language = a.language === "fr" ? "en" : "fr";
  return (
    <header class="site">
      <div>
        <span class="brand">Rollcall</span>
        <nav aria-label={t.pages} class="tabs">
          <a {...to({ page: "people" }, true)} aria-current={a.page === "people" ? "page" : undefined}>{t.people} <small>{t.panel}</small></a>
          <a {...to({ page: "accounts", version: undefined, panel: undefined }, true)} aria-current={a.page === "accounts" ? "page" : undefined}>{t.accounts} <small>{t.census}</small></a>
        </nav>
        <span class="side">
          {method && <a href="#about">{t.method}</a>}
          <a {...to({ language: other }, false)} lang={other}>{t.other}</a>
        </span>
      </div>
    </header>
  );
}

interface Loading {
  a: Address;
  c: Catalogue | undefined;
  chosen: Chosen | undefined;
  market: string | undefined;
  month: string | undefined;
  again: number;
  setCatalogue: (c: Catalogue) => void;
  setPeople: (p: PeopleLoaded) => void;
  setCensus: (p: AccountsLoaded) => void;
  setTrouble: (t: Trouble) => void;
  setAgain: (f: (n: number) => number) => void;
}

/** askForKey signs in with the key that came with the address, or asks for one. */
async function askForKey(l: Loading): Promise<void> {
  const key = given.key;
  given.key = undefined;
  const t = texts(l.a.language);
  if (key !== undefined) return signIn(key, t, l.setTrouble, () => l.setAgain((x) => x + 1));
  l.setTrouble({ kind: "key", wrong: "", oidc: await offersOIDC() });
}

async function offersOIDC(): Promise<boolean> {
  return client.session().then((who) => who.oidc, () => false);
}

/** signIn begins a session, or says why there is none. */
async function signIn(key: string, t: Texts, setTrouble: (t: Trouble) => void, then: () => void): Promise<void> {
  try {
    await client.signIn(key);
    setTrouble(undefined);
    then();
  } catch (e) {
    if (e instanceof Away) return setTrouble({ kind: "away" });
    setTrouble({ kind: "key", wrong: e instanceof Problem && e.status !== 401 ? told(e, t) : t.keyWrong, oidc: await offersOIDC() });
  }
}

/** useLoad asks for the catalogue, then for what the address shows. */
function useLoad(l: Loading): void {
  const failed = (stop: AbortController) => (e: unknown) => {
    if (stop.signal.aborted) return;
    if (e instanceof Away) return l.setTrouble({ kind: "away" });
    if (e instanceof Problem && e.status === 401) return void askForKey(l);
    if (e instanceof Problem && [502, 503, 504].includes(e.status)) return l.setTrouble({ kind: "away" });
    l.setTrouble({ kind: "problem", problem: e instanceof Problem ? e : new Problem(0, String(e), "") });
  };
  useEffect(() => {
    const stop = new AbortController();
    catalogue(client, stop.signal).then((c) => (l.setTrouble(undefined), l.setCatalogue(c)), failed(stop));
    return () => stop.abort();
  }, [l.again]);
  const { page, location: place, credit, compare, version, pool, places, step, language } = l.a;
  const { market, panel, month } = l.chosen ?? {};
  useEffect(() => {
    if (page !== "people" || l.chosen === undefined || l.c === undefined) return;
    const stop = new AbortController();
    people(client, l.a, l.chosen, l.c, stop.signal, (p) => (l.setTrouble(undefined), l.setPeople(p))).catch(failed(stop));
    return () => stop.abort();
  }, [page, market, panel, month, place, credit, compare, version, pool, places, language, l.again]);
  useEffect(() => {
    if (page !== "accounts" || l.market === undefined || l.month === undefined) return;
    const stop = new AbortController();
    accounts(client, l.a, l.market, l.month, stop.signal, (p) => (l.setTrouble(undefined), l.setCensus(p))).catch(failed(stop));
    return () => stop.abort();
  }, [page, l.market, l.month, place, credit, step, language, l.again]);
}

const pulse = 30_000;

/** useWatch notices a server that has gone while the page is open, and what comes
    to one that has nothing to show yet. */
function useWatch(trouble: Trouble, setTrouble: (t: Trouble) => void, empty: boolean, setAgain: (f: (n: number) => number) => void): void {
  useEffect(() => {
    if (trouble !== undefined) return;
    const look = () => {
      if (document.hidden) return;
      if (empty) return setAgain((x) => x + 1);
      fetch("/healthz").catch(() => setTrouble({ kind: "away" }));
    };
    const id = setInterval(look, empty ? 3000 : pulse);
    document.addEventListener("visibilitychange", look);
    return () => (clearInterval(id), document.removeEventListener("visibilitychange", look));
  }, [trouble, empty]);
}

/** retry loads again once the server answers. */
async function retry(setTrouble: (t: Trouble) => void, setAgain: (f: (n: number) => number) => void): Promise<void> {
  try {
    const answer = await fetch("/healthz");
    if (!answer.ok) return;
  } catch {
    return; // still away
  }
  setTrouble(undefined);
  setAgain((x) => x + 1);
}

function useScope(a: Address, c: Catalogue | undefined, market: string | undefined, inView: string[] | undefined, t: Texts, n: Numbers): Scope | undefined {
  const view = inView?.join(" ");
  return useMemo(() => {
    if (c === undefined || market === undefined || view === undefined) return undefined;
    const by = new Map(c.services.map((x) => [x.service, x]));
    const colour = colours(view === "" ? [] : view.split(" "), c.services);
    return {
      t, n, address: a, market: marketName(c, market, t),
      name: (id) => by.get(id)?.name ?? id,
      short: (id) => by.get(id)?.brand || by.get(id)?.name || id,
      segment: (id) => {
        const name = c.segments.find((x) => x.segment === id)?.name || id;
        return t.named[name] ?? name;
      },
      colour: (id) => colour.get(id) ?? { fill: "var(--s12)", dash: "none" },
    };
  }, [a, c, market, view, t, n]);
}

function useTitle(t: Texts, s: Scope | undefined, people: PeopleLoaded | undefined): void {
  useEffect(() => {
    document.documentElement.lang = t.language;
    document.title = s === undefined ? "Rollcall" : `${s.market}${people && s.address.page === "people" ? `, ${s.n.month(people.chosen.month)}` : ""} · Rollcall`;
  }, [t, s, people?.chosen.month]);
}

/** useFragment goes to the figure that the address names, once it is there, and
    again as parts come: the browser keeps what is in view in its place while what
    is above that grows. */
function useFragment(people: PeopleLoaded | undefined, census: AccountsLoaded | undefined, places: Address["places"]): void {
  const done = useRef(false);
  useEffect(() => {
    if (done.current || (people === undefined && census === undefined) || location.hash === "") return;
    const at = document.getElementById(location.hash.slice(1));
    at?.scrollIntoView();
    done.current = (people !== undefined && allHere(people, places)) || (census !== undefined && (allCounted(census) || census.total.rows.length === 0));
  });
}

function refusal(p: Problem, a: Address, t: Texts): string {
  if (p.status === 404 && a.version !== undefined) return t.noVersion(a.version);
  if (p.status === 403) return t.forbidden;
  if (p.status === 410) return t.gone;
  return p.status === 0 ? p.title || t.refused : t.refused;
}

function restart(a: Address, go: (c: Change) => void): void {
  const plain = read(new URL("/", location.href), a.language);
  go({ ...plain, page: a.page, market: undefined, panel: undefined, month: undefined, version: undefined, pool: undefined });
}
