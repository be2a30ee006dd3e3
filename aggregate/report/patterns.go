package report

import (
	"context"

	"rollcall"
	"rollcall/aggregate/panel"
)

// pattern is the listed services that a person used at each place.
type pattern struct{ home, work set }

// patterns is a sample by what each person used where: few patterns occur, so
// that most questions are asked of each once.
type patterns struct {
	of   []int32 // by person: a position in list
	list []pattern
}

// patterns gives the sample's patterns under a credit rule. The first is of
// those who used nothing.
func (s *sample) patterns(credit Credit) *patterns {
	out, _ := s.byCredit.get(context.Background(), credit, func() (*patterns, int64, error) {
		p := &patterns{of: make([]int32, s.weights.Len()), list: make([]pattern, 1)}
		used := make([]pattern, s.weights.Len())
		s.each(func(person int32, k int, diaries []diary) {
			for i := range diaries {
				used[person].add(&diaries[i], s.names[k], credit)
			}
		})
		index := map[pattern]int32{{}: 0}
		for i, u := range used {
			at, ok := index[u]
			if !ok {
				at = int32(len(p.list))
				index[u] = at
				p.list = append(p.list, u)
			}
			p.of[i] = at
		}
		return p, 1, nil
	})
	return out
}

// add adds a diary's service, if it counts.
func (p *pattern) add(d *diary, names []int, credit Credit) {
	service := names[d.service]
	switch {
	case service < 0 || !credit.Counts(d.where.kind()):
	case d.where.place() == rollcall.Home:
		p.home = p.home.with(service)
	default:
		p.work = p.work.with(service)
	}
}

// counted is a view's patterns, with those who are of each: those outside the
// target used nothing in it.
type counted struct {
	patterns
	persons []int     // by pattern
	weight  []float64 // by pattern
}

// counted gives the view's patterns, the same at every place.
func (v *view) counted() *counted {
	base := v.at(HomeWork)
	return once(base, "patterns", func() *counted {
		p := base.patterns(base.credit)
		c := &counted{patterns: *p, persons: make([]int, len(p.list)), weight: make([]float64, len(p.list))}
		if base.in != nil {
			c.of = make([]int32, len(p.of))
		}
		for i, at := range p.of {
			if base.in == nil || base.in[i] {
				c.of[i] = at
				c.persons[at]++
				c.weight[at] += base.final[i]
			}
		}
		return c
	})
}

// matching says which of the patterns holds says yes to.
func (p *patterns) matching(holds func(pattern) bool) []bool {
	in := make([]bool, len(p.list))
	for k := range p.list {
		in[k] = holds(p.list[k])
	}
	return in
}

// having gives the persons of the patterns that holds says yes to, which is not
// the first.
func (c *counted) having(holds func(pattern) bool) []int32 {
	in, n := c.matching(holds), 0
	for k, yes := range in {
		if yes {
			n += c.persons[k]
		}
	}
	out, next := make([]int32, n+1), 0
	for i, k := range c.of {
		out[next] = int32(i)
		if in[k] { // no branch, where one would be taken at random
			next++
		}
	}
	return out[:n]
}

// weigh gives the weighted persons of the patterns that holds says yes to.
func (c *counted) weigh(holds func(pattern) bool) float64 {
	total := 0.0
	for k, yes := range c.matching(holds) {
		if yes {
			total += c.weight[k]
		}
	}
	return total
}

// used gives the services that those of a pattern are users of at the view's
// place.
func (v *view) used(p pattern) set { return servicesAt(v.place, p.home, p.work) }

// uses reports whether those of a pattern are users of any of some services at
// a place. The union is taken before the place: a person of "both" used any of
// the services at home, and any of them at work.
func uses(services set, at Place) func(pattern) bool {
	return func(p pattern) bool { return at.Has(p.home.meets(services), p.work.meets(services)) }
}

// people gives the users of any of some services.
func (v *view) people(services set) *panel.Term {
	out, _ := v.terms.get(context.Background(), services, func() (*panel.Term, int64, error) {
		return v.term(v.union(services)), 1, nil
	})
	return out
}

func (v *view) union(services set) []int32 { return v.counted().having(uses(services, v.place)) }
