package rollcall

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Platform is the kind of device that an account was seen on, where its source
// tells: it is the census's alone.
type Platform uint8

// The platforms.
const (
	NoPlatform Platform = iota // its source doesn't tell
	Computer
	Phone
	Tablet
	Web
	OtherPlatform
)

// AnyPlatform is what all platforms together are called, where each has a name.
const AnyPlatform = "any"

// None is how a platform or a segment that isn't told is written and asked for.
const None = "none"

var platformNames = [...]string{NoPlatform: None, Computer: "computer", Phone: "phone", Tablet: "tablet", Web: "web", OtherPlatform: "other"}

// ParsePlatform reads a platform's name; "" is none.
func ParsePlatform(s string) (Platform, error) {
	if s == "" {
		return NoPlatform, nil
	}
	for p, name := range platformNames {
		if name == s {
			return Platform(p), nil
		}
	}
	return 0, &Invalid{Field: "platform", Value: s, Reason: "is not computer, phone, tablet, web, other or none", Code: "platform"}
}

// Known reports whether the platform is one of those above.
func (p Platform) Known() bool { return int(p) < len(platformNames) }

// String gives the platform's name.
func (p Platform) String() string {
	if !p.Known() {
		return "platform(" + strconv.Itoa(int(p)) + ")"
	}
	return platformNames[p]
}

// Stored gives the name that stands in files, events and stores: none is empty.
func (p Platform) Stored() string {
	if p == NoPlatform {
		return ""
	}
	return p.String()
}

// Precision is what an event's source knows of its time.
type Precision uint8

// The precisions.
const (
	ToMinute Precision = iota
	ToDay              // the local day and no minute: the event credits none
)

// ParsePrecision reads "day"; "" and "minute" are the usual.
func ParsePrecision(s string) (Precision, error) {
	switch s {
	case "", "minute":
		return ToMinute, nil
	case "day":
		return ToDay, nil
	}
	return 0, &Invalid{Field: "precision", Value: s, Reason: "is not day or minute", Code: "precision"}
}

// String gives "day", or "" for the usual.
func (p Precision) String() string {
	if p == ToDay {
		return "day"
	}
	return ""
}

// SegmentID names what an operator counts by: an instance, an organisation, a
// plan. It is an id as every other; empty where there is none.
type SegmentID string

// ParseSegment reads an id; "" and "none" are no segment.
func ParseSegment(s string) (SegmentID, error) {
	if s == "" || s == None {
		return "", nil
	}
	return SegmentID(s), CheckID("segment", s)
}

// String gives the id, or "none".
func (s SegmentID) String() string { return cmp.Or(string(s), None) }

// Segment is a line of the catalogue of segments, or a segment that facts have
// and nobody has named.
type Segment struct {
	ID   SegmentID `json:"segment"`
	Name string    `json:"name"`           // "": it was seen, and is not in the catalogue
	Into SegmentID `json:"into,omitempty"` // that it is merged into, and counted with; "": into none
}

// mostSegmentName is how long a segment's name may be, in bytes.
const mostSegmentName = 200

// Validate says what is wrong with a line that somebody adds, if anything.
func (s Segment) Validate() error {
	const field = "segment"
	if s.ID == None {
		return &Invalid{Field: field, Value: None, Reason: "has a meaning of its own, and is no segment's id", Code: field}
	}
	if err := CheckID(field, string(s.ID)); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(s.Name) == "":
		return &Invalid{Field: "name", Reason: fmt.Sprintf("segment %q has no name", s.ID), Code: "name"}
	case len(s.Name) > mostSegmentName:
		return &Invalid{Field: "name", Reason: fmt.Sprintf("is longer than %d bytes", mostSegmentName), Code: "name"}
	case s.Into == "":
		return CheckLine("name", s.Name)
	case s.Into == None:
		return &Invalid{Field: "into", Value: None, Reason: "is what has no segment, and nothing is merged into it", Code: "into"}
	case s.Into == s.ID:
		return &Invalid{Field: "into", Value: string(s.Into), Reason: "is the segment itself", Code: "into"}
	}
	return errors.Join(CheckLine("name", s.Name), CheckID("into", string(s.Into)))
}

// Merged is which segments are counted with which: of each that is merged its
// target.
type Merged map[SegmentID]SegmentID

// MergedOf reads a catalogue. One that two adders wrote at once may merge a
// segment into one that is merged itself, which counts with that one's target,
// or segments into each other, which all count as the least of them.
func MergedOf(all []Segment) Merged {
	into := make(Merged)
	for _, s := range all {
		if s.Into != "" && s.Into != s.ID {
			into[s.ID] = s.Into
		}
	}
	m := make(Merged, len(into))
	for id := range into {
		if target := into.end(id); target != id {
			m[id] = target
		}
	}
	return m
}

// end follows a chain to its end, or of a ring gives the least.
func (m Merged) end(id SegmentID) SegmentID {
	passed := make(map[SegmentID]bool)
	for !passed[id] {
		next, merged := m[id]
		if !merged {
			return id
		}
		passed[id], id = true, next
	}
	least := id
	for at := m[id]; at != id; at = m[at] {
		least = min(least, at)
	}
	return least
}

// Target gives the segment that an id means: its target where it is merged.
func (m Merged) Target(id SegmentID) SegmentID {
	if target, merged := m[id]; merged {
		return target
	}
	return id
}

// With gives the segments that are counted as some targets, these among them, in
// order.
func (m Merged) With(targets []SegmentID) []SegmentID {
	all, wanted := slices.Clone(targets), make(map[SegmentID]bool, len(targets))
	for _, id := range targets {
		wanted[id] = true
	}
	for id, target := range m {
		if wanted[target] {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
