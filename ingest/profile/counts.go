package profile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollcall/ingest/profile/columns"
)

// maxRejected is how many refused rows are told with their reasons.
const maxRejected = 20

// Counts is what became of a file's rows.
type Counts struct {
	Rows, Sightings int
	Other           int            // rows of no table of the profile
	Doubled         int            // rows that an earlier one said
	Told            int            // days of a fallback that another table has
	Joined          int            // rows that went on with an earlier one's stay
	Steps           int            // what lines told of connections
	Back            int            // steps of a log's clock back, under two hours, that no change of clocks explains
	Cut             int            // pieces more, of intervals over 24 hours
	Unnamed         int            // sightings without an account
	Rejected        int            // rows that can't be read
	Dropped         map[string]int // rows by rule
	Kept            map[string]int // rows by optional rule that would drop them, and wasn't asked for
	Set             map[string]int // rows by rule
	Lost            map[string]int // rows whose key a joined file doesn't have
	Forgot          bool           // there was more to remember than is
	Faults          []Fault        // the first
	columns         *columns.File
}

// Fault is why a row was refused.
type Fault struct {
	Line    int
	Element bool // Line counts the elements of an array
	Reason  string
}

// At says where in a file the row stands.
func (f Fault) At() string {
	if f.Element {
		return fmt.Sprintf("element %d", f.Line)
	}
	return fmt.Sprintf("line %d", f.Line)
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

// Absent says what the tables take from columns that none of their rows has, a
// line each; nothing where Nobody says the worst of it.
func (c *Counts) Absent() []string {
	if c.Nobody() != "" {
		return nil
	}
	return c.columns.Warnings()
}

// Undropped says which column no row has by which a rule drops that was asked
// for, so that whom it is about was counted; "": there is none.
func (c *Counts) Undropped() string { return c.columns.Undropped() }

// Nobody says that no row of any table has the account's column, so that none of
// the sightings is anybody's; "": some are, or there is none.
func (c *Counts) Nobody() string {
	if c.Sightings == 0 || c.Unnamed < c.Sightings {
		return ""
	}
	return c.columns.Nobody()
}

func newCounts(tables []*columns.Table) *Counts {
	return &Counts{Dropped: map[string]int{}, Kept: map[string]int{}, Set: map[string]int{}, Lost: map[string]int{}, columns: columns.NewFile(tables)}
}

func (c *Counts) reject(fault Fault) {
	c.Rejected++
	if len(c.Faults) < maxRejected && !slices.Contains(c.Faults, fault) { // a snapshot may have what the one before had
		c.Faults = append(c.Faults, fault)
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
