package poll

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"rollcall/ingest/profile"
	"rollcall/ingest/session"
	"rollcall/internal/jsondepth"
)

// Poller makes sightings of snapshots. It is one goroutine's.
type Poller struct {
	Count func(string) // says, every ten minutes, what became of the snapshots so far; nil: nobody asks
	Warn  func(string) // says that the profile counts nobody, or whom it is to drop, or refuses rows; nil: nobody asks

	every   time.Duration // between two snapshots
	log     *profile.Log
	rows    string
	tracker *session.Tracker
	yield   func(profile.Seen) error
	open    map[string]bool // sessions in the last snapshot
	now     map[string]bool // and in the one that is read
	last    time.Time       // when the last snapshot was taken
	told    time.Time
	asked   int
	failed  int
	count   int
	unnamed int
	nobody  bool // it was said that the profile counts nobody
	counts  bool // and that it counts whom it is to drop
	refused bool // and why it refuses rows
}

// New makes a poller whose rows are read by a profile's reader.
func New(name string, r *profile.Reader, every time.Duration, yield func(profile.Seen) error) *Poller {
	p := &Poller{every: every, rows: r.Rows, yield: yield, open: map[string]bool{}}
	p.tracker = session.NewTracker(name, func(s session.Seen) error { return p.say(profile.Seen{Sighting: s.Sighting, Line: s.Line}) })
	p.log = profile.NewLog(r, time.Time{}, p.row)
	return p
}

// say gives a sighting away, in pieces where it is too long for an event.
func (p *Poller) say(s profile.Seen) error {
	for _, piece := range profile.Cut(s) {
		p.count++
		if piece.Account == "" {
			p.unnamed++
		}
		if err := p.yield(piece); err != nil {
			return sink{err}
		}
	}
	return nil
}

// Take takes a snapshot. A text that is none changes nothing, and is an error
// that Failed counts; so is a part of one: nobody has gone for it.
func (p *Poller) Take(text []byte, at time.Time) error {
	rows, err := p.list(text)
	if err != nil {
		return err
	}
	p.asked++
	p.log.Asked = at
	if !p.last.IsZero() && at.Sub(p.last) > missed*p.every+p.every/2 { // nobody knows what was between
		p.end()
	}
	p.now = make(map[string]bool, len(p.open))
	unlike := p.log.Counts().Other
	for i, row := range rows {
		if err := p.log.Line(row, i+1, false); err != nil {
			return err
		}
	}
	if unlike = p.log.Counts().Other - unlike; unlike == len(rows) && unlike > 0 {
		p.asked--
		return errors.New("no line of the answer is a session's")
	}
	for key := range p.open {
		if !p.now[key] { // gone since: it was there when it was seen last
			if err := p.step(session.Closed, key, profile.Seen{}, p.last); err != nil {
				return err
			}
		}
	}
	p.open, p.last = p.now, at
	p.tracker.At(at)
	if at.Sub(p.told) < tellEvery {
		return nil
	}
	p.told = at
	err = p.tracker.Tell()
	p.tell()
	return err
}

// tell says what became of the snapshots so far.
func (p *Poller) tell() {
	if text := p.Counts().Nobody(); text != "" && p.Warn != nil && !p.nobody {
		p.nobody = true
		p.Warn("counts nobody: " + text)
	}
	if text := p.Counts().Undropped(); text != "" && p.Warn != nil && !p.counts {
		p.counts = true
		p.Warn("counts whom it is to drop: " + text)
	}
	if faults := p.Counts().Faults; len(faults) > 0 && p.Warn != nil && !p.refused {
		p.refused = true
		p.Warn(fmt.Sprintf("refuses rows: row %d: %s", faults[0].Line, faults[0].Reason))
	}
	if p.Count != nil {
		p.Count(p.String())
	}
}

// tellEvery is how often what is open is said, and the counts.
const tellEvery = 10 * time.Minute

// missed is how many snapshots may fail before what is open is said to have ended.
const missed = 5

// row takes one row of a snapshot.
func (p *Poller) row(s profile.Seen) error {
	if s.Step == 0 {
		return p.say(s)
	}
	key := s.Session
	began := s.Time
	if p.now[key] {
		return nil
	}
	p.now[key] = true
	if p.open[key] {
		return p.step(session.Alive, key, s, p.log.Asked)
	}
	if began.After(p.log.Asked) {
		began = p.log.Asked
	}
	return errors.Join(p.step(session.Accepted, key, s, began), p.step(session.Opened, key, s, began))
}

func (p *Poller) step(what session.What, key string, s profile.Seen, at time.Time) error {
	s.Time = at
	return p.tracker.Take(session.Step{What: what, Connection: key, Line: s.Line, Sighting: s.Sighting})
}

// list gives the rows of a snapshot's text.
func (p *Poller) list(text []byte) ([][]byte, error) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		if !p.log.Patterns() {
			return nil, errors.New("the answer is not JSON")
		}
		if bytes.Count(text, []byte("\n")) >= session.MaxOpen {
			return nil, errMany
		}
		return bytes.Split(text, []byte("\n")), nil
	}
	var all json.RawMessage
	if err := jsondepth.Unmarshal(text, &all); err != nil {
		return nil, errors.New("the answer is not JSON")
	}
	for _, name := range strings.FieldsFunc(p.rows, func(c rune) bool { return c == '.' }) {
		if bytes.HasPrefix(bytes.TrimSpace(all), []byte("[")) {
			break // the list itself
		}
		var inside map[string]json.RawMessage
		if err := json.Unmarshal(all, &inside); err != nil || inside[name] == nil {
			return nil, fmt.Errorf("the answer has no %q", p.rows)
		}
		all = inside[name]
	}
	return elements(all)
}

// errMany says that an answer has more sessions than are followed.
var errMany = fmt.Errorf("the answer has more than %d sessions", session.MaxOpen)

// elements cuts an array, which is JSON, into its elements.
func elements(list []byte) ([][]byte, error) {
	in := json.NewDecoder(bytes.NewReader(list))
	begin, err := in.Token()
	if err == nil && begin == nil {
		return nil, nil // null is nobody, as some servers write it
	}
	if err != nil || begin != json.Delim('[') {
		return nil, errors.New("the answer has no list where one should be")
	}
	var rows [][]byte
	for in.More() {
		if len(rows) == session.MaxOpen {
			return nil, errMany
		}
		var row json.RawMessage
		if err := in.Decode(&row); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Failed counts an answer that didn't come.
func (p *Poller) Failed() { p.failed++ }

// end ends what is open, at the last snapshot.
func (p *Poller) end() {
	for key := range p.open {
		_ = p.step(session.Closed, key, profile.Seen{}, p.last) // the tracker holds the error for the next step
	}
	p.open = map[string]bool{}
}

// End says what is open so far: up to the last snapshot.
func (p *Poller) End() error { return errors.Join(p.log.End(), p.tracker.End()) }

// Counts is what became of the rows, with the sightings that were made of them.
func (p *Poller) Counts() *profile.Counts {
	rows := *p.log.Counts()
	rows.Sightings, rows.Unnamed = p.count, p.unnamed
	return &rows
}

// String says the counts in one line.
func (p *Poller) String() string {
	return fmt.Sprintf("snapshots %d, failed %d, %s", p.asked, p.failed, p.Counts())
}

// Run takes a snapshot at once and at each tick, until the context is done.
// What ask can't get is told to warn, and the rest goes on.
func (p *Poller) Run(ctx context.Context, tick <-chan time.Time, ask func(context.Context) ([]byte, time.Time, error), commit func(context.Context) error, warn func(error)) error {
	for {
		text, at, err := ask(ctx)
		if ctx.Err() != nil {
			break
		}
		if err == nil {
			var theirs sink
			if err = p.Take(text, at); errors.As(err, &theirs) {
				return theirs.error
			}
		}
		if err != nil {
			p.Failed()
			warn(err)
		}
		if err := commit(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-tick:
			continue
		}
		break
	}
	return errors.Join(p.End(), commit(context.WithoutCancel(ctx)))
}

// sink is an error of the one that the sightings go to.
type sink struct{ error }
