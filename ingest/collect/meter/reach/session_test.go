package reach

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/wire"
)

// TestSessionsOfMany: the sessions that are followed are bounded; those that were silent
// for longest end for others, the same ones each time, and most stay.
func TestSessionsOfMany(t *testing.T) {
	noon := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	ended := func() (services []rollcall.ServiceID) {
		tracker := New(wire.Sink{Piece: rollcall.MaxEvent, Yield: func(s ingest.Sighting) { services = append(services, s.Service) }}, nil)
		for i := range sessionsMost + 3 {
			var ip [4]byte
			binary.BigEndian.PutUint32(ip[:], 11<<24+uint32(i))
			f := &wire.Flow{Service: rollcall.ServiceID([]string{"icq", "msn", "aim"}[i%3]), Sign: wire.ByBytes}
			tracker.Active(netip.AddrFrom4(ip), f, noon, noon)
			if len(tracker.sessions) > sessionsMost {
				t.Fatalf("%d sessions are followed", len(tracker.sessions))
			}
		}
		return services
	}
	first, second := ended(), ended()
	if len(first) == 0 || len(first) > sessionsMost/16 || !slices.Equal(first, second) {
		t.Errorf("%d ended, then %d: %v, %v", len(first), len(second), first[:min(len(first), 9)], second[:min(len(second), 9)])
	}
}
