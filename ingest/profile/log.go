package profile

import (
	"errors"
	"fmt"
	"time"

	"github.com/expr-lang/expr/vm"

	"rollcall/ingest/session"
)

// Log reads the lines of a log, in their order, by a profile's reader.
type Log struct {
	*Reader
	from  *source
	swept time.Time // when stays were let go
	Asked time.Time // of a snapshot: when it was taken, "now" in expressions
}

// NewLog makes a Log that gives what it reads to yield. latest is what no line
// is later than, by a day: the file's last change.
func NewLog(r *Reader, latest time.Time, yield func(Seen) error) *Log {
	r.clock, r.counts, r.yield = &clock{latest: latest}, newCounts(r.columns), yield
	return &Log{Reader: r, from: r.source()}
}

// Line reads one line. What can't be read is counted; the error is yield's.
func (l *Log) Line(text []byte, no int, long bool) error {
	if len(text) == 0 {
		return nil
	}
	row := l.from.lineOf(line{text, no, long})
	if row.Values != nil && !l.Asked.IsZero() {
		row.Values[nowColumn] = float64(l.Asked.UnixNano()) / 1e9
	}
	if err := l.row(row); err != nil {
		return err
	}
	if l.clock.last.Sub(l.swept) < waits {
		return nil
	}
	l.swept = l.clock.last
	return theirs(l.sendAll(l.stays.over(l.swept.Add(-waits))))
}

// nowColumn is when a snapshot was taken, beside its rows' own columns.
const nowColumn = "now"

// waits is how long a stay waits for a line that goes on with it.
const waits = 10 * time.Minute

// lineOf makes a row of a log's line, by whichever of the formats it has.
func (s *source) lineOf(at line) *row {
	if s.hasJSON && (looksJSON(at.text) || !s.hasExpr) {
		return s.object(at)
	}
	return s.matched(at)
}

// Peek gives the time of a line, whatever else it tells; zero: it has none that
// the profile knows. It doesn't count as read.
func (l *Log) Peek(text []byte) time.Time {
	var at *row
	if l.from.hasJSON && looksJSON(text) {
		at = l.from.object(line{text: text})
	} else if l.from.hasExpr {
		at = l.from.headed(l.head, text)
	}
	if at == nil || at.fault != "" {
		return time.Time{}
	}
	before := *l.clock
	defer func() { *l.clock = before }()
	for i := range l.Tables {
		if t, err := l.instant(&l.Tables[i].Events[0].Time, at.Values); err == nil && !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// Counts is what became of the lines so far.
func (l *Log) Counts() *Counts {
	l.counts.Back = l.clock.back
	return l.counts
}

// Patterns reports whether lines are read by patterns, and not as JSON alone.
func (l *Log) Patterns() bool { return l.from.hasExpr }

// Oldest gives the first line of the stays that wait; ok is false where none does.
func (l *Log) Oldest() (line int, ok bool) {
	for _, some := range l.stays.byKey {
		for _, one := range some {
			if !ok || one.Line < line {
				line, ok = one.Line, true
			}
		}
	}
	return line, ok
}

// End gives the sightings that waited for later lines.
func (l *Log) End() error { return theirs(l.letGo()) }

// theirs gives an error of the one that the sightings go to as it was.
func theirs(err error) error {
	var of failed
	if errors.As(err, &of) {
		return of.error
	}
	return err
}

// step is what a line tells of a connection.
func (e *Event) step(t *Table, seen *Seen, row map[string]any, machine *vm.VM) error {
	v, err := e.Step.of(row, machine)
	if err != nil {
		return fmt.Errorf("step: %w", err)
	}
	if seen.Step, err = session.ParseWhat(text(v)); err != nil {
		return fmt.Errorf("%sstep: %w", e.Step.said(), err)
	}
	for _, name := range []struct {
		of   *Value
		what string
		to   *string
	}{{&t.Connection, "connection", &seen.Connection}, {&t.Session, "session", &seen.Session}} {
		v, err := name.of.of(row, machine)
		if err != nil {
			return fmt.Errorf("%s: %w", name.what, err)
		}
		*name.to = text(v)
	}
	if seen.Connection == "" && seen.Session == "" && seen.Step != session.Refused && seen.Step != session.Accepted && !seen.Step.All() {
		return errors.New("names neither a connection nor a session")
	}
	return nil
}
