package audience

import (
	"rollcall"
	"rollcall/aggregate/panel"
)

// Pool makes the sample of the mean of some months, for services and places
// whose users are too few in each: the persons of each month, with its own
// weights, are rows that stand beside each other. A total is then the mean of
// the months' totals, a ratio one of such totals, and a person who is in several
// months is counted once.
func Pool(months []*Month) (*Sample, error) {
	last := months[len(months)-1]
	if !sameKey(months) {
		return nil, &rollcall.Invalid{Field: "pool", Reason: "spans months whose panelists' pseudonyms are of different keys", Code: "pool"}
	}
	weights := make([]*panel.Weights, len(months))
	for k, m := range months {
		weights[k] = m.Weights
	}
	pool := panel.Pool(weights...)
	roster := make([][]int32, len(months))
	for k, m := range months {
		roster[k] = make([]int32, pool.Len())
		for i := range roster[k] {
			roster[k][i] = -1
		}
		for i := range m.Roster.Panelists {
			roster[k][pool.Row(k, int32(i))] = int32(i)
		}
	}
	s := newSample(months, roster, last.Weights, last, months[0].Doc.Of.Month.First(), last.Doc.Of.Month.Last())
	s.pool, s.Weights, s.Final = pool, pool.Estimator, pool.Final()
	return s, nil
}

// Pooled reports whether the sample is a mean of months.
func (s *Sample) Pooled() bool { return s.pool != nil }

// pooledMembers says which rows are in a target, by each month's roster.
func (s *Sample) pooledMembers(t *Target) []bool {
	in := make([]bool, s.pool.Len())
	for k, m := range s.Months {
		for i, yes := range t.members(m.Columns, len(m.Roster.Panelists)) {
			in[s.pool.Row(k, int32(i))] = yes
		}
	}
	return in
}
