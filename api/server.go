package api

import (
	"context"
	"io"
	"iter"
	"time"

	"rollcall"
)

// Query asks for a panel report. Strings are as the user wrote them; "" is the
// default.
type Query struct {
	Report   string
	Of       rollcall.PanelMonth
	From, To rollcall.Day // 0: the month
	Location string
	Services []rollcall.ServiceID
	Credit   string
	Target   string
	Version  int // 0: the latest that is not internal
	Live     bool
}

// CensusQuery asks for unique accounts.
type CensusQuery struct {
	Market      rollcall.MarketID
	Services    []rollcall.ServiceID
	From, To    rollcall.Day
	Location    string
	Credit      string
	MinAccounts int
}

// Reports answers for panels and the census.
type Reports interface {
	Report(ctx context.Context, q Query) (*rollcall.Table, error)
	Census(ctx context.Context, q CensusQuery) (*rollcall.Table, error)
}

// ClosePlan says how a month is to be closed.
type ClosePlan struct {
	Of           rollcall.PanelMonth
	Status       rollcall.PublicationStatus
	Reason       string
	Low, Caution *int     // nil: the market's own
	Confidence   *float64 // of intervals, 0.5 to 1; nil: 0.95
	Trim         *Trim    // of the weights; nil: none
}

// Trim bounds the final weights, in multiples of their mean.
type Trim struct {
	Floor float64 `json:"floor" minimum:"0"`
	Cap   float64 `json:"cap" minimum:"0" doc:"above 1, or 0 for none"`
}

// PanelFiles are the two files of a panel's month as sent, and their names for
// error messages.
type PanelFiles struct {
	Roster, Universe         io.Reader
	RosterName, UniverseName string
}

// Panels takes rosters in, closes months and lists what was published.
type Panels interface {
	Load(ctx context.Context, of rollcall.PanelMonth, files PanelFiles) (Loaded, error)
	Close(ctx context.Context, plan ClosePlan) (rollcall.Publication, error)
	Publications(ctx context.Context, market rollcall.MarketID, panel rollcall.PanelID) ([]rollcall.Publication, error)
}

// Publications compares and verifies versions.
type Publications interface {
	Diff(ctx context.Context, q Query, first, second int) (*rollcall.Table, error)
	Verify(ctx context.Context, of rollcall.PanelMonth, version int) error
}

// Target is a saved group of persons.
type Target struct {
	Name       string `json:"name"`
	Expression string `json:"expression"`
}

// Keep is what the store itself does: targets, and a copy of everything.
type Keep interface {
	SaveTarget(ctx context.Context, t Target) error
	Targets(ctx context.Context) ([]Target, error)
	Backup(ctx context.Context, file string) error
}

// Loaded says what a roster and a universe held.
type Loaded struct {
	rollcall.PanelFiles
	Panelists  int     `json:"panelists"`
	Home       int     `json:"home"` // metered there
	Work       int     `json:"work"`
	Efficiency float64 `json:"efficiency"` // of the weights, 0 to 1
	Margins    int     `json:"margins"`
	Population float64 `json:"population"`
}

// Exclude records that something must not count.
type Exclude struct {
	Of       rollcall.PanelMonth
	Panelist string // clear id; made a pseudonym before it is kept
	Service  rollcall.ServiceID
	Day      rollcall.Day
	Reason   string
}

// Corrections change what counts, never the facts; Erase alone removes.
type Corrections interface {
	Exclude(ctx context.Context, e Exclude) error
	Erase(ctx context.Context, panel rollcall.PanelID, panelist string) (diaries int, err error)
}

// Catalogue is the deployment's markets and services.
type Catalogue interface {
	Catalogue() *rollcall.Catalogue
	AddMarket(ctx context.Context, m rollcall.Market) error
	AddService(ctx context.Context, s rollcall.Service) error
}

// ReplayFrom says where a replay of the log begins: at a time of the records'
// clock, or at an offset of each partition named.
type ReplayFrom struct {
	Time    time.Time
	Offsets rollcall.Offsets // nil: Time says
}

// Log is what commands ask of the log: to wait until what it holds is in the
// store, and to fold a part of it again.
type Log interface {
	Settle(ctx context.Context) error
	Replay(ctx context.Context, from ReplayFrom) (events int64, err error)
}

// Rejects is what was refused: to look at, and to append to the log once more
// after a fix.
type Rejects interface {
	Rejected(ctx context.Context) iter.Seq2[rollcall.Rejected, error]
	Resend(ctx context.Context) (inputs int, err error)
}
