package report

import (
	"context"
	"slices"

	"rollcall"
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
	t := j.table("service", "level", "unique_audience", "gross", "services_per_user", "reach", "coverage", "sessions_per_person", "minutes_per_person", "days_per_person",
		"audience_share", "time_share", "exclusive", "loyalty", "change", "change_percent", "rank", "rank_change", "tied_with", "tie_group")
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
	return t, nil
}

// ranker makes the ranking's rows.
type ranker struct {
	*job
	view     *view
	past     *past
	standing *standing
	brief    bool
}

// groups gives the unions that have a row.
func (b *ranker) groups() []group {
	switch {
	case b.services != nil:
		return nil
	case b.brief:
		return []group{b.view.all()}
	}
	return append([]group{b.view.all()}, b.view.groups()...)
}

func (b *ranker) service(s int) rollcall.Row {
	services := setOf(s)
	row := append(rollcall.Row{b.view.id(s), "service"}, b.audience(services, nil)...)
	row = append(row, b.shares(s)...)
	row = append(row, b.change(services)...)
	return append(row, b.place(s)...)
}

func (b *ranker) group(g group) rollcall.Row {
	row := append(rollcall.Row{g.name, g.level}, b.audience(g.services, &g)...)
	row = append(row, nil, nil, nil, nil)
	row = append(row, b.change(g.services)...)
	return append(row, nil, nil, nil, nil)
}

// audience gives the columns unique_audience to days_per_person; gross and
// services_per_user only for groups.
func (b *ranker) audience(services set, g *group) []any {
	v := b.view
	users := v.people(services)
	ua, reach := v.persons(users), v.percent(users, v.active())
	amounts := v.amounts(services)
	sessions, minutes, days := v.mean(amounts[0], users), v.mean(amounts[1], users), v.mean(amounts[2], users)
	var gross, each any
	if g != nil {
		gross, each = b.gross(services)
	}
	return []any{ua, gross, each, reach, v.coverage(users, ua.Status), sessions, minutes, days}
}

// gross gives the sum of the unique audiences of a group's services, and that
// sum per user of any of them.
func (b *ranker) gross(services set) (gross, each rollcall.Measure) {
	v := b.view
	sum, users := everyAudience(v), v.people(services)
	if services != v.all().services {
		sum = sumAudience(v, services)
	}
	gross = v.level(v.weights.Linear(panel.Part{Factor: 1, Term: sum}), users.Users())
	return gross, v.level(v.weights.TermRatio(sum, users), users.Users())
}

// shares gives the columns audience_share to loyalty of a service.
func (b *ranker) shares(s int) []any {
	if b.brief {
		return []any{nil, nil, nil, nil}
	}
	v := b.view
	users, base := v.people(setOf(s)), everyAudience(v)
	audience := v.weights.TermRatio(users, base)
	minutes := v.skewed(v.amounts(setOf(s))[1], everyMinute(v), users.Users(), 100)
	exclusive := exclusiveUsers(v, s)
	return []any{v.level(audience.Scale(100), users.Users()), minutes, v.persons(exclusive), v.percent(exclusive, users)}
}

// everyAudience is the base of audience shares: each person once a service used.
func everyAudience(v *view) *panel.Term {
	return once(v, "every audience", func() *panel.Term { return sumAudience(v, setOf(v.listed()...)) })
}

// sumAudience counts each person once a service used, of some services. At home
// only, or at work only, a user of a service need not be one of the union.
func sumAudience(v *view, services set) *panel.Term {
	c := v.counted()
	used := make([]float64, len(c.list))
	for k, p := range c.list {
		used[k] = float64(v.used(p).and(services).len())
	}
	at := c.having(func(p pattern) bool { return v.used(p).meets(services) })
	counts := make([]float64, len(at))
	for i, person := range at {
		counts[i] = used[c.of[person]]
	}
	return v.weights.Term(panel.Variable{At: at, Values: counts})
}

// everyMinute is the base of time shares: minutes summed over the services.
func everyMinute(v *view) *panel.Term {
	return once(v, "every minute", func() *panel.Term {
		minutes := make([]float64, v.weights.Len())
		for _, s := range v.listed() {
			u := v.use(setOf(s))
			for i, at := range u.at {
				minutes[at] += float64(u.minutes[i])
			}
		}
		return v.weights.Term(panel.Dense(minutes))
	})
}

// exclusive is the users of a service who used no other listed one.
func exclusiveUsers(v *view, s int) *panel.Term {
	return v.term(v.counted().having(func(p pattern) bool { return v.used(p) == setOf(s) }))
}

// change gives the columns change and change_percent, whose raw persons are the
// smaller month's.
func (b *ranker) change(services set) []any {
	if b.past == nil {
		return []any{undefinedMeasure(), undefinedMeasure()}
	}
	same := b.past.same(b.view, services)
	now, before := b.view.people(services), b.past.people(same)
	c := b.past.pair.TermChange(now, before)
	n := min(now.Users(), before.Users())
	percent, _ := b.past.intervals.Percent(c)
	return []any{
		b.view.settings.Measure(c.Absolute, b.past.intervals.Plain(c.Absolute), n),
		b.view.settings.Measure(c.Percent, percent, n),
	}
}

// place gives the columns rank to tie_group.
func (b *ranker) place(s int) []any {
	rank, ok := b.standing.rank[s]
	if !ok {
		return []any{nil, nil, nil, nil}
	}
	var change any
	if b.past != nil {
		id := b.view.catalogue()[s].ID
		if before, ok := standingOf(b.past.view).rank[b.past.last().service(id)]; ok {
			change = before - rank
		}
	}
	tied := []string{}
	for _, other := range b.standing.tied[s] {
		tied = append(tied, b.view.id(other))
	}
	return []any{rank, change, tied, b.standing.group[s]}
}

// standing is who stands where among the services whose audience is shown.
type standing struct {
	list  []int // by audience, the largest first
	rank  map[int]int
	tied  map[int][]int
	group map[int]int
}

func standingOf(v *view) *standing {
	return once(v, "standing", func() *standing {
		s := &standing{rank: map[int]int{}, tied: map[int][]int{}, group: map[int]int{}}
		for _, i := range v.listed() {
			if !v.few(v.people(setOf(i))) {
				s.list = append(s.list, i)
			}
		}
		s.sort(v)
		s.tie(v)
		return s
	})
}

func (s *standing) sort(v *view) {
	audience := func(i int) float64 { return v.people(setOf(i)).Total }
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

// tie finds the pairs whose difference is not significant, and the groups:
// leaders in rank order, each with the services tied with it.
func (s *standing) tie(v *view) {
	for k, a := range s.list {
		for _, b := range s.list[k+1:] {
			difference := v.weights.Linear(panel.Part{Factor: 1, Term: v.people(setOf(a))}, panel.Part{Factor: -1, Term: v.people(setOf(b))})
			if v.intervals.Tied(difference) {
				s.tied[a], s.tied[b] = append(s.tied[a], b), append(s.tied[b], a)
			}
		}
	}
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
