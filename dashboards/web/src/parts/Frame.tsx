// The frame of every figure: its sentence, drawing, keys, source and switches.
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Figure, Key } from "../figure";
import { keyWidth, mark } from "../keys";
import { png, save, svgText } from "../picture";
import { element } from "../draw";
import type { Texts } from "../texts";

interface Props {
  figure: Figure;
  t: Texts;
  half?: boolean;
  link: string;
  controls?: ComponentChildren;
  embedded?: boolean; // in a page of another site: nothing that needs a key
}

export function Frame({ figure, t, half, link, controls, embedded }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <section class="figure" id={figure.id} aria-labelledby={`${figure.id}-title`}>
      <div class="title">
        <div>
          <h2 id={`${figure.id}-title`}>{unbroken(figure.sentence)}</h2>
          <p class="subtitle">{figure.subtitle}</p>
        </div>
        {controls}
      </div>
      <Drawing figure={figure} half={half ?? false} />
      <Keys keys={figure.keys} />
      {figure.notes.map((note) => (
        <p class="note" key={note}>{note}</p>
      ))}
      <div class="foot">
        <p class="source">{figure.source}</p>
        <div class="switches">
          <button type="button" aria-expanded={open} aria-controls={`${figure.id}-table`} onClick={() => setOpen(!open)}>{t.foot.table}</button>
          <Picture figure={figure} t={t} />
          {!embedded && <Data figure={figure} t={t} />}
          {embedded ? <a class="button" href={link} target="_blank" rel="noopener">Rollcall ↗</a> : <Link href={link} t={t} />}
        </div>
      </div>
      <div id={`${figure.id}-table`}>{open && <Table figure={figure} t={t} />}</div>
    </section>
  );
}

/** unbroken keeps a range, 15–24, on one line. */
function unbroken(text: string): string {
  return text.replace(/(\d)–(?=\d)/g, "$1\u2060–\u2060");
}

type Redraw = (width?: number) => void;
const redraws = new Set<{ half: boolean; redraw: Redraw }>();
const paper = { whole: 686, half: 330 };

// Paper has its own width: every figure is drawn for it before a print, those
// that have not come into view included, and for the window again after it.
addEventListener("beforeprint", () => redraws.forEach((d) => d.redraw(d.half ? paper.half : paper.whole)));
addEventListener("afterprint", () => redraws.forEach((d) => d.redraw()));

/** Drawing draws at the width there is: at once where it is in view, else when
    the browser has nothing else to do. */
function Drawing({ figure, half }: { figure: Figure; half: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const at = box.current!;
    let width = at.clientWidth;
    const redraw: Redraw = (wide) => at.replaceChildren(figure.draw(wide ?? at.clientWidth));
    at.style.minHeight = `${figure.height(width)}px`;
    const later = at.getBoundingClientRect().top < 1.5 * innerHeight ? undefined : whenIdle(() => redraw());
    if (later === undefined) redraw();
    const entry = { half, redraw };
    redraws.add(entry);
    const watch = new ResizeObserver(() => {
      if (at.clientWidth === width || at.clientWidth === 0 || matchMedia("print").matches) return;
      width = at.clientWidth;
      at.style.minHeight = `${figure.height(width)}px`;
      redraw();
    });
    watch.observe(at);
    return () => {
      later?.();
      watch.disconnect();
      redraws.delete(entry);
    };
  }, [figure, half]);
  return <div class="drawing" ref={box} />;
}

/** whenIdle does something when there is time, and gives how to call it off. */
function whenIdle(work: () => void): () => void {
  if (typeof requestIdleCallback === "function") {
    const id = requestIdleCallback(work, { timeout: 1000 });
    return () => cancelIdleCallback(id);
  }
  const id = setTimeout(work, 50);
  return () => clearTimeout(id);
}

function Keys({ keys }: { keys: Key[] }) {
  if (keys.length === 0) return null;
  return (
    <ul class="keys">
      {keys.map((k) => (
        <li key={k.text}>
          <Mark of={k} />
          {k.text}
        </li>
      ))}
    </ul>
  );
}

function Mark({ of }: { of: Key }) {
  const box = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    const drawn = mark(of.mark);
    if (drawn === null) return box.current!.replaceChildren();
    const svg = element("svg", { width: keyWidth, height: 14, "aria-hidden": "true" });
    svg.append(drawn);
    box.current!.replaceChildren(svg);
  }, [of.mark]);
  return <span class="mark" ref={box} />;
}

function Table({ figure, t }: { figure: Figure; t: Texts }) {
  const { head, rows } = figure.table;
  const box = useRef<HTMLDivElement>(null);
  const [wider, setWider] = useState(false);
  useLayoutEffect(() => box.current?.focus({ preventScroll: true }), []);
  useLayoutEffect(() => {
    const watch = new ResizeObserver(() => setWider(box.current!.scrollWidth > box.current!.clientWidth));
    watch.observe(box.current!);
    return () => watch.disconnect();
  }, []);
  return (
    <>
      {wider && <p class="goes-on">{t.goesOn}</p>}
      <div class="table" role="region" aria-label={t.tableOf(figure.sentence)} tabIndex={0} ref={box}>
        <table>
          <thead>
            <tr>{head.map((h) => <th scope="col" key={h}>{h}</th>)}</tr>
          </thead>
          <tbody>
            {rows.map((row, i) => (
              <tr key={i}>{row.map((c, k) => <td key={k} class={/^[\d≈+−<–]/.test(c) ? "number" : ""}>{c}</td>)}</tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** fileName makes a name for a figure's file out of its source. */
function fileName(figure: Figure): string {
  return `rollcall-${figure.id}-${figure.source.toLowerCase().normalize("NFD").replace(/[^a-z0-9]+/g, "-").replace(/^rollcall-|-$/g, "")}`.slice(0, 100);
}

/** Menu opens under its name; Escape closes it, and so does leaving it, by keyboard
    or with a press elsewhere. A press on what can't have the focus gives it to what
    is around the menu: that alone is no leaving. */
export function Menu({ name, kind, children }: { name: string; kind?: string; children: (done: () => void) => ComponentChildren }) {
  const box = useRef<HTMLDetailsElement>(null);
  const done = () => {
    box.current!.open = false;
    box.current!.querySelector("summary")!.focus();
  };
  const left = (e: FocusEvent) => {
    const to = e.relatedTarget as Node | null;
    if (to !== null && !box.current!.contains(to) && !to.contains(box.current!)) box.current!.open = false;
  };
  useEffect(() => {
    const pressed = (e: PointerEvent) => !box.current!.contains(e.target as Node) && (box.current!.open = false);
    document.addEventListener("pointerdown", pressed);
    return () => document.removeEventListener("pointerdown", pressed);
  }, []);
  return (
    <details class={kind === undefined ? "menu" : `menu ${kind}`} ref={box} onKeyDown={(e) => e.key === "Escape" && done()} onFocusOut={left}>
      <summary>{name}</summary>
      {children(done)}
    </details>
  );
}

function Picture({ figure, t }: { figure: Figure; t: Texts }) {
  const asSVG = () => save(new Blob([svgText(figure)], { type: "image/svg+xml" }), `${fileName(figure)}.svg`);
  const asPNG = async () => save(await png(svgText(figure)), `${fileName(figure)}.png`);
  return (
    <Menu name={t.foot.picture}>
      {(done) => (
        <div>
          <button type="button" aria-label={t.pictureAs("PNG")} onClick={() => void asPNG().then(done)}>PNG</button>
          <button type="button" aria-label={t.pictureAs("SVG")} onClick={() => (asSVG(), done())}>SVG</button>
        </div>
      )}
    </Menu>
  );
}

function Data({ figure, t }: { figure: Figure; t: Texts }) {
  const forms = figure.file === undefined ? ["csv", "xlsx"] : ["csv"];
  const get = (e: Event, form: string, done: () => void) => {
    const text = figure.file?.();
    if (text !== undefined) {
      e.preventDefault(); // the file is made here
      save(new Blob([text], { type: "text/csv" }), `${fileName(figure)}.${form}`);
    }
    done();
  };
  return (
    <Menu name={t.foot.data}>
      {(done) => (
        <div>
          {forms.map((form) => (
            <a class="button" key={form} href={inForm(figure.data, form)} download={`${fileName(figure)}.${form}`} aria-label={t.dataAs(form.toUpperCase())} onClick={(e) => get(e, form, done)}>{form.toUpperCase()}</a>
          ))}
        </div>
      )}
    </Menu>
  );
}

/** inForm gives the address of the same data in another form. */
function inForm(address: string, form: string): string {
  return address.replace("format=csv", `format=${form}`);
}

function Link({ href, t }: { href: string; t: Texts }) {
  const [copied, setCopied] = useState(false);
  const copy = (e: MouseEvent) => {
    if (e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    history.replaceState(null, "", href);
    const done = () => {
      setCopied(true);
      setTimeout(() => setCopied(false), 2000);
    };
    if (navigator.clipboard) void navigator.clipboard.writeText(new URL(href, location.href).href).then(done, () => undefined);
  };
  return (
    <a class="button" href={href} onClick={copy}>
      <span aria-live="polite">{copied ? t.foot.copied : t.foot.link}</span>
    </a>
  );
}
