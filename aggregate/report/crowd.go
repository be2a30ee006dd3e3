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

// gathering is a view's crowd: those outside the target used nothing in it.
type gathering struct {
	crowd
	counts []count // by kind
}

// gathering gives the view's crowd, the same at every place.
func (v *view) gathering() *gathering {
	base := v.at(HomeWork)
	return once(base, "gathering", func() *gathering {
		c := base.crowd(base.credit)
		g := &gathering{crowd: *c, counts: make([]count, len(c.kinds))}
		if base.in != nil {
			g.of = make([]int32, len(c.of))
		}
		for i, k := range c.of {
			if base.in != nil && !base.in[i] {
				g.counts[k].outside++
				continue
			}
			g.of[i] = k
			g.counts[k].n++
			g.counts[k].weight += base.final[i]
		}
		return g
	})
}

// having gives the persons of the kinds that holds says yes to, which is not
// the first.
func (g *gathering) having(holds func(kind) bool) []int32 {
	in, n := g.table(holds), 0
	for k, yes := range in {
		if yes {
			n += g.counts[k].n
		}
	}
	out, next := make([]int32, n+1), 0
	for i, k := range g.of {
		out[next] = int32(i)
		if in[k] { // no branch, where one would be taken at random
			next++
		}
	}
	return out[:n]
}

func (g *gathering) table(holds func(kind) bool) []bool {
	in := make([]bool, len(g.kinds))
	for k := range g.kinds {
		in[k] = holds(g.kinds[k])
	}
	return in
}

// used gives the services that those of a kind are users of at the view's place.
func (v *view) used(k kind) set { return servicesAt(v.place, k.home, k.work) }

// uses reports whether those of a kind are users of any of some services at the
// view's place.
func (v *view) uses(services set) func(kind) bool {
	return func(k kind) bool { return v.place.Has(k.home.meets(services), k.work.meets(services)) }
}

// users counts the users of any of some services.
func (v *view) users(services set) (n int) {
	g, uses := v.gathering(), v.uses(services)
	for k, kind := range g.kinds {
		if uses(kind) {
			n += g.counts[k].n
		}
	}
	return n
}
