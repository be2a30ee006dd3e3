package profile

import (
	"strings"
	"time"
)

// clock reads the times of a log, whose lines stand in their order. Where a line
// names no year or no offset, the lines before it tell.
type clock struct {
	latest time.Time // what no line is later than, by a day: the file's last change, or now
	last   time.Time // of the line before
	year   int       // of the last line that has none
	back   int       // steps back that no change of clocks explains
}

const (
	jitter     = time.Minute   // lines of several threads may stand in another order
	clockStep  = 2 * time.Hour // a longer step back is no change of clocks
	halfAYear  = 183 * 24 * time.Hour
	dayOfGrace = 24 * time.Hour
)

// of gives the instant of a time without an offset, in a zone. A step back under
// two hours, in an hour that the zone has twice, is the change of clocks.
func (c *clock) of(wall time.Time, zone *time.Location, yearless bool) time.Time {
	if yearless {
		wall = c.dated(wall, zone)
	}
	first, second := candidates(wall, zone)
	if by := c.last.Sub(first); by > jitter && by <= clockStep {
		return second
	}
	return first
}

// candidates gives both instants that a wall's time may be; they are one but in
// the hour that a change of clocks repeats.
func candidates(wall time.Time, zone *time.Location) (first, second time.Time) {
	at := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), zone)
	first, second = at, at
	for _, near := range []time.Time{at.Add(-clockStep - time.Hour), at.Add(clockStep + time.Hour)} {
		_, offset := near.Zone()
		other := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		if _, has := other.Zone(); has != offset {
			continue // the wall never showed it with that offset
		}
		if other.Before(first) {
			first = other
		}
		if other.After(second) {
			second = other
		}
	}
	return first, second
}

// dated gives a time without a year the file's: the first line's is the latest
// that its file can have, and half a year back is the next year.
func (c *clock) dated(wall time.Time, zone *time.Location) time.Time {
	in := func(year int) time.Time {
		return time.Date(year, wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), time.UTC)
	}
	if c.year == 0 {
		c.year = c.latest.In(zone).Year()
		if in(c.year).Sub(c.latest) > dayOfGrace {
			c.year--
		}
	}
	year := c.year
	switch by := in(year).Sub(c.last); {
	case c.last.IsZero():
	case by < -halfAYear:
		c.year++
		year = c.year
	case by > halfAYear: // a line of the old year, late
		year--
	}
	return in(year)
}

// pass goes on to the next line.
func (c *clock) pass(at time.Time) {
	if by := c.last.Sub(at); by > jitter && by <= clockStep {
		c.back++
	}
	c.last = at
}

// offset reports whether a layout tells the offset, and year whether it tells the year.
func told(layout string) (offset, year bool) {
	return strings.Contains(layout, "Z07") || strings.Contains(layout, "-07") || strings.Contains(layout, "MST"),
		strings.Contains(layout, "06")
}
