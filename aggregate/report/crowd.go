package report

import (
	"context"

	"rollcall"
)

// crowd is a sample by what each person used: of gives everyone's kind.
type crowd struct {
	of    []int32
	kinds []kind // the first is those who used nothing
}

// kind is the listed services that its persons used at each place.
type kind struct{ home, work set }

// crowd gives the sample's kinds under a credit rule.
func (s *sample) crowd(credit Credit) *crowd {
	out, _ := s.crowds.get(context.Background(), credit, func() (*crowd, int64, error) {
		c := &crowd{of: make([]int32, s.weights.Len()), kinds: make([]kind, 1)}
		for _, service := range s.listed() {
			one := setOf(service)
			c.divide(s.who(scope{credit, rollcall.Home}, service), kind{home: one})
			c.divide(s.who(scope{credit, rollcall.Work}, service), kind{work: one})
		}
		return c, 1, nil
	})
	return out
}

// divide divides every kind by who used something more.
func (c *crowd) divide(at []int32, more kind) {
	become := make([]int32, len(c.kinds))
	for _, i := range at {
		old := c.of[i]
		if become[old] == 0 {
			become[old] = int32(len(c.kinds))
			k := c.kinds[old]
			c.kinds = append(c.kinds, kind{k.home.or(more.home), k.work.or(more.work)})
		}
		c.of[i] = become[old]
	}
}

// count is how many of a kind there are.
type count struct {
	n, outside int     // in the target, and outside it
	weight     float64 // of those in it
}

// counts counts the view's kinds.
func (v *view) counts() []count {
	base := v.at(HomeWork)
	return once(base, "counts", func() []count {
		c := base.crowd(base.credit)
		out := make([]count, len(c.kinds))
		for i, k := range c.of {
			if base.in != nil && !base.in[i] {
				out[k].outside++
				continue
			}
			out[k].n++
			out[k].weight += base.final[i]
		}
		return out
	})
}

// having gives the view's persons of the kinds that holds says yes to.
func (v *view) having(holds func(kind) bool) []int32 {
	in := v.table(holds)
	var out []int32
	for i, k := range v.crowd(v.credit).of {
		if in[k] && (v.in == nil || v.in[i]) {
			out = append(out, int32(i))
		}
	}
	return out
}

func (v *view) table(holds func(kind) bool) []bool {
	kinds := v.crowd(v.credit).kinds
	in := make([]bool, len(kinds))
	for k := range kinds {
		in[k] = holds(kinds[k])
	}
	return in
}

// uses reports whether those of a kind are users of any of some services at the
// view's place.
func (v *view) uses(services set) func(kind) bool {
	return func(k kind) bool { return v.place.holds(k.home.meets(services), k.work.meets(services)) }
}
