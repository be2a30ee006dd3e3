// What is shown: every control writes the page's address.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Address, Change } from "../address";
import type { Catalogue, Chosen } from "../load";
import { monthsBefore, type Numbers } from "../numbers";
import type { Texts } from "../texts";

interface Props {
  a: Address;
  c: Catalogue;
  chosen: Chosen;
  t: Texts;
  n: Numbers;
  go: (change: Change) => void;
}

function Choice({ label, id, value, children, onPick, disabled }: { label: string; id: string; value: string; children: ComponentChildren; onPick: (value: string) => void; disabled?: boolean }) {
  return (
    <div class="choice">
      <label for={id}>{label}</label>
      <select id={id} value={value} disabled={disabled ?? false} onChange={(e) => onPick(e.currentTarget.value)}>{children}</select>
    </div>
  );
}

/** comparable gives the months that changes can be from: the one before, a year
    before, and what else is published between. */
export function comparable(month: string, published: readonly string[], asked: string): { value: string; month: string }[] {
  const value = (back: number, m: string) => (back === 1 ? "previous" : back === 12 ? "year" : m);
  const all = Array.from({ length: 12 }, (_, i) => ({ value: value(i + 1, monthsBefore(month, i + 1)), month: monthsBefore(month, i + 1) }));
  const there = all.filter((c) => c.value === "previous" || c.value === asked || published.includes(c.month));
  return there.some((c) => c.value === asked) ? there : [...there, { value: asked, month: asked }];
}

/** marketName gives a market's name as a language has it. */
export function marketName(c: Catalogue, market: string, t: Texts): string {
  const name = c.markets.find((m) => m.market === market)?.name ?? market;
  return t.named[name] ?? name;
}

export function PeopleControls({ a, c, chosen, t, n, go }: Props) {
  const panels = [...new Set(c.publications.map((p) => `${p.market} ${p.panel}`))];
  const several = (market: string) => panels.filter((p) => p.startsWith(`${market} `)).length > 1;
  const own = c.publications.filter((p) => p.market === chosen.market && p.panel === chosen.panel);
  const months = [...new Set(own.map((p) => p.month))].sort();
  const versions = own.filter((p) => p.month === chosen.month).sort((x, y) => y.version - x.version);
  return (
    <Bar t={t} summary={`${marketName(c, chosen.market, t)} · ${n.monthShort(chosen.month)} · ${t.brief[a.location] ?? a.location}`}>
      <Choice label={t.market} id="market" value={`${chosen.market} ${chosen.panel}`} onPick={(v) => {
        const [market, panel] = v.split(" ") as [string, string];
        const there = c.publications.some((p) => p.market === market && p.panel === panel && p.month === chosen.month);
        go({ market, panel, month: there ? chosen.month : undefined, version: undefined });
      }}>
        {panels.map((p) => {
          const [market, panel] = p.split(" ") as [string, string];
          return <option value={p} key={p}>{several(market) ? `${marketName(c, market, t)}, ${t.panelOf(panel)}` : marketName(c, market, t)}</option>;
        })}
      </Choice>
      <Month months={months} month={chosen.month} t={t} n={n} go={(month) => go({ month, version: undefined, pool: undefined })} />
      <Choice label={t.where} id="where" value={a.location} onPick={(v) => go({ location: v as Address["location"] })}>
        {["home+work", "home", "work", "both", "home-only", "work-only"].map((p) => <option value={p} key={p}>{t.places[p]}</option>)}
      </Choice>
      <Counted a={a} t={t} go={go} />
      <Choice label={t.compare} id="compare" value={a.pool === undefined ? a.compare : ""} disabled={a.pool !== undefined} onPick={(compare) => go({ compare })}>
        {a.pool !== undefined && <option value="">{t.notPooled}</option>}
        {comparable(chosen.month, months, a.compare).map((c) => <option value={c.value} key={c.value}>{n.month(c.month)}</option>)}
      </Choice>
      <Choice label={t.version} id="version" value={String(a.version ?? versions[0]?.version ?? "")} onPick={(v) => go({ version: Number(v) === versions[0]?.version ? undefined : Number(v) })}>
        {a.version !== undefined && !versions.some((p) => p.version === a.version) && <option value={String(a.version)}>{a.version}</option>}
        {versions.map((p, i) => <option value={String(p.version)} key={p.version}>{`${p.version}, ${t.statuses[p.status] ?? p.status}${i === 0 && versions.length > 1 ? ` (${t.latest})` : ""}`}</option>)}
      </Choice>
    </Bar>
  );
}

export function AccountsControls({ a, c, market, month, months, t, n, go }: { a: Address; c: Catalogue; market: string; month: string; months: string[]; t: Texts; n: Numbers; go: Props["go"] }) {
  const all = months.includes(month) ? months : [...months, month].sort();
  return (
    <Bar t={t} summary={`${marketName(c, market, t)} · ${n.monthShort(month)} · ${t.brief[a.location] ?? a.location}`}>
      <Choice label={t.market} id="market" value={market} onPick={(v) => go({ market: v, panel: undefined, month: c.census[v]?.includes(month) ? month : undefined })}>
        {c.markets.filter((m) => c.census[m.market]?.length).map((m) => <option value={m.market} key={m.market}>{marketName(c, m.market, t)}</option>)}
      </Choice>
      <Month months={all} month={month} t={t} n={n} go={(m) => go({ month: m })} />
      <Choice label={t.where} id="where" value={a.location} onPick={(v) => go({ location: v as Address["location"] })}>
        {["any", "home+work", "home", "work", "elsewhere", "both"].map((p) => <option value={p} key={p}>{t.places[p]}</option>)}
      </Choice>
      <Counted a={a} t={t} go={go} />
    </Bar>
  );
}

function Counted({ a, t, go }: Pick<Props, "a" | "t" | "go">) {
  return (
    <Choice label={t.counted} id="counted" value={a.credit} onPick={(v) => go({ credit: v as Address["credit"] })}>
      <option value="presence">{t.credits.presence}</option>
      <option value="use">{t.credits.use}</option>
    </Choice>
  );
}

function Month({ months, month, t, n, go }: { months: string[]; month: string; t: Texts; n: Numbers; go: (month: string) => void }) {
  const at = months.indexOf(month);
  const step = (to: string | undefined, label: string, sign: string) => (
    <button type="button" aria-label={label} title={label} disabled={to === undefined} onClick={() => to !== undefined && go(to)}>{sign}</button>
  );
  return (
    <div class="choice">
      <label for="month">{t.month}</label>
      <span class="month">
        {step(months[at - 1], t.previousMonth, "‹")}
        <select id="month" value={month} onChange={(e) => go(e.currentTarget.value)}>
          {[...months].reverse().map((m) => <option value={m} key={m}>{n.month(m)}</option>)}
        </select>
        {step(months[at + 1], t.nextMonth, "›")}
      </span>
    </div>
  );
}

const narrow = "(max-width: 719px)";

/** Bar holds the controls: in the open where there is space, else behind a line
    that says what is shown. */
function Bar({ t, summary, children }: { t: Texts; summary: string; children: ComponentChildren }) {
  const [small, setSmall] = useState(matchMedia(narrow).matches);
  useEffect(() => {
    const query = matchMedia(narrow);
    const changed = () => setSmall(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  const line = useRef<HTMLElement>(null);
  useEffect(() => underBar(line.current), [small]);
  useEffect(() => scrolled(line.current?.parentElement as HTMLDetailsElement | undefined), [small]);
  const controls = <form class="controls" aria-label={t.controls} onSubmit={(e) => e.preventDefault()}>{children}</form>;
  if (!small) return <div class="bar">{controls}</div>;
  return (
    <details class="bar">
      <summary ref={line}>{summary}</summary>
      {controls}
    </details>
  );
}

/** scrolled has a bar that is opened scroll with the page, from where it was opened:
    it would cover what it changes. Once out of view it closes, and its line stays in
    view again. */
function scrolled(bar: HTMLDetailsElement | undefined): (() => void) | undefined {
  if (bar === undefined) return undefined;
  const opened = () => {
    bar.style.cssText = "";
    if (!bar.open || getComputedStyle(bar).position !== "sticky") return;
    const stuck = bar.getBoundingClientRect().top + scrollY;
    bar.style.position = "relative";
    bar.style.top = `${stuck - (bar.getBoundingClientRect().top + scrollY)}px`;
  };
  const watch = new IntersectionObserver(([seen]) => {
    if (seen!.isIntersecting || !bar.open) return;
    if (bar.contains(document.activeElement)) bar.querySelector("summary")!.focus({ preventScroll: true });
    bar.open = false;
  });
  watch.observe(bar);
  bar.addEventListener("toggle", opened);
  return () => (watch.disconnect(), bar.removeEventListener("toggle", opened));
}

/** underBar has the browser bring what is gone to below the line of a bar that
    stays in view, however many lines that is. */
function underBar(line: HTMLElement | null): (() => void) | undefined {
  if (line === null) return undefined;
  const page = document.documentElement;
  const watch = new ResizeObserver(() => {
    const stays = getComputedStyle(line.parentElement!).position !== "static";
    page.style.scrollPaddingTop = stays ? `${Math.ceil(line.getBoundingClientRect().height) + 8}px` : "";
  });
  watch.observe(line);
  return () => {
    watch.disconnect();
    page.style.scrollPaddingTop = "";
  };
}
