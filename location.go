package rollcall

import (
	"strings"
)

// Location is where a person was: one place, or for a query a set of places
// (a bit each). Place is a property of the meter's or the service's
// installation, never guessed from traffic.
type Location uint8

// The places.
const (
	Home Location = 1 << iota
	Work
	Elsewhere
)

var locationNames = [...]struct {
	place Location
	name  string
}{{Home, "home"}, {Work, "work"}, {Elsewhere, "elsewhere"}}

// ParseLocation reads one place: home, work or elsewhere.
func ParseLocation(s string) (Location, error) {
	for _, l := range locationNames {
		if l.name == s {
			return l.place, nil
		}
	}
	return 0, &Invalid{Field: "location", Value: s, Reason: "is not home, work or elsewhere", Code: "location"}
}

// noPlace says of a list that a place is missing in it.
const noPlace = "has no place before, after or between its +; give it, or leave out the +"

// ParseLocations reads a set of places joined by "+", such as "home+work". A
// space stands for the "+" that a form-encoded URL turns into one.
func ParseLocations(s string) (Location, error) {
	var set Location
	for name := range strings.SplitSeq(strings.ReplaceAll(strings.ReplaceAll(s, " + ", "+"), " ", "+"), "+") {
		if s == "" {
			return 0, &Invalid{Field: "location", Reason: "names no place", Code: "location"}
		}
		if name == "" {
			return 0, &Invalid{Field: "location", Value: s, Reason: noPlace, Code: "location"}
		}
		l, err := ParseLocation(name)
		if err != nil {
			return 0, err
		}
		set |= l
	}
	return set, nil
}

// Has reports whether every place of l is in the set.
func (set Location) Has(l Location) bool { return set&l == l }

// One reports whether the set is exactly one known place.
func (set Location) One() bool { return set == Home || set == Work || set == Elsewhere }

// String gives the places joined by "+".
func (set Location) String() string {
	var names []string
	for _, l := range locationNames {
		if set&l.place != 0 {
			names = append(names, l.name)
		}
	}
	return strings.Join(names, "+")
}
