package ingest

import (
	"time"

	"rollcall"
)

// ToCome says which accepted events are of days after today, as their markets' calendars
// have it. A backfill takes them; most often a clock or a year was wrong.
type ToCome struct {
	Events int          `json:"events"`
	First  rollcall.Day `json:"first"`
	Last   rollcall.Day `json:"last"`
}

// with gives what both say.
func (t ToCome) with(o ToCome) ToCome {
	switch {
	case o.Events == 0:
		return t
	case t.Events == 0:
		return o
	}
	return ToCome{Events: t.Events + o.Events, First: min(t.First, o.First), Last: max(t.Last, o.Last)}
}

// toCome finds the events of a batch that are of days to come.
func (c *Converter) toCome(rows *rollcall.Batch) (all ToCome) {
	now := c.Now()
	instant := now.UnixNano()
	for i, at := range rows.Time {
		if at <= instant {
			continue
		}
		calendar, err := c.Catalogue().Calendar(rows.Groups[rows.Code[i]].Market)
		if err != nil {
			continue // it was there a moment ago
		}
		if day := calendar.Day(time.Unix(0, at)); day > calendar.Day(now) {
			all = all.with(ToCome{Events: 1, First: day, Last: day})
		}
	}
	return all
}
