package rollcall

import (
	"fmt"
	"io"
	"math"
	"strings"
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
}

// CensusQuery asks for the unique accounts of services over any set of days and
// places, by union. A figure is of one service: accounts can't be joined across
// services.
type CensusQuery struct {
	Market      MarketID
	Services    []ServiceID // empty: all that were seen
	From, To    Day         // both included
	At          CensusPlace
	Credit      Credit
	MinAccounts int // under it a figure is withheld
}

// ClosePlan says how a month is to be closed.
type ClosePlan struct {
	Of           PanelMonth
	Status       PublicationStatus // "": preliminary
	Reason       string            // required to restate
	Low, Caution *int              // persons under which a figure is withheld, or flagged; nil: the usual
	Confidence   *float64          // of intervals, 0.5 to 1; nil: 0.95
	Trim         *Trim             // of the weights; nil: none
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

// CensusPlace says where accounts were seen: at any of some places, by union,
// or at home and at work both. A sketch unites; it does not subtract, so there
// is no "home only".
type CensusPlace struct {
	Any  Location
	Both bool
}

// ParseCensusPlace reads places joined by "+", or "both"; "" is home+work.
func ParseCensusPlace(s string) (CensusPlace, error) {
	either := CensusPlace{Any: Home | Work}
	switch s {
	case "":
		return either, nil
	case string(Both):
		either.Both = true
		return either, nil
	}
	set, err := ParseLocations(strings.ReplaceAll(s, "%2B", "+"))
	return CensusPlace{Any: set}, err
}

// String gives what ParseCensusPlace reads.
func (p CensusPlace) String() string {
	if p.Both {
		return string(Both)
	}
	return p.Any.String()
}
