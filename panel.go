package rollcall

// PanelID names a panel of recruited people: "nn".
type PanelID string

// Household is the pseudonym of a panelist's household; 0: the person's own, as
// far as is known.
type Household uint64

// Stratum is the pseudonym of the part of the population that a panelist was
// recruited in; 0: the whole of it.
type Stratum uint64

// Panelist is one in-tab person of a month's roster, under the panel's
// pseudonym.
type Panelist struct {
	ID         Visitor
	Metered    Location // the places where a meter runs; a set
	BaseWeight float64  // > 0
	Household  Household
	Stratum    Stratum
	Categories []string // one a demographic column, in Roster.Columns' order
}

// Roster is everyone in tab in one month, one line a person.
type Roster struct {
	Key       KeyID    // of the panel's pseudonyms
	Columns   []string // the demographic columns
	Panelists []Panelist
}

// Margin is one population total of the universe: so many persons in one
// category of one column, or of several joined by "*".
type Margin struct {
	Name       string  // "sex", "sex*age", "home" or "work"
	Category   string  // "F", "F*15-24", "1"
	Population float64 // persons
	Source     string  // the enumeration study
	SourceDate string  // YYYY-MM-DD
}

// Population is the universe that a month is weighted to.
type Population struct {
	Margins []Margin
}

// Erasure is what came of erasing a panelist.
type Erasure struct {
	Diaries int           `json:"diaries" doc:"diary days removed"`
	Rosters int           `json:"rosters" doc:"months whose roster the panelist was taken off"`
	Kept    []Publication `json:"kept" doc:"versions whose frozen roster and diaries have the panelist still: they stay what they are until their month ages out (--keep)"`
	Lost    string        `json:"lost,omitempty" doc:"the day before which nobody can be found, as the master key of then is lost"`
}
