package meter

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"rollcall/ingest/collect/meter/packet"
)

// Stats counts what a meter read and what it left.
type Stats struct {
	Packets int64 // packets read
	Bytes   int64 // bytes captured of them
	Dropped int64 // packets that the kernel could not give to a live meter

	NotIP         int64 // packets with no IP in them
	Other         int64 // IP packets with neither TCP nor UDP
	Damaged       int64 // packets shorter than their headers say
	UnknownLinks  int64 // packets of a link type that can't be read
	Fragments     int64 // IP fragments that waited for others
	FragmentsLost int64 // those whose others never came, or contradicted them
	WildTimes     int64 // packets whose time leapt and was not believed

	Connections int64            // TCP connections
	Datagrams   int64            // UDP datagrams
	Overflow    int64            // connections and flows let go for newer ones, there being too many
	Gaps        int64            // holes in streams: packets that the capture missed
	Protocols   map[string]int64 // connections by the dissector that knew them
	GivenUp     map[string]int64 // connections that a dissector gave up, by reason
	Unnamed     int64            // sightings with no account, where the panelist is not known
	Sightings   int64            // yielded, the unnamed included
	First, Last time.Time        // the earliest and the latest packet
}

// unread counts a packet in which no datagram was found.
func (s *Stats) unread(how packet.Outcome) {
	switch how {
	case packet.Held:
		s.Fragments++
	case packet.NotIP:
		s.NotIP++
	case packet.Other:
		s.Other++
	case packet.Damaged:
		s.Damaged++
	case packet.Unknown:
		s.UnknownLinks++
	}
}

// Count is one number of the Stats, by a name that stays.
type Count struct {
	Name string // for a log and for metrics
	Says string // a sentence's end: "packets were ..."
	N    int64
}

// streamsGivenUp names the streams that a dissector gave up.
const streamsGivenUp = "streams_given_up"

// Unread gives the counts of what was not read, those that are not zero, in a
// fixed order.
func (s *Stats) Unread() []Count {
	all := s.losses()
	for _, why := range slices.Sorted(maps.Keys(s.GivenUp)) {
		all = append(all, Count{streamsGivenUp, fmt.Sprintf("streams given up: %s", why), s.GivenUp[why]})
	}
	return slices.DeleteFunc(all, func(c Count) bool { return c.N == 0 })
}

// losses gives the counts of what was not read, the streams given up aside.
func (s *Stats) losses() []Count {
	return []Count{
		{"kernel_dropped", "packets were dropped by the kernel", s.Dropped},
		{"not_ip", "packets carry no IP", s.NotIP},
		{"neither_tcp_nor_udp", "packets carry neither TCP nor UDP", s.Other},
		{"damaged", "packets are cut short or damaged", s.Damaged},
		{"unknown_link", "packets are of a link type that can't be read", s.UnknownLinks},
		{"fragments_lost", "IP fragments lack their others", s.FragmentsLost},
		{"wild_times", "packets have a time that can't be", s.WildTimes},
		{"overflow", "connections were let go for newer ones, there being too many at a time", s.Overflow},
		{"gaps", "gaps in streams, where packets are missing", s.Gaps},
		{"unnamed", "sightings have no account", s.Unnamed},
	}
}
