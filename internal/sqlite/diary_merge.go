package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"rollcall"
)

const (
	chunkRows = 16384 // diaries held at once: about 5 MB
	groupRows = 64    // person-days read or written by one statement
)

// The statements of a group bind once what its rows share.

func getDiaries() string {
	return `SELECT panelist, diary FROM diaries WHERE market = ?1 AND panel = ?2 AND month = ?3 AND day = ?4 AND key = ?5 AND panelist IN (` +
		numbered(groupRows, func(i int) string { return fmt.Sprintf("?%d", 6+i) }) + `)`
}

func putDiaries(n int) string {
	return `INSERT INTO diaries (market, panel, month, day, key, panelist, diary) VALUES ` +
		numbered(n, func(i int) string { return fmt.Sprintf("(?1, ?2, ?3, ?4, ?5, ?%d, ?%d)", 6+2*i, 7+2*i) }) +
		` ON CONFLICT DO UPDATE SET diary = excluded.diary`
}

func numbered(n int, item func(i int) string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = item(i)
	}
	return strings.Join(items, ", ")
}

// diaryMerge gathers a chunk of diaries, sorts it so that what makes one row
// stands together, and reads, unites and writes its rows a group at a time.
type diaryMerge struct {
	tx             *sql.Tx
	log            *slog.Logger
	get, put, put1 *sql.Stmt
	chunk          []rollcall.DiaryRow
	order          []*rollcall.DiaryRow
	group          []personDay // of one page; its memory is used again
	names          names
	args           []any
}

// personDay is one row of the table.
type personDay struct {
	panelist rollcall.Visitor
	deltas   []*rollcall.DiaryRow
	uses     dayUses
	bytes    []byte
	changed  bool
}

// page is what the rows of a group share.
type page struct {
	market rollcall.MarketID
	panel  rollcall.PanelID
	day    rollcall.Day
	key    rollcall.KeyID
}

func pageOf(d *rollcall.DiaryRow) page { return page{d.Market, d.Panel, d.Day, d.Key} }

func mergeDiaries(ctx context.Context, tx *sql.Tx, log *slog.Logger, d rollcall.Deltas) error {
	if d.Diaries == nil {
		return nil
	}
	m := diaryMerge{tx: tx, log: log, names: names{}}
	var err error
	if m.get, m.put, m.put1, err = prepare3(tx, getDiaries(), putDiaries(groupRows), putDiaries(1)); err != nil {
		return err
	}
	for diary, minutes := range d.Diaries {
		if err := checkDiary(&diary, minutes); err != nil {
			return fmt.Errorf("diary %v: %w", diary, err)
		}
		m.chunk = append(m.chunk, rollcall.DiaryRow{Diary: diary, Minutes: *minutes})
		if len(m.chunk) < chunkRows {
			continue
		}
		if err := m.flush(ctx); err != nil {
			return err
		}
	}
	return m.flush(ctx)
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

// flush merges the chunk and empties it.
func (m *diaryMerge) flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.order = m.order[:0]
	for i := range m.chunk {
		m.order = append(m.order, &m.chunk[i])
	}
	slices.SortFunc(m.order, compareDeltas)
	for rest := m.order; len(rest) > 0; {
		n := m.nextGroup(rest)
		if err := m.mergeGroup(pageOf(rest[0])); err != nil {
			return fmt.Errorf("diaries of %s in %s on %s: %w", rest[0].Panel, rest[0].Market, rest[0].Day, err)
		}
		rest = rest[n:]
	}
	m.chunk = m.chunk[:0]
	return nil
}

// compareDeltas orders by page and panelist, what is cheap to compare first.
func compareDeltas(a, b *rollcall.DiaryRow) int {
	if c := cmp.Compare(a.Day, b.Day); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Key, b.Key); c != 0 {
		return c
	}
	if c := strings.Compare(string(a.Market), string(b.Market)); c != 0 {
		return c
	}
	if c := strings.Compare(string(a.Panel), string(b.Panel)); c != 0 {
		return c
	}
	return cmp.Compare(a.Panelist, b.Panelist)
}

// nextGroup makes the group of the first person-days of sorted, all of one
// page, and gives the number of diaries that it took.
func (m *diaryMerge) nextGroup(sorted []*rollcall.DiaryRow) (taken int) {
	m.group = m.group[:0]
	for i, d := range sorted {
		if pageOf(d) != pageOf(sorted[0]) {
			return i
		}
		if i == 0 || d.Panelist != sorted[i-1].Panelist {
			if len(m.group) == groupRows {
				return i
			}
			m.addPersonDay(d.Panelist)
		}
		p := &m.group[len(m.group)-1]
		p.deltas = append(p.deltas, d)
	}
	return len(sorted)
}

func (m *diaryMerge) addPersonDay(v rollcall.Visitor) {
	n := len(m.group)
	m.group = slices.Grow(m.group, 1)[:n+1]
	p := &m.group[n]
	*p = personDay{panelist: v, deltas: p.deltas[:0], uses: p.uses[:0], bytes: p.bytes[:0]}
}

func (m *diaryMerge) mergeGroup(g page) error {
	if err := m.read(g); err != nil {
		return err
	}
	changed := 0
	for i := range m.group {
		if p := &m.group[i]; p.unite() {
			changed++
		}
	}
	if changed == groupRows {
		return m.writeAll(g)
	}
	return m.writeChanged(g)
}

// unite adds the deltas, and encodes the uses if that changed it.
func (p *personDay) unite() bool {
	for _, d := range p.deltas {
		if p.uses.unite(use{d.Service, d.Location, d.Kind}, &d.Minutes) {
			p.changed = true
		}
	}
	if p.changed {
		p.bytes = p.uses.append(p.bytes[:0])
	}
	return p.changed
}

// bind begins the arguments of a statement with what the group shares.
func (m *diaryMerge) bind(g page) {
	m.args = append(m.args[:0], string(g.market), string(g.panel), g.day.Month().String(), g.day.String(), g.key.String())
}

// read reads the group's stored rows. A group that isn't full asks for its
// last panelist several times, to use the same statement.
func (m *diaryMerge) read(g page) error {
	m.bind(g)
	for i := range groupRows {
		m.args = append(m.args, pseudonym(m.group[min(i, len(m.group)-1)].panelist))
	}
	rows, err := m.get.Query(m.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var panelist, diary sql.RawBytes
	var broken []damaged
	for rows.Next() {
		if err := rows.Scan(&panelist, &diary); err != nil {
			return err
		}
		p, err := m.found(panelist)
		if err != nil {
			return fmt.Errorf("panelist %q: %w", panelist, err)
		}
		if err := p.uses.decode(diary, m.names); err != nil {
			p.uses = p.uses[:0]
			key := []string{string(g.market), string(g.panel), string(panelist), g.day.String(), g.key.String()}
			broken = append(broken, damaged{diaryTable(), key, err})
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, d := range broken {
		if err := setAside(m.tx, m.log, d); err != nil {
			return err
		}
	}
	return nil
}

// found gives the person-day of a stored row.
func (m *diaryMerge) found(panelist []byte) (*personDay, error) {
	v, err := parseHex(panelist)
	if err != nil {
		return nil, err
	}
	i, ok := slices.BinarySearchFunc(m.group, rollcall.Visitor(v), func(p personDay, v rollcall.Visitor) int { return cmp.Compare(p.panelist, v) })
	if !ok {
		return nil, fmt.Errorf("was not asked for")
	}
	return &m.group[i], nil
}

func (m *diaryMerge) writeAll(g page) error {
	m.bind(g)
	for i := range m.group {
		m.args = append(m.args, pseudonym(m.group[i].panelist), m.group[i].bytes)
	}
	_, err := m.put.Exec(m.args...)
	return err
}

func (m *diaryMerge) writeChanged(g page) error {
	for i := range m.group {
		p := &m.group[i]
		if !p.changed {
			continue
		}
		m.bind(g)
		if _, err := m.put1.Exec(append(m.args, pseudonym(p.panelist), p.bytes)...); err != nil {
			return err
		}
	}
	return nil
}

// pseudonym gives 16 hexadecimal digits.
func pseudonym(v rollcall.Visitor) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(v))
	return hex.EncodeToString(b[:])
}
