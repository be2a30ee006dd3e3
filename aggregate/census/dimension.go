package census

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"rollcall"
)

// group is what a row is of: a service, and of the dimensions those that were
// asked for.
type group struct {
	service  rollcall.ServiceID
	platform rollcall.Platform
	segment  rollcall.SegmentID
	location rollcall.Location
	kind     rollcall.Kind
	period   rollcall.Day // the first day of a unit of the calendar
}

// groupOf gives the group of a cell.
func groupOf(c *rollcall.Cell, by []rollcall.CensusBy) group {
	g := group{service: c.Service}
	for _, b := range by {
		switch b {
		case rollcall.ByPlatform:
			g.platform = c.Platform
		case rollcall.BySegment:
			g.segment = c.Segment
		case rollcall.ByLocation:
			g.location = c.Location
		case rollcall.ByKind:
			g.kind = c.Kind
		default:
			g.period = b.Begin(c.Day)
		}
	}
	return g
}

// compare orders rows: services as asked for, or by id; then by the dimensions,
// in the order asked for.
func compare(q *rollcall.CensusQuery) func(a, b group) int {
	place := make(map[rollcall.ServiceID]int, len(q.Services))
	for i, id := range q.Services {
		place[id] = i
	}
	return func(a, b group) int {
		c := cmp.Or(cmp.Compare(place[a.service], place[b.service]), cmp.Compare(a.service, b.service))
		for _, by := range q.By {
			switch by {
			case rollcall.ByPlatform:
				c = cmp.Or(c, cmp.Compare(a.platform, b.platform))
			case rollcall.BySegment:
				c = cmp.Or(c, cmp.Compare(a.segment, b.segment))
			case rollcall.ByLocation:
				c = cmp.Or(c, cmp.Compare(a.location, b.location))
			case rollcall.ByKind:
				c = cmp.Or(c, cmp.Compare(a.kind, b.kind))
			default:
				c = cmp.Or(c, cmp.Compare(a.period, b.period))
			}
		}
		return c
	}
}

// text gives a group's value of a dimension.
func (g *group) text(by rollcall.CensusBy) string {
	switch by {
	case rollcall.ByPlatform:
		return g.platform.String()
	case rollcall.BySegment:
		return g.segment.String()
	case rollcall.ByLocation:
		return g.location.String()
	case rollcall.ByKind:
		return g.kind.String()
	}
	return periodText(by, g.period)
}

// next gives the first day of the unit after the one that begins on a day.
func next(unit rollcall.CensusBy, first rollcall.Day) rollcall.Day {
	year, month, _ := first.Date()
	switch unit {
	case rollcall.ByWeek:
		return first + 7
	case rollcall.ByMonth:
		return rollcall.DayOf(year, month+1, 1)
	case rollcall.ByQuarter:
		return rollcall.DayOf(year, month+3, 1)
	case rollcall.ByYear:
		return rollcall.DayOf(year+1, time.January, 1)
	}
	return first + 1
}

// periodText writes a unit of the calendar: 2002-10-03, 2002-W40, 2002-10,
// 2002-Q4, 2002.
func periodText(unit rollcall.CensusBy, first rollcall.Day) string {
	year, month, _ := first.Date()
	switch unit {
	case rollcall.ByWeek:
		thursday, _, _ := (first + 3).Date()
		return fmt.Sprintf("%04d-W%02d", thursday, (first+3-rollcall.DayOf(thursday, time.January, 1))/7+1)
	case rollcall.ByMonth:
		return first.Month().String()
	case rollcall.ByQuarter:
		return fmt.Sprintf("%04d-Q%d", year, (month-1)/3+1)
	case rollcall.ByYear:
		return fmt.Sprintf("%04d", year)
	}
	return first.String()
}

// unitOf gives the unit of the calendar that was asked for, if one was.
func unitOf(by []rollcall.CensusBy) (rollcall.CensusBy, bool) {
	i := slices.IndexFunc(by, rollcall.CensusBy.Calendar)
	if i < 0 {
		return "", false
	}
	return by[i], true
}
