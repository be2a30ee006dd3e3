package api

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"rollcall"
	"rollcall/api/access"
	"rollcall/api/disclosure"
)

// Server is what the API serves from. Every field but Collector, Page, Metrics,
// Ready, Degraded and Access is required.
type Server struct {
	Reports      Reports
	Census       func(context.Context, rollcall.CensusQuery) (*rollcall.Table, error)
	CensusMonths func(context.Context, rollcall.MarketID, []rollcall.SegmentID) ([]rollcall.Month, error)                            // that have a census of some segments, none named: of any, in order; an Unknown of an unknown market
	Usage        func(ctx context.Context, market rollcall.MarketID, service rollcall.ServiceID) (month, halfyear *int64, err error) // accounts active in 30 and 180 days; nil: not to be told
	Corrections  Corrections
	Panels       Panels
	Publications Publications
	Replicates   Replicates
	Catalogue    Catalogue
	Targets      Targets
	Columns      []rollcall.Column // of every report and of the census: what its figures mean
	Log          Log
	Rejected     Rejected
	Backup       func(ctx context.Context, name string) (path string, err error) // a copy of the store; of no name: the caller removes it
	Store        CheckedStore
	MasterKeys   MasterKeys
	Collector    http.Handler // POST of access.EventPaths
	Page         http.Handler // GET of pagePaths
	Metrics      http.Handler // GET /metrics
	Ready        func(context.Context) error
	Degraded     func(context.Context) []string // what somebody should look at, though the work goes on; nil: never anything
	Access       *access.Control                // of the listener; nil: no key is asked for
	Audit        rollcall.AuditLog              // nil: nothing is noted
	Assistants   bool                           // POST /mcp
	Version      string
	Readers      disclosure.Rule // what is held back from all but the operator
	Concurrent   int             // reports and the like computed at a time; 0: DefaultConcurrent
	CacheBytes   int64           // of answers kept as they were written; 0: DefaultCacheBytes
	Logger       *slog.Logger
}

// Reports answers for panels.
type Reports interface {
	Report(ctx context.Context, q rollcall.Query) (*rollcall.Table, error)
	Markets(ctx context.Context, q rollcall.MarketsQuery) (*rollcall.Table, error)
	Diff(ctx context.Context, q rollcall.Query, first, second int) (*rollcall.Table, error)
}

// Panels takes rosters in, and changes what of them counts. A panelist is named
// by the clear id.
type Panels interface { //nolint:interfacebloat // what there is to do with a panel
	LoadPanel(ctx context.Context, of rollcall.PanelMonth, files rollcall.PanelFiles) (rollcall.Loaded, error)
	SetLimits(ctx context.Context, market rollcall.MarketID, panel rollcall.PanelID, low, caution *int) (rollcall.PanelLimits, error) // nil: as it is
	Exclude(ctx context.Context, rule rollcall.Exclusion, panelist string) error                                                      // panelist "": the rule names none
	Erase(ctx context.Context, panel rollcall.PanelID, panelist string) (rollcall.Erasure, error)
	PreviewErasure(ctx context.Context, panel rollcall.PanelID, panelist string) (rollcall.Erasure, error) // of Erase, which changes nothing
	PanelObjects(ctx context.Context, of rollcall.PanelMonth) (rollcall.PanelObjects, error)               // an Unknown where there are none
	Exclusions(ctx context.Context, of rollcall.PanelMonth) ([]rollcall.Exclusion, error)                  // an Unknown where there is no such month
	Months(ctx context.Context, market rollcall.MarketID) ([]rollcall.PanelMonth, error)                   // that have a roster or a version, by panel and month
}

// Corrections undoes mistakes in the census.
type Corrections interface { //nolint:interfacebloat // what there is to do about a mistake
	Remove(ctx context.Context, c rollcall.Correction) (rollcall.Removed, error)
	Preview(ctx context.Context, c rollcall.Correction) (rollcall.Removed, error) // of Remove, which records nothing
	Erase(ctx context.Context, service rollcall.ServiceID, account string) (rollcall.ErasedAccount, error)
	PreviewErasure(ctx context.Context, service rollcall.ServiceID, account string) (rollcall.ErasedAccount, error) // of Erase, which records nothing
	Mark(ctx context.Context, c rollcall.Correction) (rollcall.Removed, error)
	Clear(ctx context.Context, c rollcall.Correction) (rollcall.Removed, error)
	List(ctx context.Context, market rollcall.MarketID) ([]rollcall.Correction, error)
}

// Publications closes months, lists what was published and verifies it. Known
// refuses an unknown market, panel or month with an Unknown; an empty panel and
// month 0 are not looked at.
type Publications interface { //nolint:interfacebloat // what there is to do with a version
	Known(ctx context.Context, of rollcall.PanelMonth) error
	Close(ctx context.Context, plan rollcall.ClosePlan) (rollcall.Publication, error)
	Publications(ctx context.Context, market rollcall.MarketID, panel rollcall.PanelID) ([]rollcall.Publication, error)
	Verify(ctx context.Context, of rollcall.PanelMonth, version int) error
	Calibrations(ctx context.Context, list []rollcall.Publication) error               // into each
	CountLate(ctx context.Context, list []rollcall.Publication) error                  // into each
	Withdraw(ctx context.Context, w rollcall.Withdrawal) (rollcall.Publication, error) // as it is then
}

// Replicates gives what figures and their errors are computed from, of a version
// (0: the latest for readers) of its month or of several from first on up to it (0: it alone).
type Replicates interface {
	Weights(ctx context.Context, of rollcall.PanelMonth, version int, first rollcall.Month, n int, seed uint64) (*rollcall.Wide, error)
	Uses(ctx context.Context, of rollcall.PanelMonth, version int, first rollcall.Month) (*rollcall.Wide, error)
}

// Catalogue is the deployment's markets, services and segments.
type Catalogue interface { //nolint:interfacebloat // what there is to do with the deployment's lines
	Catalogue() *rollcall.Catalogue
	AddMarket(ctx context.Context, m rollcall.Market, rename bool) (rollcall.Market, error) // as it is then
	AddService(ctx context.Context, change rollcall.ServiceChange) (s rollcall.Service, isNew bool, err error)
	AddSegment(ctx context.Context, s rollcall.Segment) (isNew bool, err error)
	Segments(ctx context.Context, markets []rollcall.MarketID) ([]rollcall.Segment, error) // the catalogue's, and those that these markets' facts have without a name, by id
}

// Targets are groups of persons saved under names.
type Targets interface {
	SaveTarget(ctx context.Context, t rollcall.Target) error
	Targets(ctx context.Context) ([]rollcall.Target, error)
}

// ReplayFrom says where a replay of the log begins: at a time of the records'
// clock, or at an offset of each partition named.
type ReplayFrom struct {
	Time    time.Time
	Offsets rollcall.Offsets // nil: Time says

	WithRemoved bool // what was removed from the census comes back
}

// Log is what commands ask of the log: to wait until what it holds is in the
// store, to fold a part of it again, and to take note of what it has lost.
type Log interface {
	Settle(ctx context.Context) error
	Replay(ctx context.Context, from ReplayFrom) (events int64, err error)
	Acknowledge(ctx context.Context) (LogDamage, error)
}

// LogDamage is what the embedded log has lost by damage of its files.
type LogDamage struct {
	Since   time.Time `json:"since,omitzero" doc:"when it was found; absent: nothing was lost"`
	Bytes   int64     `json:"bytes" doc:"that can't be read"`
	Records int64     `json:"records" doc:"in them, as far as is known"`
}

// RejectedQuery says which of the refused inputs are asked for; the zero value
// is all that were not sent again and found valid.
type RejectedQuery struct {
	Code   string // "": of any
	Source string // what the source begins with
	All    bool   // also those that were sent again
}

// Resent is what came of sending inputs again.
type Resent struct {
	Inputs  int            `json:"inputs" doc:"looked at"`
	Valid   int            `json:"valid" doc:"valid now, and appended to the log"`
	Refused map[string]int `json:"refused" doc:"still refused, by code"`
}

// Rejected is what was refused: to look at, and to append to the log once more
// after a fix, if it is valid then.
type Rejected interface {
	Rejected(ctx context.Context, q RejectedQuery) iter.Seq2[rollcall.Rejected, error]
	Resend(ctx context.Context, q RejectedQuery) (Resent, error)
}

// Handler gives the routes. On a loopback listener it is wrapped by Guard.
func (s *Server) Handler() http.Handler { return s.routes(bodyPace()) }

// Listener gives an http.Server with the time limits that every listener has.
func Listener(h http.Handler) *http.Server {
	return &http.Server{Handler: answerPace().answers(h), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
}
