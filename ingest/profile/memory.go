package profile

import (
	"hash/maphash"
	"strconv"

	"rollcall"
)

// What is remembered of rows is a hash of 64 bits each, and never more than
// these many: two of ten million fall together once in 370,000 files.
const (
	maxRecent = 1 << 20 // rows that a later one may double
	maxSeen   = 1 << 22 // devices, and accounts' days
)

// recent remembers the last things that it was asked about, at least half of
// maxRecent of them.
type recent struct{ now, then map[uint64]bool }

// again reports whether the thing was asked about before, and remembers it.
func (r *recent) again(hash uint64) bool {
	if r.now[hash] || r.then[hash] {
		return true
	}
	if r.now == nil || len(r.now) >= maxRecent/2 {
		r.now, r.then = map[uint64]bool{}, r.now
	}
	r.now[hash] = true
	return false
}

// survey is what a first reading of the files learns for the second.
type survey struct {
	seed    maphash.Seed
	devices map[uint64]rollcall.Platform // whose agent told one
	days    map[uint64]bool              // of accounts, in tables that are no fallback
	full    bool                         // there were more than are remembered
}

func newSurvey() *survey {
	return &survey{seed: maphash.MakeSeed(), devices: map[uint64]rollcall.Platform{}, days: map[uint64]bool{}}
}

// hash of some texts in order.
func (s *survey) hash(texts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	for _, t := range texts {
		_, _ = h.WriteString(strconv.Itoa(len(t))) // never fails
		_, _ = h.WriteString(":" + t)
	}
	return h.Sum64()
}

func (s *survey) device(hash uint64, platform rollcall.Platform) {
	if platform == rollcall.OtherPlatform || platform == rollcall.NoPlatform {
		return
	}
	if _, ok := s.devices[hash]; !ok && len(s.devices) >= maxSeen {
		s.full = true
		return
	}
	s.devices[hash] = platform
}

func (s *survey) day(account string, day rollcall.Day) {
	if len(s.days) >= maxSeen {
		s.full = true
		return
	}
	s.days[s.hash(account, day.String())] = true
}
