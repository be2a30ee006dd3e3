package rollcall

import (
	"errors"
	"fmt"
	"time"
)

// Day is a date of a market's local calendar, as days since 1970-01-01.
type Day int32

// Month is a month of a market's local calendar, as months since year 0.
type Month int32

// DayOf gives the day of a civil date; out-of-range months and days carry over.
func DayOf(year int, month time.Month, day int) Day {
	return Day(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay)
}

// ParseDay reads a date as YYYY-MM-DD.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	switch {
	case IsNoSuchDate(err):
		return 0, &Invalid{Field: "day", Value: s, Reason: NoSuchDate, Code: "day"}
	case err != nil:
		return 0, &Invalid{Field: "day", Value: s, Reason: "is not a date YYYY-MM-DD", Code: "day"}
	}
	return DayOf(t.Date()), nil
}

// NoSuchDate is the reason of a date whose month does not have the day, such as
// 2002-02-30.
const NoSuchDate = "is a date that does not exist"

// IsNoSuchDate reports whether that is all for which time.Parse refused a text.
func IsNoSuchDate(err error) bool {
	var wrong *time.ParseError
	return errors.As(err, &wrong) && wrong.Message == ": day out of range"
}

// Date gives the day's civil date.
func (d Day) Date() (year int, month time.Month, day int) { return d.utc().Date() }

// CheckDays refuses a range of days, both included, that ends before it begins.
func CheckDays(from, to Day) error {
	if to < from {
		return Swapped(from.String(), to.String())
	}
	return nil
}

// Swapped is the Invalid of a range whose first day, or month, as it was given is after
// its last.
func Swapped(from, to string) *Invalid {
	return &Invalid{Field: "from", Value: from, Reason: "is after to, " + to, Code: "to_before_from"}
}

// Month gives the month that the day is in.
func (d Day) Month() Month {
	year, month, _ := d.Date()
	return MonthOf(year, month)
}

// String gives YYYY-MM-DD.
func (d Day) String() string { return d.utc().Format(time.DateOnly) }

// MarshalText writes YYYY-MM-DD.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads YYYY-MM-DD.
func (d *Day) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDay(string(b))
	return err
}

func (d Day) utc() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// MonthOf gives the month of a year.
func MonthOf(year int, month time.Month) Month { return Month(year*12 + int(month) - 1) }

// ParseMonth reads a month as YYYY-MM.
func ParseMonth(s string) (Month, error) {
	t, err := time.Parse("2006-01", s)
	if err != nil {
		return 0, &Invalid{Field: "month", Value: s, Reason: "is not a month YYYY-MM", Code: "month"}
	}
	return MonthOf(t.Year(), t.Month()), nil
}

// First gives the month's first day.
func (m Month) First() Day { return DayOf(int(m)/12, time.Month(m%12)+1, 1) }

// Last gives the month's last day.
func (m Month) Last() Day { return (m + 1).First() - 1 }

// Days gives the number of calendar days in the month, 28 to 31.
func (m Month) Days() int { return int((m + 1).First() - m.First()) }

// String gives YYYY-MM.
func (m Month) String() string { return fmt.Sprintf("%04d-%02d", int(m)/12, int(m)%12+1) }

// MarshalText writes YYYY-MM.
func (m Month) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads YYYY-MM.
func (m *Month) UnmarshalText(b []byte) (err error) {
	*m, err = ParseMonth(string(b))
	return err
}

// UnixMinute is a UTC minute: whole minutes since 1970-01-01T00:00Z.
type UnixMinute int64

// MinuteOf gives the UTC minute that holds t.
func MinuteOf(t time.Time) UnixMinute {
	return UnixMinute(floorDiv(t.Unix(), 60))
}

// Time gives the first instant of the minute.
func (m UnixMinute) Time() time.Time { return time.Unix(int64(m)*60, 0).UTC() }

// Span is a run of UTC minutes [From, To) that share one local day. The local
// minute of m is m - First: whole minutes elapsed since the day's first
// instant, so an ordinary day has 0..1439, a 23-hour day 0..1379 and a 25-hour
// day 0..1499.
type Span struct {
	From, To UnixMinute
	Day      Day
	First    UnixMinute // the day's first minute; before From where a clock change splits the day
}

// Has reports whether the minute is in the span.
func (s Span) Has(m UnixMinute) bool { return s.From <= m && m < s.To }

// Calendar turns UTC minutes into a market's local days. It is safe for
// concurrent use.
type Calendar struct {
	loc *time.Location
}

// Span finds the span of m. Callers keep it: minutes come in runs.
func (c *Calendar) Span(m UnixMinute) Span {
	s := c.within(m)
	s.First = s.From
	for at := s.From - 1; at > s.From-minutesPerDay; {
		before := c.within(at)
		if before.Day == s.Day {
			s.First = before.From
		}
		at = before.From - 1
	}
	return s
}

// within gives the part of m's local day that lies in one zone period (between
// two clock changes), where local time is UTC plus a constant.
func (c *Calendar) within(m UnixMinute) Span {
	of, offset := c.day(m)
	day := int64(of)
	from, to := day*secondsPerDay-int64(offset), (day+1)*secondsPerDay-int64(offset)
	start, end := m.Time().In(c.loc).ZoneBounds()
	if !start.IsZero() {
		from = max(from, start.Unix())
	}
	if !end.IsZero() {
		to = min(to, end.Unix())
	}
	return Span{From: ceilMinute(from), To: ceilMinute(to), Day: of}
}

// Start gives the first minute of a local day; of a day that does not exist,
// that of the next one.
func (c *Calendar) Start(d Day) UnixMinute {
	at := UnixMinute((int64(d) - 1) * minutesPerDay)
	for {
		s := c.Span(at)
		if s.Day >= d {
			return s.First
		}
		at = s.To
	}
}

// At gives the first minute of a local day at which a clock on the wall shows
// so many minutes past midnight, or more: where the clock skips that time, the
// minute that it jumps to, and where it shows it twice, the first. A day that
// ends before, or does not exist, has none: then it is the next one's first.
func (c *Calendar) At(d Day, clock int) UnixMinute {
	for at := c.Start(d); ; {
		s := c.within(at)
		if s.Day > d {
			return at
		}
		_, offset := at.Time().In(c.loc).Zone()
		shown := UnixMinute(floorDiv(int64(at)*60+int64(offset)-int64(d)*secondsPerDay, 60))
		if then := at + max(0, UnixMinute(clock)-shown); s.Has(then) {
			return then
		}
		at = s.To
	}
}

// Day gives the local day that holds t.
func (c *Calendar) Day(t time.Time) Day {
	day, _ := c.day(MinuteOf(t))
	return day
}

// day gives the local day of a minute, and its zone's offset in seconds.
func (c *Calendar) day(m UnixMinute) (Day, int) {
	_, offset := m.Time().In(c.loc).Zone()
	return Day(floorDiv(int64(m)*60+int64(offset), secondsPerDay)), offset
}

// Minutes gives the length of a local day in minutes: 1440, less or more where
// the clock changes, 0 for a day that does not exist.
func (c *Calendar) Minutes(d Day) int {
	total := 0
	for m := UnixMinute(int64(d)*minutesPerDay - 26*minutesPerHour); m < UnixMinute(int64(d)*minutesPerDay+50*minutesPerHour); {
		s := c.within(m)
		if s.Day == d {
			total += int(s.To - s.From)
		}
		m = s.To
	}
	return total
}

// String gives the zone's name.
func (c *Calendar) String() string { return c.loc.String() }

func ceilMinute(seconds int64) UnixMinute { return UnixMinute(floorDiv(seconds+59, 60)) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// String gives "2002-10-27 [from, to)".
func (s Span) String() string {
	return fmt.Sprintf("%s [%s, %s)", s.Day, s.From.Time().Format(time.RFC3339), s.To.Time().Format(time.RFC3339))
}

const (
	secondsPerDay  = 24 * 60 * 60
	minutesPerDay  = 24 * 60
	minutesPerHour = 60
)
