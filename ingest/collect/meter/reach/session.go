package reach

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/secure"
	"rollcall/ingest/collect/meter/signs"
	"rollcall/ingest/collect/meter/wire"
)

// Limits, in packet time and in numbers.
const (
	gap          = 30 * time.Minute // a longer silence ends a session
	sessionsMost = 1 << 16
)

// Tracker follows sessions. It is not safe for concurrent use.
type Tracker struct {
	sink     wire.Sink
	table    *signs.Table
	names    names
	sessions map[who]*session
}

// who is whose session of what it is: a client's address, or nobody's in
// particular where the panelist is known.
type who struct {
	client  netip.Addr
	service rollcall.ServiceID
}

// session is a service's activity without a long gap.
type session struct {
	since, last time.Time
	how         wire.Sign
	sure        bool // by a sign that no refused sign-on has
}

// New makes a Tracker that knows services by the table.
func New(sink wire.Sink, table *signs.Table) *Tracker {
	return &Tracker{sink: sink, table: table, sessions: make(map[who]*session)}
}

// Active notes that a flow of a client is active from one time to another.
func (t *Tracker) Active(client netip.Addr, f *wire.Flow, from, to time.Time) {
	if f.Service == "" {
		return
	}
	if t.sink.OnePerson {
		client = netip.Addr{}
	}
	key := who{client, f.Service}
	s := t.sessions[key]
	if s != nil && from.Sub(s.last) > gap {
		t.end(key, s)
		s = nil
	}
	if s == nil {
		if len(t.sessions) >= sessionsMost {
			t.evict()
		}
		s = &session{since: from, last: from, how: f.Sign}
		t.sessions[key] = s
	}
	if from.Before(s.since) {
		s.since = from
	}
	if to.After(s.last) {
		s.last = to
	}
	s.sure = s.sure || f.Sign == wire.ByBytes
	for s.last.Sub(s.since) > t.sink.Piece {
		t.yield(key, s, s.since.Add(t.sink.Piece))
		s.since, s.sure = s.since.Add(t.sink.Piece), true // the rest belongs to what was long enough
	}
}

// Flush ends the sessions that are over at now.
func (t *Tracker) Flush(now time.Time) {
	t.names.flush(now)
	for _, key := range t.sorted() {
		if s := t.sessions[key]; now.Sub(s.last) > gap {
			t.end(key, s)
		}
	}
}

// Close ends every session with its own last packet.
func (t *Tracker) Close() {
	for _, key := range t.sorted() {
		t.end(key, t.sessions[key])
	}
}

func (t *Tracker) sorted() []who {
	keys := make([]who, 0, len(t.sessions))
	for key := range t.sessions {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b who) int { return cmp.Or(a.client.Compare(b.client), cmp.Compare(a.service, b.service)) })
	return keys
}

// evict ends a sixteenth of the sessions, those that were silent for longest: finding
// them costs as much as there are.
func (t *Tracker) evict() {
	type candidate struct {
		who
		*session
	}
	all := make([]candidate, 0, len(t.sessions))
	for key, s := range t.sessions {
		all = append(all, candidate{key, s})
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(a.last.Compare(b.last), a.client.Compare(b.client), cmp.Compare(a.service, b.service))
	})
	for _, c := range all[:(len(all)+15)/16] {
		t.end(c.who, c.session)
	}
}

// end yields a session, unless it was no longer than a refused sign-on.
func (t *Tracker) end(key who, s *session) {
	delete(t.sessions, key)
	if s.sure || s.last.Sub(s.since) >= secure.Least {
		t.yield(key, s, s.last)
	}
}

func (t *Tracker) yield(key who, s *session, until time.Time) {
	seen := ingest.Sighting{
		Service: key.service, Kind: rollcall.Presence, Time: s.since, Evidence: "known by " + s.how.String(),
	}
	if until.After(s.since) {
		seen.Until = until
	}
	t.sink.Yield(seen)
}
