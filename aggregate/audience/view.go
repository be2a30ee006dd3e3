package audience

import (
	"context"
	"slices"

	"rollcall"
	"rollcall/aggregate/panel"
)

// View is a sample seen under one credit rule, at one place and, if asked so,
// for one target. Every report is made of a view. It never changes but for its
// caches, and is safe for concurrent use.
type View struct {
	*Sample
	ViewKey
	in        []bool // the target by position; nil: everyone
	Settings  Settings
	Intervals panel.Intervals

	byService Cache[Set, *Usage]
	terms     Cache[Set, *panel.Term]
	summed    Cache[Set, []*panel.Term] // the amounts
	pairs     Cache[Set, *panel.Term]
	figures   Cache[string, any] // whatever is computed once a view
}

// ViewKey is what a view of a sample is known by.
type ViewKey struct {
	Credit rollcall.Credit
	Place  rollcall.Place
	target string // its canonical form; "": everyone
}

// View gives a sample's view.
func (s *Sample) View(credit rollcall.Credit, place rollcall.Place, target *Target) *View {
	key := ViewKey{Credit: credit, Place: place, target: target.String()}
	v, _ := s.views.Get(context.Background(), key, func() (*View, int64, error) {
		return s.newView(key, target), 1, nil
	})
	return v
}

func (s *Sample) newView(key ViewKey, target *Target) *View {
	settings := s.Last().Doc.Settings
	v := &View{Sample: s, ViewKey: key, Settings: settings, Intervals: s.Weights.Intervals(settings.Confidence)}
	v.limit()
	if target != nil {
		v.in = s.Members(target)
	}
	return v
}

// limit bounds the caches, in entries.
func (v *View) limit() {
	v.byService.Limit, v.terms.Limit, v.summed.Limit, v.pairs.Limit, v.figures.Limit = 300, 600, 300, 2000, 64
}

// At gives the same view at another place.
func (v *View) At(place rollcall.Place) *View {
	key := v.ViewKey
	key.Place = place
	out, _ := v.views.Get(context.Background(), key, func() (*View, int64, error) {
		other := &View{Sample: v.Sample, ViewKey: key, in: v.in, Settings: v.Settings, Intervals: v.Intervals}
		other.limit()
		return other, 1, nil
	})
	return out
}

// Judged gives the same view under other limits and another confidence.
func (v *View) Judged(by Settings) *View {
	if v.Settings.Thresholds == by.Thresholds && v.Settings.Confidence == by.Confidence {
		return v
	}
	out := &View{Sample: v.Sample, ViewKey: v.ViewKey, in: v.in, Settings: v.Settings, Intervals: v.Weights.Intervals(by.Confidence)}
	out.Settings.Thresholds, out.Settings.Confidence = by.Thresholds, by.Confidence
	out.limit()
	return out
}

// Once computes something once a view.
func Once[T any](v *View, name string, compute func() T) T {
	out, _ := v.figures.Get(context.Background(), name, func() (any, int64, error) { return compute(), 1, nil })
	return out.(T)
}

// Catalogue gives the services that the view knows, by position.
func (v *View) Catalogue() []rollcall.Service { return v.Lead().Doc.Services }

// ID gives a service's id by position.
func (v *View) ID(service int) string { return string(v.Catalogue()[service].ID) }

// Use gives what the view's people did with a service, or with all of a group.
func (v *View) Use(services Set) *Usage {
	out, _ := v.byService.Get(context.Background(), services, func() (*Usage, int64, error) {
		return v.restrict(services), 1, nil
	})
	return out
}

func (v *View) restrict(services Set) *Usage {
	u := v.Sample.use(scope{v.Credit, v.Place.Locations()}, services)
	if v.in == nil && v.Place == v.Place.Base() {
		return u
	}
	// Those at both places, or at one only, are known by what they did at the two.
	c := v.Counted()
	in := c.matching(Using(services, v.Place))
	return u.where(func(person int32) bool { return in[c.Of[person]] })
}

// Term prepares the persons at some positions.
func (v *View) Term(at []int32) *panel.Term { return v.Weights.Term(panel.Variable{At: at}) }

// Weigh gives the weighted persons at some positions.
func (v *View) Weigh(at []int32) float64 { return v.Weights.Value(panel.Variable{At: at}) }

// Active gives the active universe that the view's reach is of.
func (v *View) Active() *panel.Term {
	return Once(v, "active", func() *panel.Term {
		at := v.Sample.active(v.Place.Base().Locations())
		if v.in != nil {
			at = slices.DeleteFunc(at, func(i int32) bool { return !v.in[i] })
		}
		return v.Term(at)
	})
}

// Amounts gives the sessions, minutes and days of a service's or group's users.
func (v *View) Amounts(services Set) []*panel.Term {
	out, _ := v.summed.Get(context.Background(), services, func() ([]*panel.Term, int64, error) {
		u := v.Use(services)
		sessions, minutes, days := make([]float64, len(u.At)), make([]float64, len(u.At)), make([]float64, len(u.At))
		for i := range u.At {
			sessions[i], minutes[i], days[i] = float64(u.Sessions[i]), float64(u.Minutes[i]), float64(u.DayCount(i))
		}
		return v.Weights.Terms(u.At, sessions, minutes, days), 1, nil
	})
	return out
}

// targeted gives everyone in the view's target.
func (v *View) targeted() *panel.Term {
	return Once(v, "targeted", func() *panel.Term { return v.Term(positions(v.in)) })
}
