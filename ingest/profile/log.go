package profile

import (
	"errors"
	"fmt"
	"time"

	"rollcall/ingest/session"
)

// Log has the reader read lines of a log, in their order, by Line. latest is
// what no line is later than, by a day: the file's last change.
func (r *Reader) Log(latest time.Time, yield func(Seen) error) {
	if r.clock == nil {
		r.clock = &clock{}
	}
	r.clock.latest, r.yield = latest, yield
	if r.from == nil {
		r.from = r.source()
	}
}

// Line reads one line. What can't be read is counted; the error is yield's.
func (r *Reader) Line(text []byte, no int, long bool) error {
	if len(text) == 0 {
		return nil
	}
	return r.row(r.from.lineOf(line{text, no, long}))
}

// lineOf makes a row of a log's line, by whichever of the formats it has.
func (s *source) lineOf(at line) *row {
	if s.hasJSON && (looksJSON(at.text) || !s.hasExpr) {
		return s.object(at)
	}
	return s.matched(at)
}

// Peek gives the time of a line, whatever else it tells; zero: it has none that
// the profile knows. It doesn't count as read.
func (r *Reader) Peek(text []byte) time.Time {
	var at *row
	if r.from.hasJSON && looksJSON(text) {
		at = r.from.object(line{text: text})
	} else if r.from.hasExpr {
		at = r.from.headed(r.head, text)
	}
	if at == nil || at.fault != "" {
		return time.Time{}
	}
	before := *r.clock
	defer func() { *r.clock = before }()
	for i := range r.Tables {
		if t, err := r.instant(&r.Tables[i].Events[0].Time, at.values); err == nil && !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// At is the time of the last line that told one.
func (r *Reader) At() time.Time { return r.clock.last }

// Told gives what became of the lines so far.
func (r *Reader) Told() *Counts {
	r.counts.Back = r.clock.back
	return r.counts
}

// EndLog gives the sightings that waited for later lines.
func (r *Reader) EndLog() error {
	err := r.letGo()
	var theirs failed
	if errors.As(err, &theirs) {
		return theirs.error
	}
	return err
}

// step is what a line tells of a connection.
func (r *Reader) step(t *Table, e *Event, seen *Seen, row map[string]any) error {
	v, err := e.Step.of(row, r.machine)
	if err == nil {
		seen.Step, err = session.ParseWhat(text(v))
	}
	if err != nil {
		return fmt.Errorf("step: %w", err)
	}
	for _, name := range []struct {
		of   *Value
		what string
		to   *string
	}{{&t.Connection, "connection", &seen.Connection}, {&t.Session, "session", &seen.Session}} {
		v, err := name.of.of(row, r.machine)
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

// stepped gives a step away.
func (r *Reader) stepped(seen Seen) error {
	r.counts.Steps++
	if err := r.yield(seen); err != nil {
		return failed{err}
	}
	return nil
}
