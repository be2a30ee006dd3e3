package spool

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"rollcall"
	"rollcall/ingest"
)

// line is a log that may be away. It keeps what it was given.
type line struct {
	mu       sync.Mutex // guards the rest
	away     error
	hangs    bool
	events   map[bool][]rollcall.Event
	rejected []rollcall.Rejected
}

func (l *line) log(backfill bool) ingest.Log { return half{l, backfill} }

func (l *line) set(away error, hangs bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away, l.hangs = away, hangs
}

func (l *line) got(backfill bool) []rollcall.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.events[backfill])
}

func (l *line) take(ctx context.Context, f func()) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if l.away == nil {
		f()
	}
	return l.away
}

type half struct {
	*line
	backfill bool
}

func (h half) Append(ctx context.Context, events *rollcall.Batch) error {
	return h.take(ctx, func() {
		if h.events == nil {
			h.events = map[bool][]rollcall.Event{}
		}
		h.events[h.backfill] = append(h.events[h.backfill], events.Events()...)
	})
}

func (h half) Reject(ctx context.Context, rejected []rollcall.Rejected) error {
	return h.take(ctx, func() { h.rejected = append(h.rejected, rejected...) })
}

var errAway = errors.New("no broker answers")

// someEvents gives n different events.
func someEvents(n int) []rollcall.Event {
	events := make([]rollcall.Event, n)
	for i := range events {
		events[i] = rollcall.Event{
			Group: rollcall.Group{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Panel: "nn", Key: 7},
			Time:  time.Date(2002, 10, 3, 18, 0, i, 0, time.UTC), Visitor: rollcall.Visitor(i),
		}
		if i%2 == 0 {
			events[i].Until = events[i].Time.Add(time.Hour)
		}
	}
	return events
}

func open(t *testing.T, dir string, l *line, opt Options) *Spool {
	t.Helper()
	s, err := Open(dir, l.log, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAwayAndBack: while the log is away everything is taken, and all of it is
// in the log once that is back; afterwards the disk is empty.
func TestAwayAndBack(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := &line{away: errAway}
		s := open(t, dir, l, Options{Segment: 2000})
		ctx, stop := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { s.Run(ctx) })
		events := someEvents(300)
		for part := range slices.Chunk(events, 50) {
			must(t, s.Log(false).Append(ctx, rollcall.BatchOf(part...)))
		}
		must(t, s.Log(true).Append(ctx, rollcall.BatchOf(events[:10]...)))
		refused := rollcall.Rejected{Time: time.Unix(1e9, 0).UTC(), Code: "kind", Body: []byte("{}"), Source: "a"}
		must(t, s.Log(false).Reject(ctx, []rollcall.Rejected{refused}))
		time.Sleep(time.Minute) // of the bubble's own time
		if used, _ := s.Size(); used == 0 || s.Away() == nil || len(l.got(false)) > 0 {
			t.Fatalf("away: %d bytes wait, away %v, %d events in the log", used, s.Away(), len(l.got(false)))
		}
		l.set(nil, false)
		time.Sleep(time.Minute)
		if used, _ := s.Size(); used != 0 || s.Away() != nil {
			t.Errorf("back: %d bytes wait, away %v", used, s.Away())
		}
		wantEvents(t, l.got(false), events)
		wantEvents(t, l.got(true), events[:10])
		if len(l.rejected) != 1 || l.rejected[0].Code != "kind" || !l.rejected[0].Time.Equal(refused.Time) {
			t.Errorf("the refused inputs are %+v", l.rejected)
		}
		must(t, s.Log(false).Append(ctx, rollcall.BatchOf(events[:1]...))) // to the log itself
		wantEvents(t, l.got(false), append(slices.Clone(events), events[0]))
		stop()
		run.Wait()
		must(t, s.Close())
	})
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left on the disk: %v, %v", left, err)
	}
}

// TestHangingLog: a log that never answers is away too.
func TestHangingLog(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := &line{hangs: true}
		s := open(t, dir, l, Options{})
		begin := time.Now()
		must(t, s.Log(false).Append(t.Context(), rollcall.BatchOf(someEvents(3)...)))
		must(t, s.Log(false).Append(t.Context(), rollcall.BatchOf(someEvents(3)...)))
		if took := time.Since(begin); took != defaultPatience {
			t.Errorf("two appends to a log that hangs took %s, want the patience once", took)
		}
		must(t, s.Close())
	})
}

// TestRestart: what one process left, the next one drains; a frame cut by the
// kill is set aside.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	l := &line{away: errAway}
	s := open(t, dir, l, Options{})
	events := someEvents(100)
	must(t, s.Log(false).Append(t.Context(), rollcall.BatchOf(events...)))
	path := s.segments[0].path // the process is killed here: no Close
	whole, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, append(whole, whole[len(magic):len(whole)-5]...), 0o600))
	l.set(nil, false)
	next := open(t, dir, l, Options{})
	for {
		more, err := next.drain(t.Context())
		must(t, err)
		if !more {
			break
		}
	}
	wantEvents(t, l.got(false), events)
	if _, err := os.Stat(path + ".torn"); err != nil {
		t.Errorf("the torn file: %v", err)
	}
	if used, _ := next.Size(); used != 0 {
		t.Errorf("%d bytes are left", used)
	}
}

// TestFull: beyond the bound nothing is taken, and what was stays.
func TestFull(t *testing.T) {
	l := &line{away: errAway}
	s := open(t, t.TempDir(), l, Options{Bound: 20_000})
	taken := 0
	var err error
	for range 100 {
		if err = s.Log(false).Append(t.Context(), rollcall.BatchOf(someEvents(50)...)); err != nil {
			break
		}
		taken += 50
	}
	used, bound := s.Size()
	if !errors.Is(err, rollcall.ErrFull) || taken == 0 || used > bound {
		t.Fatalf("took %d events, %d of %d bytes: %v", taken, used, bound, err)
	}
	l.set(nil, false)
	for {
		more, err := s.drain(t.Context())
		must(t, err)
		if !more {
			break
		}
	}
	if got := len(l.got(false)); got != taken {
		t.Errorf("%d events reached the log, want %d", got, taken)
	}
	must(t, s.Log(false).Append(t.Context(), rollcall.BatchOf(someEvents(50)...)))
}

// TestFullDisk: a write that the disk cuts short is refused and undone. The
// limit on a file's size stands for the disk's.
func TestFullDisk(t *testing.T) {
	l := &line{away: errAway}
	s := open(t, t.TempDir(), l, Options{})
	must(t, s.Log(false).Append(t.Context(), rollcall.BatchOf(someEvents(50)...)))
	before := s.segments[0].size
	limitFiles(t, uint64(before)+100)
	err := s.Log(false).Append(t.Context(), rollcall.BatchOf(someEvents(50)...))
	if !errors.Is(err, rollcall.ErrFull) {
		t.Fatalf("on a full disk: %v", err)
	}
	info, err := os.Stat(s.segments[0].path)
	must(t, err)
	if info.Size() != before {
		t.Errorf("%d bytes on the disk, want the %d of what was acknowledged", info.Size(), before)
	}
	l.set(nil, false)
	_, err = s.drain(t.Context())
	must(t, err)
	wantEvents(t, l.got(false), someEvents(50))
}

// limitFiles bounds every file that this process writes, until the test ends.
func limitFiles(t *testing.T, bytes uint64) {
	t.Helper()
	var old syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old))
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: old.Max}))
	t.Cleanup(func() { must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old)) })
}

// malformed are files that no spool wrote.
func malformed(t testing.TB) map[string][]byte {
	t.Helper()
	frames, err := eventFrames(frameEvents, rollcall.BatchOf(someEvents(3)...))
	must(t, err)
	good := frames[0].append([]byte(magic))
	changed := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	return map[string][]byte{
		"empty":            {},
		"another magic":    append([]byte("RCSPOOL2"), good[8:]...),
		"kind 0":           changed(8, 0),
		"kind 4":           changed(8, 4),
		"kind changed":     changed(8, 2),
		"long":             changed(12, 0xff),
		"longer":           changed(9, good[9]+1),
		"shorter":          changed(9, good[9]-1),
		"sum":              changed(13, good[13]+1),
		"payload":          changed(40, good[40]+1),
		"cut in the head":  good[:12],
		"cut in the magic": good[:5],
		"cut":              good[:len(good)-1],
	}
}

func TestMalformed(t *testing.T) {
	for name, text := range malformed(t) {
		if err := readAll(t, text); !errors.Is(err, errTorn) && name != "empty" {
			t.Errorf("%s: %v, want that it is not whole", name, err)
		}
	}
}

// readAll reads a file of the spool, and gives the error that ends it.
func readAll(t testing.TB, text []byte) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "0"+suffix)
	must(t, os.WriteFile(path, text, 0o600))
	g := segment{path: path, size: int64(len(text))}
	for f, err := range g.frames() {
		if err != nil {
			return err
		}
		if f.kind == frameRejected {
			_, _ = f.rejected() // any error will do
		} else {
			_, _ = f.events()
		}
	}
	return nil
}

// TestDeepFrame: what a frame of refused inputs nests is bounded before it is parsed.
func TestDeepFrame(t *testing.T) {
	deep := strings.Repeat("[", 65) + strings.Repeat("]", 65)
	f := frame{kind: frameRejected, payload: []byte(`[{"x":` + deep + `}]`)}
	if _, err := f.rejected(); !errors.Is(err, rollcall.ErrInvalid) {
		t.Errorf("%v is not the refusal of deep text", err)
	}
}

func FuzzSegment(f *testing.F) {
	for _, text := range malformed(f) {
		f.Add(text)
	}
	refused, err := rejectedFrames([]rollcall.Rejected{{Code: "a", Body: []byte("b")}})
	must(f, err)
	f.Add(refused[0].append([]byte(magic)))
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := readAll(t, text); err != nil && !errors.Is(err, errTorn) {
			t.Fatal(err)
		}
	})
}

func wantEvents(t *testing.T, got, want []rollcall.Event) {
	t.Helper()
	if a, b := texts(t, got), texts(t, want); !slices.Equal(a, b) {
		t.Errorf("%d events, want %d; the first that differs: %s", len(a), len(b), firstOther(a, b))
	}
}

// texts gives events as text, in an order of their own.
func texts(t *testing.T, events []rollcall.Event) []string {
	list := make([]string, len(events))
	for i, e := range events {
		b, err := json.Marshal(e)
		must(t, err)
		list[i] = string(b)
	}
	slices.Sort(list)
	return list
}

func firstOther(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return strings.Join([]string{a[i], b[i]}, " against ")
		}
	}
	return "one is longer"
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
