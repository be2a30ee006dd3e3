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
	days, all := make([]float64, len(use.At)), float64(v.DaysThatWere())
	for i := range days {
		days[i] = float64(use.DayCount(i)) / all
	}
	mean := v.Weights.Term(panel.Variable{At: use.At, Values: days})
	e := v.Weights.Linear(panel.Part{Factor: 1, Term: mean})
	audience := v.Settings.Level(e, v.Intervals.Audience(e, mean), users.Users())
	return []any{audience, v.Level(v.Weights.NestedRatio(mean, users).Scale(100), users.Users())}
}

// turnover is the persons in tab in the period's month and in the one before.
type turnover struct {
	now, before *audience.View // of the common sample
	earlier     []*audience.View
}

// turnover gives nil where the month before is not pinned or can't be compared,
// where a month that is has aged out, or where the period is not the whole month:
// those who come and go do so by the month.
func (j *job) turnover(ctx context.Context) (*turnover, error) {
	if j.view.Sample != j.month.Whole {
		j.unlike = append(j.unlike, "Persons come, stay and leave from one whole month to another: here that is undefined.")
		return nil, nil
	}
	if j.missesAny() {
		return nil, nil
	}
	before, err := j.recall(ctx, j.month.Doc.Of.Month-1)
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
	for at := j.month.Doc.Of.Month - 2; at >= j.month.Doc.Of.Month-audience.History; at-- {
		m, err := j.pinned(ctx, at)
		if err != nil {
			return nil, err
		}
		if m != nil && m.Roster.Key == j.month.Roster.Key {
			out.earlier = append(out.earlier, m.Whole.View(j.view.Credit, j.view.Place, nil))
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

// both gives the common sample's views of the two months.
func (j *job) both(before *audience.Month) (now, past *audience.View, err error) {
	of := j.month.Doc.Of.Month
	shared, err := audience.Common([]*audience.Month{before, j.month}, before.Doc.Of.Month.First(), of.Last())
	if err != nil {
		return nil, nil, err
	}
	half := func(k int) *audience.View { return shared.Alone(k).View(j.view.Credit, j.view.Place, j.target) }
	return half(1), half(0), nil
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
	used := map[rollcall.Visitor]bool{}
	for _, v := range t.earlier {
		i := v.Last().Service(t.now.Catalogue()[s].ID)
		if i < 0 {
			continue
		}
		for _, at := range v.People(audience.SetOf(i)).At {
			used[v.Person(at).ID] = true
		}
	}
	for _, at := range came {
		if used[t.now.Person(at).ID] {
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
