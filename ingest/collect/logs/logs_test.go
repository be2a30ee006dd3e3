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

	"rollcall"
	"rollcall/ingest/profile"
)

// reader makes the reader of a built-in profile.
func reader(t testing.TB, source, zone string) *profile.Reader {
	t.Helper()
	p, err := profile.Builtin(source, profile.OfLog)
	if err != nil {
		t.Fatal(err)
	}
	return readerOf(t, p, zone)
}

// readerBy makes a reader of a profile's text.
func readerBy(t testing.TB, text string, asked ...string) *profile.Reader {
	t.Helper()
	p, err := profile.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return readerOf(t, p, "UTC", asked...)
}

func readerOf(t testing.TB, p *profile.Profile, zone string, asked ...string) *profile.Reader {
	t.Helper()
	calendar, err := rollcall.Market{ID: "ZONE", Zone: zone}.Calendar()
	if err != nil {
		t.Fatal(err)
	}
	at, err := profile.Zone(zone)
	if err != nil {
		t.Fatal(err)
	}
	optional := map[string]bool{}
	for _, rule := range asked {
		optional[rule] = true
	}
	r, err := p.NewReader(t.Context(), profile.Options{Location: rollcall.Elsewhere, Calendar: calendar, Zone: at, Optional: optional})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// said says a sighting in a line.
func said(s profile.Seen) string {
	at := s.Time.UTC().Format("01-02 15:04:05")
	if !s.Until.IsZero() {
		at += " to " + s.Until.UTC().Format("01-02 15:04:05")
	}
	text := fmt.Sprintf("%s %s %s", at, s.Kind, s.Account)
	if s.Platform != rollcall.NoPlatform {
		text += " " + s.Platform.String()
	}
	return strings.TrimSpace(text)
}

// readText reads a text as a log whose file was last changed at the given time.
func readText(t testing.TB, source, zone string, changed time.Time, text string) (sightings []string, log *Log) {
	t.Helper()
	log = New(source, reader(t, source, zone), changed, func(s profile.Seen) error {
		sightings = append(sightings, said(s))
		return nil
	})
	if err := log.Read(context.Background(), []string{Stdin}, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if err := log.End(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(sightings)
	return sightings, log
}

// TestLogs reads logs that servers wrote, driven by drive.py and its like. A
// file beside each says what was done.
func TestLogs(t *testing.T) {
	wants, err := filepath.Glob("testdata/*/*.want")
	if err != nil || len(wants) == 0 {
		t.Fatal("no logs", err)
	}
	for _, path := range wants {
		source := filepath.Base(filepath.Dir(path))
		t.Run(source+"/"+filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(strings.TrimSuffix(path, ".want") + ".log")
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, log := readText(t, source, "Europe/Paris", time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), string(text))
			all := strings.Join(append(got, "# "+log.String()), "\n") + "\n"
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(path, []byte(all), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if all != string(want) {
				t.Errorf("got\n%swant\n%s", all, want)
			}
		})
	}
}

// collect notes sightings with whole times.
func collect(into *[]string) func(profile.Seen) error {
	return func(s profile.Seen) error {
		at := s.Time.UTC().Format(time.RFC3339)
		if !s.Until.IsZero() {
			at += " to " + s.Until.UTC().Format(time.RFC3339)
		}
		*into = append(*into, fmt.Sprintf("%s %s %s", at, s.Kind, s.Account))
		return nil
	}
}
