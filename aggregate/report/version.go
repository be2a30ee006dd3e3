package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"rollcall"
)

// Publications gives the versions of a panel's months, or of all panels' where
// panel is empty, by month, panel and version. It says which have aged out.
func (pub *Publisher) Publications(ctx context.Context, market rollcall.MarketID, panel rollcall.PanelID) ([]rollcall.Publication, error) {
	list, err := pub.Store.Publications(ctx, market, panel)
	if err != nil {
		return nil, fmt.Errorf("publications of panel %s in %s: %w", panel, market, err)
	}
	gone, err := pub.ages(ctx)
	if err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	for i := range list {
		list[i].AgedOut = gone.Since(list[i].Month)
	}
	slices.SortFunc(list, comparePublications)
	return list, nil
}

func comparePublications(a, b rollcall.Publication) int {
	return cmp.Or(cmp.Compare(a.Month, b.Month), cmp.Compare(a.Panel, b.Panel), a.Version-b.Version)
}

// versions gives the versions of one month, ascending.
func (pub *Publisher) versions(ctx context.Context, of rollcall.PanelMonth) ([]rollcall.Publication, error) {
	list, err := pub.Publications(ctx, of.Market, of.Panel)
	return slices.DeleteFunc(list, func(p rollcall.Publication) bool { return p.Month != of.Month }), err
}

// Publication finds a version of a month; version 0 is the latest that is not
// internal. It fails with rollcall.ErrNotClosed where the month has no version
// for readers, and rollcall.ErrNotFound where it has others but not this one.
func (pub *Publisher) Publication(ctx context.Context, of rollcall.PanelMonth, version int) (rollcall.Publication, error) {
	list, err := pub.versions(ctx, of)
	if err != nil {
		return rollcall.Publication{}, err
	}
	var latest rollcall.Publication
	for _, p := range list {
		if p.Version == version {
			return p, nil
		}
		if !p.Internal {
			latest = p
		}
	}
	if version != 0 && len(list) > 0 {
		return latest, fmt.Errorf("version %d of %s of panel %s in %s: %w", version, of.Month, of.Panel, of.Market, rollcall.ErrNotFound)
	}
	if latest.Version == 0 {
		return latest, fmt.Errorf("%s of panel %s in %s is %w; close it, or ask with --live", of.Month, of.Panel, of.Market, rollcall.ErrNotClosed)
	}
	return latest, nil
}
