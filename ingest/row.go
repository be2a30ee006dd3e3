package ingest

import (
	"context"
	"time"

	"rollcall"
)

// KnownGroup is what a Batcher has found out about a group of accounts, from one
// sighting that it took.
type KnownGroup struct {
	of     *known
	number int // of the memo that found it out
}

// groupCode is a group's code in a batch, under a key.
type groupCode struct {
	batch int // its number
	key   rollcall.KeyID
	code  uint32
}

// Accounts are the accounts of a table of which many rows have the same: each is
// checked, spelled and hashed once for a key.
type Accounts struct {
	names []string
	often bool // they come again: it is worth to remember
	by    []hashed
}

// hashed are pseudonyms under a key.
type hashed struct {
	key      rollcall.KeyID
	visitors []rollcall.Visitor
	done     []bool
}

// Bounds of the pseudonyms that are remembered at once: for how many keys, which
// are the services of a table, times their years; and of how many accounts. A small
// body may unfold into millions.
const (
	maxHashed     = 8
	maxRemembered = 1 << 17
)

// NewAccounts takes the names, which are read while the accounts are in use, and
// says how many rows have one of them.
func NewAccounts(names []string, rows int) *Accounts {
	return &Accounts{names: names, often: rows >= 2*len(names) && len(names) <= maxRemembered}
}

// KnownGroup gives what is known of the group of the sighting that was taken
// last; nil: nothing that serves for others of it, or the last was refused.
func (in *Batcher) KnownGroup() *KnownGroup {
	last := in.converter.last
	if last == nil || last.group.Panel != "" || !in.took {
		return nil
	}
	return &KnownGroup{of: last, number: in.converter.number}
}

// Row takes a sighting of a group, by the place of its account among others, as
// Sighting does, if it is certain that this one would take it, as one event;
// false: Sighting is to be asked.
func (in *Batcher) Row(ctx context.Context, group *KnownGroup, accounts *Accounts, account int, at, until time.Time) (bool, error) {
	in.converter.renew()
	if group.number != in.converter.number {
		return false, nil
	}
	k := group.of
	key := k.key(at, until)
	if key == nil || !in.timely(k, at, until) {
		return false, nil
	}
	visitor, ok := accounts.visitor(k, key, account)
	if !ok {
		return false, nil
	}
	return true, in.row(ctx, k, key.id, at, until, visitor)
}

// row takes a sighting that was found to be one event.
func (in *Batcher) row(ctx context.Context, k *known, key rollcall.KeyID, at, until time.Time, visitor rollcall.Visitor) error {
	if in.rows == nil {
		in.hold()
	}
	in.rows.AddRow(k.codeIn(in, key), at.UnixNano(), rollcall.UntilNano(until), uint64(visitor))
	return in.added(ctx, k.group.Market, k.group.Panel)
}

// timely reports whether a sighting of the group passes what goes by the times: of
// the event itself, against the clock, and how many segments the day has.
func (in *Batcher) timely(k *known, at, until time.Time) bool {
	if in.backfill && until.IsZero() && k.group.Segment == "" {
		return true // a key's instants are of years that an event may be of
	}
	if k.group.Precision == rollcall.ToDay && !until.IsZero() || rollcall.CheckInterval(at, until) != nil {
		return false
	}
	if in.backfill && k.group.Segment == "" {
		return true
	}
	now := in.converter.Now()
	e := rollcall.Event{Group: k.group, Time: at, Until: until}
	return (in.backfill || e.Age(now) == nil) && in.converter.segments.take(&e, now) == nil
}

// codeIn gives the group's code in the batch that is held.
func (k *known) codeIn(in *Batcher, key rollcall.KeyID) uint32 {
	if k.code.batch != in.number || k.code.key != key {
		group := k.group
		group.Key = key
		k.code = groupCode{in.number, key, in.rows.GroupCode(&group)}
	}
	return k.code.code
}

// visitor gives an account's pseudonym; false: it has none, or not surely.
func (a *Accounts) visitor(k *known, key *key, account int) (rollcall.Visitor, bool) {
	h := a.under(key.id)
	if h != nil && h.done[account] {
		return h.visitors[account], true
	}
	spelling := a.names[account]
	if !isPlainAccount(k.group.Service, spelling) {
		var err error
		if spelling, err = checkWho(&Sighting{Service: k.group.Service, Account: spelling}); err != nil {
			return 0, false
		}
	}
	visitor := key.account(spelling)
	if h != nil {
		h.visitors[account], h.done[account] = visitor, true
	}
	return visitor, true
}

// under gives the pseudonyms under a key; nil: none are remembered.
func (a *Accounts) under(key rollcall.KeyID) *hashed {
	for i := range a.by {
		if a.by[i].key == key {
			return &a.by[i]
		}
	}
	if !a.often || len(a.by) == maxHashed {
		return nil
	}
	a.by = append(a.by, hashed{key: key, visitors: make([]rollcall.Visitor, len(a.names)), done: make([]bool, len(a.names))})
	return &a.by[len(a.by)-1]
}
