package aggregate

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"rollcall"
)

// line is a source with a batch every so often, on a synthetic clock.
type line struct {
	every     time.Duration
	behind    bool
	next      int64
	committed rollcall.Offsets
	batch     *rollcall.Batch
}

func (l *line) Next(ctx context.Context) (*rollcall.Batch, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(l.every):
	}
	l.next++
	l.batch.Next, l.batch.Behind = l.next, l.behind
	return l.batch, nil
}

func (l *line) Commit(_ context.Context, o rollcall.Offsets) error {
	l.committed = rollcall.Offsets{0: o[0]}
	return nil
}

func (l *line) Again() error { return nil }

// memoryStore notes when it was flushed to; it fails while away.
type memoryStore struct {
	at   []time.Time
	away func() bool
	src  *line
	t    *testing.T
}

func (l *memoryStore) Merge(_ context.Context, d rollcall.Deltas) error {
	if l.away != nil && l.away() {
		return errors.New("the store is away")
	}
	for range d.Cells {
	}
	if l.src.committed[0] > l.src.next {
		l.t.Error("offsets were committed before the store had the flush")
	}
	l.at = append(l.at, time.Now())
	return nil
}

func runFor(t *testing.T, d time.Duration, src *line, store *memoryStore, opt Options) error {
	t.Helper()
	src.batch, store.src, store.t = benchBatch(10), src, t
	opt.K, opt.Calendar, opt.Log = testK, testCalendar(t), slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return Run(ctx, src, store, opt)
}

// TestFlushRules: caught up it flushes by time, times the group's members;
// behind by half a minute, or by bytes; a stop flushes what is left.
func TestFlushRules(t *testing.T) {
	for name, c := range map[string]struct {
		src     line
		opt     Options
		run     time.Duration
		flushes int
	}{
		"caught up":             {line{every: 100 * time.Millisecond}, Options{}, 21 * time.Second, 10},
		"three members":         {line{every: 100 * time.Millisecond}, Options{Members: func() int { return 3 }}, 19 * time.Second, 4},
		"behind":                {line{every: 100 * time.Millisecond, behind: true}, Options{}, 65 * time.Second, 3},
		"behind, full":          {line{every: time.Second, behind: true}, Options{Bytes: 1}, 10500 * time.Millisecond, 10},
		"a stop flushes":        {line{every: time.Second}, Options{}, 1500 * time.Millisecond, 1},
		"nothing, no flush":     {line{every: time.Hour}, Options{}, time.Minute, 0},
		"a lone batch, in time": {line{every: 50 * time.Second}, Options{}, 59 * time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := new(memoryStore)
				if err := runFor(t, c.run, &c.src, store, c.opt); err != nil {
					t.Fatal(err)
				}
				if len(store.at) != c.flushes {
					t.Fatalf("%d flushes, want %d", len(store.at), c.flushes)
				}
				if c.src.committed[0] != c.src.next {
					t.Fatalf("committed %d of %d", c.src.committed[0], c.src.next)
				}
			})
		})
	}
}

// TestWaiters: who waits has a flush as soon as nothing comes; while something
// does, by time as before.
func TestWaiters(t *testing.T) {
	const begin, end, most = 3500 * time.Millisecond, 4 * time.Second, 10 * time.Second
	for name, c := range map[string]struct {
		every time.Duration
		waits bool
		want  []time.Duration // of the flushes; the last is the stop's
	}{
		"nothing comes":   {3 * time.Second, true, []time.Duration{begin + quiet, most}},
		"something comes": {quiet / 2, true, []time.Duration{most}},
		"nobody waits":    {3 * time.Second, false, []time.Duration{most}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				src, store, waiters := &line{every: c.every}, new(memoryStore), new(Waiters)
				if c.waits {
					time.AfterFunc(begin, func() { time.AfterFunc(end-begin, waiters.Wait()) })
				}
				start := time.Now()
				if err := runFor(t, most, src, store, Options{Every: time.Minute, Waiters: waiters}); err != nil {
					t.Fatal(err)
				}
				var got []time.Duration
				for _, at := range store.at {
					got = append(got, at.Sub(start))
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("flushes at %v, want %v", got, c.want)
				}
			})
		})
	}
}

// TestStoreAway: while the store is away nothing is read and nothing is lost.
func TestStoreAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		src := &line{every: 100 * time.Millisecond}
		store := &memoryStore{away: func() bool { return time.Since(begin) < time.Minute }}
		if err := runFor(t, 70*time.Second, src, store, Options{}); err != nil {
			t.Fatal(err)
		}
		if len(store.at) == 0 || store.at[0].Sub(begin) < time.Minute {
			t.Fatal("a flush was taken while the store was away")
		}
		if src.next > 150 || src.committed[0] != src.next {
			t.Fatalf("read %d, committed %d: reading was not paused, or something is lost", src.next, src.committed[0])
		}
	})
}

// TestSourceFails: the source's own fault ends the run and is named.
func TestSourceFails(t *testing.T) {
	broken := errors.New("broken line")
	err := Run(t.Context(), fault{broken}, new(memoryStore), Options{K: testK, Calendar: testCalendar(t), Log: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, broken) {
		t.Fatalf("Run gives %v, want the source's error", err)
	}
}

type fault struct{ err error }

func (f fault) Next(context.Context) (*rollcall.Batch, error)  { return nil, f.err }
func (f fault) Commit(context.Context, rollcall.Offsets) error { return nil }
func (f fault) Again() error                                   { return nil }
