package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate"
	"rollcall/aggregate/hll"
	"rollcall/aggregate/idset"
	"rollcall/internal/clickhouse"
	"rollcall/internal/sqlite"
	"rollcall/internal/test/engines"
)

// TestUndone holds aggregators to a model, event by event: whatever is loaded,
// removed, loaded anew, replayed, brought back and erased in whatever order, with
// aggregators that hold what was folded before, are killed, and whose flushes
// come in late, the census counts what it should, and nothing else.
func TestUndone(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { undoneInSQLite(t, 0, 20) })
	t.Run("SQLite, more", func(t *testing.T) {
		engines.Long(t, "goes on with forty further courses of events")
		undoneInSQLite(t, 20, 60)
	})
	t.Run("ClickHouse", func(t *testing.T) {
		server := engines.ClickHouse(t)
		for seed := range uint64(6) {
			s, err := clickhouse.Open(t.Context(), fmt.Sprintf("clickhouse://%s/undone%d", server.Addr(), seed), clickhouse.Options{K: modelK})
			if err != nil {
				t.Fatal(err)
			}
			undoAtRandom(t, s, seed)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func undoneInSQLite(t *testing.T, from, to uint64) {
	t.Helper()
	for seed := from; seed < to; seed++ {
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "rollcall.db"), sqlite.Options{K: modelK})
		if err != nil {
			t.Fatal(err)
		}
		undoAtRandom(t, s, seed)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

const (
	modelK     = 12
	modelSteps = 40
	firstDay   = rollcall.Day(12000)
)

// model is a log of two partitions, what was done, and a store that it is folded
// into.
type model struct {
	*testing.T
	*rand.Rand
	store     rollcall.Store
	now       int64 // Unix milliseconds
	log       [2][]record
	committed [2]int
	removals  rollcall.Corrections
	erased    rollcall.Corrections
	late      []rollcall.Deltas // flushes of aggregators that were killed, on their way to the store
	within    bool              // something is done between an aggregator's batches
	did       []string
}

// record is a record of the log.
type record struct {
	stamp  int64
	events []rollcall.Event
	lifted int // removals from before it was brought back
}

func undoAtRandom(t *testing.T, store rollcall.Store, seed uint64) {
	t.Helper()
	m := &model{T: t, Rand: rand.New(rand.NewPCG(seed, 15)), store: store, now: int64(firstDay) * 86_400_000}
	for range modelSteps {
		m.step()
	}
	m.drain()
	got, want := m.stored(), m.counted()
	if !maps.Equal(got, want) {
		t.Errorf("seed %d: the census has\n%s\nand should have\n%s\nafter %s", seed, lines(got), lines(want), strings.Join(m.did, ", "))
	}
}

// step does one thing.
func (m *model) step() {
	m.now += int64(m.IntN(3))
	switch m.IntN(12) {
	case 0, 1, 2:
		m.load(m.IntN(2))
	case 3, 4:
		m.aggregate(m.IntN(2))
	case 5:
		m.killed(m.IntN(2))
	case 6:
		m.lands()
	case 7, 8:
		m.remove()
	case 9:
		m.erase()
	case 10:
		m.replay(nil)
	case 11:
		m.replay(m.removals)
	}
}

func (m *model) does(format string, args ...any) { m.did = append(m.did, fmt.Sprintf(format, args...)) }

// load appends a record.
func (m *model) load(p int) {
	r := record{stamp: m.now}
	for range 1 + m.IntN(6) {
		day := firstDay + rollcall.Day(m.IntN(3))
		e := rollcall.Event{Time: time.Unix(int64(day)*86400+int64(m.IntN(1440))*60, 0).UTC(), Visitor: rollcall.Visitor(1 + m.IntN(5))}
		e.Group = rollcall.Group{Market: "FR", Service: []rollcall.ServiceID{"exact", "sketched"}[m.IntN(2)], Location: rollcall.Home, Kind: rollcall.Use, Key: 7,
			Segment: []rollcall.SegmentID{"", "a"}[m.IntN(2)]}
		if m.IntN(4) == 0 {
			e.Until = e.Time.Add(23 * time.Hour)
		}
		r.events = append(r.events, e)
	}
	m.log[p] = append(m.log[p], r)
	m.does("load %d at %d", p, m.now)
}

func (m *model) remove() {
	from := firstDay + rollcall.Day(m.IntN(3))
	c := rollcall.Correction{
		Action: rollcall.Removal, Market: "FR", Service: []rollcall.ServiceID{"exact", "sketched"}[m.IntN(2)], Segment: []string{"", "none", "a"}[m.IntN(3)],
		From: from, To: from + rollcall.Day(m.IntN(2)), Reason: "twice", Time: time.UnixMilli(m.now).UTC(),
	}
	m.correct(c)
	m.removals = append(m.removals, c)
	m.now++ // what is loaded next is stamped later
	m.does("remove %s %q from %d to %d at %d", c.Service, c.Segment, c.From-firstDay, c.To-firstDay, c.Time.UnixMilli())
}

func (m *model) erase() {
	c := rollcall.Correction{
		Action: rollcall.Erasing, Service: "exact", Key: 7, Visitor: rollcall.Visitor(1 + m.IntN(5)), To: firstDay + rollcall.Day(m.IntN(3)), Time: time.UnixMilli(m.now).UTC(),
	}
	m.correct(c)
	m.erased = append(m.erased, c)
	m.does("erase %d up to %d", c.Visitor, c.To-firstDay)
}

func (m *model) correct(c rollcall.Correction) {
	m.Helper()
	if _, err := m.store.AddCorrections(m.Context(), c); err != nil {
		m.Fatal(err)
	}
}

// aggregate reads a partition to its end, or not so far, and commits.
func (m *model) aggregate(p int) {
	m.does("aggregate %d", p)
	m.run(&feed{model: m, p: p, at: m.committed[p]}, m.store, nil)
}

var errGone = errors.New("the process is gone")

// killed reads a partition, and ends in the middle of a flush.
func (m *model) killed(p int) {
	m.does("aggregate %d and be killed", p)
	m.run(&feed{model: m, p: p, at: m.committed[p]}, &mortal{Store: m.store, model: m}, nil)
}

// lands brings a flush of a killed aggregator in.
func (m *model) lands() {
	if len(m.late) == 0 {
		return
	}
	i := m.IntN(len(m.late))
	if err := m.store.Merge(m.Context(), m.late[i]); err != nil {
		m.Fatal(err)
	}
	m.late = slices.Delete(m.late, i, i+1)
	m.does("a flush lands")
}

// replay folds both partitions again, from somewhere on.
func (m *model) replay(lifted rollcall.Corrections) {
	p := m.IntN(2)
	from := 0
	if n := len(m.log[p]); n > 0 {
		from = m.IntN(n)
	}
	m.does("replay %d from %d, %d lifted", p, from, len(lifted))
	end := len(m.log[p])
	m.run(&feed{model: m, p: p, at: from, end: end, replay: true}, m.store, slices.Clone(lifted))
	for i := from; i < end && len(lifted) > 0; i++ {
		m.log[p][i].lifted = len(lifted)
	}
}

func (m *model) run(src *feed, store aggregate.Store, lifted rollcall.Corrections) {
	m.Helper()
	ctx, stop := context.WithCancel(m.Context())
	defer stop()
	src.stop = stop
	err := aggregate.Run(ctx, src, store, aggregate.Options{
		K: modelK, Calendar: utc, Exactly: func(id rollcall.ServiceID) bool { return id == "exact" },
		Undone: m.store, Lifted: lifted, Bytes: 1 << (20 * m.IntN(2)), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil && !errors.Is(err, errGone) {
		m.Fatal(err)
	}
}

func utc(rollcall.MarketID) (*rollcall.Calendar, error) {
	return rollcall.Market{ID: "FR", Zone: "UTC"}.Calendar()
}

// drain has everything read and every flush land.
func (m *model) drain() {
	m.within = true // nothing more is done
	for len(m.late) > 0 {
		m.lands()
	}
	for p := range m.log {
		for m.committed[p] < len(m.log[p]) {
			m.aggregate(p)
		}
	}
}

// feed is an aggregator's source.
type feed struct {
	*model
	p, at  int
	end    int // of a replay
	replay bool
	stop   func()
}

// Next gives the next record. Now and then something is done meanwhile.
func (f *feed) Next(ctx context.Context) (*rollcall.Batch, error) {
	if !f.within && !f.replay && f.IntN(3) == 0 {
		f.within = true
		switch f.IntN(5) {
		case 0, 1:
			f.remove()
			f.load(f.p) // the removal may be known when it is read, or not
		case 2:
			f.erase()
		case 3, 4:
			f.load(f.p)
		}
		f.within = false
	}
	end := len(f.log[f.p])
	if f.replay {
		end = f.end
	}
	if f.at >= end || !f.replay && f.IntN(8) == 0 {
		f.stop()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	r := &f.log[f.p][f.at]
	f.at++
	b := &rollcall.Batch{Partition: f.p, Next: int64(f.at)}
	b.Stamp(r.stamp)
	for i := range r.events {
		b.Add(&r.events[i])
	}
	return b, nil
}

// Commit notes how far the store has all.
func (f *feed) Commit(_ context.Context, o rollcall.Offsets) error {
	if !f.replay {
		f.committed[f.p] = int(o[f.p])
	}
	return nil
}

// Again begins again behind what was committed.
func (f *feed) Again() error {
	f.does("again")
	f.at = f.committed[f.p]
	return nil
}

// mortal is a store whose caller is gone before it knows of a flush.
type mortal struct {
	rollcall.Store
	*model
}

// Merge keeps the flush for later.
func (m *mortal) Merge(_ context.Context, d rollcall.Deltas) error {
	cells := make(map[rollcall.Cell]rollcall.CellState)
	for c, state := range d.Cells {
		state.Visitors, state.Minutes, state.Accounts = slices.Clone(state.Visitors), slices.Clone(state.Minutes), slices.Clone(state.Accounts)
		cells[c] = state
	}
	m.late = append(m.late, rollcall.Deltas{Cells: maps.All(cells), Known: slices.Clone(d.Known)})
	return nil
}

// stored gives what the store has of each cell, as it is counted.
func (m *model) stored() map[rollcall.Cell]string {
	m.Helper()
	all, err := m.store.Corrections(m.Context())
	if err != nil {
		m.Fatal(err)
	}
	cells := make(map[rollcall.Cell]string)
	for r, err := range m.store.Cells(m.Context(), rollcall.CellQuery{Market: "FR", From: firstDay - 9, To: firstDay + 9}) {
		if err != nil {
			m.Fatal(err)
		}
		var accounts []uint64
		for id := range idset.All(r.Accounts) {
			if !slices.Contains(all.Erasings().Of(&r.Cell), rollcall.Visitor(id)) {
				accounts = append(accounts, id)
			}
		}
		cells[r.Cell] = fmt.Sprintf("%v %x %x", accounts, r.Visitors, r.CellState.Minutes)
	}
	return cells
}

// counted gives what the store should have, event by event.
func (m *model) counted() map[rollcall.Cell]string {
	type sets struct{ visitors, pairs map[uint64]bool }
	found := make(map[rollcall.Cell]sets)
	for _, partition := range m.log {
		for _, r := range partition {
			for _, e := range r.events {
				from, to := e.Minutes()
				for minute := from; minute < to; minute++ {
					c := rollcall.Cell{Market: "FR", Day: rollcall.Day(minute / 1440), Service: e.Service, Location: e.Location, Kind: e.Kind, Segment: e.Segment, Key: e.Key}
					if m.gone(&r, &c) {
						continue
					}
					if found[c].visitors == nil {
						found[c] = sets{map[uint64]bool{}, map[uint64]bool{}}
					}
					found[c].visitors[uint64(e.Visitor)] = true
					found[c].pairs[hll.PairID(uint64(e.Visitor), int64(minute))] = true
				}
			}
		}
	}
	cells := make(map[rollcall.Cell]string)
	for c, has := range found {
		visitors, pairs := hll.New(modelK), hll.New(modelK)
		var accounts []uint64
		for _, v := range slices.Sorted(maps.Keys(has.visitors)) {
			visitors.AddSlice([]uint64{v})
			if c.Service == "exact" && !slices.Contains(m.erased.Erasings().Of(&c), rollcall.Visitor(v)) {
				accounts = append(accounts, v)
			}
		}
		for p := range has.pairs {
			pairs.AddSlice([]uint64{p})
		}
		cells[c] = fmt.Sprintf("%v %x %x", accounts, visitors.Append(nil), pairs.Append(nil))
	}
	return cells
}

// gone reports whether a record's share of a cell was removed, and not brought
// back since.
func (m *model) gone(r *record, c *rollcall.Cell) bool {
	return slices.ContainsFunc(m.removals[r.lifted:], func(x rollcall.Correction) bool {
		return x.Covers(c) && r.stamp <= x.Time.UnixMilli()
	})
}

func lines(cells map[rollcall.Cell]string) string {
	var all []string
	for c, text := range cells {
		all = append(all, fmt.Sprintf("%v %.200s", c, text))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}
