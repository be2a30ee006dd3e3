package logs

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"rollcall/ingest/profile"
	"rollcall/ingest/session"
)

// Log makes sightings of the lines of one log, which may stand in several
// files. It is one goroutine's.
type Log struct {
	reader  *profile.Log
	tracker *session.Tracker
	yield   func(profile.Seen) error
	count   int // sightings
	cut     int // pieces more, of stays over 24 hours
	unnamed int
	unread  []byte // the last line that told nothing, for its time
	files   []begun
	lines   int // of the files that were read whole
}

// begun is a file, and how many lines of the log stand before it: the lines of
// several files are numbered on.
type begun struct {
	path  string
	after int
}

// Where gives the file that a line of the log stands in, and its number there.
// Only a log that Read reads has files.
func (l *Log) Where(line int) (path string, no int) {
	for _, f := range l.files {
		if f.after < line {
			path, no = f.path, line-f.after
		}
	}
	return path, no
}

// New makes a log that is read by the profile's reader and gives its sightings
// to yield. latest is what no line is later than, by a day.
func New(name string, r *profile.Reader, latest time.Time, yield func(profile.Seen) error) *Log {
	l := &Log{yield: yield}
	l.tracker = session.NewTracker(name, func(s session.Seen) error { return l.say(profile.Seen{Sighting: s.Sighting, Line: s.Line}) })
	l.tracker.Silent = r.Silent
	l.reader = profile.NewLog(r, latest, l.seen)
	return l
}

func (l *Log) seen(s profile.Seen) error {
	if s.Step == 0 {
		l.tracker.At(s.Time)
		s.Evidence = l.tracker.Source + ": " + s.Evidence
		return l.say(s)
	}
	return l.tracker.Take(session.Step{What: s.Step, Connection: s.Connection, Session: s.Session, Line: s.Line, Sighting: s.Sighting})
}

// say gives a sighting away, in pieces where it is too long for an event.
func (l *Log) say(s profile.Seen) error {
	if path, no := l.Where(s.Line); path != "" {
		s.File, s.Line = path, no
	}
	pieces := profile.Cut(s)
	l.cut += len(pieces) - 1
	for _, piece := range pieces {
		l.count++
		if piece.Account == "" {
			l.unnamed++
		}
		if err := l.yield(piece); err != nil {
			return err
		}
	}
	return nil
}

// Line reads the next line. A line that can't be read is counted; the error is
// yield's.
func (l *Log) Line(at Line) error {
	before := l.reader.Counts().Other
	if err := l.reader.Line(at.Text, at.No, at.Long); err != nil {
		return err
	}
	if l.reader.Counts().Other == before {
		l.unread = l.unread[:0]
		return nil
	}
	l.unread = append(l.unread[:0], at.Text...)
	if at.No%1000 == 0 {
		l.glance()
	}
	return nil
}

// glance takes the time of a line that told nothing else.
func (l *Log) glance() {
	if len(l.unread) > 0 {
		l.tracker.At(l.reader.Peek(l.unread))
		l.unread = l.unread[:0]
	}
}

// Tell says what is open so far.
func (l *Log) Tell() error {
	l.glance()
	return l.tracker.Tell()
}

// End says what was open at the end.
func (l *Log) End() error {
	l.glance()
	return errors.Join(l.reader.End(), l.tracker.End())
}

// Now is the log's time.
func (l *Log) Now() time.Time { return l.tracker.Now() }

// Oldest gives the first line that something open needs, unless it is older than
// age; ok is false where nothing does.
func (l *Log) Oldest(age time.Duration) (line int, ok bool) {
	line, ok = l.tracker.Oldest(age)
	if other, also := l.reader.Oldest(); also && (!ok || other < line) {
		line, ok = other, true
	}
	return line, ok
}

// Refused reports whether every line that the profile knows was refused.
func (l *Log) Refused() bool {
	c := l.reader.Counts()
	return c.Rejected > 0 && c.Rejected+c.Other == c.Rows
}

// AllOther is how many lines there were, if the profile knows none of them; else 0.
func (l *Log) AllOther() int { return l.reader.Counts().AllOther() }

// Rows is how many lines were read.
func (l *Log) Rows() int { return l.reader.Counts().Rows }

// Nobody says that no line has the account that the profile names; "": some have.
func (l *Log) Nobody() string { return l.counts().Nobody() }

// Undropped says that no line has what a rule reads that was asked for; "": some have.
func (l *Log) Undropped() string { return l.counts().Undropped() }

// Absent says what the profile names and no line has.
func (l *Log) Absent() []string { return l.counts().Absent() }

// counts is what became of the lines, with the sightings that were made of them.
func (l *Log) counts() *profile.Counts {
	rows := *l.reader.Counts()
	rows.Sightings, rows.Cut, rows.Unnamed = l.count, l.cut, l.unnamed
	return &rows
}

// Faults are the first lines that were refused.
func (l *Log) Faults() []profile.Fault { return l.reader.Counts().Faults }

// Rejected is how many lines were.
func (l *Log) Rejected() int { return l.reader.Counts().Rejected }

// String says the counts in one line.
func (l *Log) String() string {
	said := []string{l.counts().String()}
	c := l.tracker.Counts
	for _, n := range []struct {
		words string
		n     int
	}{
		{"resumed", c.Resumed}, {"refused again", c.Again}, {"refused before a login", c.Mistyped},
		{"ends without a beginning", c.Unknown}, {"open at the end", c.Open},
		{"a login or a resumption", c.Doubtful}, {"steps of connections beyond those followed", c.Forgot},
	} {
		if n.n > 0 {
			said = append(said, fmt.Sprintf("%s %d", n.words, n.n))
		}
	}
	return strings.Join(said, ", ")
}
