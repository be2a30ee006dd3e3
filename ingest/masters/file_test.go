package masters_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall"
	"rollcall/ingest/masters"
)

var (
	one = strings.Repeat("1a", 32)
	two = strings.Repeat("2B", 32)
)

func TestParse(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"one", one, one + "\n"},
		{"with its end", one + "\r\n", one + "\n"},
		{"two", one + "\n" + two + " from 2026-12-01\n", one + "\n" + strings.ToLower(two) + " from 2026-12-01\n"},
		{"in any order", two + " from 2026-12-01\n\n# the first\n" + one, one + "\n" + strings.ToLower(two) + " from 2026-12-01\n"},
		{"lost", one + "  from\t2026-12-01 lost", one + " from 2026-12-01 lost\n"},
	} {
		all, err := masters.Parse(tt.text, "f")
		if got := string(masters.Format(all)); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

// malformed are key files that are refused, and what is said.
var malformed = map[string]string{
	"":               "f has none",
	"# nothing\n\n":  "f has none",
	"secret":         "f, line 1: is not hexadecimal",
	one[:63]:         "f, line 1: is not hexadecimal, or was cut",
	one[:62]:         "f, line 1: has 31 bytes, want at least 32",
	one + "\n" + two: "f, line 2: is a second one without a first day",
	one + "\n" + one: "f, line 2: is there twice",
	one + " from 2026-12-01\n" + two + " from 2026-12-01": "f, line 2: is a second one from 2026-12-01 on",
	one + " from":                      "f, line 1: has something else after the key",
	one + " since 2026-12-01":          "f, line 1: has something else after the key",
	one + " from 2026-12-1":            "f, line 1: has a first day that is not a date",
	one + " from 2026-13-40":           "f, line 1: has a first day that is not a date",
	one + " from 1970-01-01":           "f, line 1: has a first day that is not a date YYYY-MM-DD after 1970-01-01",
	one + " from 2026-12-01 los":       "f, line 1: has something else after the key",
	one + " lost":                      "f, line 1: has something else after the key",
	one + " from 2026-12-01 lost lost": "f, line 1: has something else after the key",
	strings.Repeat("#\n", 1<<16):       "f is longer than",
}

func TestParseRefuses(t *testing.T) {
	for text, want := range malformed {
		_, err := masters.Parse(text, "f")
		if !errors.Is(err, rollcall.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80q: %v; want %q", text, err, want)
		} else if strings.Contains(err.Error(), "1a1a") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%.80q is quoted: %v", text, err)
		}
	}
}

// FuzzParse: whatever is read is written back as the same keys.
func FuzzParse(f *testing.F) {
	for text := range malformed {
		f.Add(text)
	}
	f.Add(one + "\n" + two + " from 2026-12-01 lost\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := masters.Parse(text, "f")
		if err != nil {
			return
		}
		written := masters.Format(all)
		again, err := masters.Parse(string(written), "f")
		if err != nil || len(again) != len(all) || !bytes.Equal(masters.Format(again), written) {
			t.Errorf("%q is written as %q, and read as %q, %v", text, written, masters.Format(again), err)
		}
	})
}

func TestCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	secret := masters.NewSecret()
	if err := masters.Create(path, secret); err != nil {
		t.Fatal(err)
	}
	if err := masters.Create(path, secret); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over one that is there: %v", err)
	}
	p := masters.Place{Path: path, Name: path}
	if all, err := p.Read(); err != nil || len(all) != 1 || !bytes.Equal(all[0].Secret, secret) {
		t.Errorf("read %d, %v", len(all), err)
	}
	if mode, loose := p.Loose(); mode != 0o600 || loose {
		t.Errorf("made with mode %v", mode)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if mode, loose := p.Loose(); mode != 0o644 || !loose {
		t.Errorf("what everybody may read is not loose: %v", mode)
	}
}
