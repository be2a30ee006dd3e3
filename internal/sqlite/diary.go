package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"rollcall"
)

// Diaries yields the diaries that q asks for, ascending by panelist, day,
// service, location, kind and key. It stops at the first error, yielded with
// an empty row.
func (s *facts) Diaries(ctx context.Context, q rollcall.DiaryQuery) iter.Seq2[rollcall.DiaryRow, error] {
	return func(yield func(rollcall.DiaryRow, error) bool) {
		err := s.diaries(ctx, q, func(r *rollcall.DiaryRow) bool { return yield(*r, nil) })
		if err != nil {
			yield(rollcall.DiaryRow{}, fmt.Errorf("read diaries of %s in %s: %w", q.Panel, q.Market, failure(err)))
		}
	}
}

func (s *facts) diaries(ctx context.Context, q rollcall.DiaryQuery, yield func(*rollcall.DiaryRow) bool) error {
	q.From, q.To = clamp(q.From), clamp(q.To)
	tx, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	months, err := monthsOf(tx, q)
	if err != nil || len(months) == 0 {
		return err
	}
	query, args := diaryQuery(q, months)
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	read := newDiaryReader(q)
	more := true
	for more && rows.Next() {
		if more, err = read.row(rows, yield); err != nil {
			return err
		}
	}
	if err := errors.Join(rows.Err(), rows.Close(), tx.Commit()); err != nil {
		return err
	}
	if more {
		read.flush(yield)
	}
	return s.setAsideAll(ctx, read.broken)
}

// monthsOf lists the months of q that have diaries, by one seek each.
func monthsOf(tx *sql.Tx, q rollcall.DiaryQuery) (months []string, err error) {
	const query = `SELECT ifnull(min(month), '') FROM diaries WHERE market = ? AND panel = ? AND month > ? AND month <= ?`
	last, to := (q.From.Month() - 1).String(), q.To.Month().String()
	for {
		if err := tx.QueryRow(query, string(q.Market), string(q.Panel), last, to).Scan(&last); err != nil || last == "" {
			return months, err
		}
		months = append(months, last)
	}
}

// diaryQuery merges the months, each read in the order of the table's key.
func diaryQuery(q rollcall.DiaryQuery, months []string) (query string, args []any) {
	const month = `SELECT panelist, day, key, diary FROM diaries WHERE market = ?1 AND panel = ?2 AND day BETWEEN ?3 AND ?4 AND month = ?`
	args = []any{string(q.Market), string(q.Panel), q.From.String(), q.To.String()}
	parts := make([]string, len(months))
	for i, m := range months {
		parts[i] = fmt.Sprint(month, i+5)
		args = append(args, m)
	}
	return strings.Join(parts, ` UNION ALL `) + ` ORDER BY panelist, day, key`, args
}

// diaryReader reads rows, which are of one panelist's day and key, as
// diaries. It gathers a panelist's day first, since key comes last in the
// diaries' order and a day may have several.
type diaryReader struct {
	out   rollcall.DiaryRow // market, panel, panelist and day of what is gathered
	uses  dayUses
	keys  []keyed
	names names
	days  map[string]rollcall.Day

	broken []damaged // rows that were passed over

	panelist, day, key, diary sql.RawBytes
}

// keyed is one entry of a day and the key that made it.
type keyed struct {
	entry
	key rollcall.KeyID
}

func newDiaryReader(q rollcall.DiaryQuery) *diaryReader {
	r := &diaryReader{names: names{}, days: map[string]rollcall.Day{}}
	r.out.Market, r.out.Panel = q.Market, q.Panel
	return r
}

// row reads one row, after yielding the day before it if that is over.
func (r *diaryReader) row(rows *sql.Rows, yield func(*rollcall.DiaryRow) bool) (more bool, err error) {
	if err := rows.Scan(&r.panelist, &r.day, &r.key, &r.diary); err != nil {
		return false, err
	}
	panelist, err1 := parseHex(r.panelist)
	key, err2 := parseHex(r.key)
	day, err3 := r.parseDay(r.day)
	if err := errors.Join(err1, err2, err3, r.uses.decode(r.diary, r.names)); err != nil {
		key := []string{string(r.out.Market), string(r.out.Panel), string(r.panelist), string(r.day), string(r.key)}
		r.broken = append(r.broken, damaged{diaryTable(), key, err})
		return true, nil //nolint:nilerr // the row is among the broken
	}
	if rollcall.Visitor(panelist) != r.out.Panelist || day != r.out.Day {
		if !r.flush(yield) {
			return false, nil
		}
		r.out.Panelist, r.out.Day = rollcall.Visitor(panelist), day
	}
	for i := range r.uses {
		r.keys = append(r.keys, keyed{r.uses[i], rollcall.KeyID(key)})
	}
	return true, nil
}

// flush yields what is gathered.
func (r *diaryReader) flush(yield func(*rollcall.DiaryRow) bool) (more bool) {
	if n := len(r.keys); n > 0 && r.keys[0].key != r.keys[n-1].key {
		slices.SortStableFunc(r.keys, func(a, b keyed) int { return a.compare(b.use) })
	}
	for i := range r.keys {
		e := &r.keys[i]
		r.out.Service, r.out.Location, r.out.Kind, r.out.Key = e.service, e.location, e.kind, e.key
		r.out.Minutes = e.minutes
		if !yield(&r.out) {
			return false
		}
	}
	r.keys = r.keys[:0]
	return true
}

func (r *diaryReader) parseDay(b []byte) (rollcall.Day, error) {
	if d, ok := r.days[string(b)]; ok {
		return d, nil
	}
	d, err := rollcall.ParseDay(string(b))
	if err == nil {
		r.days[string(b)] = d
	}
	return d, err
}

// parseHex reads 16 hexadecimal digits.
func parseHex(b []byte) (uint64, error) {
	var v [8]byte
	if len(b) != 2*len(v) {
		return 0, fmt.Errorf("%q is not 16 hexadecimal digits", b)
	}
	if _, err := hex.Decode(v[:], b); err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(v[:]), nil
}
