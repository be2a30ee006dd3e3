package session

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"rollcall"
)

// The bounds of what a tracker remembers.
const (
	// Resumable is how long a lost session may be resumed and be one stay: servers
	// wait five to ten minutes by default.
	Resumable = 10 * time.Minute
	// MaxOpen is how many connections, and how many sessions, are followed at once.
	MaxOpen = 1 << 20
	// sweepEvery is how often what is over is let go.
	sweepEvery = 5 * time.Minute
)

// Counts is what a tracker saw that makes no sighting, or one fewer.
type Counts struct {
	Resumed  int // stays that went on with another connection
	Again    int // refusals beyond the first of a connection
	Mistyped int // refusals on a connection that was let in later
	Unknown  int // ends of accounts' sessions that began before the log, or in a lost part
	Open     int // sessions that were open at the end
	Doubtful int // sign-ons that were a login or a resumption; nobody knows
	Forgot   int // steps of connections and sessions beyond those that are followed
}

// Tracker is one log's, or one server's. It is one goroutine's.
type Tracker struct {
	Counts
	Silent bool // a resumption isn't told: the lost connection's name comes back instead
	Source string
	most   int // connections, and sessions, that are followed: MaxOpen but in tests
	yield  func(Seen) error
	conns  map[string]*connection
	stays  map[string]*stay
	lately map[string]*stay // of an account, the session that was lost last
	now    time.Time        // the greatest of the steps' times
	swept  time.Time
	err    error // yield's
}

// NewTracker makes a tracker that says its sightings to yield.
func NewTracker(source string, yield func(Seen) error) *Tracker {
	return &Tracker{
		Source: source, most: MaxOpen, yield: yield,
		conns: map[string]*connection{}, stays: map[string]*stay{}, lately: map[string]*stay{},
	}
}

// At says what time it is by the log: a line that is no step moves it too.
func (t *Tracker) At(now time.Time) {
	if now.After(t.now) {
		t.now = now
	}
	if t.now.Sub(t.swept) >= sweepEvery {
		t.swept = t.now
		t.sweep()
	}
}

// Take takes the next step. The error is yield's.
func (t *Tracker) Take(s Step) error {
	if s.What == Started { // what had no end was over with the last line before
		t.endAll(s.Connection, t.now, Started)
	}
	t.At(s.Time)
	if t.beyond(s) {
		t.Forgot++
		return t.err
	}
	switch s.What {
	case Connected:
		t.connected(s)
	case Refused:
		t.refused(s)
	case Accepted:
		t.accepted(s)
	case Opened, SignedOn:
		t.opened(s)
	case Resumed:
		t.resumed(s)
	case Lost, Closed:
		t.ended(s)
	case Alive:
		t.alive(s)
	case Stopped:
		t.endAll(s.Connection, s.Time, Stopped)
	}
	return t.err
}

// beyond reports whether a step begins a connection or session that there is no
// space for.
func (t *Tracker) beyond(s Step) bool {
	switch s.What {
	case Connected, Refused, Accepted, Opened, SignedOn, Resumed:
		return s.Connection != "" && t.conns[s.Connection] == nil && len(t.conns) >= t.most ||
			s.key() != "" && s.What >= Opened && t.stays[s.key()] == nil && len(t.stays) >= t.most
	}
	return false
}

// connection gives the connection of a step, made where there is none.
func (t *Tracker) connection(s Step) *connection {
	if c := t.conns[s.Connection]; c != nil && s.Connection != "" {
		return c
	}
	c := &connection{name: s.Connection, since: s.Time, line: s.Line}
	if c.name != "" {
		t.conns[c.name] = c
	}
	return c
}

// connected ends what had the name before: its end was not told.
func (t *Tracker) connected(s Step) {
	if c := t.conns[s.Connection]; c != nil {
		at := c.since
		if c.of != nil {
			at = c.of.last
		}
		t.drop(c, at, Lost)
	}
	t.connection(s)
}

func (t *Tracker) refused(s Step) {
	c := t.connection(s)
	switch {
	case c.name == "":
		t.say(s, rollcall.LoginFailed, time.Time{}, "refused")
	case c.refused != nil:
		t.Again++
	default:
		c.refused, c.login = &s, nil // one that was accepted may be forbidden its session
	}
}

func (t *Tracker) accepted(s Step) {
	c := t.connection(s)
	if c.refused != nil { // mistyped, then let in
		t.Mistyped++
		c.refused = nil
	}
	t.release(c)
	c.login = &s
	if c.name == "" {
		t.release(c)
	}
}

// opened begins a stay, or adds a connection to one.
func (t *Tracker) opened(s Step) {
	c := t.connection(s)
	c.refused = nil
	if c.login != nil {
		s.Account = cmp.Or(s.Account, c.login.Account)
		c.login.Account = s.Account
	}
	if s.What == SignedOn && (t.stays[s.key()] == nil || !t.stays[s.key()].lost.IsZero()) {
		login := s
		c.login = &login
	}
	if on := t.lately[s.Account]; t.Silent && c.login != nil && c.doubt == nil && on != nil && !on.over(t.now) {
		c.doubt, on.doubts = on, append(on.doubts, c)
	}
	if c.doubt == nil {
		t.release(c)
	}
	if old := t.stays[s.key()]; old != nil && !old.lost.IsZero() {
		t.end(old, old.lost, Lost)
	}
	t.join(c, s)
}

// resumed lets a session go on with another connection. Where it was lost for
// long, it was nobody's presence in between.
func (t *Tracker) resumed(s Step) {
	c := t.connection(s)
	if s.Account == "" && c.login != nil {
		s.Account = c.login.Account
	}
	c.login, c.doubt, c.refused = nil, nil, nil
	t.Resumed++
	if c.of != nil && c.of.key == c.name && s.key() != c.name { // opened by the sign-on, which was the resumption
		t.forget(c.of)
		c.of = nil
	}
	old := t.stays[s.key()]
	if old != nil && old.over(t.now) {
		t.end(old, old.lost, Lost)
		old = nil
	}
	if old == nil {
		t.join(c, s)
		return
	}
	for _, before := range slices.Clone(old.conns) { // a connection that the server still thought alive
		if before != c {
			before.of = nil
			delete(t.conns, before.name)
		}
	}
	old.conns = slices.DeleteFunc(old.conns, func(o *connection) bool { return o != c })
	t.join(c, s)
}

// ended takes a connection out of its session. Where the log tells no
// connection the session is over.
func (t *Tracker) ended(s Step) {
	c := t.conns[s.Connection]
	if s.Connection == "" {
		t.endedSession(s)
		return
	}
	if c == nil {
		t.endedUnknown(s)
		return
	}
	t.drop(c, s.Time, s.What)
}

func (t *Tracker) endedSession(s Step) {
	on := t.stays[s.Session]
	switch {
	case on == nil:
		t.endedUnknown(s)
	case !on.lost.IsZero():
		if s.What == Closed {
			t.end(on, on.lost, Lost)
		}
	default:
		for _, c := range slices.Clone(on.conns) {
			t.drop(c, s.Time, s.What)
		}
	}
}

// endedUnknown takes the end of a connection that isn't open: a lost session
// times out, or is lost again since it was resumed in silence; or it began
// before the log.
func (t *Tracker) endedUnknown(s Step) {
	if on := t.stays[s.key()]; on != nil && !on.lost.IsZero() {
		by := on.doubtful()
		switch {
		case t.Silent && by != nil:
			t.merge(on, by)
			t.drop(by, s.Time, s.What)
		case s.What == Closed:
			t.end(on, on.lost, Lost)
		}
		return
	}
	switch on := t.stays[s.key()]; {
	case on == nil:
	case s.Session != "":
		return // an older connection of a session that has another
	default: // its own name, though another connection resumed it
		for _, c := range slices.Clone(on.conns) {
			t.drop(c, s.Time, s.What)
		}
		return
	}
	if s.Account != "" {
		t.Unknown++
		t.say(s, rollcall.Presence, time.Time{}, "an end whose beginning is not in the log")
		t.say(s, rollcall.Logout, time.Time{}, s.What.String())
	}
}

func (t *Tracker) alive(s Step) {
	on := t.stays[s.key()]
	if c := t.conns[s.Connection]; c != nil && c.of != nil {
		on = c.of
	}
	if on != nil {
		on.last = later(on.last, s.Time)
	}
}

// sweep lets go what nothing can change any more. Many logs don't tell the end
// of a connection that opened no session.
func (t *Tracker) sweep() {
	for _, c := range ordered(t.conns, func(c *connection) bool { return c.idle(t.now) }, byBeginning) {
		t.drop(c, t.now, Lost)
	}
	for _, on := range ordered(t.stays, func(s *stay) bool { return s.over(t.now) && s.doubtful() == nil }, byOpening) {
		t.end(on, on.lost, Lost)
	}
}

// endAll ends every connection and session whose name begins so.
func (t *Tracker) endAll(name string, at time.Time, how What) {
	for _, on := range ordered(t.stays, func(s *stay) bool { return strings.HasPrefix(s.key, name) }, byOpening) {
		if on.lost.IsZero() {
			t.end(on, at, how)
		} else {
			t.end(on, on.lost, Lost)
		}
	}
	for _, c := range ordered(t.conns, func(c *connection) bool { return strings.HasPrefix(c.name, name) }, byBeginning) {
		if c.doubt != nil {
			t.Doubtful++
			c.login, c.doubt = nil, nil
		}
		t.drop(c, at, how)
	}
}

// Now is the greatest of the steps' times.
func (t *Tracker) Now() time.Time { return t.now }

// Oldest gives the line of the first step that something open needs, unless it
// began longer than age ago; ok is false where nothing does.
func (t *Tracker) Oldest(age time.Duration) (line int, ok bool) {
	note := func(at int, since time.Time) {
		if t.now.Sub(since) <= age && (!ok || at < line) {
			line, ok = at, true
		}
	}
	for _, c := range t.conns {
		note(c.line, c.since)
	}
	for _, on := range t.stays {
		note(on.first.Line, on.first.Time)
	}
	return line, ok
}

// Tell says the presence of open sessions up to now, which a log that is
// followed does from time to time.
func (t *Tracker) Tell() error {
	for _, on := range ordered(t.stays, nil, byOpening) {
		if on.lost.IsZero() {
			t.present(on, t.now, "now")
		} else {
			t.present(on, on.lost, Lost.String())
		}
	}
	return t.err
}

// End says what is still open. Nothing is claimed after the last line.
func (t *Tracker) End() error {
	for _, on := range ordered(t.stays, nil, byOpening) {
		if !on.lost.IsZero() {
			t.end(on, on.lost, Lost)
			continue
		}
		t.Open++
		for _, c := range on.conns {
			c.of = nil
		}
		t.forget(on)
		t.present(on, t.now, "the log's end")
	}
	t.endAll("", t.now, Lost)
	return t.err
}

// say gives a sighting away. After a failure nothing more is.
func (t *Tracker) say(s Step, kind rollcall.Kind, until time.Time, evidence string) {
	if t.err != nil {
		return
	}
	seen := s.Sighting
	seen.Kind, seen.Until, seen.Evidence = kind, until, t.Source+": "+evidence
	if !until.After(seen.Time) {
		seen.Until = time.Time{}
	}
	t.err = t.yield(Seen{Sighting: seen, Line: s.Line})
}
