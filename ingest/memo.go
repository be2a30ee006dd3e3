package ingest

import (
	"time"

	"rollcall"
)

// memo makes a run of sightings into events as Converter.Append does, and says of
// each just what that says. What sightings of one group have in common is found
// out once: that the group is valid and in the catalogue, and of which instants
// its accounts have one key. A memo is for one goroutine.
type memo struct {
	*Converter
	catalogue *rollcall.Catalogue // that groups are of
	keys      uint64              // and the state of the keys
	few       []*known            // the groups, while they are few: they are faster looked through than hashed
	groups    map[rollcall.Group]*known
	worded    [slots]*known // of those the ones that lines were of, at the slots of their words, the latest of each
	last      *known        // the group of the sighting before; nil: none
	number    int           // what was found out under another one may be wrong by now
}

// known is what is known of a group.
type known struct {
	group rollcall.Group // with the catalogue's own names, and no key
	words words          // as most sources say it
	keys  []lasting
	code  groupCode
}

// lasting is a key, and the instants [from, to), in Unix seconds, at which it
// certainly is a group's.
type lasting struct {
	from, to int64
	key      key
}

// Bounds of what is remembered. Beyond them it is found out anew.
const (
	maxKnown   = 4096
	maxFew     = 16
	maxLasting = 8 // years, or the days between two master keys
)

// append is Converter.Append.
func (m *memo) append(to []rollcall.Event, s *Sighting, record time.Time, backfill bool) ([]rollcall.Event, error) {
	m.renew()
	group := rollcall.Group{
		Market: s.Market, Service: s.Service, Location: s.Location, Kind: s.Kind, Panel: s.Panel,
		Platform: s.Platform, Segment: s.Segment, Precision: s.Precision,
	}
	if m.last == nil || m.last.group != group {
		m.last = m.find(&group)
	}
	if m.last != nil {
		if key := m.last.key(s.Time, s.Until); key != nil {
			return m.last.append(to, s, key, record, backfill)
		}
	}
	was := len(to)
	to, err := m.Converter.Append(to, s, record, backfill)
	if err == nil && len(to) == was+1 {
		m.remember(&to[was])
	}
	return to, err
}

// renew forgets what other keys or another catalogue said.
func (m *memo) renew() {
	if state, catalogue := m.Keys.state(), m.Catalogue(); state != m.keys || catalogue != m.catalogue {
		*m = memo{Converter: m.Converter, keys: state, catalogue: catalogue, number: m.number + 1}
	}
}

// find gives what is known of a group; nil: nothing.
func (m *memo) find(group *rollcall.Group) *known {
	if len(m.groups) > maxFew {
		return m.groups[*group]
	}
	for _, k := range m.few {
		if k.group == *group {
			return k
		}
	}
	return nil
}

// key gives the key of a sighting's whole time; nil: the group has it not
// remembered, or the sighting may have to be cut.
func (k *known) key(at, until time.Time) *key {
	from, to := at.Unix(), at.Unix()
	if !until.IsZero() {
		to = until.Unix()
	}
	for i := range k.keys {
		if l := &k.keys[i]; l.from <= from && from < l.to && l.from <= to && to < l.to {
			return &l.key
		}
	}
	return nil
}

// append makes the event of a sighting of the group, whose key is known.
func (k *known) append(to []rollcall.Event, s *Sighting, key *key, record time.Time, backfill bool) ([]rollcall.Event, error) {
	e := rollcall.Event{Group: k.group, Time: s.Time, Until: s.Until}
	spelling, err := k.spelling(s)
	if err != nil {
		return to, err
	}
	if err := e.ValidateTimes(); err != nil {
		return to, err
	}
	if !backfill {
		if err := e.Age(record); err != nil {
			return to, err
		}
	}
	e.Key, e.Visitor = key.id, k.visitor(spelling, key)
	return append(to, e), nil
}

// spelling is that by which a pseudonym is made.
func (k *known) spelling(s *Sighting) (string, error) {
	if spelling, ok := k.plain(s.Account, s.Panelist); ok {
		return spelling, nil
	}
	return checkWho(s)
}

// plain is spelling for a name that is its own, as one look at its bytes says. Most
// are; false: checkWho is to be asked.
func (k *known) plain(account, panelist string) (spelling string, ok bool) {
	if k.group.Panel == "" {
		return account, panelist == "" && isPlainAccount(k.group.Service, account)
	}
	return panelist, account == "" && isPlain(panelist, maxPanelist, 'Z')
}

// visitor gives the pseudonym of a spelling.
func (k *known) visitor(spelling string, key *key) rollcall.Visitor {
	if k.group.Panel == "" {
		return key.account(spelling)
	}
	return key.panelist(spelling)
}

// remember takes note of what an event was made with.
func (m *memo) remember(e *rollcall.Event) {
	calendar, err := m.catalogue.Calendar(e.Market)
	if err != nil {
		return
	}
	service, err := m.catalogue.Service(e.Service)
	if err != nil {
		return
	}
	l, ok := m.Keys.lasting(service, e.Panel, calendar.Day(e.Time))
	if !ok || l.key.id != e.Key {
		return // the keys have changed since
	}
	group := e.Group
	group.Key = 0
	if m.groups == nil || len(m.groups) >= maxKnown {
		m.groups, m.few = make(map[rollcall.Group]*known), nil
	}
	k := m.groups[group]
	if k == nil {
		k = &known{group: group, words: wordsOfGroup(&group)}
		m.groups[group] = k
		if len(m.few) < maxFew {
			m.few = append(m.few, k)
		}
	}
	if len(k.keys) >= maxLasting {
		k.keys = k.keys[:0]
	}
	k.keys = append(k.keys, l)
	m.last = k
}

// isPlainAccount reports whether an account is certainly valid, and its service
// has no rule that would spell it otherwise.
func isPlainAccount(service rollcall.ServiceID, account string) bool {
	return isPlain(account, maxAccount, noCapital) && !shortened(service, account)
}

// noCapital is the last capital that an account may have which is its own spelling.
const noCapital = 'A' - 1

// isPlain reports whether a name is certainly valid and its own spelling: signs of
// ASCII without space and control characters, and of the capitals those up to last.
// It looks at eight signs at a time, the last ones twice.
func isPlain(name string, most int, last byte) bool {
	if name == "" || len(name) > most {
		return false
	}
	if len(name) < eight {
		x := uint64(0)
		for i := range eight {
			sign := byte('.')
			if i < len(name) {
				sign = name[i]
			}
			x |= uint64(sign) << (8 * i)
		}
		return arePlain(x, last)
	}
	for rest := name; len(rest) > eight; rest = rest[eight:] {
		if !arePlain(eightOf(rest), last) {
			return false
		}
	}
	return arePlain(eightOf(name[len(name)-eight:]), last)
}

// eight signs are looked at together.
const eight = 8

// eightOf gives the first eight bytes of a text, the first one lowest.
func eightOf(s string) uint64 {
	_ = s[eight-1]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// arePlain is isPlain of the eight signs that are the bytes of x. The highest bit
// of each is set besides: what is taken away from one byte then takes nothing from
// the next, and leaves that bit where the sign is not below what was taken.
func arePlain(x uint64, last byte) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	if x&high != 0 {
		return false
	}
	x |= high
	capitals := (x - uint64(last+1)*each) &^ (x - ('Z'+1)*each)
	return (x-(' '+1)*each)&high == high && ((x-0x7f*each)|capitals)&high == 0
}
