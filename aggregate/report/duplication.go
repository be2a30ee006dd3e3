package report

import (
	"context"

	"rollcall"
)

// duplication lists every ordered pair of services: read across, a row says how
// much of the first service's audience the other has too.
func duplication(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("service", "other", "duplication", "share_of_a", "index")
	v := j.view
	for _, a := range j.rows() {
		for _, b := range v.listed() {
			if a != b {
				t.Rows = append(t.Rows, append(rollcall.Row{v.id(a), v.id(b)}, duplicated(v, a, b)...))
			}
		}
	}
	return t, nil
}

// duplicated gives the columns duplication, share_of_a and index of a pair.
func duplicated(v *view, a, b int) []any {
	users, other, active := v.people(setOf(a)), v.people(setOf(b)), v.active()
	shared := v.shared(a, b)
	index := v.weights.NestedIndex(shared, active, users, other).Scale(100)
	return []any{v.persons(shared), v.percent(shared, users), v.level(index, shared.Users())}
}
