package report

import (
	"context"
	"slices"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/panel"
)

// incremental lists services in the order given, or by rank: the union down to
// each row, and what the row's service adds to those above it.
func incremental(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("service", "unique_audience", "incremental")
	v := j.view
	order := j.services
	if order == nil {
		order = standingOf(v).order(v.Listed())
	}
	steps := stepsOf(v, order)
	for k, s := range order {
		t.Rows = append(t.Rows, rollcall.Row{v.ID(s), v.Persons(steps[k].union), increment(v, steps, k)})
	}
	return t, nil
}

// step is the union of the services down to a row, with the persons that the
// row's service gains. At home only, or at work only, a union can lose persons
// too: to a service that they use elsewhere.
type step struct {
	union, gained *panel.Term
	lost          int
}

func stepsOf(v *audience.View, order []int) []step {
	if v.Place == rollcall.HomeOnly || v.Place == rollcall.WorkOnly || v.Place == rollcall.Both {
		return stepsApart(v, order)
	}
	out := make([]step, len(order))
	found := make([]bool, v.Weights.Len())
	for k, s := range order {
		var gained []int32
		for _, i := range v.People(audience.SetOf(s)).At {
			if !found[i] {
				found[i] = true
				gained = append(gained, i)
			}
		}
		out[k].gained = v.Term(gained)
		out[k].union = out[k].gained
		if k > 0 {
			out[k].union = v.Weights.Plus(out[k-1].union, out[k].gained)
		}
	}
	return out
}

// stepsApart takes each union by itself.
func stepsApart(v *audience.View, order []int) []step {
	out := make([]step, len(order))
	var above []int32
	for k := range order {
		union := v.People(audience.SetOf(order[:k+1]...))
		at := union.At
		out[k] = step{union: union, gained: v.Term(without(at, above)), lost: len(without(above, at))}
		above = at
	}
	return out
}

// increment estimates how many more a row's union is than the one above. Its
// raw persons are those gained and lost; where either union is of too few, so is
// their difference.
func increment(v *audience.View, steps []step, k int) rollcall.Measure {
	s := steps[k]
	if k == 0 {
		return v.Persons(s.gained)
	}
	above := steps[k-1].union
	if v.Few(s.union) || v.Few(above) {
		return audience.Withheld(rollcall.Below)
	}
	if s.lost == 0 {
		return v.Persons(s.gained)
	}
	e := v.Weights.Linear(panel.Part{Factor: 1, Term: s.union}, panel.Part{Factor: -1, Term: above})
	return v.Settings.Measure(e, v.Intervals.Plain(e), s.gained.Users()+s.lost)
}

func without(all, some []int32) []int32 {
	return slices.DeleteFunc(slices.Clone(all), func(i int32) bool {
		_, found := slices.BinarySearch(some, i)
		return found
	})
}
