package ingest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dchest/siphash"

	"rollcall"
)

// MasterSize is the length of a master key in bytes.
const MasterSize = 32

// ErrKeyMissing means that the day's master key exists, and that this process was
// not given it. The same call may succeed later.
var ErrKeyMissing = errors.New("the master key is missing")

// Master is a master key itself, and the days that it is for.
type Master struct {
	Secret []byte       // MasterSize bytes or more
	From   rollcall.Day // the first day whose accounts it hides; 0: of every day
	Lost   bool         // those before it are lost
}

// ID names the master key: it is a hash of it.
func (m *Master) ID() rollcall.KeyID {
	sum := sha256.Sum256(append([]byte("rollcall master key id\x00"), m.Secret...))
	return rollcall.KeyID(binary.BigEndian.Uint64(sum[:]))
}

// Keys makes pseudonyms: SipHash-2-4 of the normalised account (or of
// panel|panelist) under a 128-bit key that is derived by HMAC-SHA-256 from the
// day's master for one service and one local year, or from the panel's master
// for one panel. Census keys differ by service, so accounts can't be joined
// across services. Safe for concurrent use.
type Keys struct {
	sets atomic.Uint64 // how often they were set

	mu      sync.RWMutex // guards the rest
	masters []inForce    // by their first days
	derived map[scope]key
}

// state is another number whenever the keys have changed.
func (k *Keys) state() uint64 { return k.sets.Load() }

// inForce is a master from its first day to the next one's.
type inForce struct {
	rollcall.Master
	secret  []byte // nil: not here
	forgone bool   // a later one was made because it is lost
}

// scope is what a key is for. A panel has one key for all its services and
// years: duplication and loyalty are what its panelists agreed to.
type scope struct {
	kind   string // "census" or "panel"
	of     string // the service or the panel
	epoch  int    // the event's local year; 0 for a panel, and a service without an epoch
	master rollcall.KeyID
}

type key struct {
	k0, k1 uint64
	id     rollcall.KeyID
	of     string // the scope's own
}

func (k *key) visitor(name []byte) rollcall.Visitor {
	return rollcall.Visitor(siphash.Hash(k.k0, k.k1, name))
}

// NewKeys takes the master keys.
func NewKeys(masters ...Master) (*Keys, error) {
	k := new(Keys)
	return k, k.Set(masters, nil)
}

// Set takes other master keys, and those that the store knows: where it knows
// any, these say which there are, and from when on. One master's first day must
// be the same in both.
func (k *Keys) Set(own []Master, known []rollcall.Master) error {
	secrets := make(map[rollcall.KeyID][]byte, len(own))
	var listed []rollcall.Master
	for i := range own {
		m := &own[i]
		if len(m.Secret) < MasterSize {
			return fmt.Errorf("master key: %d bytes, want at least %d: %w", len(m.Secret), MasterSize, rollcall.ErrInvalid)
		}
		id := m.ID()
		secrets[id] = bytes.Clone(m.Secret)
		listed = append(listed, rollcall.Master{ID: id, From: m.From, Lost: m.Lost})
		for _, has := range known {
			if has.ID == id && (has.From != m.From || has.Lost != m.Lost) {
				return fmt.Errorf("%w: master key %s is of the days from %s on in the key file, and from %s on in the store", rollcall.ErrConflict, id, m.From, has.From)
			}
		}
	}
	if len(known) > 0 {
		listed = known
	}
	masters := []inForce{}
	for _, m := range rollcall.InForce(listed) {
		if m.Lost {
			for i := range masters {
				masters[i].forgone = true
			}
		}
		masters = append(masters, inForce{Master: m, secret: secrets[m.ID]})
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.masters, k.derived = masters, make(map[scope]key)
	k.sets.Add(1)
	return nil
}

// Missing gives the masters that the store knows, that are not lost, and that
// this process was not given.
func (k *Keys) Missing() (missing []rollcall.Master) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, m := range k.masters {
		if m.secret == nil && !m.forgone {
			missing = append(missing, m.Master)
		}
	}
	return missing
}

// nextChange gives the first day after one from which on accounts have other
// pseudonyms than on the day before; one after last where there is none up to it.
func (k *Keys) nextChange(epoch rollcall.Epoch, day, last rollcall.Day) rollcall.Day {
	for day++; day <= last; day++ {
		if k.changes(epoch, day) {
			break
		}
	}
	return day
}

func (k *Keys) changes(epoch rollcall.Epoch, day rollcall.Day) bool {
	if _, month, date := day.Date(); epoch == rollcall.Yearly && month == time.January && date == 1 {
		return true
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	return slices.ContainsFunc(k.masters, func(m inForce) bool { return m.From == day })
}

// Account gives the pseudonym of an account of a service on a local day: that of
// the day's year, or of every year where the service has no epoch. It
// fails with ErrKeyMissing, and with an Invalid where the day's key is lost.
func (k *Keys) Account(service rollcall.Service, day rollcall.Day, account string) (rollcall.Visitor, rollcall.KeyID, error) {
	d, err := k.key(accounts(service, day), day)
	if err != nil {
		return 0, 0, err
	}
	return d.account(Normalise(service.ID, account)), d.id, nil
}

// accounts is the scope of a service's accounts on a day.
func accounts(service rollcall.Service, day rollcall.Day) scope {
	s := scope{kind: "census", of: string(service.ID)}
	if service.Epoch == rollcall.Yearly {
		s.epoch, _, _ = day.Date()
	}
	return s
}

// account gives the pseudonym of an account, by its spelling.
func (k *key) account(spelling string) rollcall.Visitor {
	var buffer [128]byte // most names fit, without an allocation
	return k.visitor(append(buffer[:0], spelling...))
}

// lasting gives the key of a day, of a service's accounts or of a panel, and the
// instants at which it certainly is that of every zone: two days less at either
// end than the local days that have it. ok is false where it can't be given.
func (k *Keys) lasting(service rollcall.Service, panel rollcall.PanelID, day rollcall.Day) (l lasting, ok bool) {
	s := accounts(service, day)
	from, to := rollcall.DayOf(firstYear, time.January, 1), rollcall.DayOf(lastYear+1, time.January, 1)
	if panel != "" {
		s = scope{kind: "panel", of: string(panel)}
	} else if s.epoch != 0 {
		from, to = max(from, rollcall.DayOf(s.epoch, time.January, 1)), min(to, rollcall.DayOf(s.epoch+1, time.January, 1))
	}
	var err error
	if l.key, err = k.key(s, day); err != nil {
		return l, false
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	for i := range k.masters {
		if first := k.masters[i].From; first <= day {
			from = max(from, first)
		} else {
			to = min(to, first)
		}
	}
	const margin, seconds = 2, 24 * 60 * 60
	l.from, l.to = int64(from+margin)*seconds, int64(to-margin)*seconds
	return l, true
}

// The first and the last year that an event may be of.
const (
	firstYear = 1990
	lastYear  = 2199
)

// Accounts gives the pseudonyms that an account of a service has had on the days
// up to last, the earliest first. It fails with ErrKeyMissing where one of them
// can't be made here.
func (k *Keys) Accounts(service rollcall.Service, last rollcall.Day, account string) (all []rollcall.Pseudonym, err error) {
	if err := checkName("account", account, Normalise(service.ID, account), maxAccount); err != nil {
		return nil, err
	}
	for day := rollcall.DayOf(firstYear, time.January, 1); day <= last; day = k.nextChange(service.Epoch, day, last) {
		visitor, key, err := k.Account(service, day, account)
		lost := errors.Is(err, rollcall.ErrInvalid)
		if err != nil && !lost {
			return nil, err
		}
		all = append(all, rollcall.Pseudonym{From: day, Visitor: visitor, Key: key, Lost: lost})
	}
	return all, nil
}

// Panelist gives the pseudonyms of a panelist of a panel, the earliest first:
// one, unless master keys were lost. Space around the name is not part of it.
func (k *Keys) Panelist(panel rollcall.PanelID, panelist string) (all []rollcall.Pseudonym) {
	k.mu.RLock()
	masters := k.masters
	k.mu.RUnlock()
	for i := range masters {
		m := &masters[i]
		if i > 0 && !m.Lost {
			continue // a rotation leaves panels as they are
		}
		p := rollcall.Pseudonym{From: m.From, Lost: m.secret == nil}
		if !p.Lost {
			d := k.derive(scope{kind: "panel", of: string(panel), master: m.ID}, m.secret)
			p.Visitor, p.Key = d.panelist(panelist), d.id
		}
		all = append(all, p)
	}
	return all
}

func (k *Keys) panel(panel rollcall.PanelID, day rollcall.Day) (key, error) {
	return k.key(scope{kind: "panel", of: string(panel)}, day)
}

func (k *key) panelist(name string) rollcall.Visitor {
	var buffer [128]byte
	b := append(append(buffer[:0], k.of...), '|')
	return k.visitor(append(b, strings.TrimSpace(name)...))
}

// key gives a scope's key on a day.
func (k *Keys) key(s scope, day rollcall.Day) (key, error) {
	k.mu.RLock()
	m := k.master(s.kind, day)
	if m == nil || m.secret == nil {
		defer k.mu.RUnlock()
		return key{}, m.absent(day)
	}
	s.master = m.ID
	secret := m.secret
	d, ok := k.derived[s]
	k.mu.RUnlock()
	if ok {
		return d, nil
	}
	return k.derive(s, secret), nil
}

// master gives the master of a day; nil: there is none. A panel's is the first,
// or the one that was made when all before were lost. mu is held.
func (k *Keys) master(kind string, day rollcall.Day) (found *inForce) {
	for i := range k.masters {
		m := &k.masters[i]
		if m.From <= day && (kind == "census" || i == 0 || m.Lost) {
			found = m
		}
	}
	return found
}

// absent says why there is no key of a day.
func (m *inForce) absent(day rollcall.Day) error {
	if m == nil || m.forgone {
		return &rollcall.Invalid{Field: "time", Value: day.String(), Reason: "is a day whose master key is lost: nobody can be matched with those of then", Code: "key_lost"}
	}
	return fmt.Errorf("%w: %s, of the days from %s on, is not in this process's key file", ErrKeyMissing, m.ID, m.From)
}

// derive makes a key, and has it ready for the next time.
func (k *Keys) derive(s scope, secret []byte) key {
	s.of = strings.Clone(s.of) // the caller's may be part of a buffer
	d := derive(secret, s)
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
