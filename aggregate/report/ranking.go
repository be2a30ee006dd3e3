package report

import (
	"context"
	"fmt"
	"slices"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/panel"
)

// ranking lists the services by unique audience, then their union, brands and
// owners.
func ranking(ctx context.Context, j *job) (*rollcall.Table, error) { return rankAll(ctx, j, false) }

// rankedBriefly is the ranking as far as a trend shows it: without shares,
// brands and owners.
func rankedBriefly(ctx context.Context, j *job) (*rollcall.Table, error) {
	return rankAll(ctx, j, true)
}

func rankAll(ctx context.Context, j *job, brief bool) (*rollcall.Table, error) {
	past, err := j.past(ctx)
	if err != nil {
		return nil, err
	}
	t := j.table("service", "level", "unique_audience", "gross", "services_per_user", "multi_service", "reach", "coverage", "sessions_per_person", "minutes_per_person", "days_per_person",
		"audience_share", "time_share", "exclusive", "loyalty", "change", "change_percent", "rank", "rank_low", "rank_high", "rank_change", "tied_with", "tie_group", "significant")
	if past == nil && len(ofCalibration(j.unlike)) > 0 {
		t.Meta.Compared = nil // there is no change from it
	}
	b := &ranker{job: j, view: j.view, past: past, standing: standingOf(j.view), brief: brief}
	var services, groups []rollcall.Row
	together(func() {
		for _, s := range b.standing.order(j.rows()) {
			services = append(services, b.service(s))
		}
	}, func() {
		for _, g := range b.groups() {
			groups = append(groups, b.group(g))
		}
	})
	t.Rows = append(services, groups...)
	b.explain(t)
	return t, nil
}

// ranker makes the ranking's rows.
type ranker struct {
	*job
	view     *audience.View
	past     *past
	standing *standing
	brief    bool
}

// groups gives the unions that have a row.
func (b *ranker) groups() []audience.Group {
	switch {
	case b.services != nil:
		return nil
	case b.brief:
		return []audience.Group{b.view.All()}
	}
	return append([]audience.Group{b.view.All()}, b.view.Groups()...)
}

func (b *ranker) service(s int) rollcall.Row {
	services := audience.SetOf(s)
	row := append(rollcall.Row{b.view.ID(s), "service"}, b.audience(services, nil)...)
	row = append(row, b.shares(s)...)
	change, percent, significant := b.change(services)
	row = append(row, change, percent)
	return append(append(row, b.place(s)...), significant)
}

func (b *ranker) group(g audience.Group) rollcall.Row {
	row := append(rollcall.Row{g.Name, g.Level}, b.audience(g.Services, &g)...)
	row = append(row, nil, nil, nil, nil)
	change, percent, significant := b.change(g.Services)
	return append(row, change, percent, nil, nil, nil, nil, nil, nil, significant)
}

// audience gives the columns unique_audience to days_per_person; gross,
// services_per_user and multi_service only for groups.
func (b *ranker) audience(services audience.Set, g *audience.Group) []any {
	v := b.view
	users := v.People(services)
	ua, reach := v.Persons(users), v.Percent(users, v.Active())
	amounts := v.Amounts(services)
	sessions, minutes, days := v.Mean(amounts[0], users), v.Mean(amounts[1], users), v.Mean(amounts[2], users)
	var gross, each, several any
	if g != nil {
		gross, each = b.gross(services)
		several = v.Percent(severalUsed(v, services), users)
	}
	return []any{ua, gross, each, several, reach, v.Coverage(users, ua.Status), sessions, minutes, days}
}

// gross gives the sum of the unique audiences of a group's services, and that
// sum per user of any of them.
func (b *ranker) gross(services audience.Set) (gross, each rollcall.Measure) {
	v := b.view
	sum, users := everyAudience(v), v.People(services)
	if services != v.All().Services {
		sum = sumAudience(v, services)
	}
	gross = v.Level(v.Weights.Linear(panel.Part{Factor: 1, Term: sum}), users.Users())
	return gross, v.Level(v.Weights.TermRatio(sum, users), users.Users())
}

// shares gives the columns audience_share to loyalty of a service.
func (b *ranker) shares(s int) []any {
	if b.brief {
		return []any{nil, nil, nil, nil}
	}
	v := b.view
	users, base := v.People(audience.SetOf(s)), everyAudience(v)
	share := v.Weights.TermRatio(users, base)
	minutes := v.Skewed(v.Amounts(audience.SetOf(s))[1], everyMinute(v), users.Users(), 100)
	exclusive := exclusiveUsers(v, s)
	return []any{v.Level(share.Scale(100), users.Users()), minutes, v.Persons(exclusive), v.Percent(exclusive, users)}
}

// everyAudience is the base of audience shares: each person once a service used.
func everyAudience(v *audience.View) *panel.Term {
	return audience.Once(v, "every audience", func() *panel.Term { return sumAudience(v, audience.SetOf(v.Listed()...)) })
}

// sumAudience counts each person once a service used, of some services. At home
// only, or at work only, a user of a service need not be one of the union.
func sumAudience(v *audience.View, services audience.Set) *panel.Term {
	c := v.Counted()
	used := make([]float64, len(c.List))
	for k, p := range c.List {
		used[k] = float64(v.Used(p).And(services).Len())
	}
	at := c.Having(func(p audience.Pattern) bool { return v.Used(p).Meets(services) })
	counts := make([]float64, len(at))
	for i, person := range at {
		counts[i] = used[c.Of[person]]
	}
	return v.Weights.Term(panel.Variable{At: at, Values: counts})
}

// severalUsed is the users of any of some services who are users of two of them
// or more.
func severalUsed(v *audience.View, services audience.Set) *panel.Term {
	uses := audience.Using(services, v.Place)
	return v.Term(v.Counted().Having(func(p audience.Pattern) bool { return uses(p) && v.Used(p).And(services).Len() > 1 }))
}

// everyMinute is the base of time shares: minutes summed over the services.
func everyMinute(v *audience.View) *panel.Term {
	return audience.Once(v, "every minute", func() *panel.Term {
		minutes := make([]float64, v.Weights.Len())
		for _, s := range v.Listed() {
			u := v.Use(audience.SetOf(s))
			for i, at := range u.At {
				minutes[at] += float64(u.Minutes[i])
			}
		}
		return v.Weights.Term(panel.Dense(minutes))
	})
}

// exclusive is the users of a service who used no other listed one.
func exclusiveUsers(v *audience.View, s int) *panel.Term {
	return v.Term(v.Counted().Having(func(p audience.Pattern) bool { return v.Used(p) == audience.SetOf(s) }))
}

// change gives the columns change and change_percent, whose raw persons are the
// smaller month's, and whether the change is more than chance: nil where it is
// withheld or there is none.
func (b *ranker) change(services audience.Set) (change, percent rollcall.Measure, significant any) {
	if b.past == nil {
		return audience.Undefined(), audience.Undefined(), nil
	}
	same := b.past.same(b.view, services)
	now, before := b.view.People(services), b.past.People(same)
	c, in := b.past.pair.TermChange(now, before), b.past.intervals
	n := min(now.Users(), before.Users())
	ratio, _ := in.Percent(c)
	change = b.view.Settings.Measure(c.Absolute, in.Plain(c.Absolute), n)
	percent = b.view.Settings.Measure(c.Percent, ratio, n)
	if !change.Status.Withheld() {
		significant = in.Significant(c)
	}
	return change, percent, significant
}

// explain notes why a change in percent is undefined where there is one in
// persons.
func (b *ranker) explain(t *rollcall.Table) {
	if b.past == nil {
		return
	}
	for i := range t.Rows {
		if m := t.Cell(i, "change_percent").(rollcall.Measure); m.Status == rollcall.Undefined {
			b.unlike = append(b.unlike, fmt.Sprintf("Where nobody used a service in %s, there is no change in percent of that.", b.past.Last().Doc.Of.Month))
			return
		}
	}
}

// place gives the columns rank to tie_group.
func (b *ranker) place(s int) []any {
	rank, ok := b.standing.rank[s]
	if !ok {
		return []any{nil, nil, nil, nil, nil, nil}
	}
	var change any
	if b.past != nil {
		id := b.view.Catalogue()[s].ID
		if before, ok := standingOf(b.past.View).rank[b.past.Last().Service(id)]; ok {
			change = before - rank
		}
	}
	tied := []string{}
	for _, other := range b.standing.tied[s] {
		tied = append(tied, b.view.ID(other))
	}
	place := b.standing.place[s]
	return []any{rank, place.Low, place.High, change, tied, b.standing.group[s]}
}

// standing is who stands where among the services whose audience is shown.
type standing struct {
	list  []int // by audience, the largest first
	rank  map[int]int
	place map[int]panel.Place
	tied  map[int][]int
	group map[int]int
}

func standingOf(v *audience.View) *standing {
	return audience.Once(v, "standing", func() *standing {
		s := &standing{rank: map[int]int{}, place: map[int]panel.Place{}, tied: map[int][]int{}, group: map[int]int{}}
		for _, i := range v.Listed() {
			if !v.Few(v.People(audience.SetOf(i))) {
				s.list = append(s.list, i)
			}
		}
		s.sort(v)
		s.compare(v)
		s.gather()
		return s
	})
}

func (s *standing) sort(v *audience.View) {
	audience := func(i int) float64 { return v.People(audience.SetOf(i)).Total }
	slices.SortStableFunc(s.list, func(a, b int) int {
		switch x, y := audience(a), audience(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	for k, i := range s.list {
		s.rank[i] = k + 1
		if k > 0 && audience(i) == audience(s.list[k-1]) {
			s.rank[i] = s.rank[s.list[k-1]]
		}
	}
}

// compare finds the ranks that each service may have, and the pairs whose
// difference is not significant.
func (s *standing) compare(v *audience.View) {
	differences := map[[2]int]panel.Estimate{}
	difference := func(i, j int) panel.Estimate {
		a, b := v.People(audience.SetOf(s.list[i])), v.People(audience.SetOf(s.list[j]))
		d := v.Weights.Linear(panel.Part{Factor: 1, Term: a}, panel.Part{Factor: -1, Term: b})
		differences[[2]int{i, j}] = d
		return d
	}
	for i, place := range v.Intervals.Places(len(s.list), difference) {
		s.place[s.list[i]] = place
	}
	for i, a := range s.list {
		for j, b := range s.list[:i] {
			if v.Intervals.Tied(differences[[2]int{i, j}]) {
				s.tied[a], s.tied[b] = append(s.tied[a], b), append(s.tied[b], a)
			}
		}
	}
}

// gather makes the tie groups: leaders in rank order, each with the services
// tied with it.
func (s *standing) gather() {
	next := 0
	for _, leader := range s.list {
		if s.group[leader] > 0 {
			continue
		}
		next++
		s.group[leader] = next
		for _, other := range s.tied[leader] {
			if s.group[other] == 0 {
				s.group[other] = next
			}
		}
	}
}

// order puts services in the ranking's order; those without a rank follow by
// id, so that their place says nothing.
func (s *standing) order(services []int) []int {
	out := slices.Clone(services)
	slices.Sort(out)
	at := func(i int) int {
		if k := slices.Index(s.list, i); k >= 0 {
			return k
		}
		return len(s.list)
	}
	slices.SortStableFunc(out, func(a, b int) int { return at(a) - at(b) })
	return out
}

// everywhere gives the ranking at home, at work and at either in one table: each
// place's rows are ranked for themselves, and carry it.
func everywhere(ctx context.Context, j *job, answer maker) (*rollcall.Table, error) {
	var out *rollcall.Table
	one := *j
	for _, place := range []rollcall.Place{rollcall.AtHome, rollcall.AtWork, rollcall.HomeWork} {
		one = *j
		one.request.Place = place
		t, err := one.answer(ctx, answer)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = &rollcall.Table{Columns: append(columnsOf("location"), t.Columns...)}
		}
		out.Meta = t.Meta // at last that of home and work, whose notes hold for all
		for _, row := range t.Rows {
			out.Rows = append(out.Rows, append(rollcall.Row{string(place)}, row...))
		}
	}
	out.Meta.Location = string(rollcall.EveryPlace)
	out.Meta.Notes = append([]string{"Each location is ranked for itself, and its reach is of its own active universe; the active universe given is that of home and work together."}, out.Meta.Notes...)
	if out.Meta.Method == one.method() { // of home and work nothing is withheld
		if err := one.tellPooling(ctx, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}
