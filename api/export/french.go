package export

// frenchWords says in French what englishWords says in English, and the reports'
// own labels, definitions and notes, which are in English.
func frenchWords() *words {
	return &words{
		locale: French, colon: "\u00a0: ",
		months: [12]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
		reports: map[string]string{
			"ranking": "Classement des services", "trend": "Évolution des services", "duplication": "Duplication entre services",
			"combinations": "Combinaisons de services", "incremental": "Apport d’audience", "profile": "Profil des audiences",
			"frequency": "Fréquence d’utilisation", "curve": "Courbe de couverture", "loyalty": "Fidélité", "quality": "Qualité du redressement",
			"consistency": "Cohérence des chiffres", "census": "Recensement des comptes", "diff": "Écarts entre deux versions",
			"markets": "Marchés",
		},
		sheets: map[string]string{
			"ranking": "Classement", "trend": "Évolution", "duplication": "Duplication", "combinations": "Combinaisons",
			"incremental": "Apport", "profile": "Profil", "frequency": "Fréquence", "curve": "Courbe", "loyalty": "Fidélité",
			"quality": "Qualité", "consistency": "Cohérence", "census": "Recensement", "diff": "Écarts", "markets": "Marchés",
		},
		places: map[string]string{
			"home": "à domicile", "work": "au travail", "home+work": "à domicile et au travail", "both": "à la fois à domicile et au travail",
			"home-only": "à domicile seulement", "work-only": "au travail seulement", "all": "chaque lieu", "any": "tous lieux",
		},
		credits:  map[string]string{"presence": "crédit à la présence", "use": "crédit à l’usage"},
		versions: map[string]string{"preliminary": "préliminaire", "final": "définitive", "restated": "révisée", "provisional": "provisoire"},
		units: map[string]string{
			"persons": "personnes", "percent": "%", "minutes": "minutes", "sessions": "sessions", "days": "jours",
			"services": "services", "accounts": "comptes",
		},
		parts:   map[part]string{se: "erreur type", low: "borne basse", high: "borne haute", n: "n", status: "statut"},
		columns: frenchColumns(), notes: frenchNotes(), items: frenchItems(),
		shorthand: shorthand{
			below:          "Non disponible : trop peu de personnes du panel sont derrière le chiffre (statut below).",
			census:         "Confidentiel : trop peu de comptes sont derrière le chiffre (statut below).",
			belowDetection: "Non distinct de zéro : l’intervalle du chiffre atteint zéro (statut below_detection).",
			undefined:      "Sans objet : la ligne n’a pas ce chiffre, ou sa base est nulle ou absente (statut undefined).",
			caution:        "À lire avec prudence : peu de personnes sont derrière le chiffre, ou sa précision est faible (statut caution). Le chiffre est dans la cellule.",
		},
		cover: "Couverture", contents: "Sommaire", notesSheet: "Notes", definitions: "Définitions", details: "Détails", services: "Services", chart: "graphe",
		panel: "panel", version: "version", simulated: "Simulation : ce ne sont pas des mesures de personnes réelles.",
		live: "calculé à la demande, non publié", internal: "interne", toContents: "Aller au sommaire", toNotes: "Aller aux notes",
		sheetCol: "Feuille", titleCol: "Titre", rowsCol: "Lignes", columnsCol: "Colonnes", markCol: "Signe", textCol: "Sens", tableCol: "Tableau",
		labelCol: "Libellé", nameCol: "Nom de colonne", unitCol: "Unité", definitionCol: "Définition", itemCol: "Élément", valueCol: "Valeur",
		serviceCol: "Service", serviceName: "Nom", brandCol: "Marque", ownerCol: "Propriétaire",
		oneTable: "Cette feuille contient un tableau.", marks: "Les signes dans ses cellules, tels que [x], sont expliqués dans les notes.",
		source:     "Source",
		chartAbout: "Barres et points sont les chiffres, les moustaches leurs intervalles. Ce qui est retenu n’est pas dessiné.",
		below:      "sous le chiffre", above: "au-dessus du chiffre", low: "borne basse", high: "borne haute", page: "Page",
		sourceDate: "Date de la source", allTables: "Tous les tableaux",
		citeThus: "Si vous utilisez ces chiffres, merci de les citer ainsi.", documentHash: "Empreinte de ce dont les chiffres sont calculés", marksTitle: "Signes", pooled: "moyenne de %d mois", month: "Audience des messageries",
		limits:     "Les chiffres de moins de %d personnes du panel sont retenus ; ceux de moins de %d sont à lire avec prudence.",
		unlimited:  "Aucun chiffre n’est retenu ni signalé pour le nombre de personnes qui sont derrière lui.",
		minimum:    "Les chiffres de moins de %d comptes sont retenus.",
		confidence: "Les intervalles sont au niveau de confiance de %g %%.",
	}
}

func frenchNotes() map[string]string {
	return map[string]string{
		"The universe is taken as fixed: the enumeration study's own sampling error is not in the intervals.":                                           "L’univers est pris pour fixe : l’erreur d’échantillonnage de l’étude de cadrage n’est pas dans les intervalles.",
		"Use at unmetered places is not measured: figures at work, and at home and work combined, are lower bounds.":                                    "L’usage aux lieux non équipés n’est pas mesuré : les chiffres au travail, et à domicile et au travail réunis, sont des minorants.",
		"The panel is simulated: these are not measurements of real people.":                                                                            "Le panel est simulé : ce ne sont pas des mesures de personnes réelles.",
		"The market is simulated: these are not measurements of real people.":                                                                           "Le marché est simulé : ce ne sont pas des mesures de personnes réelles.",
		"What is below here may be enough for the mean of several months: ask for it with pool, # to # months.":                                         "Ce qui est retenu ici peut suffire pour la moyenne de plusieurs mois : à demander avec pool, de # à # mois.",
		"# of the # panelists in tab sent no event of any kind in the month: their meters may be silent.":                                               "Sur les panélistes présents, sans aucun événement dans le mois : # de #. Leurs compteurs sont peut-être muets.",
		"Each location is ranked for itself, and its reach is of its own active universe; the active universe given is that of home and work together.": "Chaque lieu est classé pour lui-même, et sa couverture porte sur son propre univers actif ; l’univers actif donné est celui du domicile et du travail réunis.",
		"Weighting efficiency is # %: warn.":   "L’efficacité du redressement est de # % : moyenne.",
		"Weighting efficiency is # %: review.": "L’efficacité du redressement est de # % : faible, à revoir.",
		"Pooled over # months, each with its own weights: totals are the mean of the months', ratios are of those totals, and a person is counted once. Changes are not pooled. The weights' quality is the last month's.": "Cumul de # mois, chacun avec ses poids : les totaux sont la moyenne de ceux des mois, les rapports sont ceux de ces totaux, et une personne est comptée une fois. Les évolutions ne sont pas cumulées. La qualité des poids est celle du dernier mois.",
		"The period touches # months: figures are of the panelists in tab in all of them, weighted anew to the last month's universe; # % of its sample is lost.":                                                          "La période touche # mois : les chiffres sont ceux des panélistes présents dans tous, redressés à nouveau sur l’univers du dernier mois ; # % de son échantillon est perdu.",
		"Damaged rows of diaries of this market and month were set aside when the figures were computed: #. The figures lack them, unless they had been rebuilt from the log.":                                             "Des lignes endommagées des journaux de ce marché et de ce mois étaient écartées au moment du calcul : #. Elles manquent aux chiffres, sauf si elles avaient été reconstruites à partir du journal d’événements.",
		"Damaged rows of cells of this market and of these months are set aside: #. The figures lack those of the days asked for, unless they have been rebuilt from the log.":                                             "Des lignes endommagées des cellules de ce marché et de ces mois sont écartées : #. Celles des jours demandés manquent aux chiffres, sauf si elles ont été reconstruites à partir du journal d’événements.",
		"Weights are trimmed; standard errors take no account of it.":                                             "Les poids sont écrêtés ; les erreurs types n’en tiennent pas compte.",
		"Computed live from facts that are not frozen: provisional, and not published.":                           "Calculé à la demande sur des faits qui ne sont pas figés : provisoire, et non publié.",
		"Accounts, not persons: one person may hold several accounts, and one account may serve several persons.": "Des comptes, non des personnes : une personne peut avoir plusieurs comptes, et un compte servir à plusieurs personnes.",
	}
}

func frenchItems() map[string]string {
	return map[string]string{
		"report": "Rapport", "market": "Marché", "panel": "Panel", "period": "Période", "location": "Lieu", "credit": "Crédit",
		"target": "Cible", "version": "Version", "status": "Statut", "reason": "Raison", "pool": "Mois cumulés", "universe": "Univers (personnes)",
		"document": "Document (SHA-256)", "software": "Logiciel", "method": "Méthode", "simulated": "Simulation",
	}
}

// frenchColumns are label and definition of each column.
// reason: a table is as long as there are columns.
func frenchColumns() map[string][2]string {
	return map[string][2]string{
		"service":             {"Service", "Le service, ou la marque ou le propriétaire qui en réunit plusieurs ; any réunit tous les services du rapport."},
		"level":               {"Niveau", "service, any, brand (marque) ou owner (propriétaire). Marques et propriétaires d’un seul service n’ont pas de ligne à eux."},
		"other":               {"Autre service", "Le service avec lequel l’audience est partagée."},
		"services":            {"Services", "Ont utilisé exactement ces services, et aucun autre."},
		"month":               {"Mois", "Mois du calendrier du marché."},
		"target":              {"Cible", "Les personnes dont parle la ligne ; en qualité, la population que donne la marge."},
		"days":                {"Jours", "Nombre de jours d’usage crédité dans la période, ou dans le mois d’une moyenne de mois : 3, de 2 à 3 (2-3), ou 15 et plus (15+)."},
		"day":                 {"Jour", "Jour de la période, ou du mois d’une moyenne de mois, à partir de 1."},
		"date":                {"Date", "Date du calendrier du marché ; aucune dans une moyenne de mois, dont les jours en ont plusieurs."},
		"margin":              {"Marge", "Marge de la population sur laquelle les poids sont calés."},
		"category":            {"Modalité", "Modalité de la marge."},
		"rank":                {"Rang", "Rang de compétition (1, 2, 2, 4) par audience unique non arrondie parmi les services dont l’audience est montrée ; un service retenu n’en a pas."},
		"rank_low":            {"Rang, borne basse", "Le meilleur rang compatible avec l’échantillon, au niveau de confiance, tous les rangs à la fois."},
		"rank_high":           {"Rang, borne haute", "Le moins bon rang compatible avec l’échantillon, au niveau de confiance, tous les rangs à la fois."},
		"rank_change":         {"Évolution du rang", "Rang du mois comparé moins rang actuel : positif, c’est une montée."},
		"tied_with":           {"À égalité avec", "Services dont l’écart d’audience unique n’est pas significatif."},
		"tie_group":           {"Groupe d’égalité", "Groupe d’un premier, pris dans l’ordre des rangs, et des services à égalité avec lui."},
		"significant":         {"Significatif", "Vrai si l’évolution est significative."},
		"multi_service":       {"Multi-services", "Part des utilisateurs de la ligne qui utilisent au moins deux de ses services."},
		"unique_audience":     {"Audience unique", "Personnes ayant utilisé le service au moins une fois dans la période au lieu donné ; chacune comptée une fois."},
		"gross":               {"Audience brute", "Somme des audiences uniques des services réunis ; une personne de plusieurs services compte plusieurs fois."},
		"services_per_user":   {"Services par utilisateur", "Audience brute / audience unique : combien des services réunis un utilisateur utilise, en moyenne."},
		"reach":               {"Couverture active", "100 x audience unique / univers actif du lieu."},
		"period_reach":        {"Couverture cumulée", "100 x audience unique depuis le début de la période / univers actif de toute la période. Ce n’est pas la couverture des jours écoulés."},
		"coverage":            {"Taux de pénétration", "100 x audience unique / univers."},
		"sessions_per_person": {"Sessions par personne", "Sessions (une nouvelle après plus de 30 minutes d’inactivité) par utilisateur."},
		"minutes_per_person":  {"Temps par personne", "Minutes créditées par utilisateur, lieux réunis."},
		"days_per_person":     {"Jours par personne", "Jours d’usage crédité par utilisateur."},
		"audience_share":      {"Part d’audience", "100 x audience unique / somme des audiences uniques de tous les services. Ce n’est pas la couverture."},
		"time_share":          {"Part de temps", "100 x minutes / somme des minutes de tous les services."},
		"exclusive":           {"Audience exclusive", "Personnes ayant utilisé ce service et aucun autre."},
		"loyalty":             {"Exclusivité", "100 x audience exclusive / audience unique."},
		"change":              {"Évolution", "Audience unique moins celle du mois comparé."},
		"change_percent":      {"Évolution relative", "Évolution en pour cent de l’audience unique du mois comparé."},
		"duplication":         {"Duplication", "Personnes ayant utilisé les deux services."},
		"share_of_a":          {"Part du service", "100 x duplication / audience unique du service de la ligne."},
		"index":               {"Indice", "100 : comme attendu. D’une paire : duplication x univers actif / (produit des audiences) ; d’une cible : couverture de la cible / couverture."},
		"incremental":         {"Apport", "Personnes que ce service ajoute aux services au-dessus de lui."},
		"composition":         {"Structure", "100 x personnes du service dans la cible / son audience unique."},
		"target_reach":        {"Couverture sur cible", "100 x personnes du service dans la cible / univers actif de la cible."},
		"share":               {"Part", "100 x personnes ayant ce nombre de jours / audience unique."},
		"k_plus":              {"Ce nombre de jours ou plus", "Personnes ayant utilisé le service ce nombre de jours ou plus ; d’une tranche, son premier ou plus."},
		"new":                 {"Nouveaux", "De l’audience du mois présente aux deux mois : sans usage le mois précédent ni dans les 12 derniers mois de présence."},
		"returned":            {"Revenus", "De l’audience du mois présente aux deux mois : sans usage le mois précédent, avec usage dans les 12 derniers mois de présence."},
		"retained":            {"Retenus", "De l’audience du mois présente aux deux mois : avec usage le mois précédent."},
		"lapsed":              {"Perdus", "De l’audience du mois précédent présente aux deux mois : sans usage ce mois."},
		"daily_audience":      {"Audience quotidienne", "Moyenne, sur les jours du calendrier qui ont existé, de l’audience unique du jour."},
		"stickiness":          {"Assiduité", "100 x audience quotidienne / audience unique."},
		"target_population":   {"Cible", "Population que donne la marge."},
		"achieved":            {"Obtenu", "Population que donnent les poids finals."},
		"rule":                {"Règle", "Règle de cohérence à laquelle obéissent les chiffres d’un même univers."},
		"checked":             {"Comparaisons", "Nombre de comparaisons faites."},
		"violations":          {"Violations", "Comparaisons qui rompent la règle, avec leurs chiffres."},
		"figure":              {"Chiffre", "Nom du chiffre."},
		"location":            {"Lieu", "home (domicile), work (travail), home+work (l’un ou l’autre, chacun une fois), both (les deux), home-only ou work-only."},
		"before":              {"Avant", "Le chiffre dans la première version."},
		"after":               {"Après", "Le chiffre dans la seconde version."},
		"unique_accounts":     {"Comptes uniques", "Comptes distincts du service sur toute la période, par réunion des esquisses des jours."},
		"account_minutes":     {"Minutes de compte", "Paires distinctes de compte et de minute créditée sur toute la période."},
		"exact":               {"Exact", "Vrai si les comptes sont assez peu nombreux pour être comptés un à un."},
	}
}
