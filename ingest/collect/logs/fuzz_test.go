package logs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/ingest/profile"
)

// FuzzLog: no log of any server ends the process, is refused whole, or makes a
// sighting that no event can be.
func FuzzLog(f *testing.F) {
	logs, err := filepath.Glob("testdata/*/*.log")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range logs {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		which := slices.Index(profile.Names(profile.OfLog), filepath.Base(filepath.Dir(path)))
		f.Add(uint8(which), string(text[:min(len(text), 1<<10)]))
	}
	names := profile.Names(profile.OfLog)
	f.Fuzz(func(t *testing.T, which uint8, text string) {
		source := names[int(which)%len(names)]
		n := 0
		log := New(source, reader(t, source, "Europe/Paris"), time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC), func(s profile.Seen) error {
			n++
			if s.Time.IsZero() || s.Kind == 0 || !s.Until.IsZero() && s.Until.Before(s.Time) {
				t.Errorf("%s: %+v", source, s)
			}
			return nil
		})
		if err := log.Read(context.Background(), []string{Stdin}, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		if err := log.End(); err != nil {
			t.Fatal(err)
		}
		if n != log.count {
			t.Errorf("%d sightings, %s", n, log)
		}
	})
}

// TestMutations: of a log with lines lost, doubled and broken nothing is claimed
// for an account that isn't in it.
func TestMutations(t *testing.T) {
	logs, err := filepath.Glob("testdata/*/*.log")
	if err != nil || len(logs) == 0 {
		t.Fatal("no logs", err)
	}
	for _, path := range logs {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		source := filepath.Base(filepath.Dir(path))
		lines := strings.SplitAfter(string(text), "\n")
		whole, _ := readText(t, source, "UTC", time.Now(), string(text))
		known := accounts(whole)
		for lost := range lines {
			var cut strings.Builder
			for i, line := range lines {
				switch {
				case i == lost:
					cut.WriteString(line[:len(line)/2] + "\n")
				case i%7 != lost%7:
					cut.WriteString(line)
				}
			}
			got, _ := readText(t, source, "UTC", time.Now(), cut.String())
			for account := range accounts(got) {
				if !known[account] {
					t.Errorf("%s without line %d: %s", path, lost, account)
				}
			}
		}
	}
}

func accounts(sightings []string) map[string]bool {
	all := map[string]bool{}
	for _, s := range sightings {
		for _, kind := range []string{" presence ", " login ", " use "} {
			if _, account, ok := strings.Cut(s, kind); ok {
				all[account] = true
			}
		}
	}
	return all
}

// BenchmarkLog: lines a second on one core, of which one in ten tells something.
func BenchmarkLog(b *testing.B) {
	for _, source := range []string{"prosody", "ejabberd", "synapse-log", "mattermost-audit"} {
		b.Run(source, func(b *testing.B) {
			text, lines := benchLog(b, source)
			r := reader(b, source, "UTC")
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				log := New(source, r, time.Now(), func(profile.Seen) error { return nil })
				if err := log.Read(b.Context(), []string{Stdin}, strings.NewReader(text)); err != nil {
					b.Fatal(err)
				}
				if err := log.End(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(lines*b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}

// benchLog repeats a log that a server wrote.
func benchLog(b *testing.B, source string) (text string, lines int) {
	b.Helper()
	paths, err := filepath.Glob(fmt.Sprintf("testdata/%s/*.log", source))
	if err != nil || len(paths) == 0 {
		b.Fatal("no log", err)
	}
	one, err := os.ReadFile(paths[len(paths)-1])
	if err != nil {
		b.Fatal(err)
	}
	all := strings.Repeat(string(one), 4<<20/len(one))
	return all, strings.Count(all, "\n")
}
