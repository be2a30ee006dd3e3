package census

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rollcall"
)

// segments is what a census counts by, once the catalogue of segments and what
// the one who asks may see are looked at.
type segments struct {
	merged   rollcall.Merged
	readable []rollcall.SegmentID // targets, in order; empty: all
	notes    []string
}

// findSegments makes of the segments that were asked for those that the store is
// asked for: each by its target, and with all that is merged into it. Whoever may
// see some only, and asks for none by name, is given those. One that is not known,
// or may not be seen, is refused in the same words.
func findSegments(ctx context.Context, store rollcall.SegmentCatalogue, q *rollcall.CensusQuery) (*segments, error) {
	catalogue, err := store.Segments(ctx, "")
	if err != nil {
		return nil, err
	}
	s := &segments{merged: rollcall.MergedOf(catalogue)}
	s.readable = s.targets(q.Readable)
	if err := s.check(ctx, store, q, catalogue); err != nil {
		return nil, err
	}
	wanted := s.targets(q.Segments)
	switch {
	case len(wanted) > 0:
		s.note("The figures are of these segments only: %s.", wanted)
	case len(s.readable) > 0:
		wanted = s.readable
		s.note("This key reads some segments only, and the figures are of those: %s.", wanted)
	}
	q.Segments = s.merged.With(wanted)
	return s, nil
}

// targets gives what the ids mean, in order and each once.
func (s *segments) targets(ids []rollcall.SegmentID) []rollcall.SegmentID {
	var all []rollcall.SegmentID
	for _, id := range ids {
		all = append(all, s.merged.Target(id))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// sees reports whether a segment may be seen.
func (s *segments) sees(id rollcall.SegmentID) bool {
	_, may := slices.BinarySearch(s.readable, s.merged.Target(id))
	return may || len(s.readable) == 0
}

// check refuses a segment that may not be seen, or is neither in the catalogue nor
// in the market's facts. What has no segment is always known.
func (s *segments) check(ctx context.Context, store rollcall.SegmentCatalogue, q *rollcall.CensusQuery, catalogue []rollcall.Segment) error {
	known := idsOf(catalogue)
	for _, id := range q.Segments {
		_, is := slices.BinarySearch(known, id)
		if (id == "" || is) && s.sees(id) {
			if target := s.merged.Target(id); target != id {
				s.notes = append(s.notes, fmt.Sprintf("Segment %s is merged into %s, and means it.", id, target))
			}
			continue
		}
		all, err := store.Segments(ctx, q.Market)
		if err != nil {
			return err
		}
		known = idsOf(all)
		if _, is := slices.BinarySearch(known, id); !is || !s.sees(id) {
			return &rollcall.Unknown{
				Kind: "segment", Name: id.String(), Where: "in " + string(q.Market),
				Near:   rollcall.Alike(string(id), slices.DeleteFunc(known, func(id rollcall.SegmentID) bool { return !s.sees(id) })),
				Advice: "`rollcall segment list` lists those that are",
			}
		}
	}
	return nil
}

func idsOf(all []rollcall.Segment) []rollcall.SegmentID {
	ids := make([]rollcall.SegmentID, len(all))
	for i, v := range all {
		ids[i] = v.ID
	}
	return ids
}

// mostNoted is how many segments a note names.
const mostNoted = 20

// note says which segments the figures are of; of many the first, and how many.
func (s *segments) note(words string, ids []rollcall.SegmentID) {
	var names []string
	for _, id := range ids[:min(mostNoted, len(ids))] {
		names = append(names, id.String())
	}
	if len(ids) > mostNoted {
		names = append(names, fmt.Sprintf("... (%d)", len(ids)))
	}
	s.notes = append(s.notes, fmt.Sprintf(words, strings.Join(names, ", ")))
}

// Months gives the months that a market has a census of; of whoever may see some
// segments only, those in which these were seen.
func Months(ctx context.Context, store rollcall.Store, market rollcall.MarketID, readable []rollcall.SegmentID) ([]rollcall.Month, error) {
	months, err := store.CensusMonths(ctx, market)
	if err != nil || len(readable) == 0 {
		return months, err
	}
	catalogue, err := store.Segments(ctx, "")
	if err != nil {
		return nil, err
	}
	s := segments{merged: rollcall.MergedOf(catalogue)}
	ids := s.merged.With(s.targets(readable))
	var seen []rollcall.Month
	for _, month := range months {
		for _, err := range store.Cells(ctx, rollcall.CellQuery{Market: market, From: month.First(), To: month.Last(), Segments: ids}) {
			if err != nil {
				return nil, fmt.Errorf("months of segments: %w", err)
			}
			seen = append(seen, month)
			break
		}
	}
	return seen, nil
}
