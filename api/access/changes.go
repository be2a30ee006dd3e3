package access

import (
	"cmp"
	"fmt"

	"rollcall"
)

// Changes says when which keys were made and revoked, and by whom, as the keys'
// file remembers.
func Changes(all []Token) (entries []rollcall.AuditEntry) {
	for _, t := range all {
		of := fmt.Sprintf("key %s %q, role %s", t.ID, t.Name, t.Role)
		if len(t.Markets) > 0 {
			of += fmt.Sprintf(", markets %s", t.Markets)
		}
		if len(t.Segments) > 0 {
			of += fmt.Sprintf(", segments %s", t.Segments)
		}
		entries = append(entries, rollcall.AuditEntry{Time: t.Created, Name: cmp.Or(t.By, "operator"), Action: "make key", Object: of})
		if !t.Revoked.IsZero() {
			entries = append(entries, rollcall.AuditEntry{Time: t.Revoked, Name: cmp.Or(t.RevokedBy, "operator"), Action: "revoke key", Object: of})
		}
	}
	return entries
}
