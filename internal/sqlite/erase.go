package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"rollcall"
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
		months, err := panelMonths(ctx, tx, panel)
		if err != nil {
			return err
		}
		for _, m := range months {
			n, err := eraseMonth(tx, m, panelist)
			if err != nil {
				return fmt.Errorf("%v: %w", m, err)
			}
			rows += n
		}
		if rows == 0 {
			return nil
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
	const query = `DELETE FROM diaries WHERE market = ? AND panel = ? AND month = ? AND panelist = ? RETURNING diary`
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
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, err
	}
	aside, err := tx.Exec(`DELETE FROM quarantine WHERE source = 'diaries' AND market = ? AND month = ? AND instr(row, ?) > 0`,
		string(m.Market), m.Month.String(), " "+string(m.Panel)+" "+pseudonym(v)+" ")
	if err != nil {
		return 0, err
	}
	n, err := aside.RowsAffected()
	return diaries + int(n), err
}
