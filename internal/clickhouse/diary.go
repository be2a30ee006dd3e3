package clickhouse

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
)

const putDiaries = `INSERT INTO diaries (market, panel, panelist, day, service, location, kind, key, minutes)`

func (s *facts) mergeDiaries(ctx context.Context, diaries iter.Seq2[rollcall.Diary, *rollcall.Minutes]) error {
	if diaries == nil {
		return nil
	}
	in := inserter{db: s.db, query: putDiaries, eras: map[rollcall.Month]driver.Batch{}}
	defer in.abort()
	var list []uint16
	for d, minutes := range diaries {
		if err := checkDiary(&d, minutes); err != nil {
			return fmt.Errorf("diary %v: %w", d, err)
		}
		if list = appendMinutes(list[:0], minutes); len(list) == 0 {
			continue
		}
		err := in.row(ctx, d.Day.Month(), rowBytes+2*len(list),
			string(d.Market), string(d.Panel), uint64(d.Panelist), dayTime(d.Day),
			string(d.Service), int8(d.Location), int8(d.Kind), uint64(d.Key), list)
		if err != nil {
			return fmt.Errorf("diary %v: %w", d, err)
		}
	}
	return in.send()
}

func checkDiary(d *rollcall.Diary, m *rollcall.Minutes) error {
	if err := check(d.Market, d.Service, d.Location, d.Kind, d.Day); err != nil {
		return err
	}
	if err := rollcall.CheckID("panel", string(d.Panel)); err != nil {
		return err
	}
	if m[len(m)-1]>>(rollcall.MaxMinute%64) != 0 {
		return &rollcall.Invalid{Field: "minutes", Reason: "has a minute after the day's end", Code: "minutes"}
	}
	return nil
}

// appendMinutes appends the minutes of a set, ascending.
func appendMinutes(dst []uint16, m *rollcall.Minutes) []uint16 {
	for from, to := range m.Runs {
		for at := from; at < to; at++ {
			dst = append(dst, uint16(at))
		}
	}
	return dst
}

// Diaries yields the diaries that q asks for, ascending by panelist, day,
// service, location, kind and key. It stops at the first error, yielded with
// an empty row.
func (s *facts) Diaries(ctx context.Context, q rollcall.DiaryQuery) iter.Seq2[rollcall.DiaryRow, error] {
	return func(yield func(rollcall.DiaryRow, error) bool) {
		const where = `market = ? AND panel = ? AND day BETWEEN toDate32(?) AND toDate32(?)`
		args := []any{string(q.Market), string(q.Panel), clamp(q.From).String(), clamp(q.To).String()}
		found, err := s.diaries(ctx, where, args, func(r *rollcall.DiaryRow) bool { return yield(*r, nil) })
		if err == nil {
			err = s.setAside(ctx, found)
		}
		if err != nil {
			yield(rollcall.DiaryRow{}, fmt.Errorf("read diaries of %s in %s: %w", q.Panel, q.Market, failure(ctx, err)))
		}
	}
}

// diaries reads the minutes as bytes: the driver makes an array of them by
// reflection, number by number, which takes three quarters of a reader's time.
// It yields those that can be decoded, and gives the others.
func (s *facts) diaries(ctx context.Context, where string, args []any, yield func(*rollcall.DiaryRow) bool) (found []damaged, err error) {
	const query = `SELECT market, panel, panelist, toInt32(day), service, toInt8(location), toInt8(kind), key, formatRow('RowBinary', groupUniqArrayArray(minutes))
		FROM diaries WHERE %s GROUP BY market, panel, panelist, day, service, location, kind, key
		ORDER BY market, panel, panelist, day, service, location, kind, key`
	var read diaryReader
	err = s.each(with(ctx, readSettings(8192)), func(rows driver.Rows) (bool, error) {
		broken, err := read.row(rows)
		if err != nil {
			return false, err
		}
		if broken != nil {
			found = append(found, damagedDiary(&read.out.Diary, read.minutes, broken))
			return true, nil
		}
		return yield(&read.out), nil
	}, fmt.Sprintf(query, where), args...)
	return found, err
}

// diaryReader reads rows as diaries.
type diaryReader struct {
	out     rollcall.DiaryRow
	minutes []byte
}

// row reads one row; broken says why its minutes can't be decoded.
func (r *diaryReader) row(rows driver.Rows) (broken, err error) {
	var location, kind int8
	var day int32
	d := &r.out
	err = rows.Scan((*string)(&d.Market), (*string)(&d.Panel), (*uint64)(&d.Panelist), &day,
		(*string)(&d.Service), &location, &kind, (*uint64)(&d.Key), &r.minutes)
	if err != nil {
		return nil, err
	}
	d.Location, d.Kind, d.Day = rollcall.Location(location), rollcall.Kind(kind), rollcall.Day(day)
	d.Minutes, broken = decodeMinutes(r.minutes)
	return broken, nil
}

// errMinutes is the kind of every error about bytes that are no minutes.
var errMinutes = errors.New("malformed minutes")

// decodeMinutes reads an Array(UInt16) in ClickHouse's RowBinary: a uvarint n up
// to 1500, then n minutes of two bytes, the lower first, each under 1500, in any order.
// Anything else is refused.
func decodeMinutes(b []byte) (m rollcall.Minutes, err error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > rollcall.MaxMinute || len(b)-size != 2*int(n) {
		return m, fmt.Errorf("%w: %d bytes for %d of them", errMinutes, len(b), n)
	}
	for b = b[size:]; len(b) > 0; b = b[2:] {
		at := binary.LittleEndian.Uint16(b)
		if at >= rollcall.MaxMinute {
			return m, fmt.Errorf("%w: minute %d", errMinutes, at)
		}
		m[at/64] |= 1 << (at % 64)
	}
	return m, nil
}
