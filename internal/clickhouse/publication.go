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

// AddDelivery takes a step of an errand: the first one, or the one after the
// last. Any other is an ErrConflict: of two processes at once, one takes it.
func (s *documents) AddDelivery(ctx context.Context, d rollcall.Delivery) error {
	if err := s.addDelivery(ctx, d); err != nil {
		return fmt.Errorf("step %d of %s for %v: %w", d.Step, d.To, d.PanelMonth, failure(ctx, err))
	}
	return nil
}

// addDelivery inserts with a token of the step's own, as addPublication does.
func (s *documents) addDelivery(ctx context.Context, d rollcall.Delivery) error {
	if err := errors.Join(checkMonth(d.Month), checkTime(d.Until), checkTime(d.Since), checkTime(d.Time)); err != nil {
		return err
	}
	key := []any{string(d.Market), string(d.Panel), clamp(d.Month.First()).String(), d.Version, d.Cause, d.To}
	const of = ` FROM deliveries WHERE market = ? AND panel = ? AND month = toDate32(?) AND version = ? AND cause = ? AND destination = ?`
	var last uint32
	if err := s.db.QueryRow(ctx, `SELECT max(step)`+of, key...).Scan(&last); err != nil {
		return err
	}
	taken := fmt.Errorf("%w: another process took the step", rollcall.ErrConflict)
	if d.Step != int(last)+1 {
		return taken
	}
	id := hash(fmt.Sprintf("%+v", d))
	if err := s.insertDelivery(ctx, d, id); err != nil {
		return err
	}
	var owner string
	if err := s.db.QueryRow(ctx, `SELECT id`+of+` AND step = ? ORDER BY time, id LIMIT 1`, append(key, d.Step)...).Scan(&owner); err != nil {
		return err
	}
	if owner != id {
		return taken
	}
	return nil
}

func (s *documents) insertDelivery(ctx context.Context, d rollcall.Delivery, id string) error {
	token := fmt.Sprintf("%q %q %v %d %q %q %d", d.Market, d.Panel, d.Month, d.Version, d.Cause, d.To, d.Step)
	return insert(once(ctx, hash(token)), s.db,
		`INSERT INTO deliveries (market, panel, month, version, cause, destination, step, id, state, until, tries, since, time, holder, text, error)`,
		[]any{
			string(d.Market), string(d.Panel), dayTime(d.Month.First()), uint32(d.Version), d.Cause, d.To, uint32(d.Step), id, string(d.State),
			d.Until, uint32(d.Tries), d.Since, d.Time, d.Holder, d.Text, d.Error,
		})
}

const lastSteps = `SELECT market, panel, month, version, cause, destination, step, state, until, tries, since, time, holder, text, error FROM
	(SELECT * FROM deliveries ORDER BY month, market, panel, version, cause, destination, step DESC, time, id
	LIMIT 1 BY month, market, panel, version, cause, destination)`

// Deliveries gives the last step of every errand that is not at its end.
func (s *documents) Deliveries(ctx context.Context) ([]rollcall.Delivery, error) {
	all, err := list(ctx, s.database, scanDelivery, lastSteps+` WHERE state IN ('waiting', 'held') ORDER BY month, market, panel, version, cause, destination`)
	if err != nil {
		return nil, fmt.Errorf("read the deliveries: %w", err)
	}
	return all, nil
}

func scanDelivery(r driver.Rows) (d rollcall.Delivery, err error) {
	var version, step, tries uint32
	err = r.Scan((*string)(&d.Market), (*string)(&d.Panel), monthColumn{&d.Month}, &version, &d.Cause, &d.To, &step, (*string)(&d.State),
		timeColumn{&d.Until}, &tries, timeColumn{&d.Since}, timeColumn{&d.Time}, &d.Holder, &d.Text, &d.Error)
	d.Version, d.Step, d.Tries = int(version), int(step), int(tries)
	return d, err
}
