package report

import (
	"context"
	"errors"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/panel"
)

// loyalty says, of the persons in tab last month too, who came, stayed, came
// back and left; and how much of the audience uses a service on a day.
func loyalty(ctx context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("service", "new", "returned", "retained", "lapsed", "daily_audience", "stickiness")
	turn, err := j.turnover(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range j.rows() {
		row := append(rollcall.Row{j.view.ID(s)}, turn.service(s)...)
		t.Rows = append(t.Rows, append(row, daily(j.view, s)...))
	}
	return t, nil
}

// daily gives the columns daily_audience and stickiness.
func daily(v *audience.View, s int) []any {
	users, use := v.People(audience.SetOf(s)), v.Use(audience.SetOf(s))
	days, were := make([]float64, len(use.At)), v.DaysByMonth()
	for i, at := range use.At {
		days[i] = float64(use.DayCount(i)) / float64(were[v.MonthOf(at)])
	}
	mean := v.Weights.Term(panel.Variable{At: use.At, Values: days})
	e := v.Weights.Linear(panel.Part{Factor: 1, Term: mean})
	level := v.Settings.Level(e, v.Intervals.Audience(e, mean), users.Users())
	return []any{level, v.Level(v.Weights.NestedRatio(mean, users).Scale(100), users.Users())}
}

// turnover is the persons in tab in a month and in the one before: of the
// period's month, or of each month of a mean.
type turnover struct {
	now, before *audience.View                         // over the same rows
	earlier     []map[string]map[rollcall.Visitor]bool // by month and service: who used it in the months before those
}

// turnover gives nil where the period is not of whole months, and where a month
// before one of them is not pinned, has aged out or can't be compared.
func (j *job) turnover(ctx context.Context) (*turnover, error) {
	if !j.view.Pooled() && j.view.Sample != j.month.Whole {
		j.unlike = append(j.unlike, "Persons come, stay and leave from one whole month to another: here that is undefined.")
		return nil, nil
	}
	out := &turnover{}
	var pairs []*audience.Sample
	for _, m := range j.view.Months {
		pair, err := j.turn(ctx, m, out)
		if pair == nil || err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
	}
	now, before := pairs[0].Alone(1), pairs[0].Alone(0)
	if j.view.Pooled() {
		now, before = audience.PoolPairs(pairs)
	}
	out.now, out.before = now.View(j.view.Credit, j.view.Place, j.target), before.View(j.view.Credit, j.view.Place, j.target)
	return out, nil
}

// turn gives the persons in tab in one month and in the one before, as that
// month's version pins it, and adds who used what earlier; nil, and a note, where
// it can't.
func (j *job) turn(ctx context.Context, m *audience.Month, out *turnover) (*audience.Sample, error) {
	one := *j
	one.month = m
	defer func() { j.missed, j.unlike = one.missed, one.unlike }()
	if one.missesAny() {
		return nil, nil
	}
	before, err := one.recall(ctx, m.Doc.Of.Month-1)
	if before == nil || err != nil || one.differs(before) || weighedApart(&one, before) {
		return nil, err
	}
	pair, err := audience.Common([]*audience.Month{before, m}, before.Doc.Of.Month.First(), m.Doc.Of.Month.Last())
	if errors.Is(err, rollcall.ErrInvalid) { // too few in common to weigh
		one.apart(before, err.Error())
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	earlier, err := one.usersBefore(ctx)
	out.earlier = append(out.earlier, earlier)
	return pair, err
}

// usersBefore gives who used each service in months 2 to 12 before the job's.
func (j *job) usersBefore(ctx context.Context) (map[string]map[rollcall.Visitor]bool, error) {
	out := map[string]map[rollcall.Visitor]bool{}
	for at := j.month.Doc.Of.Month - 2; at >= j.month.Doc.Of.Month-audience.History; at-- {
		m, err := j.pinned(ctx, at)
		if err != nil {
			return nil, err
		}
		if m == nil || m.Roster.Key != j.month.Roster.Key {
			continue
		}
		v := m.Whole.View(j.view.Credit, j.view.Place, nil)
		for _, s := range v.Listed() {
			used := out[v.ID(s)]
			if used == nil {
				used = map[rollcall.Visitor]bool{}
				out[v.ID(s)] = used
			}
			for _, person := range v.People(audience.SetOf(s)).At {
				used[v.Person(person).ID] = true
			}
		}
	}
	return out, nil
}

// missesAny reports that some of the months pinned have aged out: those who came
// can't be told from those who came back then.
func (j *job) missesAny() (some bool) {
	for at := j.month.Doc.Of.Month - audience.History; at < j.month.Doc.Of.Month; at++ {
		some = j.misses(at) || some
	}
	return some
}

// service gives the columns new, returned, retained and lapsed.
func (t *turnover) service(s int) []any {
	if t == nil {
		return []any{audience.Undefined(), audience.Undefined(), audience.Undefined(), audience.Undefined()}
	}
	now, past := t.now.People(audience.SetOf(s)), t.before.People(audience.SetOf(s))
	stayed := intersect(now.At, past.At)
	came, left := without(now.At, stayed), without(past.At, stayed)
	fresh, back := t.split(s, came)
	w := t.now
	return []any{w.Percent(w.Term(fresh), now), w.Percent(w.Term(back), now), w.Percent(w.Term(stayed), now), w.Percent(w.Term(left), past)}
}

// split tells those who came from those who came back.
func (t *turnover) split(s int, came []int32) (fresh, back []int32) {
	service := t.now.ID(s)
	for _, at := range came {
		if t.earlier[t.now.MonthOf(at)][service][t.now.Person(at).ID] {
			back = append(back, at)
		} else {
			fresh = append(fresh, at)
		}
	}
	return fresh, back
}

func intersect(a, b []int32) []int32 {
	var out []int32
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case b[j] < a[i]:
			j++
		default:
			out = append(out, a[i])
			i, j = i+1, j+1
		}
	}
	return out
}
