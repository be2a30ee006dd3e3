package profile

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"rollcall"
)

// Instant is how a row writes a time.
type Instant struct {
	Value   Value
	Unit    string   // of a number: s, ms, us or ns
	Layouts []string // of a text, in Go's manner; empty: the usual ones
	Zone    string   // of a text without an offset
	Day     bool     // the label of a day, as it is written: no instant
	zone    *time.Location
}

// UnmarshalYAML reads an instant: its value beside unit, layouts, zone and day.
func (i *Instant) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return node.Decode(&i.Value)
	}
	value := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: node.Line, Column: node.Column}
	for at := 0; at+1 < len(node.Content); at += 2 {
		key, of := node.Content[at], node.Content[at+1]
		var err error
		switch key.Value {
		case "unit":
			err = of.Decode(&i.Unit)
		case "layouts":
			err = of.Decode(&i.Layouts)
		case "zone":
			err = of.Decode(&i.Zone)
		case "day":
			err = of.Decode(&i.Day)
		default:
			value.Content = append(value.Content, key, of)
		}
		if err != nil {
			return err
		}
	}
	return i.Value.UnmarshalYAML(value)
}

func (i *Instant) check() (err error) {
	if _, ok := units[i.Unit]; !ok && i.Unit != "" {
		return fmt.Errorf("unit: %q is not s, ms, us or ns", i.Unit)
	}
	if len(i.Layouts) > maxParts {
		return fmt.Errorf("more than %d layouts", maxParts)
	}
	if i.Zone == "" {
		return nil
	}
	i.zone, err = Zone(i.Zone)
	return err
}

// Zone reads an IANA zone's name.
func Zone(name string) (*time.Location, error) {
	calendar, err := rollcall.Market{ID: "ZONE", Zone: name}.Calendar()
	if err != nil {
		return nil, err
	}
	return time.LoadLocation(calendar.String())
}

var units = map[string]float64{"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1}

// usualLayouts are tried where a profile names none; fractions of a second are
// read with each.
var usualLayouts = []string{
	time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05-07", "2006-01-02 15:04:05-0700",
	"2006-01-02 15:04:05 Z07:00", "2006-01-02 15:04:05 -0700",
	"2006-01-02T15:04:05-07", "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly,
}

var errTime = errors.New("is not a time that the profile knows")

var errNoSuchDate = errors.New("is on a date that does not exist")

// read gives the instant that v is; zero: v is nothing. elsewhere is the zone of
// a text without an offset, where the profile names none; by is the clock of a log.
func (i *Instant) read(v any, elsewhere *time.Location, by *clock) (time.Time, error) {
	if i.zone != nil {
		elsewhere = i.zone
	}
	switch v := v.(type) {
	case nil:
		return time.Time{}, nil
	case time.Time:
		return v, nil
	case int64:
		return i.number(float64(v), v)
	case int:
		return i.number(float64(v), int64(v))
	case float64:
		return i.number(v, int64(v))
	case string:
		return i.text(strings.TrimSpace(v), elsewhere, by)
	}
	return time.Time{}, errTime
}

func (i *Instant) text(s string, elsewhere *time.Location, by *clock) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && i.Unit != "" {
		return i.number(float64(n), n)
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && i.Unit != "" {
		return i.number(f, int64(f))
	}
	at, err := i.written(s, elsewhere, by)
	if err != errTime { // nothing wraps it here
		return at, err
	}
	usual, leap := usualForm(s)
	if usual == s {
		return at, err
	}
	if at, failed := i.written(usual, elsewhere, by); failed == nil && (!leap || endsMonth(at)) {
		return at, nil
	}
	return at, err
}

// usualForm writes a time as the layouts have it: "t" and "z" in lower case, and "UTC" for
// an offset, as others write it; and a leap second, 23:59:60, as the second before.
func usualForm(s string) (usual string, leap bool) {
	const date = len(time.DateOnly)
	if before, ok := strings.CutSuffix(s, " UTC"); ok {
		s = before + "Z"
	}
	if len(s) > date && s[date] == 't' {
		s = s[:date] + "T" + s[date+1:]
	}
	if before, ok := strings.CutSuffix(s, "z"); ok {
		s = before + "Z"
	}
	usual = strings.Replace(s, "9:60", "9:59", 1)
	return usual, usual != s
}

// endsMonth reports whether a leap second may follow a second: there is one at the end of
// some months, in UTC.
func endsMonth(t time.Time) bool {
	t = t.UTC()
	hour, minute, second := t.Clock()
	return hour == 23 && minute == 59 && second == 59 && t.AddDate(0, 0, 1).Day() == 1
}

// written reads a text by the layouts.
func (i *Instant) written(s string, elsewhere *time.Location, by *clock) (time.Time, error) {
	layouts := i.Layouts
	if len(layouts) == 0 {
		layouts = usualLayouts
	}
	failed := errTime
	for _, layout := range layouts {
		offset, year := told(layout)
		if by == nil || (offset && year) {
			t, err := time.ParseInLocation(layout, s, elsewhere)
			if err == nil {
				return t, nil
			}
			failed = because(failed, err)
			continue
		}
		t, err := time.Parse(layout, s)
		if err == nil {
			return by.of(t, elsewhere, !year), nil
		}
		failed = because(failed, err)
	}
	return time.Time{}, failed
}

// because gives why a text is no time: that its date does not exist, if it is one by
// any of the layouts.
func because(failed, err error) error {
	if rollcall.IsNoSuchDate(err) {
		return errNoSuchDate
	}
	return failed
}

// number reads a count of units since 1970, exactly where it is whole.
func (i *Instant) number(f float64, whole int64) (time.Time, error) {
	per := int64(units[i.Unit])
	switch {
	case i.Unit == "" || math.IsNaN(f) || math.Abs(f) > 9.2e18/float64(per):
		return time.Time{}, errTime
	case f == float64(whole):
		return time.Unix(0, 0).UTC().Add(time.Duration(whole * per)), nil
	}
	return time.Unix(0, 0).UTC().Add(time.Duration(f * float64(per))), nil
}

// day gives the label that a time was written as: a text's in its own offset, a
// number's in UTC. One that begins no day there but one of the market is the market's:
// its label was written in another zone, as a database's session has it.
func (r *Reader) day(t time.Time) (rollcall.Day, error) {
	year, month, d := t.Date()
	if year < 1990 || year > 2199 {
		return 0, errors.New("is outside the years 1990 to 2199")
	}
	own := rollcall.DayOf(year, month, d)
	hour, minute, second := t.Clock()
	if hour == 0 && minute == 0 && second == 0 {
		return own, nil
	}
	if of := r.options.Calendar.Day(t); r.options.Calendar.Start(of).Time().Equal(t) {
		return of, nil
	}
	return own, nil
}

// times gives an event's time, and until where it has one, as the row has it.
func (r *Reader) times(e *Event, row map[string]any) (from, until time.Time, err error) {
	if from, err = r.instant(&e.Time, row); err != nil {
		return from, until, fmt.Errorf("%sthe time %w", e.Time.Value.said(), err)
	}
	if e.Time.Day && !from.IsZero() {
		label, err := r.day(from)
		if err != nil {
			return from, until, fmt.Errorf("%sthe day %w", e.Time.Value.said(), err)
		}
		return r.options.Calendar.Start(label).Time(), until, nil
	}
	if !e.Duration.empty() {
		v, err := e.Duration.of(row, r.machine)
		if err != nil {
			return from, until, fmt.Errorf("%sduration: %w", e.Duration.said(), err)
		}
		if from, until, err = r.lasting(from, v); err != nil {
			return from, until, fmt.Errorf("%s%w", e.Duration.said(), err)
		}
		if e.Ends && !until.IsZero() {
			from, until = from.Add(-until.Sub(from)), from
		}
		return from, until, nil
	}
	if e.Until.Value.empty() {
		return from, until, nil
	}
	if until, err = r.instant(&e.Until, row); err != nil {
		return from, until, fmt.Errorf("%suntil %w", e.Until.Value.said(), err)
	}
	if !until.IsZero() && until.Before(from) {
		return from, until, errors.New(e.Until.Value.said() + "until is before the time")
	}
	return from, until, nil
}

// lasting reads a duration in seconds.
func (r *Reader) lasting(from time.Time, v any) (time.Time, time.Time, error) {
	if text(v) == "" {
		return from, time.Time{}, nil
	}
	seconds := Instant{Unit: "s"}
	long, err := seconds.read(v, time.UTC, nil)
	if err != nil || long.Unix() < 0 {
		return from, from, errors.New("the duration is not a number of seconds")
	}
	return from, from.Add(long.Sub(time.Unix(0, 0))), nil
}

func (r *Reader) instant(i *Instant, row map[string]any) (time.Time, error) {
	v, err := i.Value.of(row, r.machine)
	if err != nil {
		return time.Time{}, fmt.Errorf("can't be told: %w", err)
	}
	t, err := i.read(v, r.options.Zone, r.clock)
	if err != nil || t.IsZero() || i.Day {
		return t, err
	}
	return t.UTC(), nil
}
