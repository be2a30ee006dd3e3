package publish

import (
	"log/slog"
	"time"

	"rollcall"
	"rollcall/aggregate/audience"
)

// Publisher takes a panel's files, closes its months and changes what of them
// counts. Its fields are set once, before its first use; then it is safe for
// concurrent use.
type Publisher struct {
	*Versions
	Catalogue  func() *rollcall.Catalogue
	Check      func(*audience.Month) error // the rules without which no month is published
	Log        *slog.Logger                // nil: silent
	Pseudonyms Pseudonyms                  // of panelists; nil: nobody new can be named
	Now        func() time.Time
}
