package report

import (
	"context"
	"errors"

	"rollcall"
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
		row := append(rollcall.Row{j.view.id(s)}, turn.service(s)...)
		t.Rows = append(t.Rows, append(row, daily(j.view, s)...))
	}
	return t, nil
}

// daily gives the columns daily_audience and stickiness.
func daily(v *view, s int) []any {
	users, use := v.people(setOf(s)), v.use(setOf(s))
	days := make([]float64, len(use.at))
	for i := range days {
		days[i] = float64(use.dayCount(i)) / float64(v.days())
	}
	mean := v.weights.Term(panel.Variable{At: use.at, Values: days})
	e := v.weights.Linear(panel.Part{Factor: 1, Term: mean})
	audience := v.settings.Level(e, v.intervals.Audience(e, mean), users.Users())
	return []any{audience, v.level(v.weights.NestedRatio(mean, users).Scale(100), users.Users())}
}

// turnover is the persons in tab in the period's month and in the one before.
type turnover struct {
	now, before *view // of the common sample
	earlier     []*view
}

// turnover gives nil where the month before is not pinned or can't be compared,
// where a month that is has aged out, or where the period is not the whole month:
// those who come and go do so by the month.
func (j *job) turnover(ctx context.Context) (*turnover, error) {
	if j.view.sample != j.month.whole || j.missesAny() {
		return nil, nil
	}
	before, err := j.recall(ctx, j.month.doc.Of.Month-1)
	if before == nil || err != nil || j.differs(before) {
		return nil, err
	}
	out := &turnover{}
	if out.now, out.before, err = j.both(before); err != nil {
		if errors.Is(err, rollcall.ErrInvalid) { // too few in common to weigh
			j.apart(before, err.Error())
			return nil, nil
		}
		return nil, err
	}
	for at := j.month.doc.Of.Month - 2; at >= j.month.doc.Of.Month-history; at-- {
		m, err := j.recall(ctx, at)
		if err != nil {
			return nil, err
		}
		if m != nil && m.roster.Key == j.month.roster.Key {
			out.earlier = append(out.earlier, m.whole.view(j.view.credit, j.view.place, nil))
		}
	}
	return out, nil
}

// missesAny reports that some of the months pinned have aged out: those who came
// can't be told from those who came back then.
func (j *job) missesAny() (some bool) {
	for at := j.month.doc.Of.Month - history; at < j.month.doc.Of.Month; at++ {
		some = j.misses(at) || some
	}
	return some
}

// both gives the common sample's views of the two months.
func (j *job) both(before *month) (now, past *view, err error) {
	of := j.month.doc.Of.Month
	shared, err := common([]*month{before, j.month}, before.doc.Of.Month.First(), of.Last())
	if err != nil {
		return nil, nil, err
	}
	half := func(k int) *view {
		m := shared.months[k]
		s := newSample([]*month{m}, shared.roster[k:k+1], shared.weights, j.month, m.doc.Of.Month.First(), m.doc.Of.Month.Last())
		s.origin = shared.origin
		return s.view(j.view.credit, j.view.place, j.target)
	}
	return half(1), half(0), nil
}

// service gives the columns new, returned, retained and lapsed.
func (t *turnover) service(s int) []any {
	if t == nil {
		return []any{undefinedMeasure(), undefinedMeasure(), undefinedMeasure(), undefinedMeasure()}
	}
	now, past := t.now.people(setOf(s)), t.before.people(setOf(s))
	stayed := intersect(now.At, past.At)
	came, left := without(now.At, stayed), without(past.At, stayed)
	fresh, back := t.split(s, came)
	w := t.now
	return []any{w.percent(w.term(fresh), now), w.percent(w.term(back), now), w.percent(w.term(stayed), now), w.percent(w.term(left), past)}
}

// split tells those who came from those who came back.
func (t *turnover) split(s int, came []int32) (fresh, back []int32) {
	used := map[rollcall.Visitor]bool{}
	for _, v := range t.earlier {
		i := v.last().service(t.now.catalogue()[s].ID)
		if i < 0 {
			continue
		}
		for _, at := range v.people(setOf(i)).At {
			used[v.person(at).ID] = true
		}
	}
	for _, at := range came {
		if used[t.now.person(at).ID] {
			back = append(back, at)
		} else {
			fresh = append(fresh, at)
		}
	}
	return fresh, back
}
