package rollcall_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall"
)

func calendar(tb testing.TB, zone string) *rollcall.Calendar {
	tb.Helper()
	c, err := rollcall.Market{ID: "XX", Name: "test", Zone: zone}.Calendar()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func day(tb testing.TB, s string) rollcall.Day {
	tb.Helper()
	d, err := rollcall.ParseDay(s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func minute(tb testing.TB, s string) rollcall.UnixMinute {
	tb.Helper()
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		tb.Fatal(err)
	}
	return rollcall.MinuteOf(t)
}

func TestDayLengths(t *testing.T) {
	for _, tt := range []struct {
		zone, day string
		minutes   int
	}{
		{"Europe/Paris", "2002-10-26", 1440},
		{"Europe/Paris", "2002-10-27", 1500},
		{"Europe/Paris", "2002-03-31", 1380},
		{"America/New_York", "2002-04-07", 1380},
		{"America/New_York", "2002-10-27", 1500},
		{"Asia/Kolkata", "2002-10-27", 1440},
		{"Asia/Kathmandu", "2002-10-27", 1440},
		{"Australia/Adelaide", "2002-10-27", 1380},
		{"Australia/Adelaide", "2002-03-31", 1500},
		{"Pacific/Chatham", "2002-10-06", 1380},
		{"Pacific/Chatham", "2002-03-17", 1500},
		{"Australia/Lord_Howe", "2002-10-27", 1410},
		{"Australia/Lord_Howe", "2002-03-31", 1470},
		{"America/Sao_Paulo", "2002-11-03", 1380}, // begins at 01:00
		{"America/Sao_Paulo", "2002-02-16", 1500}, // 23:00 comes twice
		{"Asia/Beirut", "2002-03-31", 1380},       // begins at 01:00
		{"Pacific/Apia", "2011-12-29", 1440},
		{"Pacific/Apia", "2011-12-30", 0}, // there was none
		{"Pacific/Apia", "2011-12-31", 1440},
		{"America/St_Johns", "2002-04-07", 1380}, // forward at 00:01
		{"America/St_Johns", "2002-10-26", 1499}, // back at 00:01: 59 minutes come again after the first of the 27th
		{"America/St_Johns", "2002-10-27", 1441},
		{"Asia/Chita", "2014-10-26", 1560}, // back two hours
		{"Antarctica/Vostok", "1994-01-31", 1860},
		{"UTC", "2000-02-29", 1440},
	} {
		if got := calendar(t, tt.zone).Minutes(day(t, tt.day)); got != tt.minutes {
			t.Errorf("%s in %s has %d minutes; want %d", tt.day, tt.zone, got, tt.minutes)
		}
	}
}

func TestSpans(t *testing.T) {
	for _, tt := range []struct {
		zone, at        string
		day             string
		from, to, first string
	}{
		{"Europe/Paris", "2002-10-27T12:00:00Z", "2002-10-27", "2002-10-27T01:00:00Z", "2002-10-27T23:00:00Z", "2002-10-26T22:00:00Z"},
		{"Europe/Paris", "2002-10-26T22:00:00Z", "2002-10-27", "2002-10-26T22:00:00Z", "2002-10-27T01:00:00Z", "2002-10-26T22:00:00Z"},
		{"Asia/Kathmandu", "2002-10-26T18:15:00Z", "2002-10-27", "2002-10-26T18:15:00Z", "2002-10-27T18:15:00Z", "2002-10-26T18:15:00Z"},
		{"America/Sao_Paulo", "2002-11-03T03:00:00Z", "2002-11-03", "2002-11-03T03:00:00Z", "2002-11-04T02:00:00Z", "2002-11-03T03:00:00Z"},
		{"Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z", "2011-12-30T10:00:00Z"},
		{"America/St_Johns", "2002-10-27T02:30:00Z", "2002-10-27", "2002-10-27T02:30:00Z", "2002-10-27T02:31:00Z", "2002-10-27T02:30:00Z"},
		{"America/St_Johns", "2002-10-27T02:31:00Z", "2002-10-26", "2002-10-27T02:31:00Z", "2002-10-27T03:30:00Z", "2002-10-26T02:30:00Z"},
		{"America/St_Johns", "2002-10-27T03:30:00Z", "2002-10-27", "2002-10-27T03:30:00Z", "2002-10-28T03:30:00Z", "2002-10-27T02:30:00Z"},
	} {
		want := rollcall.Span{From: minute(t, tt.from), To: minute(t, tt.to), Day: day(t, tt.day), First: minute(t, tt.first)}
		if got := calendar(t, tt.zone).Span(minute(t, tt.at)); got != want {
			t.Errorf("%s in %s is in %v, first %v; want %v, first %v", tt.at, tt.zone, got, got.First.Time(), want, want.First.Time())
		}
	}
}

// zones are those where a year brings something odd, and some where nothing.
func zones() []string {
	return []string{
		"UTC", "Europe/Paris", "Europe/London", "America/New_York", "America/Sao_Paulo", "America/St_Johns", "Asia/Beirut",
		"Asia/Kolkata", "Asia/Kathmandu", "Asia/Pyongyang", "Asia/Tehran", "Asia/Gaza", "Australia/Adelaide", "Australia/Lord_Howe",
		"Africa/Casablanca", "America/Caracas", "America/Havana", "America/Asuncion", "America/Scoresbysund", "Pacific/Chatham",
		"Pacific/Apia", "Pacific/Kiritimati", "Pacific/Kwajalein", "Pacific/Fakaofo", "Atlantic/Azores", "Asia/Chita", "America/Iqaluit",
		"Antarctica/Troll", "Antarctica/Casey", "Antarctica/Vostok",
	}
}

// civil gives the local day that holds a minute, the plain way.
func civil(m rollcall.UnixMinute, loc *time.Location) rollcall.Day {
	return rollcall.DayOf(m.Time().In(loc).Date())
}

// TestSpanAgreesWithAWalk compares a span with a walk over its minutes, one by
// one, and on to the ends of its day.
func TestSpanAgreesWithAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones()).Draw(t, "zone")
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		c, err := rollcall.Market{ID: "XX", Zone: zone}.Calendar()
		if err != nil {
			t.Fatal(err)
		}
		m := aMinute(loc).Draw(t, "minute")
		s := c.Span(m)
		if !s.Has(m) || s.Has(s.To) || s.Has(s.From-1) || s.Day != civil(m, loc) {
			t.Fatalf("%v is in %v of %s", m.Time(), s, zone)
		}
		for i := s.From; i < s.To; i++ {
			if civil(i, loc) != s.Day {
				t.Fatalf("%v is not on %s in %s", i.Time(), s.Day, zone)
			}
		}
		first := s.From
		for i := s.From; i > s.From-3000; i-- {
			if civil(i, loc) == s.Day {
				first = i
			}
		}
		if s.First != first {
			t.Fatalf("%s in %s begins at %v, not at %v", s.Day, zone, first.Time(), s.First.Time())
		}
		if most := s.To - 1 - s.First; most >= rollcall.MaxMinute {
			t.Fatalf("%s in %s has a minute %d; the most is %d", s.Day, zone, most, rollcall.MaxMinute)
		}
		if next := c.Span(s.To); next.From != s.To {
			t.Fatalf("after %v comes %v", s, next)
		}
	})
}

// aMinute draws a minute of 1990 to 2030, often beside a change of the clock.
func aMinute(loc *time.Location) *rapid.Generator[rollcall.UnixMinute] {
	return rapid.Custom(func(t *rapid.T) rollcall.UnixMinute {
		m := rapid.Int64Range(10519200, 31556160).Draw(t, "any")
		if rapid.Bool().Draw(t, "beside a change") {
			if _, end := time.Unix(m*60, 0).In(loc).ZoneBounds(); !end.IsZero() && end.Year() < 2030 {
				m = end.Unix()/60 + rapid.Int64Range(-1600, 1600).Draw(t, "off")
			}
		}
		return rollcall.UnixMinute(m)
	})
}

// TestSpansPartitionAYear walks years with every kind of change, span by span.
func TestSpansPartitionAYear(t *testing.T) {
	for _, zone := range zones() {
		for _, year := range []int{2002, 2010, 2011} {
			c := calendar(t, zone)
			total := make(map[rollcall.Day]int)
			begin := minute(t, "2002-01-01T00:00:00Z") + rollcall.UnixMinute((year-2002)*365*1440)
			for m := begin; m < begin+366*1440; {
				s := c.Span(m)
				if s.From > m || s.To <= m || s.First > s.From {
					t.Fatalf("%v in %s: %v", m.Time(), zone, s)
				}
				total[s.Day] += int(s.To - max(s.From, begin))
				m = s.To
			}
			first, last := c.Day(begin.Time()), c.Day((begin + 366*1440).Time())
			for d := first + 1; d < last; d++ {
				if total[d] != c.Minutes(d) {
					t.Errorf("%s in %s: %d minutes in spans, %d by Minutes", d, zone, total[d], c.Minutes(d))
				}
			}
		}
	}
}

// TestNoDayIsLonger looks at both sides of every change of the clock.
func TestNoDayIsLonger(t *testing.T) {
	longest := rollcall.UnixMinute(0)
	for _, zone := range zones() {
		loc, c := location(t, zone), calendar(t, zone)
		_, change := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC).In(loc).ZoneBounds()
		for ; !change.IsZero() && change.Year() < 2040; _, change = change.In(loc).ZoneBounds() {
			for _, off := range []rollcall.UnixMinute{-1440, -1, 0, 1, 60, 1440} {
				s := c.Span(rollcall.MinuteOf(change) + off)
				longest = max(longest, s.To-s.First)
			}
		}
	}
	if longest != rollcall.MaxMinute {
		t.Errorf("the longest day has %d minutes; MaxMinute is %d", longest, rollcall.MaxMinute)
	}
}

func location(tb testing.TB, zone string) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		tb.Fatal(err)
	}
	return loc
}

func TestCalendarDay(t *testing.T) {
	eve := time.Date(2002, 12, 31, 23, 30, 0, 0, time.UTC)
	for zone, want := range map[string]string{"UTC": "2002-12-31", "Europe/Paris": "2003-01-01", "America/New_York": "2002-12-31"} {
		c := calendar(t, zone)
		if got := c.Day(eve).String(); got != want {
			t.Errorf("%v is in %s in %s; want %s", eve, got, zone, want)
		}
		if c.String() != zone {
			t.Errorf("calendar of %s is called %s", zone, c)
		}
	}
}

func TestMarketRefusesZones(t *testing.T) {
	for _, zone := range []string{"", "Local", "/etc/localtime", "../UTC", "Europe/Atlantis", "CEST", "+02:00"} {
		_, err := rollcall.Market{ID: "FR", Zone: zone}.Calendar()
		var invalid *rollcall.Invalid
		if !errors.As(err, &invalid) || invalid.Field != "zone" || invalid.Value != zone {
			t.Errorf("zone %q: %v", zone, err)
		}
	}
	if _, err := (rollcall.Market{ID: "F R", Zone: "UTC"}).Calendar(); !errors.Is(err, rollcall.ErrInvalid) {
		t.Error(err)
	}
}

func TestMinuteOf(t *testing.T) {
	for s, want := range map[string]rollcall.UnixMinute{
		"1970-01-01T00:00:59.999Z": 0, "1970-01-01T00:01:00Z": 1, "1969-12-31T23:59:59Z": -1, "1969-12-31T23:59:00Z": -1, "1969-12-31T23:58:59Z": -2,
	} {
		if got := minute(t, s); got != want {
			t.Errorf("%s is minute %d; want %d", s, got, want)
		}
	}
}

func TestMonths(t *testing.T) {
	for _, tt := range []struct {
		month, first, last string
		days               int
	}{
		{"2002-10", "2002-10-01", "2002-10-31", 31}, {"2000-02", "2000-02-01", "2000-02-29", 29},
		{"1900-02", "1900-02-01", "1900-02-28", 28}, {"2004-02", "2004-02-01", "2004-02-29", 29},
		{"2002-12", "2002-12-01", "2002-12-31", 31}, {"1969-12", "1969-12-01", "1969-12-31", 31},
	} {
		m, err := rollcall.ParseMonth(tt.month)
		if err != nil || m.String() != tt.month || m.First().String() != tt.first || m.Last().String() != tt.last || m.Days() != tt.days {
			t.Errorf("%s reads as %s, %s to %s, %d days, %v", tt.month, m, m.First(), m.Last(), m.Days(), err)
		}
		for d := m.First(); d <= m.Last(); d++ {
			if d.Month() != m {
				t.Errorf("%s is in %s", d, d.Month())
			}
		}
	}
}

func TestDatesRefused(t *testing.T) {
	for _, s := range []string{"", "2002-13", "2002-00", "2002-1", "02-10", "2002-10-01", "2002/10", " 2002-10"} {
		var m rollcall.Month
		if err := m.UnmarshalText([]byte(s)); !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("month %q: %v, %v", s, m, err)
		}
	}
	for _, s := range []string{"", "2002-10", "2002-02-29", "2002-10-32", "2002-10-1", "2002-10-01T00:00:00Z", "20021001"} {
		var d rollcall.Day
		if err := d.UnmarshalText([]byte(s)); !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("day %q: %v, %v", s, d, err)
		}
	}
}

// TestNoSuchDate: a day that a month has not is told from a text that is no date.
func TestNoSuchDate(t *testing.T) {
	for text, want := range map[string]string{
		"2002-02-30":  `day "2002-02-30": is a date that does not exist`,
		"2000-02-30":  `day "2000-02-30": is a date that does not exist`,
		"2002-10-32":  `day "2002-10-32": is a date that does not exist`,
		"2002-31-10":  `day "2002-31-10": is not a date YYYY-MM-DD`,
		"2002-02-3":   `day "2002-02-3": is not a date YYYY-MM-DD`,
		"2002-02-300": `day "2002-02-300": is not a date YYYY-MM-DD`,
	} {
		if _, err := rollcall.ParseDay(text); err == nil || err.Error() != want {
			t.Errorf("%v; want %s", err, want)
		}
	}
}

func TestDayRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rollcall.Day(rapid.Int32Range(-700000, 2900000).Draw(t, "day"))
		text, err := d.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var again rollcall.Day
		if err := again.UnmarshalText(text); err != nil || again != d || rollcall.DayOf(d.Date()) != d {
			t.Fatalf("%d is %s, read as %d, %v", d, text, again, err)
		}
		var m rollcall.Month
		month, err := d.Month().MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if err := m.UnmarshalText(month); err != nil || m != d.Month() || d < m.First() || d > m.Last() {
			t.Fatalf("%s is in %s, read as %s, %v", d, month, m, err)
		}
	})
}

func TestClockOnTheWall(t *testing.T) {
	for _, tt := range []struct{ zone, day, clock, want string }{
		{"Europe/Paris", "2002-11-10", "06:00", "2002-11-10T05:00:00Z"},
		{"Europe/Paris", "2002-07-10", "06:00", "2002-07-10T04:00:00Z"},
		{"Europe/Paris", "2002-03-31", "02:30", "2002-03-31T01:00:00Z"}, // skipped: 3 o'clock follows 2
		{"Europe/Paris", "2002-10-27", "02:30", "2002-10-27T00:30:00Z"}, // shown twice
		{"Europe/Paris", "2002-10-27", "03:00", "2002-10-27T02:00:00Z"},
		{"America/Sao_Paulo", "2002-11-03", "00:30", "2002-11-03T03:00:00Z"}, // begins at 1 o'clock
		{"Pacific/Apia", "2011-12-30", "06:00", "2011-12-30T10:00:00Z"},      // does not exist
		{"Asia/Kathmandu", "2002-11-10", "23:59", "2002-11-10T18:14:00Z"},
	} {
		at, err := time.Parse("15:04", tt.clock)
		if err != nil {
			t.Fatal(err)
		}
		got := calendar(t, tt.zone).At(day(t, tt.day), at.Hour()*60+at.Minute())
		if got != minute(t, tt.want) {
			t.Errorf("%s %s in %s is %s, want %s", tt.day, tt.clock, tt.zone, got.Time(), tt.want)
		}
	}
}

// TestClockAgreesWithAWalk looks at every minute of a day.
func TestClockAgreesWithAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom([]string{"Europe/Paris", "America/New_York", "America/Sao_Paulo", "Pacific/Apia", "Australia/Lord_Howe", "UTC"}).Draw(t, "zone")
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		c, err := rollcall.Market{ID: "XX", Zone: zone}.Calendar()
		if err != nil {
			t.Fatal(err)
		}
		d := rollcall.DayOf(2001, time.January, 1) + rollcall.Day(rapid.IntRange(0, 4400).Draw(t, "day"))
		clock := rapid.IntRange(0, 1439).Draw(t, "clock")
		want := c.Start(d)
		for ; c.Day(want.Time()) == d; want++ {
			if now := want.Time().In(loc); now.Hour()*60+now.Minute() >= clock {
				break
			}
		}
		if got := c.At(d, clock); got != want {
			t.Fatalf("%s %d in %s is %s, want %s", d, clock, zone, got.Time(), want.Time())
		}
	})
}
