// Numbers, months and lists as a reader of English or French writes them.
import type { Language } from "./address";
import type { Measure } from "./api";

const minus = "\u2212";
const narrow = "\u202f"; // French: between a number and what follows it

/** A figure that is there. */
export type Shown = Measure & { value: number };

/** shown says whether a figure may be printed; another status withholds it. */
export function shown(m: Measure | null | undefined): m is Shown {
  return m != null && m.value !== null && (m.status === "ok" || m.status === "caution");
}

export class Numbers {
  private readonly locale: string;
  private readonly made = new Map<string, Intl.NumberFormat>();

  constructor(readonly language: Language) {
    this.locale = language === "fr" ? "fr-FR" : "en-GB";
  }

  /** whole gives 3,494,112. */
  whole(x: number): string {
    return this.digits(Math.round(x), 0);
  }

  /** persons gives a number of persons as it is spoken of: to the thousand from
      ten thousand on. */
  persons(x: number): string {
    return this.whole(rounded(x));
  }

  /** range gives an interval of persons: 387,000–544,000, 3.31–3.69 M, or 3.21–3.60 bn. */
  range(m: Measure): string {
    if (m.low === null || m.high === null) return "";
    if (m.high < 1e6) return `${this.persons(m.low)}–${this.persons(m.high)}`;
    const { unit, sign } = this.large(m.high);
    const places = m.high < 10 * unit ? 2 : 1;
    return `${this.digits(m.low / unit, places)}–${this.digits(m.high / unit, places)}${this.thin()}${sign}`;
  }

  /** million gives 16.8 million, and what is under a million as persons does. */
  million(x: number): string {
    if (x < 1e6) return this.persons(x);
    const { unit, word } = this.large(x);
    return `${this.digits(x / unit, 1)}\u00a0${word}${this.language === "fr" && x >= 2 * unit ? "s" : ""}`;
  }

  /** between gives an interval in words: 3.31 and 3.69 million. */
  between(m: Measure): string {
    const and = this.language === "fr" ? "et" : "and";
    if (m.low === null || m.high === null) return "";
    if (m.high < 1e6) return `${this.persons(m.low)} ${and} ${this.persons(m.high)}`;
    const { unit, word } = this.large(m.high);
    return `${this.digits(m.low / unit, 2)} ${and} ${this.digits(m.high / unit, 2)}\u00a0${word}${this.language === "fr" ? "s" : ""}`;
  }

  /** large gives the unit that a number over a million is said in. */
  private large(x: number): { unit: number; word: string; sign: string } {
    const french = this.language === "fr";
    return x < 1e9 ? { unit: 1e6, word: "million", sign: "M" } : { unit: 1e9, word: french ? "milliard" : "billion", sign: french ? "Md" : "bn" };
  }

  percent(x: number, places = 1): string {
    return `${this.digits(x, places)}${this.language === "fr" ? `${narrow}%` : "%"}`;
  }

  percentRange(m: Measure, places = 1): string {
    if (m.low === null || m.high === null) return "";
    return `${this.digits(m.low, places)}–${this.percent(m.high, places)}`;
  }

  /** signed gives +374,000 or −18,000; of many says what it is a change of, for
      the same rounding. */
  signed(x: number, of = Infinity): string {
    const size = of >= 10_000 ? Math.round(Math.abs(x) / 1000) * 1000 : Math.abs(x);
    const text = this.whole(size);
    return text === "0" ? text : sign(x) + text;
  }

  signedPercent(x: number): string {
    const places = Math.abs(x) < 9.95 ? 1 : 0;
    const text = this.percent(Math.abs(x), places);
    return Math.abs(x) < 0.05 ? text : sign(x) + text;
  }

  /** hours gives minutes as 4 h 54, and under an hour as 54 min. */
  hours(minutes: number): string {
    const all = Math.round(minutes);
    if (all < 60) return `${all}${this.thin()}min`;
    return `${Math.floor(all / 60)}${this.thin()}h${this.thin()}${String(all % 60).padStart(2, "0")}`;
  }

  hoursRange(m: Measure): string {
    if (m.low === null || m.high === null) return "";
    return `${this.hours(m.low)}–${this.hours(m.high)}`;
  }

  /** digits gives a number with so many decimal places. */
  digits(x: number, places: number): string {
    const text = this.format(`d${places}`, { minimumFractionDigits: places, maximumFractionDigits: places }).format(x);
    return text.replace("-", minus);
  }

  /** significant gives a number with three digits at most: 0.0125. */
  significant(x: number): string {
    return this.format("s3", { maximumSignificantDigits: 3 }).format(x).replace("-", minus);
  }

  /** short gives an axis' number: 0, 200,000, 1 M, 1.25 M. */
  short(x: number): string {
    if (Math.abs(x) < 1e6) return this.format("a", { maximumFractionDigits: 2 }).format(x).replace("-", minus);
    const { unit, sign } = this.large(Math.abs(x));
    return `${this.format("mm", { maximumFractionDigits: 2 }).format(x / unit)}${this.thin()}${sign}`;
  }

  /** percentShort gives an axis' percentage: 20%, 2.5%. */
  percentShort(x: number): string {
    return `${this.format("p", { maximumFractionDigits: 2 }).format(x)}${this.language === "fr" ? `${narrow}%` : "%"}`;
  }

  /** month gives October 2003. */
  month(month: string): string {
    return this.date(month, { month: "long", year: "numeric" });
  }

  /** monthShort gives Oct 2003. */
  monthShort(month: string): string {
    return this.date(month, { month: "short", year: "numeric" });
  }

  /** monthName gives September, with its year where that isn't the other's. */
  monthName(month: string, beside: string): string {
    return month.slice(0, 4) === beside.slice(0, 4) ? this.date(month, { month: "long" }) : this.month(month);
  }

  /** day gives 5 October 2003. */
  day(day: string): string {
    const text = this.date(day, { day: "numeric", month: "long", year: "numeric" });
    return this.language === "fr" ? text.replace(/^1 /, "1er ") : text;
  }

  /** dayShort gives 5 Oct. */
  dayShort(day: string): string {
    return this.date(day, { day: "numeric", month: "short" });
  }

  /** tick gives a month under an axis: Oct, or Jan 2003 where the year begins. */
  tick(date: Date): string {
    const month = date.toISOString().slice(0, 7);
    return month.endsWith("-01") ? this.monthShort(month) : this.date(month, { month: "short" });
  }

  list(items: readonly string[]): string {
    const and = this.language === "fr" ? " et " : " and ";
    if (items.length < 2) return items.join("");
    return items.slice(0, -1).join(", ") + and + items[items.length - 1]!;
  }

  /** some gives a list's first items, and how many more there are. */
  some(items: readonly string[], most = 5): string {
    if (items.length <= most + 1) return this.list(items);
    const rest = items.length - most;
    return `${items.slice(0, most).join(", ")} ${this.language === "fr" ? `et ${rest} autres` : `and ${rest} others`}`;
  }

  private thin(): string {
    return this.language === "fr" ? narrow : "\u00a0";
  }

  private format(name: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
    let f = this.made.get(name);
    if (f === undefined) this.made.set(name, (f = new Intl.NumberFormat(this.locale, options)));
    return f;
  }

  private date(text: string, options: Intl.DateTimeFormatOptions): string {
    const at = new Date(`${text.length === 7 ? `${text}-01` : text.slice(0, 10)}T00:00:00Z`);
    if (Number.isNaN(at.getTime())) return text;
    const said = new Intl.DateTimeFormat(this.locale, { ...options, timeZone: "UTC" }).format(at);
    return said.replace(/\bSept\b/, "Sep"); // en-GB abbreviates September alone to four letters
  }
}

/** rounded gives a number of persons as it is printed. */
export function rounded(x: number): number {
  return Math.abs(x) >= 10_000 ? Math.round(x / 1000) * 1000 : Math.round(x);
}

function sign(x: number): string {
  return x < 0 ? minus : "+";
}

/** monthsBefore gives the month so many months earlier. */
export function monthsBefore(month: string, n: number): string {
  const [year, m] = month.split("-").map(Number) as [number, number];
  const at = year * 12 + m - 1 - n;
  return `${Math.floor(at / 12)}-${String((at % 12) + 1).padStart(2, "0")}`;
}

/** lastDay gives a month's last day. */
export function lastDay(month: string): string {
  const [year, m] = month.split("-").map(Number) as [number, number];
  return new Date(Date.UTC(year, m, 0)).toISOString().slice(0, 10);
}
