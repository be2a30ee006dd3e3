// Package spool keeps a collector's events on its own disk while the log is
// away. What Append has taken is either in the log or fsynced here, and goes to
// the log as soon as that is back; after a kill some of it may go twice, which
// changes nothing.
package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"rollcall"
	"rollcall/ingest"
)

// Options of a spool; the zero value does.
type Options struct {
	Bound    int64         // bytes on disk; default 1 GiB
	Segment  int64         // bytes of a file; default 8 MiB
	Patience time.Duration // what the log has before events go to disk; default 3 s
	Retry    time.Duration // between tries of a log that is away; default 1 s
	Log      *slog.Logger  // nil: none
}

const (
	defaultBound    = 1 << 30
	defaultSegment  = 8 << 20
	defaultPatience = 3 * time.Second
	defaultRetry    = time.Second
)

func (o Options) filled() Options {
	if o.Bound == 0 {
		o.Bound = defaultBound
	}
	if o.Segment == 0 {
		o.Segment = defaultSegment
	}
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
	if o.Retry == 0 {
		o.Retry = defaultRetry
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Spool stands before a log. The logs of Log are safe for concurrent use.
type Spool struct {
	dir string
	log func(backfill bool) ingest.Log
	opt Options

	wake chan struct{} // owned by store: there is something to drain

	mu       sync.Mutex // guards the rest
	why      error      // the log is away; nil: it is not
	segments []*segment // oldest first; the last may be open
	bytes    int64      // of all segments
	next     int        // number of the next segment
	closed   bool
}

// Open opens the spool in dir, which it makes if need be and which one process
// at a time may have. What an earlier process left there will be drained. log
// gives the log for ordinary events and for backfill.
func Open(dir string, log func(backfill bool) ingest.Log, opt Options) (*Spool, error) {
	s := &Spool{dir: dir, log: log, opt: opt.filled(), wake: make(chan struct{}, 1)}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	for _, e := range entries { // in the order of their names
		if !strings.HasSuffix(e.Name(), suffix) {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, fmt.Errorf("spool: %w", err)
		}
		if _, err := fmt.Sscanf(e.Name(), "%d", &s.next); err != nil {
			return nil, fmt.Errorf("spool: file %s is not numbered", e.Name())
		}
		s.next++
		s.segments = append(s.segments, &segment{path: filepath.Join(dir, e.Name()), size: info.Size()})
		s.bytes += info.Size()
	}
	return s, nil
}

// Log gives the log that collectors append to: of ordinary events, or of
// backfill. An append returns when the log has acknowledged it or the disk has
// it; with neither, the error is rollcall.ErrFull.
func (s *Spool) Log(backfill bool) ingest.Log {
	l := spooled{spool: s, kind: frameEvents, to: s.log(backfill)}
	if backfill {
		l.kind = frameBackfill
	}
	return l
}

type spooled struct {
	spool *Spool
	kind  frameKind
	to    ingest.Log
}

// Append brings events to the log, or to the disk.
func (l spooled) Append(ctx context.Context, events *rollcall.Batch) error {
	return l.spool.pass(ctx, func(ctx context.Context) error { return l.to.Append(ctx, events) },
		func() ([]frame, error) { return eventFrames(l.kind, events) })
}

// Reject brings refused inputs to the log, or to the disk.
func (l spooled) Reject(ctx context.Context, rejected []rollcall.Rejected) error {
	return l.spool.pass(ctx, func(ctx context.Context) error { return l.to.Reject(ctx, rejected) },
		func() ([]frame, error) { return rejectedFrames(rejected) })
}

// pass tries the log, unless it is known to be away, and then the disk.
func (s *Spool) pass(ctx context.Context, send func(context.Context) error, encode func() ([]frame, error)) error {
	if s.Away() == nil {
		direct, cancel := context.WithTimeout(ctx, s.opt.Patience)
		err := send(direct)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
		s.note(err)
	}
	frames, err := encode()
	if err == nil {
		err = s.store(frames)
	}
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// Away says why the log is not written to now; nil: it is.
func (s *Spool) Away() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

// note notes how the log last answered.
func (s *Spool) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.why == nil && err != nil:
		s.opt.Log.Warn("the log is away: events go to the spool", "error", err)
	case s.why != nil && err == nil:
		s.opt.Log.Info("the log is back", "spool bytes", s.bytes)
	}
	s.why = err
}

// Size is what the spool holds now and may hold, in bytes.
func (s *Spool) Size() (used, bound int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes, s.opt.Bound
}

// store brings frames to the disk.
func (s *Spool) store(frames []frame) error {
	total := int64(0)
	for _, f := range frames {
		total += f.size()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return fmt.Errorf("is closed: %w", rollcall.ErrFull)
	case s.bytes+total > s.opt.Bound:
		return fmt.Errorf("holds %d MiB for a log that is away: %w", s.bytes>>20, rollcall.ErrFull)
	}
	open, err := s.open()
	if err != nil {
		return fmt.Errorf("%w: %w", rollcall.ErrFull, err)
	}
	before := open.size
	err = open.append(frames)
	s.bytes += open.size - before
	if err != nil {
		return fmt.Errorf("%w: %w", rollcall.ErrFull, err)
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

// open gives the segment that is written to. The caller holds mu.
func (s *Spool) open() (*segment, error) {
	if n := len(s.segments); n > 0 && s.segments[n-1].file != nil {
		last := s.segments[n-1]
		if last.size < s.opt.Segment && !last.broken {
			return last, nil
		}
		if err := last.seal(); err != nil {
			s.opt.Log.Warn("a spool file could not be closed", "file", last.path, "error", err)
		}
	}
	g, err := createSegment(filepath.Join(s.dir, fmt.Sprintf("%012d%s", s.next, suffix)))
	if err != nil {
		return nil, err
	}
	s.next++
	s.segments = append(s.segments, g)
	s.bytes += g.size
	return g, nil
}

// Run drains the spool into the log until ctx ends.
func (s *Spool) Run(ctx context.Context) {
	tick := time.NewTicker(s.opt.Retry)
	defer tick.Stop()
	for {
		for {
			more, err := s.drain(ctx)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				s.note(err)
			}
			if err != nil || !more {
				break
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.woken():
		}
	}
}

// woken is the wake channel, unless the log is away: then the ticker tries it.
func (s *Spool) woken() <-chan struct{} {
	if s.Away() != nil {
		return nil
	}
	return s.wake
}

// drain brings the oldest segment to the log, and reports whether there was one.
func (s *Spool) drain(ctx context.Context) (more bool, err error) {
	oldest := s.oldest()
	if oldest == nil {
		s.note(nil) // the next append tries the log
		return false, nil
	}
	for f, err := range oldest.frames() {
		if errors.Is(err, errTorn) {
			return true, s.setAside(oldest, err)
		}
		if err != nil {
			return false, fmt.Errorf("spool: %s: %w", oldest.path, err)
		}
		if err := s.send(ctx, f); err != nil {
			return false, err
		}
		oldest.sent = f.end
		s.note(nil)
	}
	return true, s.remove(oldest)
}

func (s *Spool) send(ctx context.Context, f frame) error {
	ctx, cancel := context.WithTimeout(ctx, s.opt.Patience)
	defer cancel()
	if f.kind == frameRejected {
		list, err := f.rejected()
		if err != nil {
			s.opt.Log.Error("refused inputs in the spool can't be read", "error", err)
			return nil
		}
		return s.log(false).Reject(ctx, list)
	}
	events, err := f.events()
	if err != nil {
		s.opt.Log.Error("events in the spool can't be read", "error", err)
		return nil
	}
	return s.log(f.kind == frameBackfill).Append(ctx, events)
}

// oldest gives the first segment, closed for writing; nil: there is none.
func (s *Spool) oldest() *segment {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.segments) == 0 {
		return nil
	}
	first := s.segments[0]
	if err := first.seal(); err != nil {
		s.opt.Log.Warn("a spool file could not be closed", "file", first.path, "error", err)
	}
	return first
}

// setAside keeps a file that can't be read to its end. After a kill its end is
// a frame that was never acknowledged; else the disk has lost something.
func (s *Spool) setAside(g *segment, why error) error {
	s.opt.Log.Error("a spool file can't be read to its end; it is kept aside", "file", g.path+".torn", "error", why)
	if err := os.Rename(g.path, g.path+".torn"); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	s.forget(g)
	return nil
}

func (s *Spool) remove(g *segment) error {
	if err := os.Remove(g.path); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	s.forget(g)
	return nil
}

func (s *Spool) forget(g *segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.segments = slices.DeleteFunc(s.segments, func(o *segment) bool { return o == g })
	s.bytes -= g.size
}

// Close refuses what comes, and leaves what it holds for the next Open. Run
// must have ended.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var errs []error
	for _, g := range s.segments {
		errs = append(errs, g.seal())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}
