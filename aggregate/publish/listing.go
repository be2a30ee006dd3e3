package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"rollcall"
)

// Listing is a Publisher that also tells what it has of panels.
type Listing struct{ *Publisher }

// Months gives the months of a market's panels that have a roster or a version,
// by panel and month.
func (l Listing) Months(ctx context.Context, market rollcall.MarketID) ([]rollcall.PanelMonth, error) {
	panels, err := l.panels(ctx, market)
	if err != nil {
		return nil, err
	}
	var out []rollcall.PanelMonth
	for _, panel := range slices.Sorted(maps.Keys(panels)) {
		for _, month := range slices.Sorted(slices.Values(panels[panel])) {
			out = append(out, rollcall.PanelMonth{Market: market, Panel: panel, Month: month})
		}
	}
	return out, nil
}

// PanelObjects names the roster and the universe of a month; an Unknown where it
// has none.
func (l Listing) PanelObjects(ctx context.Context, of rollcall.PanelMonth) (rollcall.PanelObjects, error) {
	files, err := l.objects(ctx, of)
	if errors.Is(err, rollcall.ErrNotFound) {
		known := l.Known(ctx, of)
		return files, cmp.Or(known, fmt.Errorf("%s of panel %s in %s has no roster any more: %w", of.Month, of.Panel, of.Market, rollcall.ErrNotFound))
	}
	return files, err
}

// Exclusions gives the rules of a month; an Unknown where there is no such month.
func (l Listing) Exclusions(ctx context.Context, of rollcall.PanelMonth) ([]rollcall.Exclusion, error) {
	if err := l.Known(ctx, of); err != nil {
		return nil, err
	}
	return l.Store.Exclusions(ctx, of)
}
