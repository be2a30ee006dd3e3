package storetest

import (
	"slices"
	"testing"
	"time"

	"rollcall"
)

// testAudit: entries come newest first, before a time and so many; one again
// changes nothing.
func testAudit(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	at := time.Unix(1e9, 123456789).UTC()
	first := rollcall.AuditEntry{Time: at, Key: "1a2b3c4d", Name: `it's "me"`, Action: "publish", Market: "FR", Object: "panel nn, 2002-10, version 1"}
	second := rollcall.AuditEntry{Time: at.Add(1), Name: "operator", Action: "erase", Object: "panel nn, 3 diaries"}
	third := rollcall.AuditEntry{Time: at.Add(time.Second), Key: "oidc:7", Name: "é", Action: "use key"}
	must(t, s.AddAudit(t.Context(), first))
	must(t, s.AddAudit(t.Context(), third, second))
	must(t, s.AddAudit(t.Context(), first))
	must(t, s.AddAudit(t.Context()))
	for _, c := range []struct {
		before time.Time
		most   int
		want   []rollcall.AuditEntry
	}{
		{time.Time{}, 10, []rollcall.AuditEntry{third, second, first}},
		{time.Time{}, 2, []rollcall.AuditEntry{third, second}},
		{third.Time, 10, []rollcall.AuditEntry{second, first}},
		{second.Time, 10, []rollcall.AuditEntry{first}},
		{first.Time, 10, nil},
	} {
		got, err := s.Audit(t.Context(), c.before, c.most)
		must(t, err)
		if !slices.Equal(got, c.want) {
			t.Errorf("before %v, %d: %+v, want %+v", c.before, c.most, got, c.want)
		}
	}
}
