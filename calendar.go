package rollcall

import (
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
	if err != nil {
		return 0, &Invalid{Field: "day", Value: s, Reason: "is not a date YYYY-MM-DD", Code: "day"}
	}
	return DayOf(t.Date()), nil
}

// Date gives the day's civil date.
func (d Day) Date() (year int, month time.Month, day int) { return d.utc().Date() }

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

const (
	secondsPerDay  = 24 * 60 * 60
	minutesPerDay  = 24 * 60
	minutesPerHour = 60
)
