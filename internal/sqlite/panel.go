package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"rollcall"
)

// PutPanelObjects says what a panel's month is weighted with, in the place of
// what was said before.
func (s *documents) PutPanelObjects(ctx context.Context, f rollcall.PanelObjects) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		key := []any{string(f.Market), string(f.Panel), f.Month.String(), f.Roster.String()}
		if f.Roster != (rollcall.Hash{}) {
			if _, err := tx.Exec(`INSERT OR IGNORE INTO rosters (market, panel, month, roster) VALUES (?, ?, ?, ?)`, key...); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`INSERT OR REPLACE INTO panel_files (market, panel, month, roster, universe) VALUES (?, ?, ?, ?, ?)`, append(key, f.Universe.String())...)
		return err
	})
	if err != nil {
		return fmt.Errorf("put the files of %v: %w", f.PanelMonth, err)
	}
	return nil
}

const panelFiles = `SELECT market, panel, month, roster, universe FROM panel_files`

func scanPanelObjects(r *sql.Rows) (f rollcall.PanelObjects, err error) {
	return f, r.Scan(&f.Market, &f.Panel, monthColumn{&f.Month}, hashColumn{&f.Roster}, hashColumn{&f.Universe})
}

// PanelObjects gives what was last put for a panel's month; an ErrNotFound if
// nothing was.
func (s *documents) PanelObjects(ctx context.Context, m rollcall.PanelMonth) (rollcall.PanelObjects, error) {
	all, err := list(ctx, s.database, scanPanelObjects, panelFiles+` WHERE market = ? AND panel = ? AND month = ?`,
		string(m.Market), string(m.Panel), m.Month.String())
	if err == nil && len(all) == 0 {
		err = rollcall.ErrNotFound
	}
	if err != nil {
		return rollcall.PanelObjects{}, fmt.Errorf("read the files of %v: %w", m, err)
	}
	return all[0], nil
}

// ListPanelObjects gives the files of every month, by market, panel and month.
func (s *documents) ListPanelObjects(ctx context.Context) ([]rollcall.PanelObjects, error) {
	all, err := list(ctx, s.database, scanPanelObjects, panelFiles+` ORDER BY market, panel, month`)
	if err != nil {
		return nil, fmt.Errorf("list panel files: %w", err)
	}
	return all, nil
}

// PutPanelLimits says under how many persons a panel's figures are withheld, or
// flagged, in the place of what was said before.
func (s *documents) PutPanelLimits(ctx context.Context, l rollcall.PanelLimits) error {
	err := s.exec(ctx, `INSERT OR REPLACE INTO limits (market, panel, low, caution) VALUES (?, ?, ?, ?)`, string(l.Market), string(l.Panel), l.Low, l.Caution)
	if err != nil {
		return fmt.Errorf("put the limits of panel %s in %s: %w", l.Panel, l.Market, err)
	}
	return nil
}

// PanelLimits gives what was last put; an ErrNotFound if nothing was.
func (s *documents) PanelLimits(ctx context.Context, market rollcall.MarketID, panel rollcall.PanelID) (rollcall.PanelLimits, error) {
	all, err := list(ctx, s.database, func(r *sql.Rows) (l rollcall.PanelLimits, err error) {
		return l, r.Scan(&l.Market, &l.Panel, &l.Low, &l.Caution)
	}, `SELECT market, panel, low, caution FROM limits WHERE market = ? AND panel = ?`, string(market), string(panel))
	if err == nil && len(all) == 0 {
		err = rollcall.ErrNotFound
	}
	if err != nil {
		return rollcall.PanelLimits{}, fmt.Errorf("read the limits of panel %s in %s: %w", panel, market, err)
	}
	return all[0], nil
}
