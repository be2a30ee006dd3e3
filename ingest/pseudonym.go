package ingest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/dchest/siphash"

	"rollcall"
)

// MasterSize is the length of a master key in bytes.
const MasterSize = 32

// Keys makes pseudonyms: SipHash-2-4 of the normalised account (or of
// panel|panelist) under a 128-bit key that is derived from the master by
// HMAC-SHA-256 for one service and one local year (or for one panel). Census
// keys differ by service, so accounts can't be joined across services.
// Safe for concurrent use.
type Keys struct {
	master []byte

	mu      sync.RWMutex // guards derived
	derived map[scope]key
}

// scope is what a key is for. A panel has one key for all its services and
// years: duplication and loyalty are what its panelists agreed to.
type scope struct {
	kind  string // "census" or "panel"
	of    string // the service or the panel
	epoch int    // the event's local year; 0 for a panel
}

type key struct {
	k0, k1 uint64
	id     rollcall.KeyID
	of     string // the scope's own
}

func (k *key) visitor(name []byte) rollcall.Visitor {
	return rollcall.Visitor(siphash.Hash(k.k0, k.k1, name))
}

// NewKeys takes the master key, MasterSize bytes or more.
func NewKeys(master []byte) (*Keys, error) {
	if len(master) < MasterSize {
		return nil, fmt.Errorf("master key: %d bytes, want at least %d: %w", len(master), MasterSize, rollcall.ErrInvalid)
	}
	return &Keys{master: bytes.Clone(master), derived: make(map[scope]key)}, nil
}

// Master names the master key: it is a hash of it.
func (k *Keys) Master() rollcall.KeyID {
	sum := sha256.Sum256(append([]byte("rollcall master key id\x00"), k.master...))
	return rollcall.KeyID(binary.BigEndian.Uint64(sum[:]))
}

// Account gives the pseudonym of an account of a service in a local year.
func (k *Keys) Account(service rollcall.ServiceID, year int, account string) (rollcall.Visitor, rollcall.KeyID) {
	d := k.key(scope{kind: "census", of: string(service), epoch: year})
	var buffer [128]byte // most names fit, without an allocation
	return d.visitor(append(buffer[:0], Normalise(service, account)...)), d.id
}

// Panelist gives the pseudonym of a panelist of a panel. Space around the name
// is not part of it.
func (k *Keys) Panelist(panel rollcall.PanelID, panelist string) (rollcall.Visitor, rollcall.KeyID) {
	d := k.panel(panel)
	return d.panelist(panelist), d.id
}

func (k *Keys) panel(panel rollcall.PanelID) key {
	return k.key(scope{kind: "panel", of: string(panel)})
}

func (k *key) panelist(name string) rollcall.Visitor {
	var buffer [128]byte
	b := append(append(buffer[:0], k.of...), '|')
	return k.visitor(append(b, strings.TrimSpace(name)...))
}

func (k *Keys) key(s scope) key {
	k.mu.RLock()
	d, ok := k.derived[s]
	k.mu.RUnlock()
	if ok {
		return d
	}
	s.of = strings.Clone(s.of) // the caller's may be part of a buffer
	d = derive(k.master, s)
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.derived) >= maxDerived {
		clear(k.derived)
	}
	k.derived[s] = d
	return d
}

// maxDerived bounds the table of derived keys; they are cheap to make again.
const maxDerived = 4096

func derive(master []byte, s scope) key {
	mac := hmac.New(sha256.New, master)
	mac.Write([]byte(s.kind + "|" + s.of + "|"))
	if s.epoch != 0 {
		mac.Write([]byte(strconv.Itoa(s.epoch)))
	}
	secret := mac.Sum(nil)[:16]
	id := sha256.Sum256(append([]byte("rollcall key id\x00"), secret...))
	return key{
		k0: binary.LittleEndian.Uint64(secret),
		k1: binary.LittleEndian.Uint64(secret[8:]),
		id: rollcall.KeyID(binary.BigEndian.Uint64(id[:])),
		of: s.of,
	}
}
