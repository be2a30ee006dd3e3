package access

import (
	"crypto/sha256"
	"net"
	"net/http"
	"sync"
	"time"
)

// mostAttempts is how many keys that are not known an address may send within
// attemptTime. Then it is refused whatever it sends, but for the keys that it has
// sent before and that were good: a machine that tries keys doesn't shut out its
// neighbours behind the same address.
const (
	mostAttempts = 20
	attemptTime  = time.Minute
)

// mostAddresses bounds what is remembered of addresses.
const mostAddresses = 10_000

// attempts counts the keys that are not known, by the address that sent them. It
// is safe for concurrent use.
type attempts struct {
	now func() time.Time

	mu     sync.Mutex // guards the rest
	since  time.Time  // when failed was empty
	failed map[string]int
	good   map[attempt]bool
}

// attempt is a key's hash, from an address.
type attempt struct {
	address string
	key     [sha256.Size]byte
}

func newAttempts(now func() time.Time) *attempts {
	return &attempts{now: now, failed: map[string]int{}, good: map[attempt]bool{}}
}

// allow says whether an address may send this key.
func (a *attempts) allow(address, key string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := a.now(); now.Sub(a.since) >= attemptTime {
		a.since = now
		clear(a.failed)
	}
	return a.failed[address] < mostAttempts || a.good[attempt{address, sha256.Sum256([]byte(key))}]
}

// note takes note of what came of a key. Where there is no room for another
// address, that one is let try: the keys are too long to be found by trying.
func (a *attempts) note(address, key string, good bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !good {
		if _, known := a.failed[address]; known || len(a.failed) < mostAddresses {
			a.failed[address]++
		}
		return
	}
	if len(a.good) >= mostAddresses {
		clear(a.good)
	}
	a.good[attempt{address, sha256.Sum256([]byte(key))}] = true
}

// Address is that of the machine that a request came from; of a socket of this
// machine it is empty or @.
func Address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
