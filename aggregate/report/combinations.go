package report

import (
	"cmp"
	"context"
	"slices"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/panel"
)

// combination is the persons who used exactly some services.
type combination struct {
	services audience.Set
	users    *panel.Term
}

// combined gives every combination that occurs, the largest first.
func combinationsOf(v *audience.View) []combination {
	return audience.Once(v, "combinations", func() []combination {
		c := v.Counted()
		slot, at := make([]int, len(c.List)), [][]int32{nil} // the first is of nobody's services
		slots := map[audience.Set]int{{}: 0}
		out := []combination{{}}
		for k, p := range c.List {
			services := v.Used(p)
			if _, ok := slots[services]; !ok {
				slots[services] = len(at)
				at, out = append(at, nil), append(out, combination{services: services})
			}
			slot[k] = slots[services]
		}
		for i, k := range c.Of {
			if slot[k] > 0 {
				at[slot[k]] = append(at[slot[k]], int32(i))
			}
		}
		for i := range out {
			out[i].users = v.Term(at[i])
		}
		out = slices.DeleteFunc(out, func(c combination) bool { return c.users.Users() == 0 })
		sortCombinations(out)
		return out
	})
}

// combinations lists who used exactly which services: sets that exclude each
// other. Withheld ones come last, in an order that says nothing.
func combinations(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("services", "unique_audience")
	v := j.view
	wanted := audience.SetOf(j.rows()...)
	var hidden []combination
	add := func(c combination, m rollcall.Measure) {
		names := []string{}
		for s := range c.services.Each {
			names = append(names, v.ID(s))
		}
		t.Rows = append(t.Rows, rollcall.Row{names, m})
	}
	for _, c := range combinationsOf(v) {
		switch {
		case !c.services.Meets(wanted):
		case v.Few(c.users):
			hidden = append(hidden, c)
		default:
			add(c, v.Persons(c.users))
		}
	}
	sortByServices(hidden)
	for _, c := range hidden {
		add(c, audience.Withheld(rollcall.Below))
	}
	return t, nil
}

// sortCombinations orders sets by audience, the largest first, then by what is
// in them.
func sortCombinations(list []combination) {
	slices.SortFunc(list, func(a, b combination) int {
		return cmp.Or(cmp.Compare(b.users.Total, a.users.Total), slices.Compare(a.services[:], b.services[:]))
	})
}

// sortByServices orders sets by what is in them alone.
func sortByServices(list []combination) {
	slices.SortFunc(list, func(a, b combination) int { return slices.Compare(a.services[:], b.services[:]) })
}
