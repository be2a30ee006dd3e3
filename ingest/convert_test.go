package ingest_test

import (
	"bytes"
	"errors"
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
			if want := wantEvents(t, converter, s, midnight, c.cut); !slices.EqualFunc(got, want, sameEvent) {
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
func wantEvents(t *testing.T, converter *ingest.Converter, s ingest.Sighting, midnight time.Time, cut bool) []rollcall.Event {
	t.Helper()
	event := func(year int, from, until time.Time) rollcall.Event {
		visitor, key, err := converter.Keys.Account(rollcall.Service{ID: s.Service}, rollcall.DayOf(year, time.June, 1), s.Account)
		if err != nil {
			t.Fatal(err)
		}
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

// TestRotation: from the rotation's local midnight on an account is under the
// new master, and so is what an event that lasts over it does then; a panelist
// stays who they are.
func TestRotation(t *testing.T) {
	converter := benchConverter(t)
	old, err := ingest.NewKeys(ingest.Master{Secret: repeated('k')})
	if err != nil {
		t.Fatal(err)
	}
	later, err := ingest.NewKeys(ingest.Master{Secret: repeated('l')})
	if err != nil {
		t.Fatal(err)
	}
	from := rollcall.DayOf(2002, time.October, 27) // of 25 hours in Paris
	if converter.Keys, err = ingest.NewKeys(ingest.Master{Secret: repeated('k')}, ingest.Master{Secret: repeated('l'), From: from}); err != nil {
		t.Fatal(err)
	}
	midnight := time.Date(2002, time.October, 26, 22, 0, 0, 0, time.UTC)
	s := ingest.Sighting{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Account: "a@example.org", Time: midnight.Add(-time.Hour), Until: midnight.Add(time.Hour)}
	got, err := converter.Append(nil, &s, time.Time{}, true)
	if err != nil || len(got) != 2 {
		t.Fatalf("over the midnight: %v, %v", got, err)
	}
	for i, want := range []struct {
		keys        *ingest.Keys
		day         rollcall.Day
		time, until time.Time
	}{{old, from - 1, s.Time, midnight}, {later, from, midnight, s.Until}} {
		visitor, key, err := want.keys.Account(rollcall.Service{ID: "msn"}, want.day, s.Account)
		if e := got[i]; err != nil || e.Visitor != visitor || e.Key != key || !e.Time.Equal(want.time) || !e.Until.Equal(want.until) {
			t.Errorf("part %d is %v; want %x under %s", i, e, visitor, key)
		}
	}
	if got[0].Key == got[1].Key || got[0].Visitor == got[1].Visitor {
		t.Error("the rotation changes nothing")
	}
	s.Account, s.Panel, s.Panelist = "", "nn", "P1"
	if got, err = converter.Append(got[:0], &s, time.Time{}, true); err != nil || len(got) != 1 || got[0].Key != old.Panelist("nn", "P1")[0].Key {
		t.Errorf("of a panelist: %v, %v", got, err)
	}
}

// TestNoEpoch: an account of a service without an epoch keeps its pseudonym over
// New Year, and loses it at a rotation, where a stay is cut.
func TestNoEpoch(t *testing.T) {
	converter := benchConverter(t)
	catalogue, err := rollcall.NewCatalogue(converter.Catalogue().Markets, []rollcall.Service{{ID: "msn", Name: "MSN", Epoch: rollcall.NoEpoch}})
	must(t, err)
	converter.Catalogue = func() *rollcall.Catalogue { return catalogue }
	from := rollcall.DayOf(2003, time.March, 1)
	converter.Keys, err = ingest.NewKeys(ingest.Master{Secret: repeated('k')}, ingest.Master{Secret: repeated('n'), From: from})
	must(t, err)
	over := func(day rollcall.Day) []rollcall.Event {
		calendar, err := catalogue.Calendar("FR")
		must(t, err)
		midnight := calendar.Start(day).Time()
		s := ingest.Sighting{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Account: "a@example.org", Time: midnight.Add(-time.Hour), Until: midnight.Add(time.Hour)}
		events, err := converter.Append(nil, &s, time.Time{}, true)
		must(t, err)
		return events
	}
	newYear, rotation := over(rollcall.DayOf(2003, time.January, 1)), over(from)
	if len(newYear) != 1 || len(rotation) != 2 || rotation[0].Key != newYear[0].Key || rotation[0].Visitor != newYear[0].Visitor || rotation[1].Key == rotation[0].Key {
		t.Errorf("over New Year %v, over the rotation %v", newYear, rotation)
	}
}

// TestLostMaster: days whose master is lost have no key, and say so; a panel has
// another key from the new master's day on. The old one found again is of use.
func TestLostMaster(t *testing.T) {
	converter := benchConverter(t)
	from := rollcall.DayOf(2002, time.October, 10)
	lost := ingest.Master{Secret: repeated('l'), From: from, Lost: true}
	keys, err := ingest.NewKeys(lost)
	if err != nil {
		t.Fatal(err)
	}
	converter.Keys = keys
	first := ingest.Master{Secret: repeated('k')}
	known := []rollcall.Master{{ID: first.ID()}, {ID: lost.ID(), From: from, Lost: true}}
	must(t, keys.Set([]ingest.Master{lost}, known))
	of := func(day int, panel rollcall.PanelID) (events []rollcall.Event, err error) {
		s := ingest.Sighting{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Time: time.Date(2002, time.October, day, 12, 0, 0, 0, time.UTC)}
		if s.Panel = panel; panel != "" {
			s.Panelist = "P1"
		} else {
			s.Account = "a@example.org"
		}
		return converter.Append(nil, &s, time.Time{}, true)
	}
	for _, panel := range []rollcall.PanelID{"", "nn"} {
		var invalid *rollcall.Invalid
		if _, err := of(9, panel); !errors.As(err, &invalid) || invalid.Code != "key_lost" {
			t.Errorf("before, panel %q: %v", panel, err)
		}
		if events, err := of(10, panel); err != nil || len(events) != 1 {
			t.Errorf("after, panel %q: %v, %v", panel, events, err)
		}
	}
	if all := keys.Panelist("nn", "P1"); len(all) != 2 || !all[0].Lost || all[1].Lost || all[1].From != from {
		t.Errorf("a panelist's pseudonyms: %+v", all)
	}
	if missing := keys.Missing(); len(missing) != 0 {
		t.Errorf("what is lost is missing: %v", missing)
	}
	must(t, keys.Set([]ingest.Master{first, lost}, known))
	if events, err := of(9, ""); err != nil || len(events) != 1 {
		t.Errorf("found again: %v, %v", events, err)
	}
	if all := keys.Panelist("nn", "P1"); len(all) != 2 || all[0].Lost || all[0].Key == all[1].Key {
		t.Errorf("found again, a panelist's pseudonyms: %+v", all)
	}
}

// TestMissingMaster: a master that the store knows and this process was not
// given refuses its days for now, and no line as a fault of its sender.
func TestMissingMaster(t *testing.T) {
	first := ingest.Master{Secret: repeated('k')}
	keys, err := ingest.NewKeys(first)
	if err != nil {
		t.Fatal(err)
	}
	from := rollcall.DayOf(2002, time.October, 10)
	next := ingest.Master{Secret: repeated('l'), From: from}
	known := []rollcall.Master{{ID: first.ID()}, {ID: next.ID(), From: from}, {ID: 7, From: from, Time: time.Unix(1, 0)}} // the last was too late
	must(t, keys.Set([]ingest.Master{first}, known))
	if missing := keys.Missing(); len(missing) != 1 || missing[0].ID != next.ID() {
		t.Errorf("missing: %v", missing)
	}
	if _, _, err := keys.Account(rollcall.Service{ID: "msn"}, from-1, "a"); err != nil {
		t.Error(err)
	}
	var invalid *rollcall.Invalid
	if _, _, err := keys.Account(rollcall.Service{ID: "msn"}, from, "a"); !errors.Is(err, ingest.ErrKeyMissing) || errors.As(err, &invalid) {
		t.Errorf("its day: %v", err)
	}
	must(t, keys.Set([]ingest.Master{first, next}, known))
	if _, _, err := keys.Account(rollcall.Service{ID: "msn"}, from, "a"); err != nil || len(keys.Missing()) != 0 {
		t.Error(err)
	}
	next.From++
	if err := keys.Set([]ingest.Master{first, next}, known); !errors.Is(err, rollcall.ErrConflict) {
		t.Errorf("of another day than the store's: %v", err)
	}
}

func repeated(c byte) []byte { return bytes.Repeat([]byte{c}, ingest.MasterSize) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestNamesAreUTF8: a table's text may be any bytes; in lower case all that are no
// sign would become the same.
func TestNamesAreUTF8(t *testing.T) {
	converter := benchConverter(t)
	s := ingest.Sighting{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Account: "caf\xe9", Time: time.Date(2002, 10, 3, 18, 22, 5, 0, time.UTC)}
	if _, err := converter.Append(nil, &s, time.Time{}, true); err == nil || err.Error() != "account: is not UTF-8 text" {
		t.Errorf("an account: %v", err)
	}
	s.Account, s.Panel, s.Panelist = "", "nn", "P\xff"
	if _, err := converter.Append(nil, &s, time.Time{}, true); err == nil || err.Error() != "panelist: is not UTF-8 text" {
		t.Errorf("a panelist: %v", err)
	}
	s.Panelist = "Pé"
	if _, err := converter.Append(nil, &s, time.Time{}, true); err != nil {
		t.Errorf("a good one: %v", err)
	}
}
