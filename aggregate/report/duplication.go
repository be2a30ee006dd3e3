package report

import (
	"context"

	"rollcall"
	"rollcall/aggregate/audience"
)

// duplication lists every ordered pair of services: read across, a row says how
// much of the first service's audience the other has too.
func duplication(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("service", "other", "duplication", "share_of_a", "index")
	v := j.view
	for _, a := range j.rows() {
		for _, b := range v.Listed() {
			if a != b {
				t.Rows = append(t.Rows, append(rollcall.Row{v.ID(a), v.ID(b)}, duplicated(v, a, b)...))
			}
		}
	}
	return t, nil
}

// duplicated gives the columns duplication, share_of_a and index of a pair.
func duplicated(v *audience.View, a, b int) []any {
	users, other, active := v.People(audience.SetOf(a)), v.People(audience.SetOf(b)), v.Active()
	shared := v.Shared(a, b)
	index := v.Weights.NestedIndex(shared, active, users, other).Scale(100)
	return []any{v.Persons(shared), v.Percent(shared, users), v.Level(index, shared.Users())}
}
