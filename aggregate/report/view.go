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

// group is services united under one name: a row of any, a brand or an owner.
type group struct {
	name     string
	level    string
	services set
}

// all gives the union of the listed services.
func (v *view) all() group {
	return group{name: "any", level: "any", services: setOf(v.listed()...)}
}

// groups gives the view's brands, then its owners.
func (v *view) groups() []group { return groups(v.catalogue(), setOf(v.listed()...)) }

// groups gives the brands, then the owners, that have more than one service in
// the catalogue and at least one listed; each by name.
func groups(catalogue []rollcall.Service, listed set) []group {
	brand := func(s rollcall.Service) string { return s.Brand }
	owner := func(s rollcall.Service) string { return s.Owner }
	return append(groupBy(catalogue, listed, "brand", brand), groupBy(catalogue, listed, "owner", owner)...)
}

// unions gives the services listed, alone and then united as a ranking has
// them, each set once.
func unions(catalogue []rollcall.Service, listed set) []set {
	var out []set
	for s := range listed.each {
		out = append(out, setOf(s))
	}
	add := func(s set) {
		if s = s.and(listed); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	add(listed)
	for _, g := range groups(catalogue, listed) {
		add(g.services)
	}
	return out
}

func groupBy(catalogue []rollcall.Service, listed set, level string, name func(rollcall.Service) string) []group {
	members := map[string]set{}
	for i, s := range catalogue {
		if s.ID != rollcall.Online && name(s) != "" {
			members[name(s)] = members[name(s)].with(i)
		}
	}
	var out []group
	for name, services := range members {
		if services.len() > 1 && services.meets(listed) {
			out = append(out, group{name: name, level: level, services: services})
		}
	}
	slices.SortFunc(out, func(a, b group) int { return compareText(a.name, b.name) })
	return out
}
