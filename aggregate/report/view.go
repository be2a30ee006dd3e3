package report

import (
	"context"
	"slices"

	"rollcall"
	"rollcall/aggregate/panel"
)

// view is a sample seen under one credit rule, at one place and, if asked so,
// for one target. Every report is made of a view. It never changes but for its
// caches, and is safe for concurrent use.
type view struct {
	*sample
	viewKey
	in        []bool // the target by position; nil: everyone
	settings  Settings
	intervals panel.Intervals

	byService cache[set, *use]
	terms     cache[set, *panel.Term]
	summed    cache[set, []*panel.Term] // the amounts
	pairs     cache[set, *panel.Term]
	figures   cache[string, any] // whatever is computed once a view
}

type viewKey struct {
	credit Credit
	place  Place
	target string // its canonical form; "": everyone
}

// view gives a sample's view.
func (s *sample) view(credit Credit, place Place, target *target) *view {
	key := viewKey{credit: credit, place: place, target: target.String()}
	v, _ := s.views.get(context.Background(), key, func() (*view, int64, error) {
		return s.newView(key, target), 1, nil
	})
	return v
}

func (s *sample) newView(key viewKey, target *target) *view {
	settings := s.last().doc.Settings
	v := &view{sample: s, viewKey: key, settings: settings, intervals: s.weights.Intervals(settings.Confidence)}
	v.limit()
	if target != nil {
		v.in = s.members(target)
	}
	return v
}

// limit bounds the caches, in entries.
func (v *view) limit() {
	v.byService.limit, v.terms.limit, v.summed.limit, v.pairs.limit, v.figures.limit = 300, 600, 300, 2000, 64
}

// at gives the same view at another place.
func (v *view) at(place Place) *view {
	key := v.viewKey
	key.place = place
	out, _ := v.views.get(context.Background(), key, func() (*view, int64, error) {
		other := &view{sample: v.sample, viewKey: key, in: v.in, settings: v.settings, intervals: v.intervals}
		other.limit()
		return other, 1, nil
	})
	return out
}

// once computes something once a view.
func once[T any](v *view, name string, compute func() T) T {
	out, _ := v.figures.get(context.Background(), name, func() (any, int64, error) { return compute(), 1, nil })
	return out.(T)
}

// catalogue gives the services that the view knows, by position.
func (v *view) catalogue() []rollcall.Service { return v.lead().doc.Services }

// id gives a service's id by position.
func (v *view) id(service int) string { return string(v.catalogue()[service].ID) }

// use gives what the view's people did with a service, or with all of a group.
func (v *view) use(services set) *use {
	out, _ := v.byService.get(context.Background(), services, func() (*use, int64, error) {
		return v.restrict(services), 1, nil
	})
	return out
}

func (v *view) restrict(services set) *use {
	u := v.sample.use(scope{v.credit, v.place.Locations()}, services)
	if v.in == nil && v.place == v.place.Base() {
		return u
	}
	// Those at both places, or at one only, are known by what they did at the two.
	c := v.counted()
	in := c.matching(uses(services, v.place))
	return u.where(func(person int32) bool { return in[c.of[person]] })
}

// term prepares the persons at some positions.
func (v *view) term(at []int32) *panel.Term { return v.weights.Term(panel.Variable{At: at}) }

// weigh gives the weighted persons at some positions.
func (v *view) weigh(at []int32) float64 { return v.weights.Value(panel.Variable{At: at}) }

// active gives the active universe that the view's reach is of.
func (v *view) active() *panel.Term {
	return once(v, "active", func() *panel.Term { return v.term(v.present()) })
}

func (v *view) present() []int32 {
	at := v.sample.active(v.place.Base().Locations())
	if v.in != nil {
		at = slices.DeleteFunc(at, func(i int32) bool { return !v.in[i] })
	}
	return at
}

// amounts gives the sessions, minutes and days of a service's or group's users.
func (v *view) amounts(services set) []*panel.Term {
	out, _ := v.summed.get(context.Background(), services, func() ([]*panel.Term, int64, error) {
		u := v.use(services)
		sessions, minutes, days := make([]float64, len(u.at)), make([]float64, len(u.at)), make([]float64, len(u.at))
		for i := range u.at {
			sessions[i], minutes[i], days[i] = float64(u.sessions[i]), float64(u.minutes[i]), float64(u.dayCount(i))
		}
		return v.weights.Terms(u.at, sessions, minutes, days), 1, nil
	})
	return out
}

// targeted gives everyone in the view's target.
func (v *view) targeted() *panel.Term {
	return once(v, "targeted", func() *panel.Term { return v.term(positions(v.in)) })
}
