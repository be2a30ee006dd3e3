// What the page's own words mean, for somebody who reads them for the first time.
import type { Fact } from "./method";
import type { Scope } from "./figure";

/** peopleWords are those of the page of people; sure is the intervals' level. */
export function peopleWords(sure: string, s: Scope): Fact[] {
  return s.t.language === "fr"
    ? pairs({
      "Visiteurs uniques": "Les personnes qui ont utilisé un service dans le mois, chacune comptée une fois, si souvent qu’elle soit venue.",
      Couverture: "Les visiteurs uniques pour cent internautes\u00a0: 20\u202f% veut dire que sur cinq personnes en ligne dans le mois, une a utilisé le service.",
      Univers: "Toutes les personnes que le panel représente, internautes ou non. Leur nombre vient d’une étude de cadrage, pas du panel.",
      Intervalle: `Entre quoi et quoi est le vrai chiffre, à ${sure} de confiance. Le panel est un échantillon\u00a0: un autre aurait donné un chiffre un peu différent.`,
      "Retenus (in tab)": "Les panélistes qui comptent dans le mois\u00a0: inscrits sur sa liste et équipés d’un compteur, qu’ils aient utilisé un service ou non.",
    })
    : pairs({
      "Unique visitors": "The people who used a service in the month, each counted once, however often they came.",
      Reach: "Unique visitors out of every hundred people online: 20% means that of five people who were online in the month, one used the service.",
      Universe: "Everybody whom the panel stands for, online or not. How many they are comes from an enumeration study, not from the panel.",
      Interval: `Between what and what the true figure lies, with ${sure} confidence. The panel is a sample: another one would have given a slightly different figure.`,
      "In tab": "The panelists who count in the month: on its list and with a meter, whether they used any service or not.",
    });
}

/** accountsWords are those of the page of accounts. */
export function accountsWords(sure: string, s: Scope): Fact[] {
  return s.t.language === "fr"
    ? pairs({
      "Comptes uniques": "Les comptes qu’un service a vus dans la période, chacun compté une fois. Qui les a utilisés, personne ne l’a demandé.",
      Recensement: "Le compte de tous les comptes que les serveurs du service ont vus, sans échantillon.",
      Esquisse: `Un résumé des comptes, trop petit pour les tous retenir, dont leur nombre est estimé à 2\u202f% près environ\u202f; l’intervalle dit entre quoi et quoi il est, à ${sure} de confiance.`,
      Segment: "Une part des comptes, telle que l’exploitant du service les divise\u00a0: un ministère, une région, une offre.",
    })
    : pairs({
      "Unique accounts": "The accounts that a service saw in the period, each counted once. Who used them, nobody was asked.",
      Census: "A count of all the accounts that the service’s servers saw, without a sample.",
      Sketch: `A summary of accounts, too small to remember each, from which their number is estimated to within 2% or so; the interval says between what and what it lies, with ${sure} confidence.`,
      Segment: "A part of the accounts, as the service’s operator divides them: a ministry, a region, an offer.",
    });
}

function pairs(words: Record<string, string>): Fact[] {
  return Object.entries(words).map(([name, text]) => ({ name, text }));
}
