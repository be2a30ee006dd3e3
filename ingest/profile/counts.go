package profile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxRejected is how many refused rows are told with their reasons.
const maxRejected = 20

// Counts is what became of a file's rows.
type Counts struct {
	Rows, Sightings int
	Other           int                // rows of no table of the profile
	Doubled         int                // rows that an earlier one said
	Told            int                // days of a fallback that another table has
	Joined          int                // rows that went on with an earlier one's stay
	Steps           int                // what lines told of connections
	Back            int                // steps of a log's clock back, under two hours, that no change of clocks explains
	Cut             int                // pieces more, of intervals over 24 hours
	Unnamed         int                // sightings without an account
	Rejected        int                // rows that can't be read
	Dropped         map[string]int     // rows by rule
	Kept            map[string]int     // rows by optional rule that would drop them, and wasn't asked for
	Set             map[string]int     // rows by rule
	Lost            map[string]int     // rows whose key a joined file doesn't have
	Forgot          bool               // there was more to remember than is
	Faults          []Fault            // the first
	absent          []*absent          // of the tables that the rows may be of
	header          []string           // that was examined last
	here            map[*Table]*absent // of it
	headers         map[heading]*absent
	objects         bool // tables of objects are looked at
	patterns        bool // and those of patterns
}

// Fault is why a row was refused.
type Fault struct {
	Line   int
	Reason string
}

// AllOther is how many rows there were, if none was of a table of the profile;
// else 0.
func (c *Counts) AllOther() int {
	if c.Other < c.Rows {
		return 0
	}
	return c.Rows
}

// Untaken reports whether rows were refused, or have no account, and none gives an event.
func (c *Counts) Untaken() bool {
	return c.Rejected+c.Unnamed > 0 && c.Sightings == c.Unnamed && c.Steps == 0
}

func newCounts() *Counts {
	return &Counts{Dropped: map[string]int{}, Kept: map[string]int{}, Set: map[string]int{}, Lost: map[string]int{}, here: map[*Table]*absent{}, headers: map[heading]*absent{}}
}

func (c *Counts) reject(line int, reason string) {
	c.Rejected++
	if len(c.Faults) < maxRejected {
		c.Faults = append(c.Faults, Fault{line, reason})
	}
}

// String says the counts in one line: rows, sightings, then what is not 0.
func (c *Counts) String() string {
	said := []string{fmt.Sprintf("rows %d, sightings %d", c.Rows, c.Sightings)}
	by := func(words string, counts map[string]int) {
		for _, name := range slices.Sorted(maps.Keys(counts)) {
			if n := counts[name]; n > 0 {
				said = append(said, fmt.Sprintf("%s %s %d", words, name, n))
			}
		}
	}
	by("dropped", c.Dropped)
	by("kept", c.Kept)
	by("set", c.Set)
	by("not in", c.Lost)
	for _, n := range []struct {
		words string
		n     int
	}{
		{"doubled", c.Doubled}, {"told by other rows", c.Told}, {"stays continued", c.Joined}, {"cut at 24 hours", c.Cut}, {"steps", c.Steps}, {"clock set back", c.Back},
		{"of other kinds", c.Other}, {"unnamed", c.Unnamed}, {"rejected", c.Rejected},
	} {
		if n.n > 0 {
			said = append(said, fmt.Sprintf("%s %d", n.words, n.n))
		}
	}
	return strings.Join(said, ", ")
}
