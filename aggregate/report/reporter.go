package report

import (
	"context"
	"sync"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/publish"
)

// Reporter answers for closed months. Its fields are set once, before its first
// use; then it is safe for concurrent use.
type Reporter struct {
	Months   *publish.Publisher                                     // that were published
	Targets  func(ctx context.Context, name string) (string, error) // a saved target's text; nil: none is saved
	Software string                                                 // the version printed on reports

	once   sync.Once // guards the limit of what follows
	tables audience.Cache[tableKey, *rollcall.Table]
}

const mostTables = 256

func (r *Reporter) start() { r.once.Do(func() { r.tables.Limit = mostTables }) }

// tableKey names a finished table.
type tableKey struct {
	document rollcall.Hash
	version  int
	report   string
	services string
	from, to rollcall.Day
	view     audience.ViewKey
	target   string
	pool     int
	bands    string
	compare  rollcall.Month
	settings audience.Settings // that a trend judges its earlier months by
	before   rollcall.Month    // which has aged out
}
