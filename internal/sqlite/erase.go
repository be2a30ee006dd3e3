package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"rollcall"
	"rollcall/aggregate/idset"
)

// Erase removes a panelist's diaries from every month, in any market, that
// has no final publication (an internal one, which no reader has seen, does
// not count), and gives the number of diaries removed. Their bytes are
// overwritten in the file; copies that SQLite left on pages that it split
// before go with the next VACUUM, which RemoveFacts makes.
func (s *facts) Erase(ctx context.Context, panel rollcall.PanelID, panelist rollcall.Visitor) (rows int, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`PRAGMA secure_delete = ON`); err != nil {
			return err
		}
		var err error
		if rows, err = eachMonth(ctx, tx, panel, panelist, eraseMonth); rows == 0 || err != nil {
			return err
		}
		return noteVacuum(tx)
	})
	if err == nil {
		err = s.forget(ctx)
	}
	if err != nil {
		return 0, fmt.Errorf("erase a panelist of %s: %w", panel, err)
	}
	return rows, nil
}

// CountErase counts the diaries that Erase would remove.
func (s *facts) CountErase(ctx context.Context, panel rollcall.PanelID, panelist rollcall.Visitor) (rows int, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		rows, err = eachMonth(ctx, tx, panel, panelist, countMonth)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count the diaries of a panelist of %s: %w", panel, err)
	}
	return rows, nil
}

// read runs several queries on one state of the database.
func (s *facts) read(ctx context.Context, queries func(*sql.Tx) error) error {
	tx, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return failure(err)
	}
	defer tx.Rollback()
	return failure(queries(tx))
}

// eachMonth does something with a panelist's month, in every month of the panel
// that may be erased, and adds up the diaries.
func eachMonth(ctx context.Context, tx *sql.Tx, panel rollcall.PanelID, panelist rollcall.Visitor,
	do func(tx *sql.Tx, m rollcall.PanelMonth, v rollcall.Visitor) (diaries int, err error),
) (diaries int, err error) {
	months, err := panelMonths(ctx, tx, panel)
	if err != nil {
		return 0, err
	}
	for _, m := range months {
		n, err := do(tx, m, panelist)
		if err != nil {
			return 0, fmt.Errorf("%v: %w", m, err)
		}
		diaries += n
	}
	return diaries, nil
}

// forget writes the log into the database and empties it, so that no copy of
// erased rows stays there, and ends secure deletion. A reader may hold the log:
// then the next checkpoints do it.
func (s *facts) forget(ctx context.Context) error {
	if _, err := s.emptyLog(ctx); err != nil {
		return failure(err)
	}
	_, err := s.writer.ExecContext(ctx, `PRAGMA secure_delete = OFF`)
	return failure(err)
}

// panelMonths lists the months of a panel that have diaries and no final
// publication.
func panelMonths(ctx context.Context, tx *sql.Tx, panel rollcall.PanelID) (open []rollcall.PanelMonth, err error) {
	all, err := diaryMonths(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, at := range all {
		if at.Panel != panel {
			continue
		}
		final, err := isFinal(tx, at)
		if err != nil {
			return nil, err
		}
		if !final {
			open = append(open, at)
		}
	}
	return open, nil
}

// diaryMonths lists the months that have diaries, by one seek in the table for
// each.
func diaryMonths(ctx context.Context, tx *sql.Tx) (all []rollcall.PanelMonth, err error) {
	const next = `SELECT market, panel, month FROM diaries WHERE (market, panel, month) > (?, ?, ?) ORDER BY market, panel, month LIMIT 1`
	var at rollcall.PanelMonth
	for month := ""; ; month = at.Month.String() {
		err := tx.QueryRowContext(ctx, next, string(at.Market), string(at.Panel), month).Scan(&at.Market, &at.Panel, monthColumn{&at.Month})
		if errors.Is(err, sql.ErrNoRows) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, at)
	}
}

func isFinal(tx *sql.Tx, m rollcall.PanelMonth) (final bool, err error) {
	const query = `SELECT EXISTS (SELECT 1 FROM publications WHERE market = ? AND panel = ? AND month = ? AND status = ? AND NOT internal)`
	return final, tx.QueryRow(query, string(m.Market), string(m.Panel), m.Month.String(), string(rollcall.Final)).Scan(&final)
}

// eraseMonth removes the panelist's rows and gives the number of diaries in them.
func eraseMonth(tx *sql.Tx, m rollcall.PanelMonth, v rollcall.Visitor) (diaries int, err error) {
	diaries, err = countDiaries(tx, `DELETE FROM diaries WHERE `+ofPanelist+` RETURNING diary`, m, v)
	if err != nil {
		return 0, err
	}
	aside, err := tx.Exec(`DELETE FROM quarantine WHERE `+damagedRows, quarantined(m, v)...)
	if err != nil {
		return 0, err
	}
	n, err := aside.RowsAffected()
	return diaries + int(n), err
}

// countMonth gives what eraseMonth would.
func countMonth(tx *sql.Tx, m rollcall.PanelMonth, v rollcall.Visitor) (diaries int, err error) {
	diaries, err = countDiaries(tx, `SELECT diary FROM diaries WHERE `+ofPanelist, m, v)
	if err != nil {
		return 0, err
	}
	var aside int
	err = tx.QueryRow(`SELECT count(*) FROM quarantine WHERE `+damagedRows, quarantined(m, v)...).Scan(&aside)
	return diaries + aside, err
}

// A panelist's rows of a month, and those of them that were set aside.
const (
	ofPanelist  = `market = ? AND panel = ? AND month = ? AND panelist = ?`
	damagedRows = `source = 'diaries' AND market = ? AND month = ? AND instr(row, ?) > 0`
)

func quarantined(m rollcall.PanelMonth, v rollcall.Visitor) []any {
	return []any{string(m.Market), m.Month.String(), " " + string(m.Panel) + " " + pseudonym(v) + " "}
}

// countDiaries gives the number of diaries in the rows that a query about a
// panelist's month gives.
func countDiaries(tx *sql.Tx, query string, m rollcall.PanelMonth, v rollcall.Visitor) (diaries int, err error) {
	rows, err := tx.Query(query, string(m.Market), string(m.Panel), m.Month.String(), pseudonym(v))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var body sql.RawBytes
	var uses dayUses
	for rows.Next() {
		if err := rows.Scan(&body); err != nil {
			return 0, err
		}
		if uses.decode(body, names{}) != nil {
			diaries++ // damaged, and erased like any other
			continue
		}
		diaries += len(uses)
	}
	return diaries, errors.Join(rows.Err(), rows.Close())
}

// AddCorrections records what was done about mistakes in the census, and does
// it. What is recorded counts at once, whatever of it is done when the process
// is killed: the same again goes on.
func (s *facts) AddCorrections(ctx context.Context, all ...rollcall.Correction) (rows int, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		for i := range all {
			if err := addCorrection(tx, &all[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		rows, err = s.removeCells(ctx, rollcall.Corrections(all).Of(rollcall.Removal))
	}
	if erased := rollcall.Corrections(all).Of(rollcall.Erasing); err == nil && len(erased) > 0 {
		n, failed := s.eraseAccounts(ctx, erased)
		rows, err = rows+n, failed
	}
	if err != nil {
		return rows, fmt.Errorf("correct the census: %w", err)
	}
	return rows, nil
}

func addCorrection(tx *sql.Tx, c *rollcall.Correction) error {
	_, err := tx.Exec(`INSERT INTO corrections (`+correctionColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		string(c.Action), string(c.Market), string(c.Service), c.Segment, c.From.String(), c.To.String(), c.Key.String(), pseudonym(c.Visitor), c.Reason, timeText(c.Time))
	return err
}

const correctionColumns = `action, market, service, segment, first, last, key, visitor, reason, time`

// Corrections gives what was recorded, the earliest first.
func (s *facts) Corrections(ctx context.Context) (rollcall.Corrections, error) {
	return corrections(ctx, s.readers, "")
}

// CountCorrections counts what was recorded.
func (s *facts) CountCorrections(ctx context.Context) (n int, err error) {
	if err := s.readers.QueryRowContext(ctx, `SELECT count(*) FROM corrections`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the census's corrections: %w", failure(err))
	}
	return n, nil
}

// corrections gives those of one action, or all where it is empty: a flush and a
// reading want the removals, and very many accounts may have been erased.
func corrections(ctx context.Context, in querier, only rollcall.Action) (rollcall.Corrections, error) {
	all, err := listIn(ctx, in, func(r *sql.Rows) (c rollcall.Correction, err error) {
		var first, last, key, visitor string
		if err := r.Scan(&c.Action, &c.Market, &c.Service, &c.Segment, &first, &last, &key, &visitor, &c.Reason, timeColumn{&c.Time}); err != nil {
			return c, err
		}
		var errs [4]error
		c.From, errs[0] = rollcall.ParseDay(first)
		c.To, errs[1] = rollcall.ParseDay(last)
		c.Key, errs[2] = rollcall.ParseKeyID(key)
		errs[3] = c.Visitor.UnmarshalText([]byte(visitor))
		return c, errors.Join(errs[:]...)
	}, `SELECT `+correctionColumns+` FROM corrections WHERE ?1 IN ('', action)
		ORDER BY time, action, market, service, segment, first, last, key, visitor, reason`, string(only))
	if err != nil {
		return nil, fmt.Errorf("read the census's corrections: %w", err)
	}
	return all, nil
}

// removeCells deletes the cells of removals that are from before them.
func (s *facts) removeCells(ctx context.Context, all rollcall.Corrections) (rows int, err error) {
	for _, c := range all {
		segment, err := rollcall.ParseSegment(c.Segment)
		if err != nil {
			return rows, err
		}
		n, err := s.removeAll(ctx, `DELETE FROM cells WHERE rowid IN (SELECT rowid FROM cells
			WHERE market = ?1 AND service = ?2 AND day BETWEEN ?3 AND ?4 AND since < ?5 AND (?6 = '' OR segment = ?7) LIMIT 256)`,
			string(c.Market), string(c.Service), clamp(c.From).String(), clamp(c.To).String(), c.Time.UnixMilli(), c.Segment, string(segment))
		rows += n
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// eraseAccounts takes accounts out of the cells' sets, and gives how many sets
// had one.
func (s *facts) eraseAccounts(ctx context.Context, all rollcall.Corrections) (sets int, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`PRAGMA secure_delete = ON`); err != nil {
			return err
		}
		err := eachSets(ctx, tx, all, func(found []set) error {
			sets += len(found)
			return update(tx, found)
		})
		if sets == 0 || err != nil {
			return err
		}
		return noteVacuum(tx)
	})
	if err != nil {
		return 0, err
	}
	return sets, s.forget(ctx)
}

// CountSets counts the sets that some erasings would take an account out of.
func (s *facts) CountSets(ctx context.Context, erasings ...rollcall.Correction) (sets int, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		return eachSets(ctx, tx, erasings, func(found []set) error {
			sets += len(found)
			return nil
		})
	})
	if err != nil {
		return 0, fmt.Errorf("count the sets that have an account: %w", err)
	}
	return sets, nil
}

// eachSets finds the sets that have an account of some erasings, a market's
// service at a time.
func eachSets(ctx context.Context, tx *sql.Tx, all rollcall.Corrections, do func([]set) error) error {
	erasings := all.Erasings()
	markets, err := listIn(ctx, tx, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) }, `SELECT DISTINCT market FROM cells`)
	if err != nil {
		return err
	}
	for _, market := range markets {
		for service := range servicesOf(all) {
			found, err := setsIn(ctx, tx, erasings, market, service)
			if err != nil {
				return err
			}
			if err := do(found); err != nil {
				return err
			}
		}
	}
	return nil
}

func servicesOf(all rollcall.Corrections) map[rollcall.ServiceID]bool {
	services := make(map[rollcall.ServiceID]bool)
	for _, c := range all {
		services[c.Service] = true
	}
	return services
}

// set is one that has an erased account.
type set struct {
	row  int64
	left []byte // of it, without the account
}

// setsIn is eachSets for one market's service.
func setsIn(ctx context.Context, tx *sql.Tx, erasings rollcall.Erasings, market string, service rollcall.ServiceID) ([]set, error) {
	cell := rollcall.Cell{Service: service}
	found, err := listIn(ctx, tx, func(r *sql.Rows) (u set, err error) {
		var key, day string
		var accounts sql.RawBytes
		if err := r.Scan(&u.row, &key, &day, &accounts); err != nil {
			return u, err
		}
		var errs [3]error
		cell.Key, errs[0] = rollcall.ParseKeyID(key)
		cell.Day, errs[1] = rollcall.ParseDay(day)
		errs[2] = idset.Check(accounts)
		if errors.Join(errs[:]...) != nil {
			return u, nil //nolint:nilerr // damaged: it is set aside when it is come by
		}
		left := idset.Without([]byte{}, accounts, idset.Append(nil, erasings.Of(&cell)))
		if len(left) < len(accounts) {
			u.left = left
		}
		return u, nil
	}, `SELECT rowid, key, day, accounts FROM cells WHERE market = ? AND service = ? AND length(accounts) > 0`, market, string(service))
	return slices.DeleteFunc(found, func(u set) bool { return u.left == nil }), err
}

// update gives the sets' cells what is left of them.
func update(tx *sql.Tx, sets []set) error {
	for _, u := range sets {
		if _, err := tx.Exec(`UPDATE cells SET accounts = ? WHERE rowid = ?`, u.left, u.row); err != nil {
			return err
		}
	}
	return nil
}
