package rollcall

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What may be asked is written once, here. The API and the commands fill these
// in and the stages answer them: there is no other form of a question between.

// Query asks for a panel report.
type Query struct {
	Report   string // ranking, trend, ...
	Of       PanelMonth
	From, To Day   // both included; 0: the month's first and last
	Place    Place // as the user wrote it; "": home+work
	Services []ServiceID
	Credit   Credit // as the user wrote it; "": presence
	Target   string // "": everyone
	Pool     int    // the mean of so many months up to this one; 0: none
	Bands    string // of a frequency's days; "": the usual, all: each by itself
	Compare  string // the month of changes: previous, year or YYYY-MM; "": previous
	Version  int    // 0: the latest for readers
	Live     bool   // compute now, from facts that are not frozen

	Confidence float64 // of the intervals; 0: the version's own
}

// MarketsQuery asks how one service does in a month of every market that has
// published it.
type MarketsQuery struct {
	Service ServiceID
	Month   Month
	Panels  []PanelID // which of a market's panels is meant; empty: the only one that has published the month
	Place   Place     // as the user wrote it; "": home+work
	Credit  Credit    // as the user wrote it; "": presence

	Readable []MarketID // the only ones that who asks may see; empty: all
}

// CensusQuery asks for the unique accounts of services over any set of days and
// places, by union. A figure is of one service: accounts can't be joined across
// services.
type CensusQuery struct {
	Market      MarketID
	Services    []ServiceID // empty: all that were seen
	From, To    Day         // both included
	At          CensusPlace
	Platforms   []Platform  // empty: any
	Segments    []SegmentID // empty: any; "" is none
	Readable    []SegmentID // the only ones that who asks may see; empty: all
	Credit      Credit
	By          []CensusBy // what rows are of beside a service
	Window      Window
	MinAccounts int // under it a figure is withheld
	Least       int // the server's own minimum, which MinAccounts is unless another was asked for
	Round       int // figures are rounded to multiples of it, and their precision is not told; 0: not
}

// CensusBy is what the rows of a census are of, beside a service.
type CensusBy string

// The dimensions. A calendar's unit is the market's local one; weeks are ISO
// 8601's.
const (
	ByPlatform CensusBy = "platform"
	BySegment  CensusBy = "segment"
	ByLocation CensusBy = "location"
	ByKind     CensusBy = "kind"
	ByDay      CensusBy = "day"
	ByWeek     CensusBy = "week"
	ByMonth    CensusBy = "month"
	ByQuarter  CensusBy = "quarter"
	ByYear     CensusBy = "year"
)

// Calendar reports whether the dimension is a unit of the calendar.
func (b CensusBy) Calendar() bool {
	switch b {
	case ByDay, ByWeek, ByMonth, ByQuarter, ByYear:
		return true
	}
	return false
}

// Begin gives the first day of the unit of the calendar that a day is in; of what
// is no unit, the day itself.
func (b CensusBy) Begin(day Day) Day {
	year, month, _ := day.Date()
	switch b {
	case ByWeek:
		return day - (day%7+7+3)%7 // day 0 was a Thursday
	case ByMonth:
		return DayOf(year, month, 1)
	case ByQuarter:
		return DayOf(year, (month-1)/3*3+1, 1)
	case ByYear:
		return DayOf(year, time.January, 1)
	}
	return day
}

// ParseCensusBy reads dimensions joined by commas, each once and one unit of the
// calendar at most; "" is none.
func ParseCensusBy(s string) (by []CensusBy, err error) {
	known := []CensusBy{ByPlatform, BySegment, ByLocation, ByKind, ByDay, ByWeek, ByMonth, ByQuarter, ByYear}
	units := 0
	names, err := Names("by", s)
	for _, name := range names {
		b := CensusBy(name)
		switch {
		case !slices.Contains(known, b):
			return nil, &Invalid{Field: "by", Value: name, Reason: "is not platform, segment, location, kind, day, week, month, quarter or year", Code: "by"}
		case slices.Contains(by, b):
			return nil, &Invalid{Field: "by", Value: s, Reason: "names " + name + " twice", Code: "by"}
		case b.Calendar():
			units++
		}
		by = append(by, b)
	}
	if units > 1 {
		return nil, &Invalid{Field: "by", Value: s, Reason: "names two units of the calendar; ask for one", Code: "by"}
	}
	return by, err
}

// Window is what a rolling figure of a day is over: the days that end with it.
type Window struct {
	Days  int  // 0: no window
	Month bool // the calendar month up to the day
}

// ParseWindow reads 1d, 7d, 28d, 30d or month; "" is none.
func ParseWindow(s string) (Window, error) {
	switch s {
	case "":
		return Window{}, nil
	case "1d":
		return Window{Days: 1}, nil
	case "7d":
		return Window{Days: 7}, nil
	case "28d":
		return Window{Days: 28}, nil
	case "30d":
		return Window{Days: 30}, nil
	case "month":
		return Window{Month: true}, nil
	}
	return Window{}, &Invalid{Field: "window", Value: s, Reason: "is not 1d, 7d, 28d, 30d or month", Code: "window"}
}

// String gives what ParseWindow reads.
func (w Window) String() string {
	switch {
	case w.Month:
		return "month"
	case w.Days > 0:
		return strconv.Itoa(w.Days) + "d"
	}
	return ""
}

// From gives the first day of the window that ends on a day.
func (w Window) From(end Day) Day {
	if w.Month {
		return end.Month().First()
	}
	return end - Day(w.Days) + 1
}

// ParsePlatforms reads platforms joined by commas; "" is any.
func ParsePlatforms(s string) ([]Platform, error) { return parseEach(s, "platform", ParsePlatform) }

// ParseSegments reads ids of segments joined by commas; "" is any.
func ParseSegments(s string) ([]SegmentID, error) { return parseEach(s, "segment", ParseSegment) }

func parseEach[T comparable](s, field string, parse func(string) (T, error)) (all []T, err error) {
	names, err := Names(field, s)
	if why := new(Invalid); errors.As(err, &why) {
		why.Reason += "; what has none is called none"
	}
	for _, name := range names {
		v, err := parse(name)
		if err != nil {
			return nil, err
		}
		if slices.Contains(all, v) {
			return nil, &Invalid{Field: field, Value: s, Reason: "names " + name + " twice", Code: field}
		}
		all = append(all, v)
	}
	return all, err
}

// Names gives the names of a list joined by commas; "" has none. A list in which a
// name is empty is an Invalid of the field: what was meant can't be known.
func Names(field, list string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	names := strings.Split(list, ",")
	switch at := slices.IndexFunc(names, func(name string) bool { return strings.TrimSpace(name) == "" }); {
	case at == 0 && len(names) == 1:
		return nil, &Invalid{Field: field, Value: list, Reason: "is blank", Code: field}
	case at == 0:
		return nil, &Invalid{Field: field, Value: list, Reason: "has no name before its first comma; give it, or leave out the comma", Code: field}
	case at > 0:
		return nil, &Invalid{Field: field, Value: list, Reason: "has no name after " + names[at-1] + "; give it, or leave out the comma", Code: field}
	}
	return names, nil
}

// ClosePlan says how a month is to be closed.
type ClosePlan struct {
	Of           PanelMonth
	Status       PublicationStatus // "": preliminary
	Reason       string            // required to restate
	Low, Caution *int              // persons under which a figure is withheld, or flagged; nil: the usual
	Confidence   *float64          // of intervals, 0.5 to 1; nil: 0.95
	Trim         *Trim             // of the weights; nil: none
	Calibrate    []ServiceID       // services to whose own census the panel is calibrated
	PerPerson    string            // the text of the file of accounts a person, of those services
}

// Trim bounds the final weights to [Floor, Cap] times the mean weight. The
// zero Trim trims nothing.
type Trim struct {
	Floor float64 `json:"floor" minimum:"0"`                            // under 1
	Cap   float64 `json:"cap" minimum:"0" doc:"above 1, or 0 for none"` // above 1, or 0 for none
}

// On reports whether the trim bounds anything.
func (t Trim) On() bool { return t != Trim{} }

// Validate refuses bounds that don't have the mean weight between them.
func (t Trim) Validate() error {
	if !(t.Floor >= 0 && t.Floor < 1) {
		return &Invalid{Field: "trim floor", Value: fmt.Sprint(t.Floor), Reason: "is not at least 0 and under 1", Code: "trim"}
	}
	if t.Cap != 0 && !(t.Cap > 1 && t.Cap <= math.MaxFloat64) {
		return &Invalid{Field: "trim cap", Value: fmt.Sprint(t.Cap), Reason: "is not above 1", Code: "trim"}
	}
	return nil
}

// PanelFiles are the two files of a panel's month as they are given, and the
// names that errors call them by.
type PanelFiles struct {
	Roster, Universe         io.Reader
	RosterName, UniverseName string
}

// Loaded says what a panel's two files held.
type Loaded struct {
	PanelObjects
	Panelists  int     `json:"panelists"`
	Home       int     `json:"home"` // metered there
	Work       int     `json:"work"`
	Efficiency float64 `json:"efficiency"` // of the weights, 0 to 1
	Margins    int     `json:"margins"`    // rows of the universe
	Population float64 `json:"population"`
}

// Target is a group of persons saved under a name.
type Target struct {
	Name       string `json:"target"`
	Expression string `json:"expression"`
}

// Credit is the rule by which events count, printed on every report.
type Credit string

// The credit rules. Auto-started clients are presence, not use.
const (
	ByPresence Credit = "presence" // login, presence and use
	ByUse      Credit = "use"      // use alone
)

// ParseCredit reads a rule; "" is presence.
func ParseCredit(s string) (Credit, error) {
	switch c := Credit(s); c {
	case "":
		return ByPresence, nil
	case ByPresence, ByUse:
		return c, nil
	}
	return "", &Invalid{Field: "credit", Value: s, Reason: "is not presence or use", Code: "credit"}
}

// Counts reports whether an event of the kind is credited.
func (c Credit) Counts(k Kind) bool {
	return k == Use || c == ByPresence && k.Counts()
}

// Place says which users a figure is about, by where they used the service.
type Place string

// The places. HomeWork is the union, never a sum.
const (
	AtHome   Place = "home"
	AtWork   Place = "work"
	HomeWork Place = "home+work"
	Both     Place = "both"
	HomeOnly Place = "home-only"
	WorkOnly Place = "work-only"
)

// EveryPlace asks a ranking for home, work and home+work beside each other. It
// is no place that a user can be at.
const EveryPlace Place = "all"

// Places gives every place, in the order that reports list them.
func Places() []Place { return []Place{HomeWork, AtHome, AtWork, Both, HomeOnly, WorkOnly} }

// ParsePlace reads a place; "" is home+work, and a space is a "+".
func ParsePlace(s string) (Place, error) {
	switch p := Place(strings.ReplaceAll(strings.ReplaceAll(s, " ", "+"), "%2B", "+")); p {
	case "":
		return HomeWork, nil
	case "work+home":
		return HomeWork, nil
	case AtHome, AtWork, HomeWork, Both, HomeOnly, WorkOnly:
		return p, nil
	}
	return "", &Invalid{Field: "location", Value: s, Reason: "is not home, work, home+work, both, home-only or work-only", Code: "location"}
}

// Base is the place whose active universe a reach at p is of.
func (p Place) Base() Place {
	if p == AtHome || p == AtWork {
		return p
	}
	return HomeWork
}

// Locations are those whose minutes count for the users at p.
func (p Place) Locations() Location {
	switch p {
	case AtHome, HomeOnly:
		return Home
	case AtWork, WorkOnly:
		return Work
	}
	return Home | Work
}

// Has reports whether someone who used a service at home, at work or both is a
// user at p.
func (p Place) Has(home, work bool) bool {
	switch p {
	case AtHome:
		return home
	case AtWork:
		return work
	case Both:
		return home && work
	case HomeOnly:
		return home && !work
	case WorkOnly:
		return work && !home
	}
	return home || work
}

// CensusPlace says where accounts were seen: at any of some places, by union;
// and where Part says so, of home and work, those that were seen at both, or at
// one of them alone. A sketch unites and does not subtract, so a part is the
// difference of estimates.
type CensusPlace struct {
	Any  Location
	Part Place // Both, HomeOnly or WorkOnly; "": all of them
}

// AnyPlace is home, work and elsewhere united.
const AnyPlace = "any"

// ParseCensusPlace reads places joined by "+", "any", "both", "home-only" or
// "work-only"; "" is any: an operator knows no home or work.
func ParseCensusPlace(s string) (CensusPlace, error) {
	switch s {
	case "", AnyPlace:
		return CensusPlace{Any: Home | Work | Elsewhere}, nil
	case string(Both), string(HomeOnly), string(WorkOnly):
		return CensusPlace{Any: Home | Work, Part: Place(s)}, nil
	}
	set, err := ParseLocations(strings.ReplaceAll(s, "%2B", "+"))
	if why := new(Invalid); errors.As(err, &why) && why.Reason != noPlace {
		all := *why
		all.Reason = "is not home, work, elsewhere, several of these joined by +, any, both, home-only or work-only"
		return CensusPlace{}, &all
	}
	return CensusPlace{Any: set}, err
}

// String gives what ParseCensusPlace reads.
func (p CensusPlace) String() string {
	switch {
	case p.Part != "":
		return string(p.Part)
	case p.Any == Home|Work|Elsewhere:
		return AnyPlace
	}
	return p.Any.String()
}
