package delivery

import (
	"cmp"
	"context"
	"slices"
	"time"

	"rollcall"
)

// lookBack is how many months are looked at: the last one that is due, and those
// before, which a server that was away may have missed or whose files were late.
const lookBack = 3

// lastDue gives the last month whose day of closing has come in a market.
func (p *Plan) lastDue(c *rollcall.Calendar, now time.Time) rollcall.Month {
	next := c.Day(now).Month()
	day := next.First() + rollcall.Day(min(p.day, next.Days())) - 1
	if rollcall.MinuteOf(now) < c.At(day, p.clock) {
		return next - 2
	}
	return next - 1
}

// panelMonths is what is known of one panel.
type panelMonths struct {
	loaded map[rollcall.Month]bool // with files
	closed map[rollcall.Month]bool // with a version for readers, be it withdrawn
}

// due gives the months that ought to be closed and are not, the earliest first:
// the last one of each panel that has files, what the months looked at have left
// open, and the last one due where its files are missing and the panel had some
// not long ago.
func (s *Schedule) due(ctx context.Context, now time.Time) (due []rollcall.PanelMonth, err error) {
	files, err := s.Store.ListPanelObjects(ctx)
	if err != nil {
		return nil, err
	}
	ages, err := s.Store.Ageings(ctx)
	if err != nil {
		return nil, err
	}
	gone := rollcall.Ageings(ages).Before()
	c := s.Catalogue()
	for _, m := range c.Markets {
		calendar, err := c.Calendar(m.ID)
		if err != nil {
			return nil, err
		}
		versions, err := s.Publications(ctx, m.ID, "")
		if err != nil {
			return nil, err
		}
		last := s.plan.lastDue(calendar, now)
		for id, p := range panelsOf(m.ID, files, versions) {
			for _, month := range p.due(last) {
				if month < gone {
					continue
				}
				due = append(due, rollcall.PanelMonth{Market: m.ID, Panel: id, Month: month})
			}
		}
	}
	slices.SortFunc(due, func(a, b rollcall.PanelMonth) int {
		return cmp.Or(cmp.Compare(a.Month, b.Month), cmp.Compare(a.Market, b.Market), cmp.Compare(a.Panel, b.Panel))
	})
	return due, nil
}

func panelsOf(market rollcall.MarketID, files []rollcall.PanelObjects, versions []rollcall.Publication) map[rollcall.PanelID]*panelMonths {
	panels := map[rollcall.PanelID]*panelMonths{}
	panel := func(id rollcall.PanelID) *panelMonths {
		if panels[id] == nil {
			panels[id] = &panelMonths{map[rollcall.Month]bool{}, map[rollcall.Month]bool{}}
		}
		return panels[id]
	}
	for _, f := range files {
		if f.Market == market && f.Roster != (rollcall.Hash{}) {
			panel(f.Panel).loaded[f.Month] = true
		}
	}
	for _, v := range versions {
		if !v.Internal {
			panel(v.Panel).closed[v.Month] = true
		}
	}
	return panels
}

// due gives the panel's months that ought to be closed and are not.
func (p *panelMonths) due(last rollcall.Month) (due []rollcall.Month) {
	latest := rollcall.Month(0) // with files
	recent := false             // it had some before the last month
	for m := range p.loaded {
		if m <= last {
			latest = max(latest, m)
		}
	}
	for m := last - lookBack + 1; m < last; m++ {
		recent = recent || p.loaded[m] || p.closed[m]
		if p.loaded[m] && !p.closed[m] && m != latest {
			due = append(due, m)
		}
	}
	if latest != 0 && !p.closed[latest] {
		due = append(due, latest)
	}
	if latest != last && recent && !p.closed[last] {
		due = append(due, last)
	}
	return due
}
