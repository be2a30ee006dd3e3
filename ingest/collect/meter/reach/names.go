package reach

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"rollcall"
	"rollcall/ingest/collect/meter/wire"
)

type (
	service = rollcall.ServiceID
	sign    = wire.Sign
)

// Limits of what DNS said.
const (
	namesMost = 1 << 16
	lifeLeast = time.Minute
	lifeMost  = 24 * time.Hour
)

// lookup is a client's address of a server.
type lookup struct{ client, server netip.Addr }

// answer is what the address was asked for.
type answer struct {
	service service // empty: a name of none, or names of several
	until   time.Time
}

// names is what DNS told clients.
type names struct{ known map[lookup]answer }

// learn notes that a client was told the address for a name of the service,
// empty where it is none's. An address for names of two is nobody's.
func (n *names) learn(client, server netip.Addr, s service, at time.Time, life time.Duration) {
	if n.known == nil {
		n.known = make(map[lookup]answer)
	}
	key := lookup{client, server}
	old, again := n.known[key]
	if !again && len(n.known) >= namesMost {
		n.forget()
	}
	until := at.Add(min(max(life, lifeLeast), lifeMost))
	if again && at.Before(old.until) {
		if old.service != s {
			s = ""
		}
		if old.until.After(until) {
			until = old.until
		}
	}
	n.known[key] = answer{s, until}
}

// forget lets go of a sixteenth of what was said, of the clients that were told most,
// and of those the ones told longest ago: one that asks for many names costs no other
// its credits.
func (n *names) forget() {
	type told struct {
		names int
		until time.Time
	}
	clients := make(map[netip.Addr]told)
	for key, a := range n.known {
		t := clients[key.client]
		if t.names++; a.until.After(t.until) {
			t.until = a.until
		}
		clients[key.client] = t
	}
	order := slices.SortedFunc(maps.Keys(clients), func(a, b netip.Addr) int {
		x, y := clients[a], clients[b]
		return cmp.Or(cmp.Compare(y.names, x.names), x.until.Compare(y.until), a.Compare(b))
	})
	gone := make(map[netip.Addr]bool)
	for least := (len(n.known) + 15) / 16; least > 0; order = order[1:] {
		gone[order[0]] = true
		least -= clients[order[0]].names
	}
	maps.DeleteFunc(n.known, func(key lookup, _ answer) bool { return gone[key.client] })
}

// find gives the service of a server's address for a client; known says that
// DNS named the address, if only for none's name.
func (n *names) find(client, server netip.Addr, at time.Time) (s service, known bool) {
	a, ok := n.known[lookup{client, server}]
	if !ok || at.After(a.until) {
		return "", false
	}
	return a.service, true
}

func (n *names) flush(now time.Time) {
	for key, a := range n.known {
		if now.After(a.until) {
			delete(n.known, key)
		}
	}
}
