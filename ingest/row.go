package ingest

import (
	"context"
	"slices"
	"time"

	"rollcall"
)

// Alike are rows of a table of which many have the same group, and many the same
// account: what has been found out of one row then goes for the next.
type Alike struct {
	// Groups are by number; nil: nothing is known of it, as always of number 0.
	Groups []*KnownGroup
	Group  []uint32 // each row's number
	// Account is each row's, its place among Accounts; below 0: it has none.
	Account  []int32
	Accounts Accounts
	Time     []int64 // each row's, of which a second has Unit
	Unit     int64
	Until    []int64 // Unix nanoseconds, 0: none; nil: no row has one
}

// KnownGroup is what a Batcher has found out about a group of accounts, from one
// sighting that it took.
type KnownGroup struct {
	of     *known
	number int // of the memo that found it out
	keys   []inUse
	last   int // of keys, which the row before had
}

// inUse is a key of a group, which is that of rows at length instants from one on,
// in their table's unit.
type inUse struct {
	from     int64
	length   uint64
	key      key
	visitors []rollcall.Visitor // of the accounts; nil: they are not remembered
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
	names Names
	plain bool // what isPlain says of the signs of all
	often bool // they come again: it is worth to remember
	by    []hashed
}

// Names are texts of which each begins where the one before ends.
type Names struct {
	Text string
	Ends []int32 // the first one's begin, then each one's end
}

// Len gives how many there are.
func (n *Names) Len() int { return max(len(n.Ends), 1) - 1 }

// At gives a name, which is part of the text.
func (n *Names) At(i int) string { return n.Text[n.Ends[i]:n.Ends[i+1]] }

// hashed are pseudonyms under a key, 0 where none was made.
type hashed struct {
	key      rollcall.KeyID
	visitors []rollcall.Visitor
}

// Bounds of the pseudonyms that are remembered at once: for how many keys, which
// are the services of a table, times their years; and of how many accounts. A small
// body may unfold into millions.
const (
	maxHashed     = 8
	maxRemembered = 1 << 17
)

// Renew takes other names, of another table, which are read while the accounts are
// in use, and how many rows have one of them.
func (a *Accounts) Renew(names Names, rows int) {
	n := names.Len()
	a.names, a.often, a.plain, a.by = names, rows >= 2*n && n <= maxRemembered, false, a.by[:0]
	if n > 0 {
		text := names.Text[names.Ends[0]:names.Ends[n]]
		a.plain = isPlain(text, len(text), noCapital)
	}
}

// KnownGroup gives what is known, for rows of a table, of the group of the sighting
// that was taken last; was is what was known of it before. nil: nothing that serves
// for others of it.
func (in *Batcher) KnownGroup(t *Alike, was *KnownGroup) *KnownGroup {
	last := in.converter.last
	if last == nil || last.group.Panel != "" || !in.took {
		return nil
	}
	if was != nil && was.of == last && was.number == in.converter.number && len(was.keys) == len(last.keys) {
		return was
	}
	g := &KnownGroup{of: last, number: in.converter.number}
	for i := range last.keys {
		if l := &last.keys[i]; l.from < l.to {
			g.keys = append(g.keys, inUse{
				from: l.from * t.Unit, length: uint64(l.to-l.from) * uint64(t.Unit),
				key: l.key, visitors: t.Accounts.under(l.key.id),
			})
		}
	}
	return g
}

// Rows takes rows of a table from one on, as Sighting does, up to one of which it is
// not certain that Sighting would take it, as one event, or up to a batch's end. It
// gives how many it took.
func (in *Batcher) Rows(ctx context.Context, t *Alike, from int) (int, error) {
	in.converter.renew()
	i, space := from, maxEvents
	if in.rows != nil {
		space -= in.rows.Len()
	}
	for end := min(len(t.Group), from+space); i < end && in.alike(t, i); {
		i++
	}
	taken := i - from
	in.Read += taken
	in.taken += taken
	if taken < space {
		return taken, nil
	}
	return taken, in.Flush(ctx)
}

// alike adds a row of a table, if Sighting certainly would.
func (in *Batcher) alike(t *Alike, i int) bool {
	g, account := t.Groups[t.Group[i]], int(t.Account[i])
	if g == nil || g.number != in.converter.number || account < 0 {
		return false
	}
	use := g.use(t.Time[i])
	if use == nil {
		return false
	}
	at, until := t.Time[i]*(int64(time.Second)/t.Unit), int64(0)
	if t.Until != nil {
		until = t.Until[i]
	}
	if until != 0 && !use.serves(until/(int64(time.Second)/t.Unit)) || !in.timely(g.of, at, until) {
		return false
	}
	visitor, ok := t.Accounts.visitor(g, use, account)
	if !ok {
		return false
	}
	if in.rows == nil {
		in.hold()
	}
	in.rows.AddRow(g.of.codeIn(in, use.key.id), at, until, uint64(visitor))
	return true
}

// serves reports whether the key is that of an instant.
func (u *inUse) serves(at int64) bool { return uint64(at-u.from) < u.length }

// use gives the key of an instant; nil: it is not known.
func (g *KnownGroup) use(at int64) *inUse {
	if g.last < len(g.keys) && g.keys[g.last].serves(at) {
		return &g.keys[g.last]
	}
	for i := range g.keys {
		if g.keys[i].serves(at) {
			g.last = i
			return &g.keys[i]
		}
	}
	return nil
}

// row takes a sighting that was found to be one event.
func (in *Batcher) row(ctx context.Context, k *known, key rollcall.KeyID, at, until time.Time, visitor rollcall.Visitor) error {
	if in.rows == nil {
		in.hold()
	}
	in.rows.AddRow(k.codeIn(in, key), at.UnixNano(), rollcall.UntilNano(until), uint64(visitor))
	return in.added(ctx, k.group.Market, k.group.Panel)
}

// timely reports whether a sighting of the group passes what goes by the times, in
// Unix nanoseconds, and no until where it is 0: see timelyAt.
func (in *Batcher) timely(k *known, at, until int64) bool {
	if until == 0 {
		return in.everTimely(k) || in.timelyAt(k, time.Unix(0, at), time.Time{})
	}
	return in.timelyAt(k, time.Unix(0, at), time.Unix(0, until))
}

// everTimely reports whether an instant at which a key is used always passes: its
// years are those that an event may be of.
func (in *Batcher) everTimely(k *known) bool { return in.backfill && k.group.Segment == "" }

// timelyAt goes by the times of the event itself, the clock, and how many segments
// the day has.
func (in *Batcher) timelyAt(k *known, at, until time.Time) bool {
	if k.group.Precision == rollcall.ToDay && !until.IsZero() || rollcall.CheckInterval(at, until) != nil {
		return false
	}
	if in.everTimely(k) {
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
func (a *Accounts) visitor(g *KnownGroup, use *inUse, account int) (rollcall.Visitor, bool) {
	if use.visitors != nil && use.visitors[account] != 0 {
		return use.visitors[account], true
	}
	spelling, service := a.names.At(account), g.of.group.Service
	if !a.isPlain(service, spelling) {
		var err error
		if spelling, err = checkWho(&Sighting{Service: service, Account: spelling}); err != nil {
			return 0, false
		}
	}
	visitor := use.key.account(spelling)
	if use.visitors != nil {
		use.visitors[account] = visitor
	}
	return visitor, true
}

// isPlain is isPlainAccount, of one of the accounts.
func (a *Accounts) isPlain(service rollcall.ServiceID, account string) bool {
	if !a.plain {
		return isPlainAccount(service, account)
	}
	return account != "" && len(account) <= maxAccount && !shortened(service, account)
}

// under gives the pseudonyms under a key; nil: none are remembered.
func (a *Accounts) under(key rollcall.KeyID) []rollcall.Visitor {
	for i := range a.by {
		if a.by[i].key == key {
			return a.by[i].visitors
		}
	}
	if !a.often || len(a.by) == maxHashed {
		return nil
	}
	a.by = slices.Grow(a.by, 1)[:len(a.by)+1]
	h := &a.by[len(a.by)-1] // which has memory of another table's
	h.key, h.visitors = key, append(h.visitors[:0], make([]rollcall.Visitor, a.names.Len())...)
	return h.visitors
}
