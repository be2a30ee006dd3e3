package masters

import (
	"context"
	"fmt"

	"rollcall"
	"rollcall/ingest"
)

// always is a span of every day that an event can have.
const always = rollcall.Day(200 * 366)

// prove refuses keys under which a fact of the store was not made. It is asked
// of a store that was filled before masters were recorded.
func (m *Masters) prove(ctx context.Context, own []ingest.Master) error {
	used, err := m.used(ctx)
	if err != nil || !used {
		return err
	}
	keys, err := ingest.NewKeys(own...)
	if err != nil {
		return err
	}
	proved := false
	for _, market := range m.Catalogue().Markets {
		looked, err := m.proveCells(ctx, keys, market.ID)
		if err != nil {
			return err
		}
		proved = proved || looked
	}
	looked, err := m.proveDiaries(ctx, keys)
	if err != nil {
		return err
	}
	if !proved && !looked {
		m.Log.Warn("no fact of the store says which master key it was made under; the key that is there is taken", "place", m.Place.Name, "id", own[0].ID().String())
	}
	return nil
}

// proveCells looks at one cell of a market; looked is false where it has none.
func (m *Masters) proveCells(ctx context.Context, keys *ingest.Keys, market rollcall.MarketID) (looked bool, err error) {
	for row, err := range m.Store.Cells(ctx, rollcall.CellQuery{Market: market, To: always}) {
		if err != nil {
			return false, err
		}
		service, err := m.Catalogue().Service(row.Service)
		if err != nil {
			continue // a line of the catalogue that is gone
		}
		_, key, err := keys.Account(service, row.Day, "anybody")
		if err != nil || key != row.Key {
			return false, m.notProved(fmt.Sprintf("the census of %s on %s", row.Service, row.Day))
		}
		return true, nil
	}
	return false, nil
}

// proveDiaries looks at one diary of each panel's month that was loaded; looked
// is false where there is none.
func (m *Masters) proveDiaries(ctx context.Context, keys *ingest.Keys) (looked bool, err error) {
	loaded, err := m.Store.ListPanelObjects(ctx)
	if err != nil {
		return false, err
	}
	for _, l := range loaded {
		for row, err := range m.Store.Diaries(ctx, rollcall.DiaryQuery{Market: l.Market, Panel: l.Panel, From: l.Month.First(), To: l.Month.Last()}) {
			if err != nil {
				return false, err
			}
			p, ok := rollcall.PseudonymOf(keys.Panelist(l.Panel, "anybody"), row.Day)
			if !ok || p.Key != row.Key {
				return false, m.notProved(fmt.Sprintf("panel %s on %s", l.Panel, row.Day))
			}
			looked = true
			break
		}
	}
	return looked, nil
}

func (m *Masters) notProved(what string) error {
	return fmt.Errorf("%w: the master key in %s is another than the store's pseudonyms were made under: %s has another key; put that one there, or name its file with --key-file", rollcall.ErrConflict, m.Place.Name, what)
}
