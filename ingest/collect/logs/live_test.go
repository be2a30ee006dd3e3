package logs

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/ingest/profile"
	"rollcall/internal/test/engines"
)

// TestProsody drives a real Prosody: what its log, at two levels, and what our
// module's say is what was done. At level info a refusal is not told.
func TestProsody(t *testing.T) {
	engines.Long(t, "starts a server")
	s := engines.Prosody(t, "../../../deploy/prosody")
	did := s.Drive("testdata/drive.py")
	s.Stop()
	wantDone(t, "prosody", s.Log, without(did, "refused"))
	wantDone(t, "prosody", s.Debug, did)
	wantDone(t, "prosody-json", s.JSON, did)
}

// TestEjabberd drives a real ejabberd.
func TestEjabberd(t *testing.T) {
	engines.Long(t, "starts a server")
	s := engines.Ejabberd(t)
	did := s.Drive("testdata/drive.py")
	s.Stop()
	wantDone(t, "ejabberd", s.Log, did)
}

func without(did []string, what string) []string {
	return slices.DeleteFunc(slices.Clone(did), func(line string) bool { return strings.HasSuffix(line, what) })
}

// wantDone holds that a log's sightings are what was done: logins, refusals and
// ends by account, a stay for each login, and a resumption in a stay.
func wantDone(t *testing.T, source, path string, did []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, log := readText(t, source, "UTC", time.Now(), string(text))
	want := map[string]int{}
	resumed := 0
	for _, line := range did {
		account, what, _ := strings.Cut(line, " ")
		switch what {
		case "login":
			want["login "+account]++
			want["presence "+account]++
		case "refused":
			want["login_failed"]++
		case "resumed":
			resumed++
		case "end":
			want["logout "+account]++
		}
	}
	if len(want) < 4 || resumed == 0 {
		t.Fatalf("too little was done: %v", did)
	}
	have := map[string]int{}
	for _, line := range got {
		f := strings.Fields(strings.ReplaceAll(line, " to ", "~"))
		kind, account := f[len(f)-2], f[len(f)-1]
		if strings.Contains(line, "login_failed") {
			kind, account = "login_failed", ""
		}
		have[strings.TrimSpace(kind+" "+account)]++
	}
	for key, n := range want {
		if have[key] != n {
			t.Errorf("%s: %s %d times, want %d", path, key, have[key], n)
		}
		delete(have, key)
	}
	if len(have) > 0 || log.tracker.Resumed != resumed {
		t.Errorf("%s: more than was done: %v; resumed %d, want %d", path, have, log.tracker.Resumed, resumed)
	}
	if t.Failed() {
		t.Logf("did %s\ngot\n%s\n%s", did, strings.Join(got, "\n"), log)
	}
}

// TestProsodyNight has a real Prosody live through the night on which Paris goes back
// to winter time, be killed and started anew. Its text has neither a year nor an offset.
func TestProsodyNight(t *testing.T) {
	clock := nightClock(t)
	s := engines.Prosody(t, "../../../deploy/prosody", clock.Env()...)
	did := night(s, clock)
	for source, paths := range map[string][]string{"prosody": {s.Log, s.Debug}, "prosody-json": {s.JSON}} {
		for _, path := range paths {
			wantNight(t, source, path, did)
		}
	}
}

// TestEjabberdNight is the same with ejabberd.
func TestEjabberdNight(t *testing.T) {
	clock := nightClock(t)
	s := engines.Ejabberd(t, clock.Env()...)
	wantNight(t, "ejabberd", s.Log, night(s, clock))
}

func nightClock(t *testing.T) engines.Clock {
	t.Helper()
	engines.Long(t, "starts a server twice")
	return engines.NewClock(t, time.Date(2026, 10, 24, 21, 30, 0, 0, time.UTC), "Europe/Paris")
}

// night is what happens on a server, which is stopped then.
func night(s *engines.XMPPServer, clock engines.Clock) (did []string) {
	did = s.Drive("testdata/night.py", clock.File, fmt.Sprint(s.PID()))
	s.Restart()
	did = append(did, s.Drive("testdata/night.py", clock.File, fmt.Sprint(s.PID()), "again")...)
	s.Stop()
	return did
}

// stayed is an account's stay.
type stayed struct {
	account  string
	from, to time.Time
}

// staysOf reads from what was done who stayed when. What a kill ended lasted, by the
// log, to the last line before.
func staysOf(t *testing.T, did []string) (stays []stayed) {
	t.Helper()
	open := map[string]time.Time{}
	var last time.Time
	for _, line := range did {
		f := strings.Fields(line)
		at, err := time.Parse(time.RFC3339, f[2])
		if err != nil {
			t.Fatal(err)
		}
		switch f[1] {
		case "login":
			open[f[0]] = at
		case "end":
			stays = append(stays, stayed{f[0], open[f[0]], at})
			delete(open, f[0])
		case "killed":
			for account, from := range open {
				stays = append(stays, stayed{account, from, last})
			}
			clear(open)
		}
		last = at
	}
	return stays
}

// wantNight holds that a log tells the stays that there were, and nothing else of presence.
func wantNight(t *testing.T, source, path string, did []string) {
	t.Helper()
	const late = 5 * time.Minute // no two steps are nearer
	stays := staysOf(t, did)
	if len(stays) < 8 {
		t.Fatalf("too little was done: %q", did)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	log := New(source, reader(t, source, "Europe/Paris"), time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), func(s profile.Seen) error {
		if s.Kind != rollcall.Presence {
			return nil
		}
		seen++
		end := s.Until
		if end.IsZero() {
			end = s.Time
		}
		if !slices.ContainsFunc(stays, func(w stayed) bool {
			return w.account == s.Account && s.Time.Sub(w.from).Abs() < late && end.Sub(w.to).Abs() < late
		}) {
			t.Errorf("%s: %s was there from %v to %v, which is not what was done", source, s.Account, s.Time.UTC(), end.UTC())
		}
		return nil
	})
	if err := log.Read(t.Context(), []string{Stdin}, bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if err := log.End(); err != nil {
		t.Fatal(err)
	}
	if seen != len(stays) || log.tracker.Resumed != 1 {
		t.Errorf("%s: %d stays, want %d; %s", path, seen, len(stays), log)
	}
	if t.Failed() {
		t.Logf("did %q\n%s", did, text)
	}
}
