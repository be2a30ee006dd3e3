package audience

import (
	"math"

	"rollcall"
	"rollcall/aggregate/panel"
)

// A figure is judged by the raw persons behind it and by its own precision; none
// is withheld for another's sake. The base of a percentage holds its numerator,
// so that the numerator's persons are the fewest of the two.

// Persons estimates how many people a term stands for.
func (v *View) Persons(t *panel.Term) rollcall.Measure {
	e := v.Weights.Linear(panel.Part{Factor: 1, Term: t})
	n := t.Users()
	if v.Settings.Status(n).Withheld() {
		return Withheld(rollcall.Below) // an interval costs more than everything else
	}
	return v.Settings.Level(e, v.Intervals.Audience(e, t), n)
}

// Percent estimates one term's persons as a percentage of another's, among whom
// they all are.
func (v *View) Percent(num, den *panel.Term) rollcall.Measure {
	e := v.Weights.NestedRatio(num, den)
	return v.proportion(e, num, den)
}

// proportion makes a percentage of an estimate between 0 and 1 of persons among
// a base that holds them.
func (v *View) proportion(e panel.Estimate, users, base *panel.Term) rollcall.Measure {
	if !e.Defined() {
		return Undefined()
	}
	if v.Few(users) {
		return Withheld(rollcall.Below)
	}
	return v.Settings.Measure(e.Scale(100), v.Intervals.Proportion(e, users, base).Scale(100), users.Users())
}

// Coverage estimates a term's persons as a percentage of the universe, or of
// the target in it. The universe is taken as fixed, so that it is as sure as
// the audience, whose status it has.
func (v *View) Coverage(t *panel.Term, audience rollcall.Status) rollcall.Measure {
	m := v.covered(t)
	if m.Status != rollcall.Undefined {
		m.Status = audience
	}
	return m
}

func (v *View) covered(t *panel.Term) rollcall.Measure {
	if v.in != nil {
		return v.Percent(t, v.targeted())
	}
	e := v.Weights.Linear(panel.Part{Factor: 1, Term: t}).Scale(1 / v.Weights.Universe())
	return v.proportion(e, t, v.Weights.Everyone())
}

// Mean estimates a figure per user: the total of amounts over the users.
func (v *View) Mean(amounts, users *panel.Term) rollcall.Measure {
	return v.Skewed(amounts, users, users.Users(), 1)
}

// Skewed makes a measure of a ratio that is no proportion of persons, times a
// factor, with an interval that allows for skewness.
func (v *View) Skewed(num, den *panel.Term, n int, factor float64) rollcall.Measure {
	if v.Settings.Status(n).Withheld() {
		return Withheld(rollcall.Below)
	}
	m := v.Weights.Mean(num, den)
	return v.Settings.Level(m.Scale(factor), v.Intervals.Mean(m).Scale(factor), n)
}

// Level makes a measure with the interval estimate +- q SE.
func (v *View) Level(e panel.Estimate, n int) rollcall.Measure {
	return v.Settings.Level(e, v.Intervals.Plain(e), n)
}

// Few reports whether a term's persons are too few to be shown.
func (v *View) Few(t *panel.Term) bool { return v.Settings.Status(t.Users()).Withheld() }

// Withheld is a measure without a number.
func Withheld(s rollcall.Status) rollcall.Measure {
	nan := math.NaN()
	return rollcall.Measure{Value: nan, SE: nan, Low: nan, High: nan, Status: s}
}

// Undefined is a figure that there is none of.
func Undefined() rollcall.Measure { return Withheld(rollcall.Undefined) }
