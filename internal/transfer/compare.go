package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"rollcall"
)

// Store is an engine that can say all that it holds.
type Store interface { //nolint:interfacebloat // the three that an engine has, and two of its own
	rollcall.Store
	rollcall.DeliveryLog
	Inventory(ctx context.Context) (rollcall.Inventory, error)
	DamagedRows(ctx context.Context) iter.Seq2[rollcall.DamagedRow, error]
}

// Digest is how many rows there are, and a sum of their hashes, which is the
// same in whatever order they come.
type Digest struct {
	Rows int
	Sum  [4]uint64 // of the rows' SHA-256, as four numbers, each without its overflow
}

func (d *Digest) add(row []byte) error {
	h := sha256.Sum256(row)
	for i := range d.Sum {
		d.Sum[i] += binary.BigEndian.Uint64(h[8*i:])
	}
	d.Rows++
	return nil
}

// String gives 16 hexadecimal digits of the sum.
func (d Digest) String() string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], d.Sum[0])
	return hex.EncodeToString(b[:])
}

// Line compares one kind of thing in both stores.
type Line struct {
	Kind     string
	From, To Digest
}

// Compare reads two stores whole, and gives a line for each kind of thing that
// a store holds. A store's own id is no such thing, nor are facts that have
// aged out and are still to be removed.
func Compare(ctx context.Context, from, to Store) ([]Line, error) {
	a, err := digests(ctx, from)
	if err != nil {
		return nil, err
	}
	b, err := digests(ctx, to)
	if err != nil {
		return nil, err
	}
	var lines []Line
	for i, k := range kinds() {
		lines = append(lines, Line{k.name, a[i], b[i]})
	}
	return lines, nil
}

func digests(ctx context.Context, s Store) (all []Digest, err error) {
	h, err := look(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, k := range kinds() {
		var d Digest
		if err := k.read(ctx, h, d.add); err != nil {
			return nil, fmt.Errorf("read the %s: %w", k.name, err)
		}
		all = append(all, d)
	}
	return all, nil
}

// isEmpty reports whether a store holds nothing.
func isEmpty(ctx context.Context, s Store) (bool, error) {
	h, err := look(ctx, s)
	if err != nil {
		return false, err
	}
	found := errors.New("a row")
	for _, k := range kinds() {
		err := k.read(ctx, h, func([]byte) error { return found })
		if errors.Is(err, found) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// holder is a store and what it names.
type holder struct {
	Store
	held    rollcall.Inventory
	markets []rollcall.Market
	ageings []rollcall.Ageing
}

func look(ctx context.Context, s Store) (h *holder, err error) {
	h = &holder{Store: s}
	if h.held, err = s.Inventory(ctx); err != nil {
		return nil, err
	}
	if h.markets, err = s.Markets(ctx); err != nil {
		return nil, err
	}
	if h.ageings, err = s.Ageings(ctx); err != nil {
		return nil, err
	}
	h.held.Facts = slices.DeleteFunc(h.held.Facts, func(m rollcall.PanelMonth) bool {
		return len(h.ageings) > 0 && m.Month < h.ageings[len(h.ageings)-1].Before
	})
	return h, nil
}

// kind is one kind of thing that a store holds. read gives each, in bytes that
// are the same from every engine.
type kind struct {
	name string
	read func(ctx context.Context, h *holder, put func(row []byte) error) error
}

func kinds() []kind {
	return []kind{
		{"cells", func(ctx context.Context, h *holder, put func([]byte) error) error {
			return h.readFacts(ctx, put, false)
		}},
		{"diaries", func(ctx context.Context, h *holder, put func([]byte) error) error { return h.readFacts(ctx, put, true) }},
		{"markets", func(_ context.Context, h *holder, put func([]byte) error) error { return putAll(h.markets, put) }},
		{"services", listed(Store.Services)},
		{"segments", listed(func(s Store, ctx context.Context) ([]rollcall.Segment, error) { return s.Segments(ctx, "") })},
		{"targets", readTargets},
		{"panels' files", listed(Store.ListPanelObjects)},
		{"rosters", func(_ context.Context, h *holder, put func([]byte) error) error { return putAll(h.held.Rosters, put) }},
		{"panels' limits", func(_ context.Context, h *holder, put func([]byte) error) error { return putAll(h.held.Limits, put) }},
		{"exclusions", readExclusions},
		{"objects", readObjects},
		{"publications", readPublications},
		{"deliveries", func(_ context.Context, h *holder, put func([]byte) error) error {
			return putAll(h.held.Deliveries, put)
		}},
		{"audit log", func(_ context.Context, h *holder, put func([]byte) error) error { return putAll(h.held.Audit, put) }},
		{"ageings", func(_ context.Context, h *holder, put func([]byte) error) error { return putAll(h.ageings, put) }},
		{"master keys' ids", listed(Store.Masters)},
		{"corrections", listed(func(s Store, ctx context.Context) ([]rollcall.Correction, error) { return s.Corrections(ctx) })},
		{"rows set aside", readDamaged},
	}
}

func putAll[T any](all []T, put func([]byte) error) error {
	for _, v := range all {
		if err := putJSON(v, put); err != nil {
			return err
		}
	}
	return nil
}

func putJSON(v any, put func([]byte) error) error {
	row, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return put(row)
}

func listed[T any](list func(Store, context.Context) ([]T, error)) func(context.Context, *holder, func([]byte) error) error {
	return func(ctx context.Context, h *holder, put func([]byte) error) error {
		all, err := list(h.Store, ctx)
		if err != nil {
			return err
		}
		return putAll(all, put)
	}
}

func readTargets(ctx context.Context, h *holder, put func([]byte) error) error {
	all, err := h.Targets(ctx)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if err := putJSON(rollcall.Target{Name: name, Expression: all[name]}, put); err != nil {
			return err
		}
	}
	return nil
}

func readExclusions(ctx context.Context, h *holder, put func([]byte) error) error {
	for _, m := range h.held.Exclusions {
		all, err := h.Exclusions(ctx, m)
		if err == nil {
			err = putAll(all, put)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func readObjects(ctx context.Context, h *holder, put func([]byte) error) error {
	for _, hash := range h.held.Objects {
		body, err := h.Object(ctx, hash)
		if err == nil {
			err = put(body)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readPublications reads the versions, with the withdrawal of each.
func readPublications(ctx context.Context, h *holder, put func([]byte) error) error {
	for _, m := range h.markets {
		all, err := h.Publications(ctx, m.ID, "")
		if err == nil {
			err = putAll(all, put)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func readDamaged(ctx context.Context, h *holder, put func([]byte) error) error {
	for d, err := range h.DamagedRows(ctx) {
		if err == nil {
			err = putJSON(d, put)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readFacts reads all diaries, or all cells.
func (h *holder) readFacts(ctx context.Context, put func([]byte) error, ofPanels bool) error {
	for _, part := range h.held.Facts {
		if (part.Panel != "") != ofPanels {
			continue
		}
		if err := readPart(ctx, h.Store, part, put); err != nil {
			return err
		}
	}
	return nil
}

// readPart reads a month's diaries, or where no panel is named its cells.
func readPart(ctx context.Context, s Store, of rollcall.PanelMonth, put func([]byte) error) error {
	var row []byte
	if of.Panel == "" {
		for c, err := range s.Cells(ctx, cellsOf(of)) {
			row = appendCell(row[:0], &c)
			if err == nil {
				err = put(row)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	for d, err := range s.Diaries(ctx, diariesOf(of)) {
		row = appendDiary(row[:0], &d)
		if err == nil {
			err = put(row)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func cellsOf(m rollcall.PanelMonth) rollcall.CellQuery {
	return rollcall.CellQuery{Market: m.Market, From: m.Month.First(), To: m.Month.Last()}
}

func diariesOf(m rollcall.PanelMonth) rollcall.DiaryQuery {
	return rollcall.DiaryQuery{Market: m.Market, Panel: m.Panel, From: m.Month.First(), To: m.Month.Last()}
}

func appendCell(dst []byte, c *rollcall.CellRow) []byte {
	dst = fmt.Appendf(dst, "%q %q %d %d %d %v %v %v %t %t %d %d ", c.Market, c.Service, c.Location, c.Kind, c.Day, c.Key,
		c.Platform, c.Segment, c.Coarse, c.Exact, len(c.Visitors), len(c.CellState.Minutes))
	return append(append(append(dst, c.Visitors...), c.CellState.Minutes...), c.Accounts...)
}

func appendDiary(dst []byte, d *rollcall.DiaryRow) []byte {
	dst = fmt.Appendf(dst, "%q %q %v %d %q %d %d %v ", d.Market, d.Panel, d.Panelist, d.Day, d.Service, d.Location, d.Kind, d.Key)
	for _, word := range d.Minutes {
		dst = binary.BigEndian.AppendUint64(dst, word)
	}
	return dst
}
