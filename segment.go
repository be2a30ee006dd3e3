package rollcall

import "cmp"

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
