package report

import (
	"math"

	"rollcall"
	"rollcall/aggregate/panel"
)

// A figure is judged by the raw persons behind it and by its own precision; none
// is withheld for another's sake. The base of a percentage holds its numerator,
// so that the numerator's persons are the fewest of the two.

// persons estimates how many people a term stands for.
func (v *view) persons(t *panel.Term) rollcall.Measure {
	e := v.weights.Linear(panel.Part{Factor: 1, Term: t})
	n := t.Users()
	if v.settings.Status(n).Withheld() {
		return blank(rollcall.Below) // an interval costs more than everything else
	}
	return v.settings.Level(e, v.intervals.Audience(e, t), n)
}

// percent estimates one term's persons as a percentage of another's, among whom
// they all are.
func (v *view) percent(num, den *panel.Term) rollcall.Measure {
	e := v.weights.NestedRatio(num, den)
	return v.proportion(e, num, den)
}

// proportion makes a percentage of an estimate between 0 and 1 of persons among
// a base that holds them.
func (v *view) proportion(e panel.Estimate, users, base *panel.Term) rollcall.Measure {
	if !e.Defined() {
		return undefinedMeasure()
	}
	if v.few(users) {
		return blank(rollcall.Below)
	}
	return v.settings.Measure(e.Scale(100), v.intervals.Proportion(e, users, base).Scale(100), users.Users())
}

// coverage estimates a term's persons as a percentage of the universe, or of
// the target in it. The universe is taken as fixed, so that it is as sure as
// the audience, whose status it has.
func (v *view) coverage(t *panel.Term, audience rollcall.Status) rollcall.Measure {
	m := v.covered(t)
	if m.Status != rollcall.Undefined {
		m.Status = audience
	}
	return m
}

func (v *view) covered(t *panel.Term) rollcall.Measure {
	if v.in != nil {
		return v.percent(t, v.targeted())
	}
	e := v.weights.Linear(panel.Part{Factor: 1, Term: t}).Scale(1 / v.weights.Universe())
	return v.proportion(e, t, v.weights.Everyone())
}

// mean estimates a figure per user: the total of amounts over the users.
func (v *view) mean(amounts, users *panel.Term) rollcall.Measure {
	return v.skewed(amounts, users, users.Users(), 1)
}

// skewed makes a measure of a ratio that is no proportion of persons, times a
// factor, with an interval that allows for skewness.
func (v *view) skewed(num, den *panel.Term, n int, factor float64) rollcall.Measure {
	if v.settings.Status(n).Withheld() {
		return blank(rollcall.Below)
	}
	m := v.weights.Mean(num, den)
	return v.settings.Level(m.Scale(factor), v.intervals.Mean(m).Scale(factor), n)
}

// level makes a measure with the interval estimate +- q SE.
func (v *view) level(e panel.Estimate, n int) rollcall.Measure {
	return v.settings.Level(e, v.intervals.Plain(e), n)
}

// few reports whether a term's persons are too few to be shown.
func (v *view) few(t *panel.Term) bool { return v.settings.Status(t.Users()).Withheld() }

// seal takes the numbers out of every withheld measure, so that no export can
// show them.
func seal(t *rollcall.Table) {
	for _, row := range t.Rows {
		for i, cell := range row {
			if m, ok := cell.(rollcall.Measure); ok && m.Status.Withheld() {
				row[i] = blank(m.Status)
			}
		}
	}
	if u := t.Meta.Universe; u != nil && u.Active.Status.Withheld() {
		u.Active = blank(u.Active.Status)
	}
}

func blank(s rollcall.Status) rollcall.Measure {
	nan := math.NaN()
	return rollcall.Measure{Value: nan, SE: nan, Low: nan, High: nan, Status: s}
}

func undefinedMeasure() rollcall.Measure { return blank(rollcall.Undefined) }
