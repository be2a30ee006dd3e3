package delivery

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"rollcall"
)

// TestLastDue: which month is the last one due, by the market's own clock.
func TestLastDue(t *testing.T) {
	for _, tt := range []struct {
		day         int
		clock, zone string
		now, want   string
	}{
		{10, "06:00", "Europe/Paris", "2002-11-10T04:59:59Z", "2002-09"},
		{10, "06:00", "Europe/Paris", "2002-11-10T05:00:00Z", "2002-10"},
		{10, "06:00", "America/New_York", "2002-11-10T05:00:00Z", "2002-09"},
		{10, "06:00", "America/New_York", "2002-11-10T11:00:00Z", "2002-10"},
		{10, "06:00", "Europe/Paris", "2002-12-31T23:30:00Z", "2002-11"}, // January there
		{10, "06:00", "Europe/Paris", "2003-01-10T05:00:00Z", "2002-12"},
		{31, "06:00", "Europe/Paris", "2003-02-28T04:59:00Z", "2002-12"},
		{31, "06:00", "Europe/Paris", "2003-02-28T05:00:00Z", "2003-01"},
		{29, "06:00", "Europe/Paris", "2004-02-29T05:00:00Z", "2004-01"},
		{31, "02:30", "Europe/Paris", "2002-03-31T00:59:00Z", "2002-01"}, // skipped
		{31, "02:30", "Europe/Paris", "2002-03-31T01:00:00Z", "2002-02"},
		{27, "02:30", "Europe/Paris", "2002-10-27T00:29:00Z", "2002-08"}, // shown twice
		{27, "02:30", "Europe/Paris", "2002-10-27T00:30:00Z", "2002-09"},
		{27, "02:30", "Europe/Paris", "2002-10-27T01:10:00Z", "2002-09"}, // 2:10 once more
		{1, "00:00", "Europe/Paris", "2002-10-31T23:00:00Z", "2002-10"},
	} {
		p, err := (&Options{CloseDay: tt.day, CloseTime: tt.clock, CloseStatus: "final"}).Plan()
		if err != nil {
			t.Fatal(err)
		}
		calendar, err := rollcall.Market{ID: "XX", Zone: tt.zone}.Calendar()
		if err != nil {
			t.Fatal(err)
		}
		now, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.lastDue(calendar, now).String(); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

// TestDueMonths: which of a panel's months are to be closed, where the last one
// due is month 100.
func TestDueMonths(t *testing.T) {
	for _, tt := range []struct{ loaded, closed, want []rollcall.Month }{
		{nil, nil, nil},
		{months(100), nil, months(100)},
		{months(100), months(100), nil},
		{months(101), nil, nil},                                 // not due yet
		{months(98, 99, 100, 101), months(98), months(99, 100)}, // away for a month
		{months(96, 97, 98, 100), nil, months(98, 100)},         // older ones are left as they are
		{months(60, 61), nil, months(61)},                       // but for the last one that has files
		{months(60, 61), months(61), nil},
		{months(99), months(99), months(100)}, // its files are missing
		{months(98), months(98), months(100)},
		{nil, months(98), months(100)},
		{months(97), months(97), nil}, // the panel has ended
		{months(98), nil, months(98, 100)},
		{months(99), months(99, 100), nil},
	} {
		p := &panelMonths{map[rollcall.Month]bool{}, map[rollcall.Month]bool{}}
		for _, m := range tt.loaded {
			p.loaded[m] = true
		}
		for _, m := range tt.closed {
			p.closed[m] = true
		}
		if got := p.due(100); !slices.Equal(got, tt.want) {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

func months(all ...rollcall.Month) []rollcall.Month { return all }

// TestFreeErrands: when a process may take an errand.
func TestFreeErrands(t *testing.T) {
	now := time.Date(2002, 11, 10, 5, 0, 0, 0, time.UTC)
	hook := &destination{timeout: webhookTime}
	for _, tt := range []struct {
		state  rollcall.DeliveryState
		holder string
		until  time.Duration // from now
		alone  bool
		want   bool
	}{
		{rollcall.Waiting, "a", 0, false, true},
		{rollcall.Waiting, "b", time.Second, false, false},
		{rollcall.Waiting, "b", longestPause, false, false},
		{rollcall.Waiting, "b", longestPause + time.Second, false, true}, // the clock was set back
		{rollcall.Held, "b", time.Second, false, false},
		{rollcall.Held, "b", 0, false, true},
		{rollcall.Held, "b", hook.lease() + time.Second, false, true},
		{rollcall.Held, "b", time.Second, true, true},
		{rollcall.Held, "a", time.Second, false, true}, // which could not say how it went
	} {
		s := &Schedule{Now: func() time.Time { return now }, Alone: tt.alone, holder: "a"}
		d := rollcall.Delivery{State: tt.state, Holder: tt.holder, Until: now.Add(tt.until)}
		if got := s.free(hook, d); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

// TestPauses: a receiver that is away is tried often at first, every six hours
// at last, and more than once in any hour of the first three.
func TestPauses(t *testing.T) {
	at, before := time.Duration(0), time.Duration(0)
	for tries := 1; tries <= 40; tries++ {
		pause := pauseAfter(tries)
		if pause < before || pause > longestPause {
			t.Errorf("after %d tries: %s, and before %s", tries, pause, before)
		}
		if at < 3*time.Hour && pause > time.Hour {
			t.Errorf("%s after %s", pause, at)
		}
		at, before = at+pause, pause
	}
	if before != longestPause {
		t.Errorf("at last %s", before)
	}
}

// TestIDs: an id is of the month, the version and the cause, and not of who is
// told.
func TestIDs(t *testing.T) {
	seen := map[string]string{}
	add := func(e rollcall.Errand, p rollcall.Publication) {
		id, about := idOf(e, p), fmt.Sprint(e, p)
		if before, ok := seen[id]; ok {
			t.Errorf("%s and %s have one id", before, about)
		}
		seen[id] = about
		if e.To = "webhook 1"; idOf(e, p) != id {
			t.Errorf("%s: another id for another destination", about)
		}
	}
	for _, market := range []rollcall.MarketID{"FR", `FR" "nn`} {
		for _, month := range months(24000, 24001) {
			e := rollcall.Errand{PanelMonth: rollcall.PanelMonth{Market: market, Panel: "nn", Month: month}, To: "folder"}
			for _, e.Cause = range []string{"files", "efficiency"} {
				add(e, rollcall.Publication{})
			}
			e.Cause = ""
			for e.Version = 1; e.Version < 3; e.Version++ {
				for _, document := range []string{"one", "another"} {
					for second := range int64(2) {
						add(e, rollcall.Publication{Document: rollcall.HashOf([]byte(document)), Time: time.Unix(second, 0)})
					}
				}
			}
		}
	}
}
