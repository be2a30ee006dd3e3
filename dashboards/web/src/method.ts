// The method statement in words. It is made for a machine, name=value; what of it
// is not known here stands as it is.
import type { Scope } from "./figure";

export interface Fact {
  name: string;
  text: string;
}

type Said = (value: string, s: Scope) => string;

const asIs: Said = (v) => v;

/** known are the names that a ranking's statement has: in English, in French, and
    how the value is said. */
const known: Record<string, [string, string, Said]> = {
  method: ["Method", "Méthode", asIs],
  population: ["Counted are", "Sont comptées", (v, s) => inWords(v, s, { persons: ["persons", "les personnes"] })],
  credit: ["Counted when", "Compté si", (v, s) => s.t.credits[v as keyof typeof s.t.credits] ?? v],
  location: ["Where", "Lieu", (v, s) => s.t.places[v] ?? v],
  base: ["Base of reach", "Base de la couverture", (v, s) => (s.t.at[v] === undefined ? v : s.t.language === "fr" ? `internautes ${s.t.at[v]}` : `people online ${s.t.at[v]}`)],
  period: ["Period", "Période", (v, s) => between(v.split("/").map((d) => s.n.day(d)), s)],
  zone: ["Time zone", "Fuseau horaire", asIs],
  idle_gap_minutes: ["A new session", "Nouvelle session", (v, s) => (s.t.language === "fr" ? `après plus de ${v} minutes d’inactivité` : `after more than ${v} minutes without use`)],
  weights: ["Weights", "Poids", (v, s) => inWords(v, s, { raking: ["raked to the universe’s margins", "calés sur les marges de l’univers"] })],
  variance: ["Variance", "Variance", (v, s) => inWords(v, s, { "taylor-calibration-residuals": ["Taylor linearisation, from the residuals of the raking", "linéarisation de Taylor, sur les résidus du calage"] })],
  sketch: ["Sketches", "Esquisses", (v, s) => inWords(v, s, { none: ["none: persons are counted one by one", "aucune\u00a0: les personnes sont comptées une à une"] })],
  interval: ["Kinds of intervals", "Sortes d’intervalles", (v) => v.split(",").map((x) => intervals[x] ?? x).join(", ")],
  df: ["Degrees of freedom", "Degrés de liberté", (v, s) => number(v, s)],
  confidence: ["Confidence", "Niveau de confiance", (v, s) => percent(v, s)],
  low: ["Withheld", "Non publié", (v, s) => under(v, s)],
  caution: ["Flagged", "Signalé", (v, s) => under(v, s)],
  caution_rse: ["Flagged as imprecise", "Signalé comme imprécis", (v, s) => (s.t.language === "fr" ? `dès une erreur type de ${percent(v, s)} du chiffre` : `from a standard error of ${percent(v, s)} of the figure on`)],
  trim: ["Weights are trimmed", "Poids écrêtés", (v, s) => trimmed(v, s)],
  calibrated: ["Calibrated to the census of", "Calé sur le recensement de", (v, s) => s.n.list(v.split(",").map((id) => s.name(id)))],
  target: ["Target", "Cible", asIs],
  below_pool: ["Withheld here, perhaps enough", "Non publié ici, peut-être assez", (v, s) => pooled(v, s)],
};

const intervals: Record<string, string> = { t: "t", logit: "logit", "korn-graubard": "Korn–Graubard", hall: "Hall", fieller: "Fieller" };

/** methodFacts gives a statement's settings, in its order. */
export function methodFacts(method: string, s: Scope): Fact[] {
  return method.split("; ").map((part) => {
    const [, name, value] = /^([^=]*)=(.*)$/s.exec(part) ?? ["", "", part];
    const [english, french, said] = known[name!] ?? [name!, name!, asIs];
    return { name: s.t.language === "fr" ? french : english, text: said(value!, s) };
  });
}

function inWords(value: string, s: Scope, words: Record<string, [string, string]>): string {
  return words[value]?.[s.t.language === "fr" ? 1 : 0] ?? value;
}

function under(v: string, s: Scope): string {
  if (Number(v) === 0) return s.t.language === "fr" ? "rien" : "nothing";
  return s.t.under(Number(v));
}

function number(v: string, s: Scope): string {
  return Number.isFinite(Number(v)) ? s.n.whole(Number(v)) : v;
}

function percent(v: string, s: Scope): string {
  const x = Math.round(Number(v) * 1e4) / 100;
  return Number.isFinite(x) ? s.n.percent(x, Number.isInteger(x) ? 0 : 1) : v;
}

function between(all: readonly string[], s: Scope): string {
  return all.join(s.t.language === "fr" ? " au " : " to ");
}

/** trimmed says between which multiples of the mean weights are held; 0: no limit. */
function trimmed(v: string, s: Scope): string {
  const [floor, cap] = v.split(",").map(Number);
  const french = s.t.language === "fr";
  const out: string[] = [];
  if (floor) out.push(french ? `au moins ${s.n.significant(floor)} fois la moyenne` : `at least ${s.n.significant(floor)} times the mean`);
  if (cap) out.push(french ? `au plus ${s.n.significant(cap)} fois la moyenne` : `at most ${s.n.significant(cap)} times the mean`);
  return out.join(", ") || (french ? "non" : "no");
}

function pooled(v: string, s: Scope): string {
  const [from, to] = v.split("-");
  const months = from === to || to === undefined ? from! : s.t.language === "fr" ? `${from} à ${to}` : `${from} to ${to}`;
  return s.t.language === "fr" ? `pour la moyenne de ${months} mois` : `for the mean of ${months} months`;
}

/** sentenceOf gives a statement without its settings, which are for a machine. */
export function sentenceOf(method: string): string {
  return method.replace(/\u202f?; \w+=[^;\u202f]*/g, "");
}
