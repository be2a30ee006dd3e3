package session

import (
	"cmp"
	"slices"
	"time"

	"rollcall"
)

// connection is one that has not ended.
type connection struct {
	name    string
	refused *Step // the first refusal
	login   *Step // accepted, not yet known to be no resumption
	since   time.Time
	line    int // of since
	of      *stay
	doubt   *stay // that it may have resumed
}

// idle reports whether the connection has no session at a time, nor had a step
// for long: perhaps it is never heard of again.
func (c *connection) idle(now time.Time) bool {
	heard := c.since
	for _, s := range []*Step{c.refused, c.login} {
		if s != nil {
			heard = later(heard, s.Time)
		}
	}
	return c.of == nil && now.Sub(heard) > Resumable
}

// stay is a session from its opening to its end.
type stay struct {
	key   string
	first Step      // that opened it
	told  time.Time // until where its presence was said
	last  time.Time // the last sign of life
	lost  time.Time // zero: it has a connection
	conns []*connection
	// doubts are connections of its account that were opened after it was lost.
	doubts []*connection
}

// join makes the connection one of the step's session.
func (t *Tracker) join(c *connection, s Step) {
	if c.of != nil && c.of.key != s.key() {
		t.leave(c, s.Time, Closed)
	}
	on := t.stays[s.key()]
	if on == nil {
		on = &stay{key: s.key(), first: s, told: s.Time}
		t.stays[on.key] = on
	}
	t.found(on)
	on.lost, on.last = time.Time{}, later(on.last, s.Time)
	if c.of != on && (c.name != "" || !on.nameless()) {
		on.conns = append(on.conns, c)
		c.of = on
	}
}

// nameless reports whether the session has a connection without a name, which
// stands for all such.
func (s *stay) nameless() bool {
	return slices.ContainsFunc(s.conns, func(c *connection) bool { return c.name == "" })
}

func (t *Tracker) forget(s *stay) {
	t.found(s)
	delete(t.stays, s.key)
}

// found takes a session out of those that are lost.
func (t *Tracker) found(s *stay) {
	if t.lately[s.first.Account] == s {
		delete(t.lately, s.first.Account)
	}
}

// doubtful gives the last connection that may have resumed a lost session.
func (s *stay) doubtful() *connection {
	s.doubts = slices.DeleteFunc(s.doubts, func(c *connection) bool { return c.doubt != s })
	if len(s.doubts) == 0 {
		return nil
	}
	return s.doubts[len(s.doubts)-1]
}

// merge makes one stay of a lost session and the connection that resumed it.
func (t *Tracker) merge(on *stay, by *connection) {
	t.Resumed++
	if by.of != nil {
		t.forget(by.of)
		on.last = later(on.last, by.of.last)
	}
	t.found(on)
	by.login, by.doubt, by.of = nil, nil, on
	on.lost, on.conns = time.Time{}, []*connection{by}
}

// drop ends a connection.
func (t *Tracker) drop(c *connection, at time.Time, how What) {
	if t.conns[c.name] == c {
		delete(t.conns, c.name)
	}
	c.doubt = nil
	t.release(c)
	if c.refused != nil {
		t.say(*c.refused, rollcall.LoginFailed, time.Time{}, "refused")
		c.refused = nil
	}
	t.leave(c, at, how)
}

// leave takes a connection out of its session, which ends or is lost with its last.
func (t *Tracker) leave(c *connection, at time.Time, how What) {
	on := c.of
	if on == nil {
		return
	}
	c.of = nil
	on.conns = slices.DeleteFunc(on.conns, func(o *connection) bool { return o == c })
	if len(on.conns) > 0 {
		on.last = later(on.last, at)
		return
	}
	on.last = later(on.last, at)
	if how == Lost {
		on.lost = later(at, on.first.Time)
		t.lately[on.first.Account] = on
		return
	}
	t.end(on, at, how)
}

// end says a stay to its end.
func (t *Tracker) end(on *stay, at time.Time, how What) {
	for _, c := range on.conns {
		c.of = nil
	}
	t.forget(on)
	t.present(on, at, how.String())
	closing := on.first
	closing.Time, closing.Line = later(at, on.first.Time), on.first.Line
	t.say(closing, rollcall.Logout, time.Time{}, how.String())
}

// present says the presence that was not said yet.
func (t *Tracker) present(on *stay, until time.Time, end string) {
	s := on.first
	s.Time = on.told
	if !on.told.Equal(on.first.Time) && !until.After(on.told) {
		return
	}
	t.say(s, rollcall.Presence, later(until, s.Time), on.first.What.String()+" to "+end)
	on.told = later(until, s.Time)
}

// release says the login that a connection holds.
func (t *Tracker) release(c *connection) {
	if c.login != nil {
		t.say(*c.login, rollcall.Login, time.Time{}, c.login.What.String())
		c.login = nil
	}
}

// over reports whether a session was lost for so long that nothing resumes it.
func (s *stay) over(now time.Time) bool { return !s.lost.IsZero() && now.Sub(s.lost) > Resumable }

// ordered gives those of a kind in an order; nil: all.
func ordered[T any](all map[string]*T, of func(*T) bool, compare func(a, b *T) int) []*T {
	var some []*T
	for _, one := range all {
		if of == nil || of(one) {
			some = append(some, one)
		}
	}
	slices.SortFunc(some, compare)
	return some
}

// byOpening is the order of sessions' openings.
func byOpening(a, b *stay) int {
	return cmp.Or(a.first.Time.Compare(b.first.Time), cmp.Compare(a.first.Line, b.first.Line), cmp.Compare(a.key, b.key))
}

// byBeginning is the order of connections' beginnings.
func byBeginning(a, b *connection) int {
	return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.name, b.name))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
