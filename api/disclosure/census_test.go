package disclosure

import (
	"strings"
	"testing"

	"rollcall"
)

// TestReadersPeriods: readers have the periods that everybody asks for, and none
// that could be set against its neighbours by a day.
func TestReadersPeriods(t *testing.T) {
	for _, c := range []struct {
		from, to, by, window string
		allowed              bool
	}{
		{"2002-10-03", "2002-10-03", "", "", true},
		{"2002-09-30", "2002-10-06", "", "", true},
		{"2002-10-01", "2002-10-31", "", "", true},
		{"2002-10-01", "2002-10-19", "", "", true}, // the month so far
		{"2002-10-02", "2002-10-31", "", "", true}, // 30 days
		{"2002-10-03", "2002-10-09", "", "", true}, // 7 days
		{"2002-09-05", "2002-10-02", "", "", true}, // 28 days
		{"2002-10-01", "2002-12-31", "", "", true},
		{"2002-01-01", "2002-12-31", "", "", true},
		{"2002-10-03", "2002-10-04", "", "", false},
		{"2002-10-02", "2002-10-19", "", "", false},
		{"2002-09-01", "2002-10-31", "", "", false},
		{"2002-10-01", "2002-12-30", "", "", false},
		{"2002-01-01", "2002-12-30", "", "", false},
		{"2002-10-03", "2002-10-19", "day", "", true},
		{"2002-09-30", "2002-10-13", "week", "", true},
		{"2002-10-01", "2002-10-13", "week", "", false},
		{"2002-09-30", "2002-10-12", "segment,week", "", false},
		{"2002-09-01", "2002-10-12", "month", "", true},
		{"2002-09-02", "2002-10-31", "month", "", false},
		{"2002-10-01", "2003-03-31", "quarter", "", true},
		{"2002-10-01", "2003-03-30", "quarter", "", false},
		{"2002-01-01", "2003-12-31", "year", "", true},
		{"2002-01-01", "2003-12-30", "year", "", false},
		{"2002-10-03", "2002-10-19", "", "28d", true},
	} {
		q := rollcall.CensusQuery{MinAccounts: 50, At: rollcall.CensusPlace{Any: rollcall.Home | rollcall.Work | rollcall.Elsewhere}}
		var errs [4]error
		q.From, errs[0] = rollcall.ParseDay(c.from)
		q.To, errs[1] = rollcall.ParseDay(c.to)
		q.By, errs[2] = rollcall.ParseCensusBy(c.by)
		q.Window, errs[3] = rollcall.ParseWindow(c.window)
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
		err := Default().Readers(&q)
		if (err == nil) != c.allowed || c.allowed != (q.Round == 10) {
			t.Errorf("%v: %v, rounded to %d", c, err, q.Round)
		}
		if err := (Rule{}).Readers(&q); err != nil {
			t.Errorf("%v, where nothing is held back: %v", c, err)
		}
	}
}

// TestReadersGroups: readers have each platform, segment and place, and all of
// them, and none united at will.
func TestReadersGroups(t *testing.T) {
	for _, c := range []struct{ platform, segment, location, refused string }{
		{"", "", "", ""}, {"phone", "lyon", "work", ""}, {"", "none", "home+work", ""}, {"", "", "both", ""},
		{"phone,web", "", "", "platform"}, {"", "lyon,paris", "", "segment"}, {"", "", "home+elsewhere", "location"}, {"", "", "work+elsewhere", "location"},
	} {
		q := rollcall.CensusQuery{From: 1, To: 1, MinAccounts: 50}
		var errs [3]error
		q.Platforms, errs[0] = rollcall.ParsePlatforms(c.platform)
		q.Segments, errs[1] = rollcall.ParseSegments(c.segment)
		q.At, errs[2] = rollcall.ParseCensusPlace(c.location)
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := Default().Readers(&q); (err == nil) != (c.refused == "") || err != nil && !strings.HasPrefix(err.Error(), c.refused) {
			t.Errorf("%v: %v", c, err)
		}
	}
	q := rollcall.CensusQuery{MinAccounts: 49, At: rollcall.CensusPlace{Any: rollcall.Home}}
	if err := Default().Readers(&q); err == nil || !strings.Contains(err.Error(), "minimum of 50 accounts (--census-min), which only the operator") {
		t.Errorf("under the minimum: %v", err)
	}
}
