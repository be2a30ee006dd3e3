package logs

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/test/engines"
)

// TestProsody drives a real Prosody: what its log, at two levels, and what our
// module's say is what was done. At level info a refusal is not told.
func TestProsody(t *testing.T) {
	s := engines.Prosody(t, "../../../deploy/prosody")
	did := s.Drive("testdata/drive.py")
	s.Stop()
	wantDone(t, "prosody", s.Log, without(did, "refused"))
	wantDone(t, "prosody", s.Debug, did)
	wantDone(t, "prosody-json", s.JSON, did)
}

// TestEjabberd drives a real ejabberd.
func TestEjabberd(t *testing.T) {
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
