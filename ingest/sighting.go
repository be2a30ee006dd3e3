package ingest

import (
	"time"

	"rollcall"
)

// Sighting is what a collector saw, before the account is made a pseudonym.
// The raw account never leaves ingest.
type Sighting struct {
	ID       string // the source's own id, optional
	Source   string // the collector or file, optional
	Time     time.Time
	Until    time.Time // zero: one minute
	Market   rollcall.MarketID
	Service  rollcall.ServiceID
	Location rollcall.Location
	Kind     rollcall.Kind
	Panel    rollcall.PanelID // with Panelist, or both empty
	Panelist string
	Account  string // empty with a panelist
	Client   string
	Evidence string // what was seen on the wire, in a few words; never content
}
