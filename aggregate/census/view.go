package census

import (
	"context"
	"errors"

	"rollcall"
)

// view is the store at one revision, for one question: the lists and the days that
// the cache holds of it, and what must be read.
type view struct {
	rollcall.Store
	cache *Cache
	at    rollcall.Revision
	lists *lists
	read  bool       // something was read, which may be of a later revision
	made  []*heldDay // of what was read
}

// lists are what a census reads beside cells, at one revision.
type lists struct {
	rest        string // the revision's
	ageings     []rollcall.Ageing
	corrections rollcall.Corrections
	masters     []rollcall.Master
	services    []rollcall.Service
	segments    []rollcall.Segment
	setAside    []rollcall.Damage
}

// open finds the lists, or reads them.
func (v *view) open(ctx context.Context) error {
	if v.lists = v.cache.listsOf(v.at.Rest); v.lists != nil {
		return nil
	}
	v.read = true
	l, s := &lists{rest: v.at.Rest}, v.Store
	var errs [6]error
	l.ageings, errs[0] = s.Ageings(ctx)
	l.corrections, errs[1] = s.Corrections(ctx)
	l.masters, errs[2] = s.Masters(ctx)
	l.services, errs[3] = s.Services(ctx)
	l.segments, errs[4] = s.Segments(ctx, "")
	l.setAside, errs[5] = s.SetAside(ctx)
	v.lists = l
	return errors.Join(errs[:]...)
}

func (c *Cache) listsOf(rest string) *lists {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lists == nil || c.lists.rest != rest {
		return nil
	}
	return c.lists
}

// stands reports whether the store is still at the view's revision: then all that
// was read is of it, and is held.
func (v *view) stands(ctx context.Context) bool {
	now, ok := v.cache.revision(ctx)
	if !ok || now.Rest != v.at.Rest {
		return false
	}
	for _, d := range v.made {
		if m := d.of.day.Month(); now.Of(m) != v.at.Of(m) {
			return false
		}
	}
	v.cache.put(v.made)
	v.cache.mu.Lock()
	defer v.cache.mu.Unlock()
	v.cache.lists = v.lists
	return true
}

// The lists, as the store gives them.

// Ageings are what has aged out.
func (v *view) Ageings(context.Context) ([]rollcall.Ageing, error) { return v.lists.ageings, nil }

// Corrections are what was recorded.
func (v *view) Corrections(context.Context) (rollcall.Corrections, error) {
	return v.lists.corrections, nil
}

// Masters are the master keys.
func (v *view) Masters(context.Context) ([]rollcall.Master, error) { return v.lists.masters, nil }

// Services are the catalogue's.
func (v *view) Services(context.Context) ([]rollcall.Service, error) { return v.lists.services, nil }

// SetAside are the damaged facts.
func (v *view) SetAside(context.Context) ([]rollcall.Damage, error) { return v.lists.setAside, nil }

// Segments are the catalogue's; a market's own are looked for.
func (v *view) Segments(ctx context.Context, market rollcall.MarketID) ([]rollcall.Segment, error) {
	if market == "" {
		return v.lists.segments, nil
	}
	v.read = true
	return v.Store.Segments(ctx, market)
}

// unite is reading's, day by day: those that are held, and those that are read now.
func (v *view) unite(ctx context.Context, from reading, q *rollcall.CensusQuery) (unions, error) {
	if q.To-q.From >= mostDays {
		return nil, errPlain
	}
	what := questionOf(q)
	days, ok := v.cache.find(what, q, &v.at)
	if !ok {
		return nil, errPlain
	}
	first, last := -1, -1
	for i, all := range days {
		if all == nil {
			last = i
			if first < 0 {
				first = i
			}
		}
	}
	if first >= 0 {
		lacks := *q
		lacks.From, lacks.To = q.From+rollcall.Day(first), q.From+rollcall.Day(last)
		read, err := v.readDays(ctx, from, &lacks, what)
		if err != nil {
			return nil, err
		}
		copy(days[first:], read)
	}
	return join(days, from, q)
}

// readDays reads each day of a range by itself.
func (v *view) readDays(ctx context.Context, from reading, q *rollcall.CensusQuery, what question) ([]unions, error) {
	v.read = true
	each := *q
	each.By = append(dimensions(q.By), rollcall.ByDay)
	from.store, from.free = v.Store, &memory{v.cache.limit / 2}
	found, err := from.unite(ctx, &each)
	if refused := new(rollcall.Invalid); errors.As(err, &refused) {
		v.cache.tooLarge(what, int(q.To-q.From+1))
		return nil, errPlain
	}
	if err != nil {
		return nil, err
	}
	days := make([]unions, q.To-q.From+1)
	v.made = make([]*heldDay, len(days))
	for i := range days {
		day := q.From + rollcall.Day(i)
		days[i] = make(unions)
		v.made[i] = &heldDay{of: dayKey{what, day}, revision: v.at.Of(day.Month()), all: days[i], bytes: dayBytes}
	}
	for g, u := range found {
		u.settle()
		i := g.period - q.From
		g.period = 0
		days[i][g] = u
		v.made[i].bytes += u.size() + rowBytes
	}
	return days, nil
}

// What a day, and a union of it, take beside the union's own bytes.
const (
	dayBytes = 256
	rowBytes = 512
)

// join unites days into the rows that are asked for. A union that is of one day
// is the day's own.
func join(days []unions, from reading, q *rollcall.CensusQuery) (unions, error) {
	unit, series := unitOf(q.By)
	all := make(unions)
	for i, day := range days {
		period := rollcall.Day(0)
		if series {
			period = unit.Begin(q.From + rollcall.Day(i))
		}
		for g, u := range day {
			g.period = period
			before := 0
			switch into := all[g]; {
			case len(all) == maxRows && into == nil:
				return nil, errPlain
			case into == nil && unit == rollcall.ByDay:
				all[g] = u
			default:
				if into == nil {
					into = newUnion(from.store.K(), q.At.Part != "")
					all[g] = into
				}
				before = into.size()
				if err := into.merge(u); err != nil {
					return nil, err
				}
			}
			if all[g].twoKeys {
				return nil, errPlain
			}
			if err := from.free.take(all[g].size() - before); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}
