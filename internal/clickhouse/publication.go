package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
)

// AddPublication adds the next version of a panel's month. Any other version
// than the next is an ErrConflict that names both: of two closers at once, one
// gets it.
func (s *documents) AddPublication(ctx context.Context, p rollcall.Publication) error {
	if err := s.addPublication(ctx, p); err != nil {
		return fmt.Errorf("publish version %d of %v: %w", p.Version, p.PanelMonth, failure(ctx, err))
	}
	return nil
}

// addPublication inserts with a token of the version's own, so that the server
// lets one closer in, and then reads who that was.
func (s *documents) addPublication(ctx context.Context, p rollcall.Publication) error {
	if err := errors.Join(checkMonth(p.Month), checkTime(p.Time)); err != nil {
		return err
	}
	last, err := s.lastVersion(ctx, p.PanelMonth)
	if err != nil {
		return err
	}
	if p.Version != last+1 {
		return fmt.Errorf("%w: the next version is %d", rollcall.ErrConflict, last+1)
	}
	if err := s.insertPublication(ctx, p); err != nil {
		return err
	}
	owner, err := s.owner(ctx, p.PanelMonth, p.Version)
	if err != nil {
		return err
	}
	if owner != rowID(p) {
		return fmt.Errorf("%w: another closer has it; the next version is %d", rollcall.ErrConflict, p.Version+1)
	}
	return nil
}

func (s *documents) insertPublication(ctx context.Context, p rollcall.Publication) error {
	token := fmt.Sprintf("%q %q %v %d", p.Market, p.Panel, p.Month, p.Version)
	return insert(once(ctx, hash(token)), s.db,
		`INSERT INTO publications (market, panel, month, version, id, status, internal, reason, time, document)`,
		[]any{
			string(p.Market), string(p.Panel), dayTime(p.Month.First()), uint32(p.Version), rowID(p),
			string(p.Status), p.Internal, p.Reason, p.Time, p.Document.String(),
		})
}

// rowID is a hash of a publication's content.
func rowID(p rollcall.Publication) string {
	return hash(fmt.Sprintf("%q %q %v %d %q %t %q %d %v",
		p.Market, p.Panel, p.Month, p.Version, p.Status, p.Internal, p.Reason, p.Time.UnixNano(), p.Document))
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// lastVersion gives the latest version of a panel's month, 0 for none.
func (s *documents) lastVersion(ctx context.Context, m rollcall.PanelMonth) (int, error) {
	var last uint32
	err := s.db.QueryRow(ctx, `SELECT max(version) FROM publications WHERE market = ? AND panel = ? AND month = toDate32(?)`,
		string(m.Market), string(m.Panel), clamp(m.Month.First()).String()).Scan(&last)
	return int(last), err
}

// owner gives the id of the row that is the version.
func (s *documents) owner(ctx context.Context, m rollcall.PanelMonth, version int) (id string, err error) {
	err = s.db.QueryRow(ctx, `SELECT id FROM publications WHERE market = ? AND panel = ? AND month = toDate32(?) AND version = ?
		ORDER BY time, id LIMIT 1`,
		string(m.Market), string(m.Panel), clamp(m.Month.First()).String(), version).Scan(&id)
	return id, err
}

// Publications gives the versions of one panel in a market, or of all its
// panels where panel is empty, by month, panel and version.
func (s *documents) Publications(ctx context.Context, market rollcall.MarketID, panel rollcall.PanelID) ([]rollcall.Publication, error) {
	all, err := list(ctx, s.database, scanPublication, `SELECT market, panel, month, version, status, internal, reason, time, document FROM publications
		WHERE market = ? AND (panel = ? OR ? = '') ORDER BY month, panel, version, time, id LIMIT 1 BY month, panel, version`,
		string(market), string(panel), string(panel))
	if err != nil {
		return nil, fmt.Errorf("read the publications of %s in %s: %w", panel, market, err)
	}
	if err := s.markWithdrawn(ctx, market, all); err != nil {
		return nil, fmt.Errorf("read the withdrawals in %s: %w", market, err)
	}
	return all, nil
}

// markWithdrawn fills in the withdrawals of a market's versions.
func (s *documents) markWithdrawn(ctx context.Context, market rollcall.MarketID, versions []rollcall.Publication) error {
	type edition struct {
		rollcall.PanelMonth
		version int
	}
	marks := make(map[edition]rollcall.Withdrawal)
	err := s.each(ctx, func(r driver.Rows) (bool, error) {
		w := rollcall.Withdrawal{PanelMonth: rollcall.PanelMonth{Market: market}}
		var version uint32
		err := r.Scan((*string)(&w.Panel), monthColumn{&w.Month}, &version, timeColumn{&w.Time}, &w.Reason)
		marks[edition{w.PanelMonth, int(version)}] = w
		return true, err
	}, `SELECT panel, month, version, time, reason FROM withdrawals WHERE market = ? ORDER BY time, reason LIMIT 1 BY panel, month, version`, string(market))
	for i := range versions {
		p := &versions[i]
		w := marks[edition{p.PanelMonth, p.Version}]
		p.Withdrawn, p.WithdrawalReason = w.Time, w.Reason
	}
	return err
}

// Withdraw marks a version as one that must not be used; of several withdrawals
// of one the first stands.
func (s *documents) Withdraw(ctx context.Context, w rollcall.Withdrawal) error {
	err := errors.Join(checkMonth(w.Month), checkTime(w.Time))
	if err == nil {
		err = s.put(ctx, `INSERT INTO withdrawals (market, panel, month, version, time, reason)`,
			string(w.Market), string(w.Panel), dayTime(w.Month.First()), uint32(w.Version), w.Time, w.Reason)
	}
	if err != nil {
		return fmt.Errorf("withdraw version %d of %v: %w", w.Version, w.PanelMonth, err)
	}
	return nil
}

func scanPublication(r driver.Rows) (p rollcall.Publication, err error) {
	var version uint32
	err = r.Scan((*string)(&p.Market), (*string)(&p.Panel), monthColumn{&p.Month}, &version,
		(*string)(&p.Status), &p.Internal, &p.Reason, timeColumn{&p.Time}, hashColumn{&p.Document})
	p.Version = int(version)
	return p, err
}
