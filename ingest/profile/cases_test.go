package profile

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rollcall"
)

// read gives a built-in profile's sightings of files of testdata, and the counts
// of the last.
func read(t *testing.T, name, zone string, o Options, files ...string) ([]Seen, *Counts) {
	t.Helper()
	p, err := Builtin(name, OfTables)
	if err != nil {
		t.Fatal(err)
	}
	return readBy(t, p, zone, o, files...)
}

func readBy(t *testing.T, p *Profile, zone string, o Options, files ...string) (all []Seen, counts *Counts) {
	t.Helper()
	calendar, err := rollcall.Market{ID: "FR", Zone: zone}.Calendar()
	if err != nil {
		t.Fatal(err)
	}
	o.Market, o.Location, o.Calendar = "FR", rollcall.Elsewhere, calendar
	if o.Zone, err = Zone(zone); err != nil {
		t.Fatal(err)
	}
	r, err := p.NewReader(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Survey(t.Context(), files); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		counts, err = r.Read(t.Context(), file, func(s Seen) error {
			all = append(all, s)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all, counts
}

// written makes a file of a text.
func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// expected reads what a case says is right.
func expected[T any](t *testing.T, path string) (what T) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &what); err != nil {
		t.Fatal(err)
	}
	return what
}

// accounts counts those that some of the sightings are of.
func accounts(all []Seen, which func(Seen) bool) int {
	found := map[string]bool{}
	for _, s := range all {
		if which(s) {
			found[s.Account] = true
		}
	}
	return len(found)
}

// stamps gives sightings of a kind as account, time and until in seconds, sorted.
func stamps(all []Seen, kind rollcall.Kind) []string {
	var list []string
	for _, s := range all {
		if s.Kind != kind {
			continue
		}
		text := s.Account + " " + s.Time.Format("2006-01-02T15:04:05Z")
		if !s.Until.IsZero() {
			text += " " + s.Until.Format("2006-01-02T15:04:05Z")
		}
		list = append(list, text)
	}
	slices.Sort(list)
	return list
}

func wantStamps(t *testing.T, all []Seen, kind rollcall.Kind, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := stamps(all, kind); !slices.Equal(got, want) {
		t.Errorf("%s:\n%q\nwant\n%q", kind, got, want)
	}
}

// TestTchap counts what the administration's published form says.
func TestTchap(t *testing.T) {
	want := expected[struct {
		Rows     int `json:"rows"`
		Distinct int `json:"rows_distinct"`
		October  struct {
			Accounts   int
			ByInstance map[rollcall.SegmentID]int `json:"by_instance"`
			Daily      map[string]int
		}
		Months map[string]int `json:"months (days as written)"`
	}](t, "testdata/tchap/expected.json")
	all, counts := read(t, "tchap", "Europe/Paris", Options{}, "testdata/tchap/user_daily_visits.csv")
	if counts.Rows != want.Rows || len(all) != want.Distinct || counts.Rejected != 0 {
		t.Errorf("%s; want %d rows of which %d distinct", counts, want.Rows, want.Distinct)
	}
	calendar, _ := rollcall.Market{ID: "FR", Zone: "Europe/Paris"}.Calendar()
	day := func(s Seen) string { return calendar.Day(s.Time).String() }
	for month, n := range want.Months {
		if got := accounts(all, func(s Seen) bool { return day(s)[:7] == month }); got != n {
			t.Errorf("%s: %d accounts, want %d", month, got, n)
		}
	}
	for d, n := range want.October.Daily {
		if got := accounts(all, func(s Seen) bool { return day(s) == d }); got != n {
			t.Errorf("%s: %d accounts, want %d", d, got, n)
		}
	}
	for segment, n := range want.October.ByInstance {
		got := accounts(all, func(s Seen) bool { return s.Segment == segment && day(s)[:7] == "2026-10" })
		if got != n {
			t.Errorf("%s: %d accounts, want %d", segment, got, n)
		}
	}
	for _, s := range all {
		if s.Precision != rollcall.ToDay || !s.Until.IsZero() || s.Time != calendar.Start(calendar.Day(s.Time)).Time() {
			t.Fatalf("%v is not the first minute of a day", s)
		}
	}
}

// TestZulip: an end is the last activity plus 15 minutes, a day is the market's.
func TestZulip(t *testing.T) {
	joins := map[string]string{"userprofile": "testdata/zulip/userprofile.csv"}
	const file = "testdata/zulip/useractivityinterval.csv"
	all, counts := read(t, "zulip", "Europe/Paris", Options{Joins: joins}, file)
	wantStamps(t, all, rollcall.Presence,
		"8 2026-10-05T06:58:12Z 2026-10-05T09:26:40Z", "9 2026-10-05T07:30:00Z 2026-10-05T07:30:00Z",
		"10 2026-10-05T21:50:10Z 2026-10-05T21:50:10Z", "8 2026-10-06T05:00:01Z 2026-10-06T05:10:00Z",
		"11 2026-10-06T08:00:00Z 2026-10-06T08:00:00Z", "9 2026-10-31T22:59:59Z 2026-10-31T22:59:59Z",
		"13 2026-10-31T23:00:00Z 2026-10-31T23:00:00Z")
	if counts.Dropped["bot"] != 1 || counts.Kept["deactivated"] != 1 || counts.Joined != 1 {
		t.Errorf("counts: %s", counts)
	}
	for segment, n := range map[rollcall.SegmentID]int{"2": 3, "3": 2} {
		if got := accounts(all, func(s Seen) bool { return s.Segment == segment }); got != n {
			t.Errorf("realm %s: %d accounts, want %d", segment, got, n)
		}
	}
	all, counts = read(t, "zulip", "Europe/Paris", Options{Joins: joins, Optional: map[string]bool{"deactivated": true}}, file)
	if got := accounts(all, func(s Seen) bool { return s.Account != "13" }); got != 3 || counts.Dropped["deactivated"] != 1 {
		t.Errorf("without the deactivated: %d accounts, %s", got, counts)
	}
}

// TestZulipBot: an interval over 24 hours is cut, not refused.
func TestZulipBot(t *testing.T) {
	file := written(t, "i.csv", "id,start,end,user_profile_id\n1,2026-10-06 00:00:00+00,2026-10-08 01:15:00+00,12\n")
	all, counts := read(t, "zulip", "UTC", Options{}, file)
	wantStamps(t, all, rollcall.Presence, "12 2026-10-06T00:00:00Z 2026-10-07T00:00:00Z",
		"12 2026-10-07T00:00:00Z 2026-10-08T00:00:00Z", "12 2026-10-08T00:00:00Z 2026-10-08T01:00:00Z")
	if counts.Cut != 2 {
		t.Errorf("counts: %s", counts)
	}
}

// TestRocketchat: a session in two documents is one, an open one is a login, and
// a day alone counts where nothing else tells it.
func TestRocketchat(t *testing.T) {
	all, counts := read(t, "rocketchat", "Europe/Paris", Options{}, "testdata/rocketchat/sessions.jsonl")
	wantStamps(t, all, rollcall.Login, "u1aaaaaaaaaaaaaaa 2026-10-05T06:00:00Z", "u2aaaaaaaaaaaaaaa 2026-10-05T20:00:00Z",
		"u3aaaaaaaaaaaaaaa 2026-10-06T05:00:00Z")
	wantStamps(t, all, rollcall.Presence, "u1aaaaaaaaaaaaaaa 2026-10-05T06:00:00Z 2026-10-05T07:30:00Z",
		"u2aaaaaaaaaaaaaaa 2026-10-05T20:00:00Z 2026-10-06T06:10:00Z", "u4aaaaaaaaaaaaaaa 2026-10-03T22:00:00Z")
	if counts.Dropped["bot"] != 1 || counts.Told != 2 || counts.Rejected != 0 {
		t.Errorf("counts: %s", counts)
	}
	want := map[string]rollcall.Platform{
		"u1aaaaaaaaaaaaaaa": rollcall.Web, "u2aaaaaaaaaaaaaaa": rollcall.Phone,
		"u3aaaaaaaaaaaaaaa": rollcall.Computer, "u4aaaaaaaaaaaaaaa": rollcall.Web,
	}
	for _, s := range all {
		if s.Platform != want[s.Account] {
			t.Errorf("%s: %s", s.Account, s.Platform)
		}
	}
}

// TestRocketchatRoles: a day alone, which has no list of roles, is dropped by the most
// important of them.
func TestRocketchatRoles(t *testing.T) {
	const days = `{"type":"user_daily","userId":"u1","mostImportantRole":"admin","year":2026,"month":10,"day":3}
{"type":"user_daily","userId":"u2","mostImportantRole":"guest","year":2026,"month":10,"day":3}
{"type":"user_daily","userId":"u3","mostImportantRole":"user","year":2026,"month":10,"day":3}
`
	asked := Options{Optional: map[string]bool{"administrator": true, "guest": true}}
	all, counts := read(t, "rocketchat", "UTC", asked, written(t, "days.jsonl", days))
	wantStamps(t, all, rollcall.Presence, "u3 2026-10-03T00:00:00Z")
	if counts.Dropped["administrator"] != 1 || counts.Dropped["guest"] != 1 {
		t.Errorf("counts: %s", counts)
	}
	all, counts = read(t, "rocketchat", "Europe/Paris", asked, "testdata/rocketchat/sessions.jsonl")
	if got := accounts(all, func(Seen) bool { return true }); got != 2 || counts.Dropped["guest"] != 1 {
		t.Errorf("%d accounts, %s", got, counts)
	}
}

// TestMattermost: a snapshot is no stay, and three rows are one login.
func TestMattermost(t *testing.T) {
	all, counts := read(t, "mattermost", "Europe/Paris", Options{}, "testdata/mattermost/sessions.csv")
	const u1, u2, u4 = "u1aaaaaaaaaaaaaaaaaaaaaaaa", "u2aaaaaaaaaaaaaaaaaaaaaaaa", "u4aaaaaaaaaaaaaaaaaaaaaaaa"
	wantStamps(t, all, rollcall.Login, u1+" 2026-10-05T06:00:00Z", u1+" 2026-10-04T08:00:00Z",
		u2+" 2026-10-05T07:00:00Z", u4+" 2026-10-05T08:00:00Z")
	wantStamps(t, all, rollcall.Presence, u1+" 2026-10-05T08:00:00Z", u1+" 2026-10-06T08:00:00Z",
		u2+" 2026-10-05T07:00:00Z", u4+" 2026-10-05T09:00:00Z")
	if counts.Dropped["bot"] != 1 || counts.Dropped["access token"] != 1 {
		t.Errorf("counts: %s", counts)
	}
	all, counts = read(t, "mattermost", "Europe/Paris", Options{}, "testdata/mattermost/audits.csv")
	wantStamps(t, all, rollcall.Login, u1+" 2026-10-05T06:00:00Z", u2+" 2026-10-05T07:00:00Z")
	wantStamps(t, all, rollcall.LoginFailed, " 2026-10-05T06:16:40Z")
	wantStamps(t, all, rollcall.Logout, u2+" 2026-10-05T08:00:00Z")
	if counts.Unnamed != 1 || counts.Other != 5 || counts.Rejected != 0 {
		t.Errorf("counts: %s", counts)
	}
}
