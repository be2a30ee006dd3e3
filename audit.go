package rollcall

import (
	"context"
	"time"
)

// AuditEntry is a line of the audit log: who did what, and when. No secret is in
// it, and nobody of a panel is named.
type AuditEntry struct {
	Time   time.Time `json:"time"`
	Key    string    `json:"key" doc:"the id of the API key; oidc: and the subject of who signed in without one; empty: none was asked for"`
	Name   string    `json:"name" doc:"the key's; operator where none was asked for"`
	Action string    `json:"action" doc:"what was done, such as publish"`
	Market MarketID  `json:"market,omitempty"`
	Object string    `json:"object,omitempty" doc:"what it was done to, in words"`
}

// AuditLog is what was done, by whom and when. Entries are added and read, and
// never changed; the same entry again changes nothing.
type AuditLog interface {
	AddAudit(ctx context.Context, entries ...AuditEntry) error
	// Audit gives the last entries before a time, the newest first; a time of zero
	// is after all.
	Audit(ctx context.Context, before time.Time, most int) ([]AuditEntry, error)
}

// MostAudit is how many entries are kept at least, where only so many are.
const MostAudit = 100_000
