package netmeeting

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rollcall"
	"rollcall/ingest/collect/meter/wire"
)

// The services: Voila's directory is known by its name.
const (
	NetMeeting rollcall.ServiceID = "netmeeting"
	Voila      rollcall.ServiceID = "voila"
)

// Limits of the directory.
const (
	entriesMost = 1 << 14
	lifeMost    = 10 * time.Minute // an entry lives so long without being refreshed, whatever it says
)

// LDAP operations.
const (
	opBind   = 0x60
	opSearch = 0x63
	opModify = 0x66
	opAdd    = 0x68
	opAdded  = 0x69
	opDelete = 0x4A
	opUnbind = 0x42
)

// Directories holds the entries of the users who are online, over the
// connections by which they are kept there. It is not safe for concurrent use.
type Directories struct {
	sink    wire.Sink
	service func(client, server netip.Addr, at time.Time) rollcall.ServiceID // by the directory's name; empty where it is not known
	entries map[entryKey]*entry
	over    map[entryKey]bool // was seen to end, and not to begin again
}

// entryKey names an entry: who, in which directory.
type entryKey struct {
	server  netip.Addr
	account string
}

// entry is a user in a directory.
type entry struct {
	client netip.Addr
	stay   wire.Stay
	life   time.Duration
	last   time.Time // when it was last refreshed
}

// New makes Directories; service tells a directory's service by its address.
func New(sink wire.Sink, service func(client, server netip.Addr, at time.Time) rollcall.ServiceID) *Directories {
	return &Directories{sink: sink, service: service, entries: make(map[entryKey]*entry), over: make(map[entryKey]bool)}
}

// Match says whether the first bytes of one direction are an LDAP client's, on
// whatever port: a message with a bind, an add or a search.
func Match(b []byte, whole bool) wire.Verdict {
	switch {
	case !whole && len(b) > 0:
		return plausible(b)
	case len(b) > 0 && b[0] != tagSequence:
		return wire.No
	case len(b) < 12:
		return wire.More
	}
	head, _ := length(b)
	if head == 0 || len(b) < head+2 || b[head] != tagInteger || b[head+1] < 1 || b[head+1] > 4 {
		return wire.No
	}
	at := head + 2 + int(b[head+1])
	if at >= len(b) {
		return wire.No
	}
	switch b[at] {
	case opBind, opAdd, opSearch:
		return wire.Yes
	}
	return wire.No
}

// Conn reads one connection to a directory.
type Conn struct {
	hub     *Directories
	opening wire.Opening
	side    [2]messages
	asked   map[uint32]adding // adds that have no answer yet
}

// adding is an entry being added.
type adding struct {
	account, place string
	life           time.Duration
}

// Open begins a connection.
func (d *Directories) Open(o wire.Opening) *Conn {
	c := &Conn{hub: d, opening: o, asked: make(map[uint32]adding)}
	for side := range c.side {
		c.side[side].lost = !o.Whole[side]
	}
	return c
}

// Feed takes the next bytes of one side. An error says that they are no LDAP.
func (c *Conn) Feed(side wire.Side, t time.Time, data []byte) error {
	return c.side[side].feed(data, func(id uint32, op value) {
		if side == wire.Server {
			c.answered(t, id, op)
			return
		}
		switch op.tag {
		case opAdd:
			if a, ok := readAdd(op.body); ok && len(c.asked) < 16 {
				c.asked[id] = a
			}
		case opSearch, opModify:
			c.hub.refresh(c.opening, refreshed(op), t)
		case opDelete:
			c.hub.gone(c.opening, commonName(string(op.body)), t)
		}
	})
}

// Gap says that bytes of one side are missing: where messages begin is lost, until
// it is found again.
func (c *Conn) Gap(side wire.Side, _ time.Time) { c.side[side] = messages{lost: true} }

// End says that the connection is over. An entry lives on without it until it
// is deleted, or not refreshed.
func (c *Conn) End(time.Time, wire.End) {}

// answered reads the answer to an add: code 0 is yes.
func (c *Conn) answered(t time.Time, id uint32, op value) {
	a, ok := c.asked[id]
	if op.tag != opAdded || !ok {
		return
	}
	delete(c.asked, id)
	if code, _, ok := next(op.body); ok && len(code.body) == 1 && code.body[0] == 0 {
		c.hub.add(c.opening, a, t)
	}
}

// readAdd reads an add: the entry's name, then attributes of which each has a
// type and values. Only an entry of a person's is one.
func readAdd(b []byte) (a adding, ok bool) {
	name, rest, ok := next(b)
	list, _, ok2 := next(rest)
	if !ok || !ok2 {
		return a, false
	}
	a.account, a.life = commonName(string(name.body)), lifeMost
	person := ofPerson(name.body)
	each(list.body, func(attribute value) {
		typ, rest, ok := next(attribute.body)
		values, _, ok2 := next(rest)
		first, _, ok3 := next(values.body)
		if !ok || !ok2 || !ok3 {
			return
		}
		text := string(first.body)
		switch strings.ToLower(string(typ.body)) {
		case "objectclass":
			person = person || strings.EqualFold(text, "RTPerson")
		case "cn":
			a.account = account(text)
		case "sttl":
			a.life = life(text, a.life)
		case "ilsa39321630": // evidence, and no place: that is the meter's
			a.place = map[string]string{"1": ", marked personal", "2": ", marked business"}[text]
		}
	})
	return a, person && a.account != ""
}

// ofPerson reports whether an entry's name is of a user who is online.
func ofPerson(name []byte) bool {
	return strings.Contains(strings.ToLower(string(name)), "objectclass=rtperson")
}

// life reads minutes.
func life(text string, otherwise time.Duration) time.Duration {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return otherwise
	}
	return min(time.Duration(n)*time.Minute, lifeMost)
}

// refreshed gives whose entry a search or a change keeps alive, and for how long:
// a search whose filter sets sttl is one.
func refreshed(op value) adding {
	a := adding{life: lifeMost}
	if op.tag == opModify {
		if name, _, _ := next(op.body); ofPerson(name.body) {
			a.account = commonName(string(name.body))
		}
		return a
	}
	lives := false
	filter(op.body, 0, func(attribute, text string) {
		switch strings.ToLower(attribute) {
		case "cn":
			a.account = account(text)
		case "sttl":
			a.life, lives = life(text, a.life), true
		}
	})
	if !lives {
		a.account = ""
	}
	return a
}

// filter finds the equalities of a search's filter, at whatever depth.
func filter(b []byte, depth int, f func(attribute, text string)) {
	if depth > depthMost {
		return
	}
	each(b, func(v value) {
		switch {
		case v.tag == tagEqual:
			attribute, rest, _ := next(v.body)
			text, _, _ := next(rest)
			f(string(attribute.body), string(text.body))
		case v.tag&0x20 != 0:
			filter(v.body, depth+1, f)
		}
	})
}

// commonName gives the cn of an entry's name.
func commonName(name string) string {
	for part := range strings.SplitSeq(name, ",") {
		key, text, _ := strings.Cut(part, "=")
		if strings.EqualFold(strings.TrimSpace(key), "cn") {
			return account(strings.TrimSpace(text))
		}
	}
	return ""
}

// account normalises a user's address in the directory; anything else is none.
func account(name string) string {
	if len(name) > 255 || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' }) {
		return ""
	}
	return strings.ToLower(name)
}

// add yields the login and begins the stay.
func (d *Directories) add(o wire.Opening, a adding, t time.Time) {
	key := entryKey{o.Ends[wire.Server].Addr(), a.account}
	e := d.entries[key]
	if e != nil && t.Sub(e.last) > e.life {
		d.expire(key, e)
		e = nil
	}
	if e != nil {
		e.last = t // added anew, over the old one
		return
	}
	e = d.begin(key, o, a, t)
	e.stay.Say(d.sink, rollcall.Login, t, "entry added"+a.place)
	e.stay.Begin(t, "entry added"+a.place)
}

// begin makes an entry.
func (d *Directories) begin(key entryKey, o wire.Opening, a adding, t time.Time) *entry {
	if len(d.entries) >= entriesMost {
		d.evict()
	}
	client := o.Ends[wire.Client].Addr()
	e := &entry{client: client, life: a.life, last: t, stay: wire.Stay{Name: "ILS"}}
	e.stay.Who.Service, e.stay.Who.Account = NetMeeting, a.account
	if s := d.service(client, key.server, t); s == Voila {
		e.stay.Who.Service = s
	}
	d.entries[key] = e
	delete(d.over, key)
	return e
}

// refresh notes that an entry is kept alive, by a client that may have added it
// unseen.
func (d *Directories) refresh(o wire.Opening, a adding, t time.Time) {
	key := entryKey{o.Ends[wire.Server].Addr(), a.account}
	e := d.entries[key]
	switch {
	case a.account == "" || e == nil && d.over[key]:
	case e == nil:
		d.begin(key, o, a, t).stay.Begin(t, "entry refreshed, already open")
	case t.Sub(e.last) > e.life:
		d.expire(key, e)
	default:
		e.last = t
		e.stay.Progress(d.sink, t)
	}
}

// gone ends the stay of an entry that is deleted.
func (d *Directories) gone(o wire.Opening, who string, t time.Time) {
	key := entryKey{o.Ends[wire.Server].Addr(), who}
	if e := d.entries[key]; e != nil {
		d.end(key)
		if t.Sub(e.last) > e.life {
			t = e.last.Add(e.life)
		}
		e.stay.Leave(d.sink, t, "entry deleted", true)
	}
}

// end forgets an entry, but not that it ended: who refreshes it is refused.
func (d *Directories) end(key entryKey) {
	delete(d.entries, key)
	if len(d.over) >= entriesMost {
		clear(d.over)
	}
	d.over[key] = true
}

// expire ends the stay of an entry that was not refreshed.
func (d *Directories) expire(key entryKey, e *entry) {
	d.end(key)
	e.stay.Leave(d.sink, e.last.Add(e.life), "not refreshed", false)
}

// evict forgets a sixteenth of the entries, those that were not refreshed for longest:
// finding them costs as much as there are.
func (d *Directories) evict() {
	keys := slices.SortedFunc(maps.Keys(d.entries), func(a, b entryKey) int {
		return cmp.Or(d.entries[a].last.Compare(d.entries[b].last), a.server.Compare(b.server), cmp.Compare(a.account, b.account))
	})
	for _, key := range keys[:(len(keys)+15)/16] {
		d.expire(key, d.entries[key])
	}
}

// Flush ends the stays of entries that are not refreshed by now.
func (d *Directories) Flush(now time.Time) {
	for key, e := range d.entries {
		if now.Sub(e.last) > e.life {
			d.expire(key, e)
		}
	}
}

// Close ends every stay at the end of the capture.
func (d *Directories) Close() {
	for key, e := range d.entries {
		d.expire(key, e)
	}
}

// of gives the user whose entry a client keeps, if there is one alone.
func (d *Directories) of(client netip.Addr) (who wire.Stay, ok bool) {
	for _, e := range d.entries {
		if e.client != client {
			continue
		}
		if ok {
			return wire.Stay{}, false
		}
		who, ok = e.stay, true
	}
	return who, ok
}
