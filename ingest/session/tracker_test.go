package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/ingest"
)

// steps reads steps as "10:00 accepted c1 ann" and "10:05 resumed c2 ann s1".
func steps(t *testing.T, text string) (all []Step) {
	t.Helper()
	for line := range strings.Lines(strings.TrimSpace(text)) {
		f := append(strings.Fields(line), "", "", "")
		at, err := time.Parse(time.DateOnly+" 15:04", "2026-11-29 "+f[0])
		if err != nil {
			t.Fatal(err)
		}
		what, err := ParseWhat(f[1])
		if err != nil {
			t.Fatal(err)
		}
		s := Step{What: what, Connection: strings.Trim(f[2], "-"), Session: f[4], Sighting: ingest.Sighting{Time: at, Account: strings.Trim(f[3], "-")}}
		all = append(all, s)
	}
	return all
}

// trackerCases are steps, and what they are.
var trackerCases = []struct {
	name   string
	silent bool
	steps  string
	want   string
	counts Counts
}{
	{"a stay", false, `
10:00 connected c1
10:01 accepted c1 ann
10:02 opened c1
10:30 closed c1`, `
10:01 login ann
10:02-10:30 presence ann
10:30 logout ann`, Counts{}},
	{"refusals of one connection are one", false, `
10:00 connected c1
10:01 refused c1 ann
10:02 refused c1 ann
10:03 closed c1`, `
10:01 login_failed ann`, Counts{Again: 1}},
	{"a mistyped password is none", false, `
10:01 refused c1 ann
10:02 accepted c1 ann
10:02 opened c1 ann
10:03 closed c1`, `
10:02 login ann
10:02-10:03 presence ann
10:03 logout ann`, Counts{Mistyped: 1}},
	{"refused, then let in on another connection, is both", false, `
10:01 refused c1 ann
10:01 closed c1
10:02 accepted c2 ann
10:02 opened c2 ann
10:03 closed c2`, `
10:01 login_failed ann
10:02 login ann
10:02-10:03 presence ann
10:03 logout ann`, Counts{}},
	{"a resumption goes on with the stay, and is no login", false, `
10:00 accepted c1 ann
10:00 opened c1 ann s1
10:10 lost c1 ann s1
10:14 connected c2
10:14 accepted c2 ann
10:14 resumed c2 ann s1
10:40 closed c2 ann s1`, `
10:00 login ann
10:00-10:40 presence ann
10:40 logout ann`, Counts{Resumed: 1}},
	{"a lost session that times out ends at the loss", false, `
10:00 accepted c1 ann
10:00 opened c1 ann s1
10:10 lost c1 ann s1
10:15 closed - ann s1`, `
10:00 login ann
10:00-10:10 presence ann
10:10 logout ann`, Counts{}},
	{"a server of several stops, and another starts after it was killed", false, `
10:00 accepted 1/7 ann
10:00 opened 1/7 ann
10:00 accepted 2/7 bob
10:00 opened 2/7 bob
10:00 accepted 3/1 cid
10:05 opened 3/1 cid
10:10 stopped 2/
10:20 started 3/
10:30 closed 1/7`, `
10:00 login ann
10:00 login bob
10:00 login cid
10:00-10:10 presence bob
10:00-10:30 presence ann
10:05-10:10 presence cid
10:10 logout bob
10:10 logout cid
10:30 logout ann`, Counts{}},
	{"a session resumed after hours was nobody's between", false, `
10:00 accepted c1 ann
10:00 opened c1 ann s1
10:10 lost c1 ann s1
12:00 accepted c2 ann
12:00 resumed c2 ann s1
12:30 closed c2 ann s1`, `
10:00 login ann
10:00-10:10 presence ann
10:10 logout ann
12:00-12:30 presence ann
12:30 logout ann`, Counts{Resumed: 1}},
	{"and so was one resumed after eleven minutes, whenever that is looked at", false, `
10:00 accepted c1 ann
10:00 opened c1 ann s1
10:10 lost c1 ann s1
10:20 connected c9
10:21 accepted c2 ann
10:21 resumed c2 ann s1
10:30 closed c2 ann s1`, `
10:00 login ann
10:00-10:10 presence ann
10:10 logout ann
10:21-10:30 presence ann
10:30 logout ann`, Counts{Resumed: 1}},
	{"a resumption that isn't told: the lost name comes back", true, `
10:00 accepted c1 ann
10:00 opened c1 ann
10:10 lost c1
10:14 accepted c2 ann
10:14 opened c2 ann
10:40 lost c1
11:00 accepted c3 bob`, `
10:00 login ann
10:00-10:40 presence ann
10:40 logout ann
11:00 login bob`, Counts{Resumed: 1}},
	{"a second login after a loss ends under its own name", true, `
10:00 accepted c1 ann
10:00 opened c1 ann
10:10 lost c1
10:14 accepted c2 ann
10:14 opened c2 ann
10:40 lost c2`, `
10:00 login ann
10:00-10:10 presence ann
10:10 logout ann
10:14 login ann
10:14-10:40 presence ann
10:40 logout ann`, Counts{}},
	{"still open, nobody knows", true, `
10:00 accepted c1 ann
10:00 opened c1 ann
10:10 lost c1
10:14 accepted c2 ann
10:14 opened c2 ann`, `
10:00 login ann
10:00-10:10 presence ann
10:10 logout ann
10:14 presence ann`, Counts{Open: 1, Doubtful: 1}},
	{"a name that another replaces", false, `
10:00 accepted c1 ann
10:00 opened c1 ann s1
10:20 accepted c2 ann
10:20 opened c2 ann s1
10:20 closed c1 ann s1
10:50 closed c2 ann s1`, `
10:00 login ann
10:20 login ann
10:00-10:50 presence ann
10:50 logout ann`, Counts{}},
	{"connections that sign on one by one are one login", false, `
10:00 signed_on c1 ann ann
10:01 signed_on c2 ann ann
10:20 closed c2 ann ann
10:50 closed c1 ann ann
10:55 signed_on c3 ann ann
11:00 closed c3 ann ann`, `
10:00 login ann
10:00-10:50 presence ann
10:50 logout ann
10:55 login ann
10:55-11:00 presence ann
11:00 logout ann`, Counts{}},
	{"a server that stops, and one that fell", false, `
10:00 accepted c1 ann
10:00 opened c1 ann
10:20 stopped
10:30 accepted c1 ann
10:30 opened c1 ann
10:40 accepted c2 bob
11:30 started`, `
10:00 login ann
10:00-10:20 presence ann
10:20 logout ann
10:30 login ann
10:30-10:40 presence ann
10:40 logout ann
10:40 login bob`, Counts{}},
	{"an end whose beginning is not there", false, `
10:00 closed c1 ann
10:01 closed c2`, `
10:00 presence ann
10:00 logout ann`, Counts{Unknown: 1}},
	{"a name that comes again without an end", false, `
10:00 accepted c1 ann
10:00 opened c1 ann
10:05 alive c1
11:00 connected c1
11:00 accepted c1 bob`, `
10:00 login ann
10:00-10:05 presence ann
10:05 logout ann
11:00 login bob`, Counts{}},
}

// newTracker makes a tracker that says its sightings into lines.
func newTracker(into *[]string) *Tracker {
	return NewTracker("test", func(s Seen) error {
		at := s.Time.Format("15:04")
		if !s.Until.IsZero() {
			at += s.Until.Format("-15:04")
		}
		*into = append(*into, fmt.Sprint(at, " ", s.Kind, " ", s.Account))
		return nil
	})
}

// take has a tracker take steps.
func take(t *testing.T, tracker *Tracker, text string) {
	t.Helper()
	for _, s := range steps(t, text) {
		if err := tracker.Take(s); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTracker(t *testing.T) {
	for _, tc := range trackerCases {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			tracker := newTracker(&got)
			tracker.Silent = tc.silent
			take(t, tracker, tc.steps)
			if err := tracker.End(); err != nil {
				t.Fatal(err)
			}
			if want := strings.TrimSpace(tc.want); strings.Join(sorted(got), "\n") != strings.Join(sorted(strings.Split(want, "\n")), "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(sorted(got), "\n"), want)
			}
			if tracker.Counts != tc.counts {
				t.Errorf("counts %+v, want %+v", tracker.Counts, tc.counts)
			}
			if len(tracker.conns)+len(tracker.stays)+len(tracker.lately) > 0 {
				t.Error("something is remembered after the end")
			}
		})
	}
}

// TestMost: connections and sessions beyond the bound are not followed, and are
// counted; those that are never heard of again make space.
func TestMost(t *testing.T) {
	var got []string
	tracker := newTracker(&got)
	tracker.most = 2
	take(t, tracker, `
10:00 accepted c1 ann
10:00 opened c1 ann
10:01 connected c2
10:02 accepted c3 bob
10:02 opened c3 bob
10:03 refused c4 eve
10:04 closed c3
10:13 accepted c5 eve
10:13 opened c5 eve
10:14 opened c1 ann s2`)
	if tracker.Forgot != 4 || len(tracker.conns) != 2 || len(tracker.stays) != 2 || !slices.Contains(got, "10:13 login eve") || slices.Contains(got, "10:02 login bob") {
		t.Errorf("forgot %d, %d connections, %d sessions\n%s", tracker.Forgot, len(tracker.conns), len(tracker.stays), strings.Join(got, "\n"))
	}
}

// TestNameless: however often a session without named connections is opened, it
// has one.
func TestNameless(t *testing.T) {
	var got []string
	tracker := newTracker(&got)
	take(t, tracker, `
10:00 accepted - ann
10:00 opened - ann s1
10:01 opened - ann s1
10:02 opened - ann s1`)
	if n := len(tracker.stays["s1"].conns); n != 1 {
		t.Errorf("%d connections", n)
	}
	take(t, tracker, "10:30 closed - ann s1")
	if !slices.Contains(got, "10:00-10:30 presence ann") {
		t.Error(got)
	}
}

func sorted(lines []string) []string {
	lines = slices.Clone(lines)
	slices.Sort(lines)
	return lines
}
