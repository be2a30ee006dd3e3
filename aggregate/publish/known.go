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

// Known refuses a market that is not in the catalogue, a panel that has neither
// a roster nor a version in it, and a month of which the panel has neither: an
// Unknown that names the nearest. An empty panel and month 0 are not looked at.
func (pub *Publisher) Known(ctx context.Context, of rollcall.PanelMonth) error {
	if err := pub.Catalogue().Knows(of.Market); err != nil {
		return err
	}
	if of.Panel == "" {
		return nil
	}
	panels, err := pub.panels(ctx, of.Market)
	if err != nil {
		return err
	}
	months, ok := panels[of.Panel]
	if !ok {
		return &rollcall.Unknown{
			Kind: "panel", Name: string(of.Panel), Where: "in " + string(of.Market),
			Near: rollcall.Nearest(string(of.Panel), slices.Collect(maps.Keys(panels))), Advice: loadPanel,
		}
	}
	if of.Month == 0 || slices.Contains(months, of.Month) {
		return nil
	}
	return &rollcall.Unknown{
		Kind: "month", Name: of.Month.String(), Where: fmt.Sprintf("of panel %s in %s", of.Panel, of.Market),
		Near: nearestMonths(of.Month, months), Advice: loadPanel,
	}
}

const loadPanel = "load its files with `rollcall panel load`"

// panels gives the months of each panel of a market that have a roster or a
// version.
func (pub *Publisher) panels(ctx context.Context, market rollcall.MarketID) (map[rollcall.PanelID][]rollcall.Month, error) {
	loaded, err := pub.Store.ListPanelObjects(ctx)
	if err != nil {
		return nil, err
	}
	published, err := pub.Store.Publications(ctx, market, "")
	if err != nil {
		return nil, err
	}
	panels := map[rollcall.PanelID][]rollcall.Month{}
	add := func(of rollcall.PanelMonth) {
		if of.Market == market && !slices.Contains(panels[of.Panel], of.Month) {
			panels[of.Panel] = append(panels[of.Panel], of.Month)
		}
	}
	for _, l := range loaded {
		add(l.PanelMonth)
	}
	for _, p := range published {
		add(p.PanelMonth)
	}
	return panels, nil
}

// mostNear is how many months an Unknown names.
const mostNear = 3

// nearestMonths gives the months that are nearest in time.
func nearestMonths(m rollcall.Month, known []rollcall.Month) []string {
	known = slices.Clone(known)
	slices.SortFunc(known, func(a, b rollcall.Month) int { return cmp.Or(apart(a, m)-apart(b, m), int(b-a)) })
	var near []string
	for _, k := range known[:min(mostNear, len(known))] {
		near = append(near, k.String())
	}
	return near
}

func apart(a, b rollcall.Month) int { return int(max(a-b, b-a)) }

// Publication finds a version of a month, as Versions does, and says of a month
// that has none which part of its name is not known.
func (pub *Publisher) Publication(ctx context.Context, of rollcall.PanelMonth, version int) (rollcall.Publication, error) {
	p, err := pub.Versions.Publication(ctx, of, version)
	if errors.Is(err, rollcall.ErrNotClosed) {
		err = cmp.Or(pub.Known(ctx, of), err)
	}
	return p, err
}
