// Package coherence holds figures of one universe against METHOD's rules: what
// breaks one is neither published nor reported.
package coherence

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"rollcall"
	"rollcall/aggregate/audience"
)

// figures are what the rules of METHOD's section 6 compare: the weighted
// figures of one credit rule, period and target.
type figures struct {
	universe float64
	active   map[rollcall.Place]float64 // at home, at work, at either
	services []figure
	unions   []figure
	pairs    []pairFigure
}

// figure is a service's, or a union's.
type figure struct {
	name      string
	audience  map[rollcall.Place]float64 // every place
	parts     []int                      // of a union: services by position in figures.services
	sessions  float64
	curve     []float64 // by day of the period, cumulated
	frequency []float64 // by number of days, from 1
	exclusive float64
}

// pairFigure is a duplication, its services by position in figures.services.
type pairFigure struct {
	a, b   int
	shared float64
}

// Violation is a rule that figures break.
type Violation struct {
	Rule string // its name
	Text string // what breaks it, with the figures
}

// Incoherent lists what keeps a month from being published.
type Incoherent struct {
	Of         rollcall.PanelMonth
	Violations []Violation
}

// Error gives one line: every violation, by name and figures.
func (e *Incoherent) Error() string {
	texts := make([]string, len(e.Violations))
	for i, v := range e.Violations {
		texts[i] = v.Rule + ": " + v.Text
	}
	return fmt.Sprintf("the figures of %s are not of one universe: %s", e.Of.Month, strings.Join(texts, "; "))
}

// Is reports that an Incoherent is a rollcall.ErrIncoherent.
func (e *Incoherent) Is(target error) bool { return target == rollcall.ErrIncoherent }

// Comparisons are the figures of a view held against every rule.
type Comparisons struct {
	Checked    map[string]int // how many were made, by rule
	Violations []Violation
}

// Rules lists the rules' names in METHOD's order.
func Rules() []string {
	return []string{"combined", "both", "union", "subset", "curve", "frequency", "sessions", "bounds", "duplication", "exclusive"}
}

// slack is what rounding may make of equal figures, relative.
const slack = 1e-9

// under checks that less is not above more.
func (b *Comparisons) under(rule, what string, less, more float64) {
	b.Checked[rule]++
	if !(less <= more+slack*math.Max(1, math.Abs(more))) {
		b.Violations = append(b.Violations, Violation{rule, fmt.Sprintf("%s: %.6g is above %.6g", what, less, more)})
	}
}

// same checks that two figures are equal.
func (b *Comparisons) same(rule, what string, x, y float64) {
	b.Checked[rule]++
	if !(math.Abs(x-y) <= slack*math.Max(1, math.Max(math.Abs(x), math.Abs(y)))) {
		b.Violations = append(b.Violations, Violation{rule, fmt.Sprintf("%s: %.6g is not %.6g", what, x, y)})
	}
}

// check applies every rule.
func (f *figures) check() *Comparisons {
	b := &Comparisons{Checked: map[string]int{}}
	for _, s := range slices.Concat(f.services, f.unions) {
		b.places(s)
		b.bounds(s, f)
	}
	for i, s := range f.services {
		b.service(s)
		for _, u := range f.unions {
			if slices.Contains(u.parts, i) {
				for _, p := range []rollcall.Place{rollcall.AtHome, rollcall.AtWork, rollcall.HomeWork} {
					b.under("subset", s.name+" in "+u.name+" at "+string(p), s.audience[p], u.audience[p])
				}
			}
		}
	}
	for _, u := range f.unions {
		b.union(u, f.services)
	}
	for _, p := range f.pairs {
		x, y := f.services[p.a], f.services[p.b]
		b.under("duplication", x.name+" and "+y.name, p.shared, math.Min(x.audience[rollcall.HomeWork], y.audience[rollcall.HomeWork]))
	}
	return b
}

func (b *Comparisons) places(s figure) {
	home, work, either, both := s.audience[rollcall.AtHome], s.audience[rollcall.AtWork], s.audience[rollcall.HomeWork], s.audience[rollcall.Both]
	b.under("combined", s.name+", the larger of home and work against home+work", math.Max(home, work), either)
	b.under("combined", s.name+", home+work against home and work added", either, home+work)
	// Sums of one size, so that slack is relative to what was added.
	b.same("both", s.name+", both and home+work against home and work", both+either, home+work)
	b.under("both", s.name+", 0 against both", 0, both)
	for _, p := range []rollcall.Place{rollcall.Both, rollcall.HomeOnly} {
		b.under("subset", s.name+", "+string(p)+" in home", s.audience[p], home)
	}
	for _, p := range []rollcall.Place{rollcall.Both, rollcall.WorkOnly} {
		b.under("subset", s.name+", "+string(p)+" in work", s.audience[p], work)
	}
}

func (b *Comparisons) bounds(s figure, f *figures) {
	for _, p := range []rollcall.Place{rollcall.AtHome, rollcall.AtWork, rollcall.HomeWork} {
		b.under("bounds", s.name+" in the active universe at "+string(p), s.audience[p], f.active[p])
		b.under("bounds", "the active universe at "+string(p)+" in the universe", f.active[p], f.universe)
	}
}

func (b *Comparisons) union(u figure, services []figure) {
	for _, p := range []rollcall.Place{rollcall.AtHome, rollcall.AtWork, rollcall.HomeWork} {
		sum := 0.0
		for _, i := range u.parts {
			sum += services[i].audience[p]
		}
		b.under("union", u.name+" against the sum of its services at "+string(p), u.audience[p], sum)
	}
}

func (b *Comparisons) service(s figure) {
	total := s.audience[rollcall.HomeWork]
	last, sum := 0.0, 0.0
	for d, x := range s.curve {
		b.under("curve", fmt.Sprintf("%s, day %d against day %d", s.name, d, d+1), last, x)
		last = x
	}
	b.same("curve", s.name+", the last day against the period", last, total)
	for _, x := range s.frequency {
		sum += x
	}
	b.same("frequency", s.name+", the days' persons added against the audience", sum, total)
	b.under("sessions", s.name+", persons against sessions", total, s.sessions)
	b.under("exclusive", s.name, s.exclusive, total)
}

// Of gives the view's figures, at every place, held against the rules.
func Of(v *audience.View) *Comparisons {
	base := v.At(rollcall.HomeWork)
	return audience.Once(base, "rules", func() *Comparisons { return figuresOf(base).check() })
}

// CheckView fails with an *Incoherent where the view's figures break a rule.
func CheckView(v *audience.View) error {
	return Of(v).Refusal(v.Last().Doc.Of)
}

// Refusal is an *Incoherent where a rule is broken.
func (b *Comparisons) Refusal(of rollcall.PanelMonth) error {
	if len(b.Violations) == 0 {
		return nil
	}
	return &Incoherent{Of: of, Violations: b.Violations}
}

// Check holds both credit rules' figures of the month against the rules, and
// fails with an *Incoherent where they break one.
func Check(m *audience.Month) error {
	for _, credit := range []rollcall.Credit{rollcall.ByPresence, rollcall.ByUse} {
		if err := CheckView(m.Whole.View(credit, rollcall.HomeWork, nil)); err != nil {
			return err
		}
	}
	return nil
}

// figuresOf computes what the rules compare; the view is of home+work.
func figuresOf(v *audience.View) *figures {
	f := &figures{universe: v.Weights.Universe(), active: map[rollcall.Place]float64{}}
	for _, p := range []rollcall.Place{rollcall.AtHome, rollcall.AtWork, rollcall.HomeWork} {
		f.active[p] = v.At(p).Active().Total
	}
	listed := v.Listed()
	for _, s := range listed {
		f.services = append(f.services, figureOf(v, s))
	}
	for _, g := range append([]audience.Group{v.All()}, v.Groups()...) {
		u := figure{name: g.Level + " " + g.Name, audience: audienceByPlace(v, g.Services)}
		for i, s := range listed {
			if g.Services.Has(s) {
				u.parts = append(u.parts, i)
			}
		}
		f.unions = append(f.unions, u)
	}
	for i, a := range listed {
		f.services[i].exclusive = v.Counted().Weigh(func(p audience.Pattern) bool { return v.Used(p) == audience.SetOf(a) })
		for k, b := range listed[:i] {
			shared := func(p audience.Pattern) bool { return v.Used(p).Has(a) && v.Used(p).Has(b) }
			f.pairs = append(f.pairs, pairFigure{i, k, v.Counted().Weigh(shared)})
		}
	}
	return f
}

// audienceByPlace weighs some services' users at every place.
func audienceByPlace(v *audience.View, services audience.Set) map[rollcall.Place]float64 {
	out := map[rollcall.Place]float64{}
	for _, p := range rollcall.Places() {
		out[p] = v.Counted().Weigh(audience.Using(services, p))
	}
	return out
}

func figureOf(v *audience.View, s int) figure {
	u := v.Use(audience.SetOf(s))
	out := figure{name: v.ID(s), audience: audienceByPlace(v, audience.SetOf(s))}
	out.audience[rollcall.HomeWork] = v.Weigh(u.At) // from the minutes, the others from what was used where
	out.curve, out.frequency = make([]float64, v.Days()), make([]float64, v.Days())
	for i, person := range u.At {
		out.sessions += v.Final[person] * float64(u.Sessions[i])
		out.curve[v.FirstDay(u, i)] += v.Final[person]
		out.frequency[u.DayCount(i)-1] += v.Final[person]
	}
	for d := range out.curve[1:] {
		out.curve[d+1] += out.curve[d]
	}
	return out
}
