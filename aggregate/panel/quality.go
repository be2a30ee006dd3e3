package panel

import (
	"slices"

	"rollcall"
)

// Grade judges the efficiency of the weights.
type Grade string

// The grades.
const (
	Good   Grade = "ok"
	Warn   Grade = "warn"   // efficiency under 80 %
	Review Grade = "review" // efficiency under 70 %
)

// Quality says what weighing has cost, as every report prints it.
type Quality struct {
	N          int            `json:"n"`
	Deff       float64        `json:"deff"`       // Kish's design effect
	NEff       float64        `json:"n_eff"`      // Kish's effective sample size
	Efficiency float64        `json:"efficiency"` // n_eff/n, 0 to 1
	Grade      Grade          `json:"grade"`
	MinWeight  float64        `json:"min_weight"` // persons
	MaxWeight  float64        `json:"max_weight"`
	Iterations int            `json:"iterations"` // sweeps over the margins
	Trimming   *rollcall.Trim `json:"trimming"`   // nil: none
	Margins    []Achieved     `json:"-"`
	Notes      []string       `json:"-"`
}

// Achieved is one category of a margin: its target and what the weights make of it.
type Achieved struct {
	Margin    string
	Category  string
	Target    float64 // persons, after scaling
	Achieved  float64 // persons
	Panelists int
}

// Quality gives the weights' quality.
func (w *Weights) Quality() Quality {
	final := w.Final()
	deff, nEff := Kish(final)
	q := Quality{
		N: len(final), Deff: deff, NEff: nEff, Efficiency: nEff / float64(len(final)),
		MinWeight: slices.Min(final), MaxWeight: slices.Max(final),
		Iterations: w.iterations, Margins: w.achieved(), Notes: w.frame.notes,
	}
	q.Grade = GradeOf(q.Efficiency)
	if w.trim.On() {
		trim := w.trim
		q.Trimming = &trim
	}
	return q
}

// Quality gives the quality of the weights of a mean of months: a person has the
// mean of its weights in the months, 0 where not in tab. Iterations are the most
// of any month, the notes those of all. It has no margins: each month has its own.
func (m *Months) Quality() Quality {
	weights := make([]float64, m.persons)
	for i, p := range m.people {
		weights[m.of[i]] += p.final
	}
	deff, nEff := Kish(weights)
	q := Quality{N: m.persons, Deff: deff, NEff: nEff, Efficiency: nEff / float64(m.persons), MinWeight: slices.Min(weights), MaxWeight: slices.Max(weights)}
	q.Grade = GradeOf(q.Efficiency)
	for _, w := range m.months {
		q.Iterations = max(q.Iterations, w.iterations)
		for _, note := range w.frame.notes {
			if !slices.Contains(q.Notes, note) {
				q.Notes = append(q.Notes, note)
			}
		}
	}
	return q
}

// Kish gives the design effect n*sum(w^2)/(sum w)^2 and the effective sample
// size (sum w)^2/sum(w^2) of weights (Kish 1965, Survey Sampling).
func Kish(weights []float64) (deff, nEff float64) {
	var sum, square float64
	for _, w := range weights {
		sum += w
		square += w * w
	}
	nEff = sum * sum / square
	return float64(len(weights)) / nEff, nEff
}

// GradeOf judges an efficiency, n_eff/n.
func GradeOf(efficiency float64) Grade {
	switch {
	case efficiency < 0.70:
		return Review
	case efficiency < 0.80:
		return Warn
	}
	return Good
}

func (w *Weights) achieved() []Achieved {
	var out []Achieved
	m := len(w.frame.axes)
	for k, a := range w.frame.axes {
		got := make([]float64, len(a.categories))
		for c, cell := range w.cellSums {
			got[w.cellCodes[c*m+k]] += cell.final
		}
		for c, category := range a.categories {
			out = append(out, Achieved{Margin: a.name, Category: category, Target: a.targets[c], Achieved: got[c], Panelists: a.panelists[c]})
		}
	}
	return out
}
