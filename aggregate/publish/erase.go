package publish

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollcall"
	"rollcall/aggregate/audience"
)

// Erase takes a panelist, named by the clear id, off the rosters and out of the
// diaries of every month that has no final version, in every market, under every
// pseudonym that the person has had. It says which versions keep the person.
func (pub *Publisher) Erase(ctx context.Context, panel rollcall.PanelID, panelist string) (rollcall.Erasure, error) {
	e := erasing{Publisher: pub, panel: panel, store: pub.store, erase: pub.Store.Erase}
	done, err := e.run(ctx, panelist)
	if err == nil && pub.Log != nil {
		pub.Log.Info("erased a panelist", "panel", panel, "panelist", e.who.ids, "rosters", done.Rosters, "diaries", done.Diaries)
	}
	return done, err
}

// PreviewErasure says what Erase would erase, and fails as it would. Nothing is
// changed.
func (pub *Publisher) PreviewErasure(ctx context.Context, panel rollcall.PanelID, panelist string) (rollcall.Erasure, error) {
	e := erasing{Publisher: pub, panel: panel, erase: pub.Store.CountErase}
	e.store = func(context.Context, rollcall.PanelMonth, *rollcall.Roster, *rollcall.Population) (rollcall.PanelObjects, error) {
		return rollcall.PanelObjects{}, nil
	}
	return e.run(ctx, panelist)
}

// erasing is the erasure of one person from one panel, or its preview.
type erasing struct {
	*Publisher
	panel rollcall.PanelID
	who   person
	store func(ctx context.Context, of rollcall.PanelMonth, r *rollcall.Roster, u *rollcall.Population) (rollcall.PanelObjects, error)
	erase func(ctx context.Context, panel rollcall.PanelID, id rollcall.Visitor) (diaries int, err error)
}

// run finds the person under every pseudonym, and counts what store and erase are
// given.
func (e *erasing) run(ctx context.Context, panelist string) (done rollcall.Erasure, err error) {
	if e.Pseudonyms == nil {
		return done, errNoKey
	}
	e.who = known(e.Pseudonyms(e.panel, panelist))
	months, err := e.notFinal(ctx, e.panel)
	if err != nil {
		return done, err
	}
	if done.Rosters, err = e.offRosters(ctx, months); err != nil {
		return done, err
	}
	for _, id := range e.who.ids {
		n, err := e.erase(ctx, e.panel, id)
		if err != nil {
			return done, err
		}
		done.Diaries += n
	}
	if done.Kept, err = e.keeping(ctx); err != nil {
		return done, err
	}
	done.Lost = e.who.lost
	if done.Rosters == 0 && done.Diaries == 0 {
		return done, e.nobody(ctx)
	}
	return done, nil
}

// person is who a clear id stands for.
type person struct {
	ids  []rollcall.Visitor
	lost string // the day before which the pseudonyms are lost; "": none is
}

func known(all []rollcall.Pseudonym) (who person) {
	for i, p := range all {
		switch {
		case !p.Lost:
			who.ids = append(who.ids, p.Visitor)
		case i+1 < len(all):
			who.lost = all[i+1].From.String()
		}
	}
	return who
}

// on reports whether the person is on a roster.
func (who *person) on(r *rollcall.Roster) bool {
	return slices.ContainsFunc(r.Panelists, func(p rollcall.Panelist) bool { return slices.Contains(who.ids, p.ID) })
}

// keeping gives the versions that were computed from a roster with the person on
// it, and keep what they were computed from.
func (e *erasing) keeping(ctx context.Context) ([]rollcall.Publication, error) {
	kept, on := []rollcall.Publication{}, map[rollcall.Hash]bool{}
	for _, market := range e.Catalogue().Markets {
		published, err := e.Publications(ctx, market.ID, e.panel)
		if err != nil {
			return nil, err
		}
		for _, p := range published {
			if !p.AgedOut.IsZero() {
				continue // nobody is on its roster
			}
			if _, asked := on[p.Document]; !asked {
				if on[p.Document], err = e.frozenWith(ctx, p); err != nil {
					return nil, err
				}
			}
			if on[p.Document] {
				kept = append(kept, p)
			}
		}
	}
	return kept, nil
}

// frozenWith reports whether the person is on the roster of a version.
func (e *erasing) frozenWith(ctx context.Context, p rollcall.Publication) (bool, error) {
	body, err := e.Store.Object(ctx, p.Document)
	if err != nil {
		return false, fmt.Errorf("version %d of %s: %w", p.Version, p.Month, err)
	}
	d, err := audience.DecodeDocument(body)
	if err != nil {
		return false, err
	}
	parts, err := loadParts(ctx, e.Store, d)
	if err != nil {
		return false, err
	}
	return e.who.on(parts.Roster), nil
}

// nobody says why nothing of a panelist could be erased.
func (e *erasing) nobody(ctx context.Context) error {
	loaded, err := e.Store.ListPanelObjects(ctx)
	if err != nil {
		return err
	}
	gone, err := e.Ages(ctx)
	if err != nil {
		return err
	}
	var final []string
	for _, l := range loaded {
		if l.Panel != e.panel || gone.Check(l.PanelMonth) != nil {
			continue
		}
		p, err := e.files(ctx, l.PanelMonth)
		if err != nil {
			return err
		}
		if p != nil && e.who.on(p.Roster) {
			final = append(final, fmt.Sprintf("%s in %s", l.Month, l.Market))
		}
	}
	if len(final) > 0 {
		return fmt.Errorf("%w: the panelist is on the rosters of final months only, which stay: %s", rollcall.ErrConflict, strings.Join(final, ", "))
	}
	if err := e.isPanel(ctx); err != nil {
		return err
	}
	lost := ""
	if e.who.lost != "" {
		lost = fmt.Sprintf(" since %s (before, nobody can be found: the master key of then is lost)", e.who.lost)
	}
	return fmt.Errorf("%w: the panelist is on no roster of panel %s%s, and has no diary in it", rollcall.ErrNotFound, e.panel, lost)
}

// isPanel refuses a panel that has neither a roster nor a version in any market: an
// Unknown that names the nearest.
func (e *erasing) isPanel(ctx context.Context) error {
	var known []rollcall.PanelID
	for _, market := range e.Catalogue().Markets {
		panels, err := e.panels(ctx, market.ID)
		if err != nil {
			return err
		}
		if _, ok := panels[e.panel]; ok {
			return nil
		}
		known = slices.AppendSeq(known, maps.Keys(panels))
	}
	slices.Sort(known)
	return &rollcall.Unknown{Kind: "panel", Name: string(e.panel), Near: rollcall.Nearest(string(e.panel), slices.Compact(known)), Advice: loadPanel}
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
func (e *erasing) offRosters(ctx context.Context, months []rollcall.PanelMonth) (int, error) {
	gone, err := e.Ages(ctx)
	if err != nil {
		return 0, err
	}
	changed := 0
	for _, of := range months {
		if gone.Check(of) != nil {
			continue // nobody is on its roster
		}
		ok, err := e.offRoster(ctx, of)
		if err != nil {
			return changed, err
		}
		if ok {
			changed++
		}
	}
	return changed, nil
}

func (e *erasing) offRoster(ctx context.Context, of rollcall.PanelMonth) (bool, error) {
	p, err := e.files(ctx, of)
	if p == nil || err != nil {
		return false, err
	}
	kept := *p.Roster
	kept.Panelists = nil
	for _, person := range p.Roster.Panelists {
		if !slices.Contains(e.who.ids, person.ID) {
			kept.Panelists = append(kept.Panelists, person)
		}
	}
	if len(kept.Panelists) == len(p.Roster.Panelists) {
		return false, nil
	}
	_, err = e.store(ctx, of, &kept, p.Population)
	return err == nil, err
}
