package terminal

import "rollcall/api/export"

// words are what a table says of itself on a terminal beside what it says in
// every form, in one language.
type words struct {
	between                                           string // the ends of an interval
	yes, no, none, anyService, brand, owner, alsoUse  string
	reason, excluded, notHere, comparedWith           string
	reachOf, reachOfLast, targetReachOf, coverageOf   string
	caution, mayBeChance, belowPersons, belowAccounts string
	detection, absent, differenceChance, reachOfEach  string
}

func wordsOf(l export.Locale) *words {
	if l == export.French {
		return french()
	}
	return &words{
		between: ", ",
		yes:     "yes", no: "no", none: "No rows.", anyService: "any service", brand: "brand", owner: "owner",
		alsoUse: "Of the users of the service at the left, the share (%) that also uses the one above:",
		reason:  "Reason: ", excluded: "Excluded: ",
		notHere:       "Not shown here: %s. --format csv, json or xlsx has them.",
		comparedWith:  "Changes are from %s, version %d.",
		reachOf:       "Reach is of the active universe: %s thousand persons active %s.",
		reachOfLast:   "Reach is of each month's active universe; in the last month: %s thousand persons active %s.",
		targetReachOf: "Target reach is of the target's own active universe.",
		coverageOf:    "Coverage is of the whole universe: %s thousand persons.",
		caution:       "few persons stand behind the figure, or its precision is low: use with caution.",
		mayBeChance:   "the change may be chance.",
		belowPersons:  "withheld: under %d persons of the panel stand behind the figure.",
		belowAccounts: "withheld: under %d accounts stand behind the figure; a note says whose minimum that is.",
		detection:     "not told from zero.",
		absent:        "no such figure, or nothing to reckon it from.",

		differenceChance: "the difference from the market above may be chance.",
		reachOfEach:      "Reach is of each market's own active universe, in thousand persons active %s: %s.",
	}
}

// chanceOf says of what a report's mark tells that it may be chance.
func (w *words) chanceOf(report string) string {
	if report == "markets" {
		return w.differenceChance
	}
	return w.mayBeChance
}

func french() *words {
	return &words{
		between: "\u00a0; ",
		yes:     "oui", no: "non", none: "Aucune ligne.", anyService: "tout service", brand: "marque", owner: "propriétaire",
		alsoUse: "Des utilisateurs du service à gauche, la part (%) qui utilise aussi celui du haut\u00a0:",
		reason:  "Raison\u00a0: ", excluded: "Exclu\u00a0: ",
		notHere:       "Non montré ici\u00a0: %s. Voir --format csv, json ou xlsx.",
		comparedWith:  "Les évolutions sont depuis %s, version %d.",
		reachOf:       "La couverture porte sur l’univers actif\u00a0: %s milliers de personnes actives %s.",
		reachOfLast:   "La couverture porte sur l’univers actif de chaque mois\u00a0; le dernier mois\u00a0: %s milliers de personnes actives %s.",
		targetReachOf: "La couverture sur cible porte sur l’univers actif de la cible.",
		coverageOf:    "Le taux de pénétration porte sur tout l’univers\u00a0: %s milliers de personnes.",
		caution:       "peu de personnes sont derrière le chiffre, ou sa précision est faible\u00a0: à lire avec prudence.",
		mayBeChance:   "l’évolution peut être due au hasard.",
		belowPersons:  "non publié\u00a0: moins de %d personnes du panel sont derrière le chiffre.",
		belowAccounts: "non publié\u00a0: moins de %d comptes sont derrière le chiffre\u00a0; une note dit de qui est ce minimum.",
		detection:     "non distinct de zéro.",
		absent:        "pas de tel chiffre, ou rien pour le calculer.",

		differenceChance: "l’écart avec le marché au-dessus peut être dû au hasard.",
		reachOfEach:      "La couverture porte sur l’univers actif de chaque marché, en milliers de personnes actives %s\u00a0: %s.",
	}
}
