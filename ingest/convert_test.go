package ingest_test

import (
	"slices"
	"testing"
	"time"

	"rollcall"
	"rollcall/ingest"
)

// TestNewYear: what an account does over its market's New Year is two events of
// two pseudonyms, and no minute of a year has the other year's key.
func TestNewYear(t *testing.T) {
	converter := benchConverter(t)
	at := func(text string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	midnight := at("2003-01-01T00:00:00+01:00")
	for name, c := range map[string]struct {
		time, until string
		cut         bool
	}{
		"over it":          {"2002-12-31T23:30:10+01:00", "2003-01-01T00:40:20+01:00", true},
		"by a nanosecond":  {"2002-12-31T23:59:59.5+01:00", "2003-01-01T00:00:00.000000001+01:00", true},
		"a day":            {"2002-12-31T12:00:00+01:00", "2003-01-01T12:00:00+01:00", true},
		"until it":         {"2002-12-31T23:30:10+01:00", "2003-01-01T00:00:00+01:00", false},
		"from it":          {"2003-01-01T00:00:00+01:00", "2003-01-01T00:40:20+01:00", false},
		"a minute":         {"2002-12-31T23:59:59+01:00", "", false},
		"London's":         {"2002-12-31T23:30:00Z", "2003-01-01T00:30:00Z", false},
		"another midnight": {"2002-12-30T23:30:10+01:00", "2002-12-31T00:40:20+01:00", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := ingest.Sighting{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Account: "a@example.org", Time: at(c.time)}
			if c.until != "" {
				s.Until = at(c.until)
			}
			got, err := converter.Append(nil, &s, time.Time{}, true)
			if err != nil {
				t.Fatal(err)
			}
			if want := wantEvents(converter, s, midnight, c.cut); !slices.EqualFunc(got, want, sameEvent) {
				t.Errorf("got %v, want %v", got, want)
			}
			s.Account, s.Panel, s.Panelist = "", "nn", "P1"
			if got, err = converter.Append(got[:0], &s, time.Time{}, true); err != nil || len(got) != 1 || !got[0].Until.Equal(s.Until) {
				t.Errorf("of a panelist: %v, %v", got, err)
			}
		})
	}
}

// wantEvents are the sighting's, by the rule: a pseudonym for each local year.
func wantEvents(converter *ingest.Converter, s ingest.Sighting, midnight time.Time, cut bool) []rollcall.Event {
	event := func(year int, from, until time.Time) rollcall.Event {
		visitor, key := converter.Keys.Account(s.Service, year, s.Account)
		return rollcall.Event{
			Group: rollcall.Group{Market: s.Market, Service: s.Service, Location: s.Location, Kind: s.Kind, Key: key},
			Time:  from, Until: until, Visitor: visitor,
		}
	}
	switch {
	case cut:
		return []rollcall.Event{event(2002, s.Time, midnight), event(2003, midnight, s.Until)}
	case s.Time.Before(midnight):
		return []rollcall.Event{event(2002, s.Time, s.Until)}
	}
	return []rollcall.Event{event(2003, s.Time, s.Until)}
}

func sameEvent(a, b rollcall.Event) bool {
	return a.Group == b.Group && a.Visitor == b.Visitor && a.Time.Equal(b.Time) && a.Until.Equal(b.Until)
}
