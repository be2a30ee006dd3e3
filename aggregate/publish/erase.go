package publish

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rollcall"
)

// Erase takes a panelist, named by the clear id, off the rosters and out of the
// diaries of every month that has no final version, in every market.
func (pub *Publisher) Erase(ctx context.Context, panel rollcall.PanelID, panelist string) (diaries int, err error) {
	if pub.Pseudonym == nil {
		return 0, errNoKey
	}
	who, _ := pub.Pseudonym(panel, panelist)
	months, err := pub.notFinal(ctx, panel)
	if err != nil {
		return 0, err
	}
	rosters, err := pub.offRosters(ctx, months, who)
	if err != nil {
		return 0, err
	}
	if diaries, err = pub.Store.Erase(ctx, panel, who); err != nil {
		return 0, err
	}
	if rosters == 0 && diaries == 0 {
		return 0, nobody(ctx, pub, panel, who)
	}
	if pub.Log != nil {
		pub.Log.Info("erased a panelist", "panel", panel, "panelist", who, "rosters", rosters, "diaries", diaries)
	}
	return diaries, nil
}

// nobody says why nothing of a panelist could be erased.
func nobody(ctx context.Context, pub *Publisher, panel rollcall.PanelID, who rollcall.Visitor) error {
	loaded, err := pub.Store.ListPanelObjects(ctx)
	if err != nil {
		return err
	}
	gone, err := pub.Ages(ctx)
	if err != nil {
		return err
	}
	var final []string
	for _, l := range loaded {
		if l.Panel != panel || gone.Check(l.PanelMonth) != nil {
			continue
		}
		p, err := pub.files(ctx, l.PanelMonth)
		if err != nil {
			return err
		}
		if p != nil && slices.ContainsFunc(p.Roster.Panelists, func(q rollcall.Panelist) bool { return q.ID == who }) {
			final = append(final, fmt.Sprintf("%s in %s", l.Month, l.Market))
		}
	}
	if len(final) > 0 {
		return fmt.Errorf("%w: the panelist is on the rosters of final months only, which stay: %s", rollcall.ErrConflict, strings.Join(final, ", "))
	}
	return fmt.Errorf("%w: the panelist is on no roster of panel %s, and has no diary in it", rollcall.ErrNotFound, panel)
}

// notFinal gives a panel's months without a final version, in every market.
func (pub *Publisher) notFinal(ctx context.Context, panel rollcall.PanelID) ([]rollcall.PanelMonth, error) {
	loaded, err := pub.Store.ListPanelObjects(ctx)
	if err != nil {
		return nil, err
	}
	var months []rollcall.PanelMonth
	for _, l := range loaded {
		if l.Panel != panel {
			continue
		}
		published, err := pub.Publications(ctx, l.Market, panel)
		if err != nil {
			return nil, err
		}
		final := slices.ContainsFunc(published, func(p rollcall.Publication) bool {
			return p.Month == l.Month && p.Status == rollcall.Final
		})
		if !final {
			months = append(months, l.PanelMonth)
		}
	}
	return months, nil
}

// offRosters takes a person off the rosters of months, whose files it replaces, and
// says how many it changed. Versions already published keep what they were
// computed from.
func (pub *Publisher) offRosters(ctx context.Context, months []rollcall.PanelMonth, who rollcall.Visitor) (int, error) {
	gone, err := pub.Ages(ctx)
	if err != nil {
		return 0, err
	}
	changed := 0
	for _, of := range months {
		if gone.Check(of) != nil {
			continue // nobody is on its roster
		}
		ok, err := pub.offRoster(ctx, of, who)
		if err != nil {
			return changed, err
		}
		if ok {
			changed++
		}
	}
	return changed, nil
}

func (pub *Publisher) offRoster(ctx context.Context, of rollcall.PanelMonth, who rollcall.Visitor) (bool, error) {
	p, err := pub.files(ctx, of)
	if p == nil || err != nil {
		return false, err
	}
	kept := *p.Roster
	kept.Panelists = nil
	for _, person := range p.Roster.Panelists {
		if person.ID != who {
			kept.Panelists = append(kept.Panelists, person)
		}
	}
	if len(kept.Panelists) == len(p.Roster.Panelists) {
		return false, nil
	}
	_, err = pub.store(ctx, of, &kept, p.Population)
	return err == nil, err
}
