package census

import (
	"rollcall"
)

// roll gives, for each day of the range, the union of the days of the window
// that ends on it. days has the unions of single days.
func roll(days unions, q *rollcall.CensusQuery, k int, free *memory) (unions, error) {
	out, groups := make(unions), make(map[group]bool)
	for g := range days {
		g.period = 0
		groups[g] = true
	}
	if len(groups)*int(q.To-q.From+1) > maxRows {
		return nil, tooManyRows()
	}
	for g := range groups {
		if err := rollGroup(out, days, g, q, window{k: k, apart: q.At.Part != ""}, free); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func rollGroup(out, days unions, g group, q *rollcall.CensusQuery, w window, free *memory) error {
	first := q.Window.From(q.From)
	for day := first; day <= q.To; day++ {
		if q.Window.Month && day == day.Month().First() {
			w = window{k: w.k, apart: w.apart}
		}
		g.period = day
		if err := w.push(days[g]); err != nil {
			return err
		}
		if n := q.Window.Days; n > 0 && w.len() > n {
			if err := w.pop(); err != nil {
				return err
			}
		}
		if day < q.From {
			continue
		}
		u, err := w.union()
		if err != nil {
			return err
		}
		if err := free.take(u.size()); err != nil {
			return err
		}
		out[g] = u
	}
	return nil
}

// window is a queue of days that knows their union: two stacks, each of which
// knows the unions of its days. A day is merged at most three times, however
// long the window.
type window struct {
	k     int
	apart bool
	front []*union // front[i]: the union of its days from the i-th on, the oldest last
	back  []*union // single days, the oldest first; nil: nothing seen
	whole *union   // of back
}

func (w *window) len() int { return len(w.front) + len(w.back) }

// push adds the newest day.
func (w *window) push(day *union) error {
	w.back = append(w.back, day)
	if day == nil {
		return nil
	}
	if w.whole == nil {
		w.whole = newUnion(w.k, w.apart)
	}
	return w.whole.merge(day)
}

// pop takes the oldest day away.
func (w *window) pop() error {
	if len(w.front) == 0 {
		if err := w.turn(); err != nil {
			return err
		}
	}
	w.front = w.front[:len(w.front)-1]
	return nil
}

// turn brings the days of back to front.
func (w *window) turn() error {
	var sum *union
	for i := len(w.back) - 1; i >= 0; i-- {
		u := newUnion(w.k, w.apart)
		for _, o := range []*union{sum, w.back[i]} {
			if o == nil {
				continue
			}
			if err := u.merge(o); err != nil {
				return err
			}
		}
		w.front, sum = append(w.front, u), u
	}
	w.back, w.whole = w.back[:0], nil
	return nil
}

// union gives the union of all days.
func (w *window) union() (*union, error) {
	u := newUnion(w.k, w.apart)
	if n := len(w.front); n > 0 {
		if err := u.merge(w.front[n-1]); err != nil {
			return nil, err
		}
	}
	if w.whole == nil {
		return u, nil
	}
	return u, u.merge(w.whole)
}
