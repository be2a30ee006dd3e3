package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
)

// PutPanelObjects says what a panel's month is weighted with, in the place of
// what was said before.
func (s *documents) PutPanelObjects(ctx context.Context, f rollcall.PanelObjects) error {
	err := checkMonth(f.Month)
	if err == nil && f.Roster != (rollcall.Hash{}) {
		err = s.put(ctx, `INSERT INTO rosters (market, panel, month, roster)`,
			string(f.Market), string(f.Panel), dayTime(f.Month.First()), f.Roster.String())
	}
	if err == nil {
		err = s.put(ctx, `INSERT INTO panel_files (market, panel, month, roster, universe)`,
			string(f.Market), string(f.Panel), dayTime(f.Month.First()), f.Roster.String(), f.Universe.String())
	}
	if err != nil {
		return fmt.Errorf("put the files of %v: %w", f.PanelMonth, err)
	}
	return nil
}

const panelFiles = `SELECT market, panel, month, roster, universe FROM panel_files FINAL`

func scanPanelObjects(r driver.Rows) (f rollcall.PanelObjects, err error) {
	return f, r.Scan((*string)(&f.Market), (*string)(&f.Panel), monthColumn{&f.Month}, hashColumn{&f.Roster}, hashColumn{&f.Universe})
}

// PanelObjects gives what was last put for a panel's month; an ErrNotFound if
// nothing was.
func (s *documents) PanelObjects(ctx context.Context, m rollcall.PanelMonth) (rollcall.PanelObjects, error) {
	all, err := list(ctx, s.database, scanPanelObjects, panelFiles+` WHERE market = ? AND panel = ? AND month = toDate32(?)`,
		string(m.Market), string(m.Panel), clamp(m.Month.First()).String())
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
	err := s.put(ctx, `INSERT INTO limits (market, panel, low, caution)`, string(l.Market), string(l.Panel), uint32(l.Low), uint32(l.Caution))
	if err != nil {
		return fmt.Errorf("put the limits of panel %s in %s: %w", l.Panel, l.Market, err)
	}
	return nil
}

const limits = `SELECT market, panel, low, caution FROM limits FINAL`

func scanLimits(r driver.Rows) (l rollcall.PanelLimits, err error) {
	var low, caution uint32
	err = r.Scan((*string)(&l.Market), (*string)(&l.Panel), &low, &caution)
	l.Low, l.Caution = int(low), int(caution)
	return l, err
}

// PanelLimits gives what was last put; an ErrNotFound if nothing was.
func (s *documents) PanelLimits(ctx context.Context, market rollcall.MarketID, panel rollcall.PanelID) (rollcall.PanelLimits, error) {
	all, err := list(ctx, s.database, scanLimits, limits+` WHERE market = ? AND panel = ?`, string(market), string(panel))
	if err == nil && len(all) == 0 {
		err = rollcall.ErrNotFound
	}
	if err != nil {
		return rollcall.PanelLimits{}, fmt.Errorf("read the limits of panel %s in %s: %w", panel, market, err)
	}
	return all[0], nil
}
