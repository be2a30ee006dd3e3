package logs

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/ingest/profile"
)

// written is a log that is being written, and what was.
type written struct {
	t    *testing.T
	dir  string
	path string
	n    int
	at   time.Time
}

func newWritten(t *testing.T) *written {
	dir := t.TempDir()
	return &written{t: t, dir: dir, path: filepath.Join(dir, "prosody.log"), at: time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)}
}

func (w *written) append(text string) {
	w.t.Helper()
	f, err := os.OpenFile(w.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		w.t.Fatal(err)
	}
}

// line gives the next login's line.
func (w *written) line() string {
	w.n++
	w.at = w.at.Add(time.Second)
	return fmt.Sprintf("%s c2s%d\tinfo\tAuthenticated as user%d@x\n", w.at.Format(time.DateTime), w.n, w.n)
}

func (w *written) rename() {
	w.shift()
	if err := os.Rename(w.path, w.path+".1"); err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
}

// shift makes space for a new .1.
func (w *written) shift() {
	for i := 70; i > 0; i-- {
		_ = os.Rename(fmt.Sprint(w.path, ".", i), fmt.Sprint(w.path, ".", i+1)) // those that are there
	}
}

func (w *written) copyTruncate() {
	text, err := os.ReadFile(w.path)
	if err != nil {
		return // there is none now
	}
	w.shift()
	if err := os.WriteFile(w.path+".1", text, 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Truncate(w.path, 0); err != nil {
		w.t.Fatal(err)
	}
}

// follower begins to follow as a new process does.
func (w *written) follower(into map[string]bool) *Follower {
	w.t.Helper()
	log := New("prosody", reader(w.t, "prosody", "UTC"), w.at, func(s profile.Seen) error {
		if s.Kind.String() == "login" {
			into[s.Account] = true
		}
		return nil
	})
	f := &Follower{Log: log, Path: w.path, State: filepath.Join(w.dir, "state"), Warn: func(text string) { w.t.Log(text) }}
	if err := f.resume(); err != nil {
		w.t.Fatal(err)
	}
	return f
}

// TestFollow: whatever becomes of the file, no whole line is missed, and none is
// made up; a line without an end waits for it.
func TestFollow(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w, rnd := newWritten(t), rand.New(rand.NewPCG(seed, 1))
			got := map[string]bool{}
			f := w.follower(got)
			w.append(w.line())
			if err := f.step(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 30 {
				w.happens(f, rnd)
				if rnd.IntN(4) == 0 { // the process falls, and begins again
					f.close()
					f = w.follower(got)
				}
				if err := f.step(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			w.append("\n")
			if err := f.stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := f.step(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := f.Log.End(); err != nil {
				t.Fatal(err)
			}
			f.close()
			for i := range w.n {
				if account := fmt.Sprintf("user%d@x", i+1); !got[account] {
					t.Errorf("%s is missing", account)
				}
				delete(got, fmt.Sprintf("user%d@x", i+1))
			}
			if len(got) > 0 {
				t.Errorf("made up: %v", slices.Collect(maps.Keys(got)))
			}
			noAccounts(t, filepath.Join(w.dir, "state"))
		})
	}
}

// happens writes some lines, the last perhaps in two parts with a look between,
// and perhaps rotates. A rotation never comes between two looks twice.
func (w *written) happens(f *Follower, rnd *rand.Rand) {
	w.t.Helper()
	for range rnd.IntN(4) {
		w.append(w.line())
	}
	switch rnd.IntN(5) {
	case 0:
		w.rename()
	case 1:
		w.copyTruncate()
	case 2:
		line := w.line()
		at := 1 + rnd.IntN(len(line)-1)
		w.append(line[:at])
		if err := f.step(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		w.append(line[at:])
	}
	for range 1 + rnd.IntN(3) { // a file that is rotated before a line of it was seen is missed
		w.append(w.line())
	}
}

// noAccounts holds that a checkpoint has no account.
func noAccounts(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatal("checkpoints", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil || strings.Contains(string(text), "user") {
		t.Errorf("%s %v", text, err)
	}
}

// TestFollowStay: a stay goes on over a rotation and a new process.
func TestFollowStay(t *testing.T) {
	w := newWritten(t)
	w.append("2026-11-29 10:00:00 c2sa\tinfo\tAuthenticated as ann@x\n2026-11-29 10:00:01 c2sb\tinfo\tClient connected\n")
	follow := func(then string) (said []string) {
		log := New("prosody", reader(t, "prosody", "UTC"), w.at, collect(&said))
		f := &Follower{Log: log, Path: w.path, State: filepath.Join(w.dir, "state")}
		if err := f.resume(); err != nil {
			t.Fatal(err)
		}
		if err := f.step(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.rename()
		w.append(then)
		if err := f.step(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := f.stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.close()
		return said
	}
	first := follow("2026-11-29 10:30:00 c2sb\tinfo\tClient disconnected: closed\n")
	if all := strings.Join(first, "\n"); !strings.Contains(all, "to 2026-11-29T10:30:00Z presence ann@x") || strings.Contains(all, "logout") {
		t.Error(all)
	}
	second := follow("2026-11-29 11:00:00 c2sa\tinfo\tClient disconnected: connection closed\n")
	if all := strings.Join(second, "\n"); !strings.Contains(all, "to 2026-11-29T11:00:00Z presence ann@x") || !strings.Contains(all, "11:00:00Z logout ann@x") {
		t.Error(all)
	}
}

// TestFollowUnended: a file is truncated after a line without an end, which opens
// a stay: a new process goes on there.
func TestFollowUnended(t *testing.T) {
	w := newWritten(t)
	got := map[string]bool{}
	f := w.follower(got)
	look := func() {
		t.Helper()
		if err := f.step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.append(w.line() + "2026-11-29 10:00:10 c2s1\tinfo\tClient disconnected: connection closed\n")
	look()
	w.rename() // nothing open needs it
	w.append("2026-11-29 10:00:20 general\tinfo\tnothing\n")
	look()
	w.append(strings.TrimSuffix(w.line(), "\n"))
	w.copyTruncate()
	w.append(w.line())
	look()
	f.close()
	got = map[string]bool{}
	f = w.follower(got)
	look()
	f.close()
	if !got["user2@x"] || !got["user3@x"] || got["user1@x"] {
		t.Error(got)
	}
}

// TestFollowNothing: a log that is not there is waited for, and that is said.
func TestFollowNothing(t *testing.T) {
	w := newWritten(t)
	f := w.follower(map[string]bool{})
	var said []string
	f.Warn = func(text string) { said = append(said, text) }
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := f.Run(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if want := w.path + ": is not there yet; it is read when it is"; len(said) != 1 || said[0] != want {
		t.Errorf("said %q, want %q", said, want)
	}
}

// TestFollowAnother: a log of another source is told while it is followed, once,
// and the counts of one that is known are told as it goes on.
func TestFollowAnother(t *testing.T) {
	for _, c := range []struct {
		line func(w *written) string
		warn string
	}{
		{func(*written) string { return "nothing of Prosody's\n" }, ": the profile knows none of its first 100 lines: they may be another source's"},
		{(*written).line, ""},
	} {
		w := newWritten(t)
		f := w.follower(map[string]bool{})
		var warned, counted []string
		f.Warn = func(text string) { warned = append(warned, text) }
		f.Count = func(text string) { counted = append(counted, text) }
		for range 3 {
			for range 100 {
				w.append(c.line(w))
			}
			if err := f.step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		f.close()
		if known := c.warn == ""; known != (len(warned) == 0) || known != (len(counted) > 0) {
			t.Errorf("warned %q, counted %q", warned, counted)
		}
		if c.warn != "" && !slices.Equal(warned, []string{w.path + c.warn}) {
			t.Errorf("warned %q", warned)
		}
		if len(counted) > 0 && !strings.HasPrefix(counted[0], w.path+": ") {
			t.Errorf("counted %q", counted)
		}
	}
}

// TestFollowNobody: that the profile's account is in no line is told while the log
// is followed, once.
func TestFollowNobody(t *testing.T) {
	followOwn(t, "account: usr", `counts nobody: account: no row has "usr" (the nearest are user, at)`)
}

// TestFollowUndropped: so is that no line has what a rule reads that was asked for.
func TestFollowUndropped(t *testing.T) {
	followOwn(t, "account: user, drop: [{name: robot, when: {expression: 'truth(robot)'}, optional: true}]",
		`table visit: no row has "robot" (the nearest are at, user), and rule robot, which was asked for, drops by it: give a file that has it, or leave the rule out`, "robot")
}

// followOwn follows a log by a profile of one's own, which warns.
func followOwn(t *testing.T, table, want string, asked ...string) {
	t.Helper()
	w := newWritten(t)
	own := "log: true\nservice: aim\nformat: [json]\ntables: [{name: visit, " + table + ", events: [{kind: {constant: use}, time: at}]}]\n"
	log := New("own", readerBy(t, own, asked...), w.at, func(profile.Seen) error { return nil })
	var warned []string
	f := &Follower{Log: log, Path: w.path, Warn: func(text string) { warned = append(warned, text) }}
	for range 3 {
		for range 50 {
			w.append("{\"user\":\"ann\",\"at\":\"2026-11-29T10:00:00Z\"}\n")
		}
		if err := f.step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	f.close()
	if want := w.path + ": " + want; !slices.Equal(warned, []string{want}) {
		t.Errorf("warned %q, want %q", warned, want)
	}
}
