package logs

import (
	"strings"
	"testing"
	"time"
)

// TestTimes: what a log doesn't say of its times, its zone, its file and its
// order say.
func TestTimes(t *testing.T) {
	changed := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct{ name, zone, log, want string }{
		{"over midnight", "Europe/Paris", `
Nov 28 23:50:00 c2sa	info	Authenticated as ann@x
Nov 29 00:10:00 c2sa	info	Client disconnected: connection closed`, `
11-28 22:50:00 to 11-28 23:10:00 presence`},
		{"back to winter time: the hour that comes twice", "Europe/Paris", `
Oct 25 01:50:00 c2sa	info	Authenticated as ann@x
Oct 25 02:55:00 c2sb	info	Client connected
Oct 25 02:10:00 c2sb	info	Client connected
Oct 25 02:20:00 c2sa	info	Client disconnected: connection closed`, `
10-24 23:50:00 to 10-25 01:20:00 presence`},
		{"and the hour after it", "Europe/Paris", `
Oct 25 02:50:00 c2sa	info	Authenticated as ann@x
Oct 25 02:05:00 c2sb	info	Client connected
Oct 25 03:05:00 c2sa	info	Client disconnected: connection closed`, `
10-25 00:50:00 to 10-25 02:05:00 presence`},
		{"on to summer time: the hour that is missing", "Europe/Paris", `
Mar 29 01:50:00 c2sa	info	Authenticated as ann@x
Mar 29 03:10:00 c2sa	info	Client disconnected: connection closed`, `
03-29 00:50:00 to 03-29 01:10:00 presence`},
		{"lines of threads, a little out of order", "Europe/Paris", `
Oct 25 02:10:01 c2sa	info	Authenticated as ann@x
Oct 25 02:10:00 c2sb	info	Client connected
Oct 25 02:20:00 c2sa	info	Client disconnected: connection closed`, `
10-25 00:10:01 to 10-25 00:20:00 presence`},
		{"half an hour's change", "Australia/Lord_Howe", `
Apr  5 01:50:00 c2sa	info	Authenticated as ann@x
Apr  5 01:40:00 c2sa	info	Client disconnected: connection closed`, `
04-04 14:50:00 to 04-04 15:10:00 presence`},
		{"a year and more", "UTC", `
2025-10-01 10:00:00 c2sa	info	Authenticated as ann@x
2025-10-01 10:00:30 c2sa	info	Client disconnected: connection closed`, `
10-01 10:00:00 to 10-01 10:00:30 presence`},
		{"longer than an event", "UTC", `
Nov 20 10:00:00 c2sa	info	Authenticated as ann@x
Nov 22 11:00:00 c2sa	info	Client disconnected: connection closed`, `
11-20 10:00:00 to 11-21 10:00:00 presence
11-21 10:00:00 to 11-22 10:00:00 presence
11-22 10:00:00 to 11-22 11:00:00 presence`},
		{"broken bytes", "UTC", "\nNov 20 10:00:00 c2sa	info	Authenticated as ann@x\nNov 20 10:01:00 \xff\xfe \x00 \n\x80\nNov 20 10:05:00 c2sa	info	Client disconnected: connection \xffclosed", `
11-20 10:00:00 to 11-20 10:05:00 presence`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			all, _ := readText(t, "prosody", tc.zone, changed, tc.log)
			var got []string
			for _, s := range all {
				if at, is := strings.CutSuffix(s, " ann@x"); is && strings.HasSuffix(at, "presence") {
					got = append(got, at)
				}
			}
			if strings.Join(got, "\n") != strings.TrimSpace(tc.want) {
				t.Errorf("got\n%s\nwant%s", strings.Join(all, "\n"), tc.want)
			}
		})
	}
}

// TestYears: a log without years has that of its file, and the next after New Year.
func TestYears(t *testing.T) {
	const log = `Dec 31 23:50:00 c2sa	info	Authenticated as ann@x
Jan  1 00:10:00 c2sa	info	Client disconnected: connection closed
Feb 29 00:10:00 c2sb	info	Authenticated as bob@x`
	for _, tc := range []struct{ changed, login, last string }{
		{"2024-03-01", "2023-12-31T23:50:00Z", "2024-02-29T00:10:00Z"},
		{"2024-11-30", "2023-12-31T23:50:00Z", "2024-02-29T00:10:00Z"},
	} {
		changed, err := time.Parse(time.DateOnly, tc.changed)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		l := New("prosody", reader(t, "prosody", "UTC"), changed, collect(&got))
		if err := l.Read(t.Context(), []string{Stdin}, strings.NewReader(log)); err != nil {
			t.Fatal(err)
		}
		if err := l.End(); err != nil {
			t.Fatal(err)
		}
		all := strings.Join(got, "\n")
		if !strings.Contains(all, tc.login+" login ann@x") || !strings.Contains(all, tc.last+" login bob@x") {
			t.Errorf("changed %s: %s", tc.changed, all)
		}
	}
}
