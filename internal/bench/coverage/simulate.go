package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"

	"rollcall"
	"rollcall/aggregate/panel"
)

// The names of the figures that are judged.
const (
	change        = "change, 40 %"
	changePercent = "change %, 40 %"
	difference    = "40 % less 17 %"
	pastAudience  = "unique audience, 40 %, the month before"
)

func audience(s service) string    { return "unique audience, " + s.name }
func reach(s service) string       { return "active reach %, " + s.name }
func duplication(s service) string { return "duplication of 40 % and " + s.name }
func shareOfA(s service) string    { return "share of 40 % that uses " + s.name }
func perPerson(s service, sigma float64) string {
	return fmt.Sprintf("minutes per person, %s, sigma %.1f", s.name, sigma)
}

// level is the intervals' confidence.
const level = 0.95

// figure is one estimate and its interval.
type figure struct {
	panel.Estimate
	panel.Interval
	users int
}

// score is what the panels said of one figure.
type score struct {
	truth, sum, square, errors float64
	panels, under, over, users int // under and over: the interval is under the truth, or over it
}

func (s *score) add(f figure) {
	s.panels++
	s.users += f.users
	s.sum += f.Value
	s.square += (f.Value - s.truth) * (f.Value - s.truth)
	s.errors += f.SE
	switch {
	case !(s.truth <= f.High):
		s.under++
	case !(f.Low <= s.truth):
		s.over++
	}
}

func (s *score) coverage() float64 {
	return 100 * float64(s.panels-s.under-s.over) / float64(s.panels)
}

// result is the scores by figure, in the order printed.
type result struct {
	names  []string
	scores map[string]*score
}

// simulate draws panels, each of two months, calibrates them as asked, and scores
// their figures.
func simulate(ctx context.Context, p *population, r recruiting, c calibrating, panels int, seed uint64) (*result, error) {
	out := &result{scores: map[string]*score{}}
	universe := p.universe()
	for k := range panels {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		o := &observer{population: p, census: c.draw(rand.New(rand.NewPCG(seed+1, uint64(k)+1))), out: func(name string, f figure) {
			if out.scores[name] == nil {
				out.names = append(out.names, name)
				out.scores[name] = &score{truth: p.truth[name]}
			}
			out.scores[name].add(f)
		}}
		if err := o.observe(rand.New(rand.NewPCG(seed, uint64(k)+1)), r, universe); err != nil {
			return nil, fmt.Errorf("panel %d: %w", k, err)
		}
	}
	return out, nil
}

// observer estimates the figures of one panel.
type observer struct {
	*population
	census  *census
	people  []int32 // of this month's panel
	weights *panel.Weights
	in      panel.Intervals
	out     func(name string, f figure)
}

// observe draws one panel and estimates every figure from it.
func (o *observer) observe(rng *rand.Rand, r recruiting, universe *rollcall.Population) error {
	first := o.recruit(rng, r, nil)
	second := o.recruit(rng, r, first)
	then, roster := o.panelists(first)
	past := o.census.users(0, func(int) panel.Variable { return o.using(then, before) }, func(int) float64 { return o.truth[pastAudience] })
	earlier, err := panel.Rake(roster, universe, rollcall.Trim{}, past...)
	if err != nil {
		return err
	}
	o.people, roster = o.panelists(second)
	users := o.census.users(1, func(s int) panel.Variable { return o.using(o.people, 1<<s) }, func(s int) float64 { return o.truth[audience(services()[s])] })
	if o.weights, err = panel.Rake(roster, universe, rollcall.Trim{}, users...); err != nil {
		return err
	}
	o.in = o.weights.Intervals(level)
	o.month()
	pair := panel.Compare(o.weights, earlier)
	now := o.users(1)
	moved, in := pair.TermChange(now, earlier.Term(o.using(then, before))), pair.Intervals(level)
	percent, _ := in.Percent(moved)
	o.out(change, figure{moved.Absolute, in.Plain(moved.Absolute), now.Users()})
	o.out(changePercent, figure{moved.Percent, percent, now.Users()})
	return nil
}

// using makes the 0/1 variable of a use.
func (o *observer) using(people []int32, use uint8) panel.Variable {
	var v panel.Variable
	for k, i := range people {
		if o.population.people[i].has(use) {
			v.At = append(v.At, int32(k))
		}
	}
	return v
}

func (o *observer) users(use uint8) *panel.Term { return o.weights.Term(o.using(o.people, use)) }

// month estimates the figures of this month.
func (o *observer) month() {
	online, large := o.users(active), o.users(1)
	for s, service := range services() {
		used := o.users(1 << s)
		o.persons(audience(service), used)
		o.percent(reach(service), used, online)
		if s == 1 || s == 2 {
			both := o.users(1 | 1<<s)
			o.persons(duplication(service), both)
			o.percent(shareOfA(service), both, large)
		}
	}
	less := o.weights.Linear(panel.Part{Factor: 1, Term: large}, panel.Part{Factor: -1, Term: o.users(2)})
	o.out(difference, figure{less, o.in.Plain(less), large.Users()})
	for s, service := range services()[:timed] {
		used := o.users(1 << s)
		for k, sigma := range sigmas() {
			o.mean(perPerson(service, sigma), s, k, used)
		}
	}
}

func (o *observer) persons(name string, users *panel.Term) {
	e := o.weights.Linear(panel.Part{Factor: 1, Term: users})
	o.out(name, figure{e, o.in.Audience(e, users), users.Users()})
}

func (o *observer) percent(name string, num, den *panel.Term) {
	e := o.weights.NestedRatio(num, den)
	o.out(name, figure{e.Scale(100), o.in.Proportion(e, num, den).Scale(100), num.Users()})
}

// mean estimates minutes per person; a panel without a user has no such figure.
func (o *observer) mean(name string, service, sigma int, users *panel.Term) {
	minutes := panel.Variable{At: users.At}
	for _, k := range users.At {
		minutes.Values = append(minutes.Values, float64(o.population.people[o.people[k]].minutes[service][sigma]))
	}
	if m := o.weights.Mean(o.weights.Term(minutes), users); m.Defined() {
		o.out(name, figure{m.Estimate, o.in.Mean(m), users.Users()})
	}
}

// print writes a line a figure: bias and standard error beside what they
// should be, and the coverage.
func (r *result) print(out io.Writer) {
	fmt.Fprintf(out, "%-40s %6s %12s %8s %10s %10s %10s %7s %7s\n", "figure", "users", "truth", "bias", "RMSE", "mean SE", "coverage", "under", "over")
	for _, name := range r.names {
		s := r.scores[name]
		n := float64(s.panels)
		fmt.Fprintf(out, "%-40s %6.0f %12.2f %6.1f %% %10.2f %10.2f %8.2f %% %5.2f %% %5.2f %%\n", name, float64(s.users)/n, s.truth,
			100*(s.sum/n-s.truth)/math.Abs(s.truth), math.Sqrt(s.square/n), s.errors/n, s.coverage(), 100*float64(s.under)/n, 100*float64(s.over)/n)
	}
}

// bounds gives the coverage that a figure must have, in percent. Exact intervals
// of a few users are conservative; means of very skewed minutes, or of few
// users, cover less, and how much is what the table is for.
func (s *score) bounds(name string) (low, high float64) {
	switch users := float64(s.users) / float64(s.panels); {
	case strings.HasPrefix(name, "minutes"):
		if strings.HasSuffix(name, "sigma 1.8") || users < 300 {
			return 0, 100
		}
		return 92, 96
	case users < 30:
		return 94, 100
	}
	return 94, 96
}

// check fails where a coverage is outside its bounds by more than 2.6 standard
// errors of the simulation.
func (r *result) check() error {
	var odd []string
	for _, name := range r.names {
		s := r.scores[name]
		low, high := s.bounds(name)
		slack := 100 * 2.6 * math.Sqrt(0.05*0.95/float64(s.panels))
		if c := s.coverage(); c < low-slack || c > high+slack {
			odd = append(odd, fmt.Sprintf("%s %.2f %%, want %g to %g %%", name, c, low, high))
		}
	}
	if len(odd) > 0 {
		return fmt.Errorf("coverage outside its bounds: %s", strings.Join(odd, "; "))
	}
	return nil
}
