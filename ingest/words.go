package ingest

import (
	"context"
	"time"

	"rollcall"
)

// words are those by which most sources say what a sighting is of.
type words struct {
	market, service, location, kind, panel, platform, segment, precision string
}

// wordsOfGroup gives a group's.
func wordsOfGroup(g *rollcall.Group) words {
	return words{
		market: string(g.Market), service: string(g.Service), location: g.Location.String(), kind: g.Kind.String(), panel: string(g.Panel),
		platform: g.Platform.Stored(), segment: string(g.Segment), precision: g.Precision.String(),
	}
}

// are reports whether the fields have these words.
func (w *words) are(f *Fields) bool {
	return f.Segment == w.segment && f.Service == w.service && f.Location == w.location && f.Kind == w.kind &&
		f.Platform == w.platform && f.Market == w.market && f.Panel == w.panel && f.Precision == w.precision
}

// slots are how many groups are found by their words at once, if no two of them
// have the same slot.
const slots = 256

// slot gives a place for the words. Few others have the same.
func (w *words) slot() uint8 {
	return slotOf(w.segment, w.service, w.location, w.kind, w.platform, w.market, w.panel)
}

func slotOf(words ...string) uint8 {
	mixed := uint32(0)
	for _, word := range words {
		if n := len(word); n > 0 {
			mixed += uint32(word[n-1]) + uint32(word[n/2])<<8 + uint32(n)<<16
		}
		mixed *= 0x9e3779b1
	}
	return uint8(mixed >> 24)
}

// said gives what is known of the group that the fields say; nil: nothing, or they
// say it in other words.
func (m *memo) said(f *Fields) *known {
	if m.last != nil && m.last.words.are(f) {
		return m.last
	}
	k := m.worded[slotOf(f.Segment, f.Service, f.Location, f.Kind, f.Platform, f.Market, f.Panel)]
	if k == nil || !k.words.are(f) {
		return nil
	}
	m.last = k
	return k
}

// note has said find the group of the sighting before.
func (m *memo) note() {
	if m.last != nil {
		m.worded[m.last.words.slot()] = m.last
	}
}

// again is take for fields with the words of others that were taken, if it is
// certain that this one would be, as one event; false: take is to be asked.
func (in *Batcher) again(ctx context.Context, f *Fields) (bool, error) {
	in.converter.renew()
	k := in.converter.said(f)
	if k == nil {
		return false, nil
	}
	at, ok := commonTime(f.Time)
	var until time.Time
	if ok && f.Until != "" {
		until, ok = commonTime(f.Until)
	}
	if !ok {
		return false, nil
	}
	key := k.key(at, until)
	if key == nil {
		return false, nil
	}
	spelling, ok := k.plain(f.Account, f.Panelist)
	if !ok || !in.timelyAt(k, at, until) {
		return false, nil
	}
	return true, in.row(ctx, k, key.id, at, until, k.visitor(spelling, key))
}
