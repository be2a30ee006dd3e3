package delivery

import (
	"fmt"
	"strings"

	"rollcall/api/export"
)

// words are what mails say, in one language.
type words struct {
	locale                               export.Locale
	closed, notClosed, closedOn, details string // closedOn: of version, status and day
	statuses                             map[string]string
	causes                               map[string]string // why a month is not closed, and what to do
	interval, thousands                  string            // a heading, a note
	withheld, caution                    string
	simulated, again                     string
	any                                  string // the row of all services together
}

func wordsOf(l export.Locale) *words {
	if l == export.French {
		return &words{
			locale: l, closed: "version %d (%s)", notClosed: "non clos", closedOn: "Version %d (%s), close le %s.", details: "Détail (en anglais) : ",
			statuses: map[string]string{"preliminary": "préliminaire", "final": "définitive", "restated": "révisée"},
			causes: map[string]string{
				"files":      "Le fichier des panélistes ou l’univers du mois manque : chargez-les avec « rollcall panel load », et le mois sera clos dans l’heure.",
				"efficiency": "La qualité des pondérations est sous sa limite : corrigez les fichiers du mois, ou fermez-le vous-même avec « rollcall close ».",
				"incoherent": "Des chiffres du mois se contredisent : rien n’est publié avant que la cause n’en soit trouvée.",
				"invalid":    "Le mois ne peut pas être clos tel qu’il est.",
			},
			interval: "Intervalle", thousands: "Personnes en milliers.",
			withheld: "[x] : non publié, trop peu de personnes du panel.", caution: "* : à utiliser avec prudence.",
			simulated: "Simulé : ce ne sont pas des mesures de personnes réelles.",
			again:     "Ce mois sera examiné de nouveau toutes les heures ; ce message n’est envoyé qu’une fois par cause.",
			any:       "Au moins un service",
		}
	}
	return &words{
		locale: l, closed: "version %d (%s)", notClosed: "not closed", closedOn: "Version %d (%s), closed on %s.", details: "In detail: ",
		statuses: map[string]string{"preliminary": "preliminary", "final": "final", "restated": "restated"},
		causes: map[string]string{
			"files":      "The month's roster or universe is missing: load them with `rollcall panel load`, and the month is closed within the hour.",
			"efficiency": "The quality of the weights is under its limit: mend the month's files, or close it yourself with `rollcall close`.",
			"incoherent": "Figures of the month contradict each other: nothing is published until the cause is found.",
			"invalid":    "The month can't be closed as it is.",
		},
		interval: "Interval", thousands: "Persons in thousands.",
		withheld: "[x]: withheld, too few persons of the panel.", caution: "*: to be used with caution.",
		simulated: "Simulated: these are not measurements of real people.",
		again:     "The month is looked at again every hour; this message is sent once for each cause.",
		any:       "Any service",
	}
}

// number writes a number with so many decimals, and a true minus sign.
func (w *words) number(x float64, decimals int) string {
	return strings.Replace(w.locale.Number(x, decimals), "-", "−", 1)
}

// said is what a mail says.
type said struct{ subject, text, html string }

// refusal says why a month was not closed.
func (m *message) refusal() said {
	w := wordsOf(m.schedule.plan.locale)
	title := fmt.Sprintf("Rollcall: %s, %s, %s: %s", m.marketName(), m.Panel, m.Month, w.notClosed)
	lines := []string{title, "", w.causes[m.Cause], w.details + m.Text, "", w.again}
	if m.market.Simulated {
		lines = append(lines, w.simulated)
	}
	return said{subject: title, text: strings.Join(lines, "\n") + "\n"}
}

func (m *message) marketName() string {
	if m.market.Name == "" {
		return string(m.Market)
	}
	return m.market.Name
}
