package rollcall_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall"
)

// TestMinutesAgainstAMap does the same to a set of minutes and to a map.
func TestMinutesAgainstAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var set, other rollcall.Minutes
		model, otherModel := map[int]bool{}, map[int]bool{}
		edge := rapid.OneOf(rapid.IntRange(-70, rollcall.MaxMinute+70), rapid.SampledFrom([]int{0, 63, 64, 65, 1439, 1440, rollcall.MaxMinute - 1, rollcall.MaxMinute}))
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				addBoth(&set, model, edge.Draw(t, "from"), edge.Draw(t, "to"))
			},
			"add to the other": func(t *rapid.T) {
				addBoth(&other, otherModel, edge.Draw(t, "from"), edge.Draw(t, "to"))
			},
			"union": func(t *rapid.T) {
				before := len(model)
				for m := range otherModel {
					model[m] = true
				}
				if set.Union(&other) != (len(model) > before) {
					t.Fatal("Union is wrong about what was new")
				}
			},
			"": func(t *rapid.T) { sameMinutes(t, &set, model, edge.Draw(t, "at")) },
		})
	})
}

func addBoth(set *rollcall.Minutes, model map[int]bool, from, to int) {
	set.AddRange(from, to)
	for m := max(from, 0); m < min(to, rollcall.MaxMinute); m++ {
		model[m] = true
	}
}

func sameMinutes(t *rapid.T, set *rollcall.Minutes, model map[int]bool, at int) {
	got := map[int]bool{}
	last := -1
	for from, to := range set.Runs {
		if from <= last || to <= from {
			t.Fatalf("a run [%d, %d) after %d", from, to, last)
		}
		last = to // a maximal run does not touch the next
		for m := from; m < to; m++ {
			got[m] = true
		}
	}
	if len(got) != len(model) || set.Len() != len(model) {
		t.Fatalf("%d minutes in runs, Len %d; want %d", len(got), set.Len(), len(model))
	}
	for m := range model {
		if !got[m] {
			t.Fatalf("minute %d is missing", m)
		}
	}
	next, gap := max(at, 0), max(at, 0)
	for next < rollcall.MaxMinute && !model[next] {
		next++
	}
	for gap < rollcall.MaxMinute && model[gap] {
		gap++
	}
	if m, ok := set.Next(at); ok != (next < rollcall.MaxMinute) || ok && m != next {
		t.Fatalf("Next(%d) is %d, %v; want %d", at, m, ok, next)
	}
	if m := set.NextGap(at); m != min(gap, rollcall.MaxMinute) {
		t.Fatalf("NextGap(%d) is %d; want %d", at, m, gap)
	}
}

func TestEventMinutes(t *testing.T) {
	at := time.Date(2002, 10, 3, 18, 22, 0, 0, time.UTC)
	base := rollcall.MinuteOf(at)
	for _, tt := range []struct {
		name     string
		from     time.Duration
		until    time.Duration // from at; -1: none
		begin, n rollcall.UnixMinute
	}{
		{"no until", 5 * time.Second, -1, 0, 1},
		{"until is time", 5 * time.Second, 5 * time.Second, 0, 1},
		{"within a minute", 5 * time.Second, 50 * time.Second, 0, 1},
		{"to the minute's end", 0, time.Minute, 0, 1},
		{"just over it", 0, time.Minute + 1, 0, 2},
		{"across it by 2 ns", time.Minute - 1, time.Minute + 1, 0, 2},
		{"an hour", 30 * time.Second, time.Hour + 30*time.Second, 0, 61},
		{"a day", 0, 24 * time.Hour, 0, 1440},
		{"a day across minutes", 1, 24*time.Hour + 1, 0, 1441},
	} {
		e := rollcall.Event{Time: at.Add(tt.from)}
		if tt.until >= 0 {
			e.Until = at.Add(tt.until)
		}
		if from, to := e.Minutes(); from != base+tt.begin || to-from != tt.n {
			t.Errorf("%s: [%d, %d); want %d from %d", tt.name, from-base, to-base, tt.n, tt.begin)
		}
	}
}

func good() rollcall.Event {
	return rollcall.Event{
		Group: rollcall.Group{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use},
		Time:  time.Date(2002, 10, 3, 18, 22, 5, 0, time.UTC),
	}
}

func TestEventValidate(t *testing.T) {
	e := good()
	if err := e.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		want   string // the whole error; empty: none
		change func(e *rollcall.Event)
	}{
		{``, func(e *rollcall.Event) { e.Until = e.Time }},
		{``, func(e *rollcall.Event) { e.Until = e.Time.Add(rollcall.MaxEvent) }},
		{``, func(e *rollcall.Event) { e.Time = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{``, func(e *rollcall.Event) { e.Time = time.Date(2199, 12, 31, 23, 59, 59, 0, time.UTC) }},
		{``, func(e *rollcall.Event) { e.Panel = "nn.2-b_3" }},
		{``, func(e *rollcall.Event) { e.Kind = rollcall.LoginFailed }},
		{`until "2002-10-03T18:22:04Z": is before time`, func(e *rollcall.Event) { e.Until = e.Time.Add(-time.Second) }},
		{`until "2002-10-04T18:22:05Z": is more than 24 hours after time`, func(e *rollcall.Event) { e.Until = e.Time.Add(rollcall.MaxEvent + 1) }},
		{`time "1989-12-31T23:59:59Z": is outside the years 1990 to 2199`, func(e *rollcall.Event) { e.Time = time.Date(1989, 12, 31, 23, 59, 59, 0, time.UTC) }},
		{`time "2200-01-01T00:00:00Z": is outside the years 1990 to 2199`, func(e *rollcall.Event) { e.Time = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{`time "0001-01-01T00:00:00Z": is outside the years 1990 to 2199`, func(e *rollcall.Event) { e.Time = time.Time{} }},
		{`market: is missing`, func(e *rollcall.Event) { e.Market = "" }},
		{`service: is missing`, func(e *rollcall.Event) { e.Service = "" }},
		{`service "m s n": has a character other than letters, digits, '.', '_' and '-'`, func(e *rollcall.Event) { e.Service = "m s n" }},
		{`market "` + strings.Repeat("F", 65) + `": is longer than 64 characters`, func(e *rollcall.Event) { e.Market = rollcall.MarketID(strings.Repeat("F", 65)) }},
		{`panel "n/n": has a character other than letters, digits, '.', '_' and '-'`, func(e *rollcall.Event) { e.Panel = "n/n" }},
		{`location "home+work": is not one place`, func(e *rollcall.Event) { e.Location = rollcall.Home | rollcall.Work }},
		{`location: is not one place`, func(e *rollcall.Event) { e.Location = 0 }},
		{`kind "kind(0)": is not a known kind`, func(e *rollcall.Event) { e.Kind = 0 }},
		{`kind "kind(6)": is not a known kind`, func(e *rollcall.Event) { e.Kind = 6 }},
	} {
		e := good()
		tt.change(&e)
		wantInvalid(t, e.Validate(), tt.want)
	}
}

func wantInvalid(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("error %v; want none", err)
		}
		return
	}
	var invalid *rollcall.Invalid
	if !errors.As(err, &invalid) || !errors.Is(err, rollcall.ErrInvalid) || invalid.Code == "" || err.Error() != want {
		t.Errorf("error %v; want %s", err, want)
	}
}

func TestEventAge(t *testing.T) {
	record := time.Date(2002, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		time, until time.Duration // from the record; until 0: none
		want        string
	}{
		{0, 0, ""},
		{-rollcall.MaxAge, 0, ""},
		{-rollcall.MaxAge - 1, 0, `time "2001-09-26T23:59:59Z": is more than 400 days old`},
		{-rollcall.MaxAge - time.Second, 0, `time "2001-09-26T23:59:59Z": is more than 400 days old`},
		{rollcall.MaxAhead, 0, ""},
		{rollcall.MaxAhead - 1, 0, ""},
		{rollcall.MaxAhead + time.Second, 0, `time "2002-11-01T00:10:01Z": is more than 10 minutes ahead`},
		{rollcall.MaxAhead + 1, 0, `time "2002-11-01T00:10:00Z": is more than 10 minutes ahead`},
		{-time.Hour, rollcall.MaxAhead, ""},
		{-time.Hour, rollcall.MaxAhead + 1, `until "2002-11-01T00:10:00Z": is more than 10 minutes ahead`},
	} {
		e := good()
		e.Time = record.Add(tt.time)
		if tt.until != 0 {
			e.Until = record.Add(tt.until)
		}
		wantInvalid(t, e.Age(record), tt.want)
	}
}

func TestKinds(t *testing.T) {
	counts := map[rollcall.Kind]bool{rollcall.Login: true, rollcall.Presence: true, rollcall.Use: true, rollcall.Logout: false, rollcall.LoginFailed: false}
	for kind, want := range counts {
		again, err := rollcall.ParseKind(kind.String())
		if err != nil || again != kind || kind.Counts() != want {
			t.Errorf("%s: reads as %s, %v; counts %v", kind, again, err, kind.Counts())
		}
	}
	for _, s := range []string{"", "Login", "login ", "kind(1)"} {
		if k, err := rollcall.ParseKind(s); !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%q reads as %s, %v", s, k, err)
		}
	}
}

func TestKeyIDs(t *testing.T) {
	for _, k := range []rollcall.KeyID{0, 1, 0xfedcba9876543210, 1<<64 - 1} {
		if again, err := rollcall.ParseKeyID(k.String()); err != nil || again != k || len(k.String()) != 16 {
			t.Errorf("%s reads as %s, %v", k, again, err)
		}
	}
	for _, s := range []string{"", "0", "+123456789abcdef", "0x23456789abcdef", "123456789abcdefg", "00123456789abcdef", "1_23456789abcdef"} {
		if k, err := rollcall.ParseKeyID(s); !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%q reads as %s, %v", s, k, err)
		}
	}
}

func TestLocations(t *testing.T) {
	for _, tt := range []struct{ text, want, bad string }{
		{"home", "home", ""}, {"work+home", "home+work", ""}, {"home work", "home+work", ""}, {"home+elsewhere+work", "home+work+elsewhere", ""},
		{"home+home", "home", ""}, {"home + work", "home+work", ""},
		{"", "", `location: names no place`}, {"+ +", "", `location "+ +": has no place before, after or between its +; give it, or leave out the +`},
		{"home+", "", `location "home+": has no place before, after or between its +; give it, or leave out the +`},
		{"home++work", "", `location "home++work": has no place before, after or between its +; give it, or leave out the +`},
		{"home+moon", "", `location "moon": is not home, work or elsewhere`}, {"HOME", "", `location "HOME": is not home, work or elsewhere`},
	} {
		set, err := rollcall.ParseLocations(tt.text)
		wantInvalid(t, err, tt.bad)
		if set.String() != tt.want {
			t.Errorf("%q reads as %q; want %q", tt.text, set, tt.want)
		}
	}
	for set := range rollcall.Location(16) {
		one, err := rollcall.ParseLocation(set.String())
		if set.One() != (err == nil && one == set) {
			t.Errorf("%d (%q) is one place: %v", set, set, set.One())
		}
		if !set.Has(0) || !set.Has(set) || set.Has(rollcall.Home) != (set&1 == 1) {
			t.Errorf("%d has the wrong places", set)
		}
	}
}

func TestInvalidIsOneLine(t *testing.T) {
	err := &rollcall.Invalid{Field: "time", Value: "a\nb" + strings.Repeat("é", 200), Reason: "is odd"}
	if text := err.Error(); strings.Contains(text, "\n") || strings.Contains(text, `\x`) || len(text) > 200 {
		t.Errorf("error %s", text)
	}
}

func TestBatchRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOf(anEvent()).Draw(t, "events")
		var b rollcall.Batch
		for i := range events {
			b.Add(&events[i])
		}
		if b.Len() != len(events) || len(b.Time) != b.Len() || len(b.Until) != b.Len() || len(b.Visitor) != b.Len() {
			t.Fatalf("%d events make a batch of %d", len(events), b.Len())
		}
		groups := map[rollcall.Group]bool{}
		for i := range events {
			groups[events[i].Group] = true
			if got := b.Event(i); got != events[i] {
				t.Fatalf("event %d is %v; want %v", i, got, events[i])
			}
		}
		if len(groups) != len(b.Groups) {
			t.Fatalf("%d groups are written as %d", len(groups), len(b.Groups))
		}
		b.Next = 7
		b.Reset()
		if b.Len() != 0 || len(b.Groups) != 0 || b.Next != 0 {
			t.Fatal("a reset batch is not empty")
		}
	})
}

func anEvent() *rapid.Generator[rollcall.Event] {
	return rapid.Custom(func(t *rapid.T) rollcall.Event {
		at := time.Unix(0, rapid.Int64Range(631152000e9, 7258118399e9).Draw(t, "time")).UTC()
		e := rollcall.Event{Time: at, Visitor: rollcall.Visitor(rapid.Uint64().Draw(t, "visitor"))}
		if rapid.Bool().Draw(t, "has an end") {
			e.Until = at.Add(time.Duration(rapid.Int64Range(0, int64(rollcall.MaxEvent)).Draw(t, "length")))
		}
		e.Group = rollcall.Group{
			Market:   rapid.SampledFrom([]rollcall.MarketID{"FR", "DE"}).Draw(t, "market"),
			Service:  rapid.SampledFrom([]rollcall.ServiceID{"msn", "aim"}).Draw(t, "service"),
			Location: rapid.SampledFrom([]rollcall.Location{rollcall.Home, rollcall.Work}).Draw(t, "location"),
			Kind:     rollcall.Kind(rapid.IntRange(1, 5).Draw(t, "kind")),
			Panel:    rapid.SampledFrom([]rollcall.PanelID{"", "nn"}).Draw(t, "panel"),
			Key:      rollcall.KeyID(rapid.Uint64Range(0, 1).Draw(t, "key")),
		}
		return e
	})
}

func TestCatalogue(t *testing.T) {
	c, err := rollcall.NewCatalogue(
		[]rollcall.Market{{ID: "FR", Name: "old", Zone: "UTC"}, {ID: "DE", Zone: "Europe/Berlin"}, {ID: "FR", Name: "France", Zone: "Europe/Paris"}},
		[]rollcall.Service{{ID: "msn", Name: "MSN"}, {ID: "aim", Name: "AIM"}, {ID: "aim", Name: "AIM again"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.Markets, c.Services); got != "[{DE  Europe/Berlin false} {FR France Europe/Paris false}] [{aim AIM again     0} {msn MSN     0}]" {
		t.Errorf("catalogue %s", got)
	}
	if cal, err := c.Calendar("FR"); err != nil || cal.String() != "Europe/Paris" {
		t.Error(cal, err)
	}
	for group, want := range map[rollcall.Group]string{
		{Market: "FR", Service: "aim"}: "",
		{Market: "fr", Service: "aim"}: "market \"fr\": is not known; add it with `rollcall market add`",
		{Market: "DE", Service: "icq"}: "service \"icq\": is not known; add it with `rollcall service add`",
		{}:                             "market: is not known; add it with `rollcall market add`",
	} {
		wantInvalid(t, c.Check(&group), want)
	}
}

func TestCatalogueRefuses(t *testing.T) {
	fr := []rollcall.Market{{ID: "FR", Zone: "UTC"}}
	for want, bad := range map[string]struct {
		markets  []rollcall.Market
		services []rollcall.Service
	}{
		`zone "Mars/Olympus": is not an IANA zone`: {[]rollcall.Market{{ID: "FR", Zone: "Mars/Olympus"}}, nil},
		`market: is missing`:                       {[]rollcall.Market{{Zone: "UTC"}}, nil},
		`service: is missing`:                      {fr, []rollcall.Service{{Name: "MSN"}}},
		`name: service "msn" has no name`:          {fr, []rollcall.Service{{ID: "msn"}}},
	} {
		if _, err := rollcall.NewCatalogue(bad.markets, bad.services); !errors.Is(err, rollcall.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v; want %s", err, want)
		}
	}
}

func TestCheckID(t *testing.T) {
	long := strings.Repeat("a", 64)
	for _, id := range []string{"a", "FR", "msn-7.5_beta", long} {
		if err := rollcall.CheckID("market", id); err != nil {
			t.Error(err)
		}
	}
	bad := []string{"", long + "a", "é", "a b", "a/b", "a\x00", "a'", "a%", "a+b"}
	if i := slices.IndexFunc(bad, func(id string) bool { return rollcall.CheckID("market", id) == nil }); i >= 0 {
		t.Errorf("the id %q is taken", bad[i])
	}
}

// TestMerged: a segment counts as the one that it is merged into; what only two
// adders at once can write counts as one segment too.
func TestMerged(t *testing.T) {
	merged := rollcall.MergedOf([]rollcall.Segment{
		{ID: "a", Into: "b"}, {ID: "b"}, // as it should be
		{ID: "c", Into: "d"}, {ID: "d", Into: "e"}, // a chain
		{ID: "y", Into: "z"}, {ID: "z", Into: "x"}, {ID: "x", Into: "y"}, {ID: "w", Into: "z"}, // a ring, and what leads into it
		{ID: "s", Into: "s"}, {ID: "u", Into: "unseen"},
	})
	for id, want := range map[rollcall.SegmentID]rollcall.SegmentID{
		"": "", "a": "b", "b": "b", "c": "e", "d": "e", "e": "e", "w": "x", "x": "x", "y": "x", "z": "x", "s": "s", "u": "unseen", "other": "other",
	} {
		if got := merged.Target(id); got != want {
			t.Errorf("%q counts as %q, not %q", id, got, want)
		}
	}
	got := merged.With([]rollcall.SegmentID{"x", "b", "", "other"})
	if want := []rollcall.SegmentID{"", "a", "b", "other", "w", "x", "y", "z"}; !slices.Equal(got, want) {
		t.Errorf("counted with them are %q, not %q", got, want)
	}
}

// TestSegmentValidate: a line that can't be one is refused by its field.
func TestSegmentValidate(t *testing.T) {
	for want, s := range map[string]rollcall.Segment{
		"":        {ID: "Lyon-3.a_b", Name: "<b>Lyon</b>", Into: "paris"},
		"segment": {ID: rollcall.None, Name: "None"},
		"name":    {ID: "lyon", Name: " "},
		"into":    {ID: "lyon", Name: "Lyon", Into: "lyon"},
	} {
		requireField(t, s, want)
	}
	requireField(t, rollcall.Segment{ID: "a b", Name: "x"}, "segment")
	requireField(t, rollcall.Segment{ID: "lyon", Name: "a\x1b[2J"}, "name")
	requireField(t, rollcall.Segment{ID: "lyon", Name: strings.Repeat("x", 1<<20)}, "name")
	requireField(t, rollcall.Segment{ID: "lyon", Name: "Lyon", Into: rollcall.None}, "into")
	requireField(t, rollcall.Segment{ID: "lyon", Name: "Lyon", Into: "a/b"}, "into")
}

func requireField(t *testing.T, s rollcall.Segment, field string) {
	t.Helper()
	err := s.Validate()
	why := new(rollcall.Invalid)
	if errors.As(err, &why); why.Field != field || len(fmt.Sprint(err)) > 200 {
		t.Errorf("%.40v: %v", s, err)
	}
}
