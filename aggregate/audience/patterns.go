package audience

import (
	"context"

	"rollcall"
	"rollcall/aggregate/panel"
)

// Pattern is the listed services that a person used at each place.
type Pattern struct{ home, work Set }

// Patterns is a sample by what each person used where: few patterns occur, so
// that most questions are asked of each once.
type Patterns struct {
	Of   []int32 // by person: a position in list
	List []Pattern
}

// patterns gives the sample's patterns under a credit rule. The first is of
// those who used nothing.
func (s *Sample) patterns(credit rollcall.Credit) *Patterns {
	out, _ := s.byCredit.Get(context.Background(), credit, func() (*Patterns, int64, error) {
		p := &Patterns{Of: make([]int32, s.Weights.Len()), List: make([]Pattern, 1)}
		used := make([]Pattern, s.Weights.Len())
		s.each(func(person int32, k int, diaries []diary) {
			for i := range diaries {
				used[person].add(&diaries[i], s.names[k], credit)
			}
		})
		index := map[Pattern]int32{{}: 0}
		for i, u := range used {
			at, ok := index[u]
			if !ok {
				at = int32(len(p.List))
				index[u] = at
				p.List = append(p.List, u)
			}
			p.Of[i] = at
		}
		return p, 1, nil
	})
	return out
}

// add adds a diary's service, if it counts.
func (p *Pattern) add(d *diary, names []int, credit rollcall.Credit) {
	service := names[d.service]
	switch {
	case service < 0 || !credit.Counts(d.where.kind()):
	case d.where.place() == rollcall.Home:
		p.home = p.home.With(service)
	default:
		p.work = p.work.With(service)
	}
}

// Counted is a view's patterns, with those who are of each: those outside the
// target used nothing in it.
type Counted struct {
	Patterns
	persons []int     // by pattern
	weight  []float64 // by pattern
}

// Counted gives the view's patterns, the same at every place.
func (v *View) Counted() *Counted {
	base := v.At(rollcall.HomeWork)
	return Once(base, "patterns", func() *Counted {
		p := base.patterns(base.Credit)
		c := &Counted{Patterns: *p, persons: make([]int, len(p.List)), weight: make([]float64, len(p.List))}
		if base.in != nil {
			c.Of = make([]int32, len(p.Of))
		}
		for i, at := range p.Of {
			if base.in == nil || base.in[i] {
				c.Of[i] = at
				c.persons[at]++
				c.weight[at] += base.Final[i]
			}
		}
		return c
	})
}

// matching says which of the patterns holds says yes to.
func (p *Patterns) matching(holds func(Pattern) bool) []bool {
	in := make([]bool, len(p.List))
	for k := range p.List {
		in[k] = holds(p.List[k])
	}
	return in
}

// Having gives the persons of the patterns that holds says yes to, which is not
// the first.
func (c *Counted) Having(holds func(Pattern) bool) []int32 {
	in, n := c.matching(holds), 0
	for k, yes := range in {
		if yes {
			n += c.persons[k]
		}
	}
	out, next := make([]int32, n+1), 0
	for i, k := range c.Of {
		out[next] = int32(i)
		if in[k] { // no branch, where one would be taken at random
			next++
		}
	}
	return out[:n]
}

// Weigh gives the weighted persons of the patterns that holds says yes to.
func (c *Counted) Weigh(holds func(Pattern) bool) float64 {
	total := 0.0
	for k, yes := range c.matching(holds) {
		if yes {
			total += c.weight[k]
		}
	}
	return total
}

// Used gives the services that those of a pattern are users of at the view's
// place.
func (v *View) Used(p Pattern) Set { return servicesAt(v.Place, p.home, p.work) }

// servicesAt gives the services that someone uses at p, given those at home and at work.
func servicesAt(p rollcall.Place, home, work Set) Set {
	var out Set
	for i := range home {
		switch p {
		case rollcall.AtHome:
			out[i] = home[i]
		case rollcall.AtWork:
			out[i] = work[i]
		case rollcall.Both:
			out[i] = home[i] & work[i]
		case rollcall.HomeOnly:
			out[i] = home[i] &^ work[i]
		case rollcall.WorkOnly:
			out[i] = work[i] &^ home[i]
		default:
			out[i] = home[i] | work[i]
		}
	}
	return out
}

// Using reports whether those of a pattern are users of any of some services at
// a place. The union is taken before the place: a person of "both" used any of
// the services at home, and any of them at work.
func Using(services Set, at rollcall.Place) func(Pattern) bool {
	return func(p Pattern) bool { return at.Has(p.home.Meets(services), p.work.Meets(services)) }
}

// People gives the users of any of some services.
func (v *View) People(services Set) *panel.Term {
	out, _ := v.terms.Get(context.Background(), services, func() (*panel.Term, int64, error) {
		return v.Term(v.union(services)), 1, nil
	})
	return out
}

func (v *View) union(services Set) []int32 { return v.Counted().Having(Using(services, v.Place)) }

// Shared gives the persons who used both services.
func (v *View) Shared(a, b int) *panel.Term {
	both := SetOf(a, b)
	out, _ := v.pairs.Get(context.Background(), both, func() (*panel.Term, int64, error) {
		return v.Term(v.Counted().Having(func(p Pattern) bool { return v.Used(p).And(both) == both })), 1, nil
	})
	return out
}
