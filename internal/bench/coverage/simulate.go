package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"rollcall"
	"rollcall/aggregate/panel"
)

// The figures that are judged.
const (
	audience      = "unique audience"
	reach         = "active reach %"
	duplication   = "duplication"
	shareOfA      = "duplication, share of a %"
	perPerson     = "minutes per person"
	change        = "change"
	changePercent = "change %"
)

// level is the intervals' confidence.
const level = 0.95

// kept is the part of a panel that stays from one month to the next.
const kept = 0.8

// figure is one estimate and its interval.
type figure struct {
	panel.Estimate
	panel.Interval
}

// score is what the panels said of one figure.
type score struct {
	truth, sum, square, errors float64
	panels, hits               int
}

func (t *score) add(f figure) {
	t.panels++
	t.sum += f.Value
	t.square += (f.Value - t.truth) * (f.Value - t.truth)
	t.errors += f.SE
	if f.Low <= t.truth && t.truth <= f.High {
		t.hits++
	}
}

func (t *score) coverage() float64 { return 100 * float64(t.hits) / float64(t.panels) }

// result is the scores by figure.
type result map[string]*score

// simulate draws panels, each of two months, and scores their figures.
func simulate(ctx context.Context, p *population, panels, size int, seed uint64) (result, error) {
	out := result{}
	for name, truth := range p.truth {
		out[name] = &score{truth: truth}
	}
	universe := p.universe()
	for k := range panels {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		figures, err := p.observe(rand.New(rand.NewPCG(seed, uint64(k)+1)), universe, size)
		if err != nil {
			return nil, fmt.Errorf("panel %d: %w", k, err)
		}
		for name, f := range figures {
			out[name].add(f)
		}
	}
	return out, nil
}

// observe draws one panel and estimates every figure from it.
func (p *population) observe(rng *rand.Rand, universe *rollcall.Population, size int) (map[string]figure, error) {
	first := p.draw(rng, nil, size)
	second := p.draw(rng, first[int(float64(size)*(1-kept)):], size)
	before, err := panel.Rake(p.roster(first), universe, rollcall.Trim{})
	if err != nil {
		return nil, err
	}
	now, err := panel.Rake(p.roster(second), universe, rollcall.Trim{})
	if err != nil {
		return nil, err
	}
	figures := p.level(now, second)
	pair := panel.Compare(now, before)
	moved, in := pair.TermChange(now.Term(p.users(second, big)), before.Term(p.users(first, bigBefore))), pair.Intervals(level)
	figures[change] = figure{moved.Absolute, in.Plain(moved.Absolute)}
	figures[changePercent] = figure{moved.Percent, in.Plain(moved.Percent)}
	return figures, nil
}

// draw recruits until there are size panelists, those already in first. A
// person answers more or less readily by sex, age and region; the lively
// regions are asked twice as often, which base weights know.
func (p *population) draw(rng *rand.Rand, in []int, size int) []int {
	out := slices.Clone(in)
	taken := make(map[int]bool, size)
	for _, i := range in {
		taken[i] = true
	}
	for len(out) < size {
		i := rng.IntN(len(p.people))
		sex, age, region := split(p.people[i].cell)
		answers := (0.6 + 0.3*float64(sex)) * (1 - 0.2*float64(age)) * (1 - 0.1*float64(region)) / baseWeight(region)
		if taken[i] || rng.Float64() >= answers {
			continue
		}
		taken[i] = true
		out = append(out, i)
	}
	return out
}

func baseWeight(region int) float64 {
	if region >= 3 {
		return 1
	}
	return 2
}

func (p *population) roster(people []int) *rollcall.Roster {
	r := &rollcall.Roster{Columns: []string{"sex", "age", "region"}, Panelists: make([]rollcall.Panelist, len(people))}
	for k, i := range people {
		cell := p.people[i].cell
		_, _, region := split(cell)
		r.Panelists[k] = rollcall.Panelist{ID: rollcall.Visitor(i), Metered: rollcall.Home, BaseWeight: baseWeight(region), Categories: categories(cell)}
	}
	return r
}

// users makes the 0/1 variable of a use.
func (p *population) users(people []int, use uint8) panel.Variable {
	var v panel.Variable
	for k, i := range people {
		if p.people[i].has(use) {
			v.At = append(v.At, int32(k))
		}
	}
	return v
}

// level estimates the figures of one month.
func (p *population) level(w *panel.Weights, people []int) map[string]figure {
	in := w.Intervals(level)
	online, large, both := p.users(people, active), p.users(people, big), p.users(people, big|small)
	minutes := panel.Variable{At: large.At}
	for _, k := range large.At {
		minutes.Values = append(minutes.Values, float64(p.people[people[k]].minutes))
	}
	persons := func(v panel.Variable) figure {
		users := w.Term(v)
		e := w.Linear(panel.Part{Factor: 1, Term: users})
		return figure{e, in.Audience(e, users)}
	}
	percent := func(num, den panel.Variable) figure {
		some, all := w.Term(num), w.Term(den)
		e := w.NestedRatio(some, all)
		return figure{e.Scale(100), in.Proportion(e, some, all).Scale(100)}
	}
	mean := w.NestedRatio(w.Term(minutes), w.Term(large))
	return map[string]figure{
		audience: persons(large), duplication: persons(both),
		reach: percent(large, online), shareOfA: percent(both, large),
		perPerson: {mean, in.Plain(mean)},
	}
}

// print writes a line a figure: bias and standard error beside what they
// should be, and the coverage.
func (r result) print(out io.Writer) {
	fmt.Fprintf(out, "%-26s %12s %12s %10s %10s %9s\n", "figure", "truth", "mean", "RMSE", "mean SE", "coverage")
	for _, name := range r.names() {
		t := r[name]
		n := float64(t.panels)
		fmt.Fprintf(out, "%-26s %12.2f %12.2f %10.2f %10.2f %7.2f %%\n", name, t.truth, t.sum/n, math.Sqrt(t.square/n), t.errors/n, t.coverage())
	}
}

func (r result) names() []string {
	return []string{audience, reach, duplication, shareOfA, perPerson, change, changePercent}
}

// check fails where a coverage is outside the bounds, in percent.
func (r result) check(low, high float64) error {
	var odd []string
	for _, name := range r.names() {
		if c := r[name].coverage(); c < low || c > high {
			odd = append(odd, fmt.Sprintf("%s %.2f %%", name, c))
		}
	}
	if len(odd) > 0 {
		return fmt.Errorf("coverage outside %g to %g %%: %s", low, high, strings.Join(odd, ", "))
	}
	return nil
}
