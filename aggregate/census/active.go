package census

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"rollcall"
)

// ActiveQuery asks how many accounts of a service were active in each of the
// windows that end on one day.
type ActiveQuery struct {
	Market       rollcall.MarketID
	Service      rollcall.ServiceID
	Day          rollcall.Day
	Segments     bool // each segment too
	Least, Round int  // as a CensusQuery's MinAccounts and Round
}

// Active is the accounts of one window: of all, of one platform, or of one segment.
type Active struct {
	Platform string // rollcall.AnyPlatform: all
	Segment  string // "": all
	Window   rollcall.Window
	Accounts rollcall.Measure
}

// ActiveWindows are those that are told of a day.
func ActiveWindows() []rollcall.Window {
	return []rollcall.Window{{Days: 1}, {Days: 7}, {Days: 28}, {Days: 30}, {Month: true}}
}

// part is what a figure of active accounts is of.
type part struct{ platform, segment string }

// ActiveAccounts counts them, all first. The windows end on one day, so each holds
// the ones before it: the days are united once, from the last one backwards. A
// window that reaches into what has aged out is left out; one over two keys is
// undefined. What is merged into a segment counts there, and who was erased nowhere.
func ActiveAccounts(ctx context.Context, store rollcall.Store, q ActiveQuery) (all []Active, err error) {
	list, err := store.Ageings(ctx)
	if err != nil {
		return nil, err
	}
	catalogue, err := store.Segments(ctx, "")
	if err != nil {
		return nil, err
	}
	undone, err := store.Corrections(ctx)
	if err != nil {
		return nil, err
	}
	windows := slices.DeleteFunc(ActiveWindows(), func(w rollcall.Window) bool {
		return !rollcall.Ageings(list).Since(w.From(q.Day).Month()).IsZero()
	})
	slices.SortStableFunc(windows, func(a, b rollcall.Window) int { return cmp.Compare(b.From(q.Day), a.From(q.Day)) })
	parts, day := map[part]*union{{platform: rollcall.AnyPlatform}: newUnion(store.K(), false)}, q.Day
	from := reading{store, rollcall.MergedOf(catalogue), undone.Erasings(), &memory{maxBytes}}
	for _, w := range windows {
		for ; day >= w.From(q.Day); day-- {
			if err := from.uniteDay(ctx, &q, day, parts); err != nil {
				return nil, err
			}
		}
		all = append(all, activeIn(w, &q, parts)...)
	}
	return all, nil
}

// uniteDay adds a day's cells to the parts that they are of.
func (r reading) uniteDay(ctx context.Context, q *ActiveQuery, day rollcall.Day, parts map[part]*union) error {
	for row, err := range r.store.Cells(ctx, rollcall.CellQuery{Market: q.Market, Services: []rollcall.ServiceID{q.Service}, From: day, To: day}) {
		if err != nil {
			return fmt.Errorf("active accounts: %w", err)
		}
		if !rollcall.ByPresence.Counts(row.Kind) {
			continue
		}
		row.Segment = r.merged.Target(row.Segment)
		without(&row, r.erased)
		of := []part{{platform: rollcall.AnyPlatform}, {platform: row.Platform.String()}}
		if q.Segments {
			of = append(of, part{rollcall.AnyPlatform, row.Segment.String()})
		}
		for _, p := range of {
			u := parts[p]
			if u == nil {
				u = newUnion(r.store.K(), false)
				parts[p] = u
			}
			before := u.size()
			if err := u.add(&row); err != nil {
				return err
			}
			if err := r.free.take(u.size() - before); err != nil {
				return err
			}
		}
	}
	return nil
}

// activeIn writes down what the parts are in a window.
func activeIn(w rollcall.Window, q *ActiveQuery, parts map[part]*union) (all []Active) {
	byName := func(a, b part) int {
		return cmp.Or(cmp.Compare(a.segment, b.segment), cmp.Compare(a.platform, b.platform))
	}
	for _, p := range slices.SortedFunc(maps.Keys(parts), byName) {
		accounts, _, _ := parts[p].figures(&rollcall.CensusQuery{MinAccounts: q.Least, Round: q.Round})
		all = append(all, Active{Platform: p.platform, Segment: p.segment, Window: w, Accounts: accounts})
	}
	return all
}

// Newest gives the newest day, up to one, on which a service has facts; false: it
// has none. It looks at one cell of each of some thirty ranges at most.
func Newest(ctx context.Context, store rollcall.Store, market rollcall.MarketID, service rollcall.ServiceID, until rollcall.Day) (rollcall.Day, bool, error) {
	const oldest = 1 << 20 // days before: some 2,900 years
	has := func(from, to rollcall.Day) (bool, error) {
		for _, err := range store.Cells(ctx, rollcall.CellQuery{Market: market, Services: []rollcall.ServiceID{service}, From: from, To: to}) {
			return err == nil, err
		}
		return false, nil
	}
	to, days := until, rollcall.Day(1) // it is not after to
	for {
		found, err := has(to-days+1, to)
		switch {
		case err != nil:
			return 0, false, fmt.Errorf("newest day: %w", err)
		case found:
		case until-to > oldest:
			return 0, false, nil
		default:
			to, days = to-days, 2*days
			continue
		}
		break
	}
	for days > 1 { // it is among the days up to to
		later, err := has(to-days/2+1, to)
		if err != nil {
			return 0, false, fmt.Errorf("newest day: %w", err)
		}
		if later {
			days /= 2
			continue
		}
		to, days = to-days/2, days-days/2
	}
	return to, true, nil
}
