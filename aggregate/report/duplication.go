package report

import (
	"context"

	"rollcall"
	"rollcall/aggregate/panel"
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
	shared := sharedUsers(v, a, b)
	index := v.weights.NestedIndex(shared, active, users, other).Scale(100)
	return []any{v.persons(shared), v.percent(shared, users), v.level(index, shared.Users())}
}

// shared gives the persons who used both services.
func sharedUsers(v *view, a, b int) *panel.Term {
	key := setOf(a, b)
	out, _ := v.pairs.get(context.Background(), key, func() (*panel.Term, int64, error) {
		return v.term(intersect(v.people(setOf(a)).At, v.people(setOf(b)).At)), 1, nil
	})
	return out
}

func intersect(a, b []int32) []int32 {
	var out []int32
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case b[j] < a[i]:
			j++
		default:
			out = append(out, a[i])
			i, j = i+1, j+1
		}
	}
	return out
}
