package engines

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Clock is one that a server reads in place of the machine's, and that goes on as its
// file says: libfaketime reads it at each look.
type Clock struct {
	File string // the seconds that it is ahead of the machine's, with their sign
	zone string
}

// NewClock makes a clock that begins at a time, in a zone.
func NewClock(t testing.TB, begin time.Time, zone string) Clock {
	t.Helper()
	Require(t, Faketime)
	c := Clock{File: filepath.Join(t.TempDir(), "clock"), zone: zone}
	ahead := int64(time.Until(begin).Seconds())
	if err := os.WriteFile(c.File, fmt.Appendf(nil, "%+d", ahead), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// Env is what a server's environment needs for it. Timers go by the machine's.
func (c Clock) Env() []string {
	return []string{"LD_PRELOAD=" + libfaketime(), "FAKETIME_TIMESTAMP_FILE=" + c.File, "FAKETIME_NO_CACHE=1",
		"DONT_FAKE_MONOTONIC=1", "FAKETIME_DONT_FAKE_MONOTONIC=1", "TZ=" + c.zone}
}

// libfaketime is where Debian has that for programs with threads.
func libfaketime() string {
	found, _ := filepath.Glob("/usr/lib/*/faketime/libfaketimeMT.so.1") // the pattern is a constant
	if len(found) == 0 {
		return ""
	}
	return found[0]
}

func missingFaketime() string {
	if libfaketime() == "" {
		return "libfaketime is not there: apt-get install libfaketime"
	}
	return ""
}
