package rollcall

import (
	"cmp"
	"strconv"
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
