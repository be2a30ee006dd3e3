package sqlite

import (
	"path/filepath"
	"strings"
	"testing"

	"rollcall"
)

// TestCellsAreRangesOfTheKey: whatever is asked for, days that are not are not
// looked at, and the whole is not sorted: a sorter would hold every sketch.
func TestCellsAreRangesOfTheKey(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "rollcall.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, q := range map[string]rollcall.CellQuery{
		"all":        {Market: "FR"},
		"services":   {Market: "FR", Services: []rollcall.ServiceID{"aim", "msn"}},
		"a place":    {Market: "FR", Locations: rollcall.Home},
		"a segment":  {Market: "FR", Services: []rollcall.ServiceID{"msn"}, Segments: []rollcall.SegmentID{"lyon"}},
		"a platform": {Market: "FR", Platforms: []rollcall.Platform{rollcall.Phone}},
	} {
		text := planOf(t, s, q)
		if !strings.Contains(text, "service=? AND location=? AND kind=? AND day>? AND day<?") || strings.Contains(text, "TEMP B-TREE FOR ORDER BY") {
			t.Errorf("%s: the plan is\n%s", name, text)
		}
	}
}

// planOf gives the steps in which SQLite would answer.
func planOf(t *testing.T, s *Store, q rollcall.CellQuery) string {
	t.Helper()
	query, args := cellQuery(q)
	rows, err := s.readers.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "\n")
}
