package rollcall_test

import (
	"fmt"
	"testing"
	"time"

	"rollcall"
)

func TestKeyChanges(t *testing.T) {
	day := func(text string) rollcall.Day {
		d, err := rollcall.ParseDay(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	masters := []rollcall.Master{
		{ID: 1}, {ID: 3, From: day("2026-12-01"), Time: time.Unix(2, 0)}, {ID: 4, From: day("2026-12-01"), Time: time.Unix(1, 0)},
		{ID: 2, From: day("2026-06-10"), Lost: true},
	}
	for _, tt := range []struct{ from, to, want string }{
		{"2026-01-01", "2026-06-09", "[]"},
		{"2026-06-10", "2026-06-10", "[]"},
		{"2026-06-09", "2026-06-10", "[2026-06-10 (a new master key)]"},
		{"2025-12-31", "2026-01-01", "[2026-01-01 (a new year)]"},
		{"2026-11-30", "2028-01-01", "[2026-12-01 (a new master key) 2027-01-01 (a new year) 2028-01-01 (a new year)]"},
	} {
		if got := fmt.Sprint(rollcall.KeyChanges(masters, rollcall.Yearly, day(tt.from), day(tt.to))); got != tt.want {
			t.Errorf("%s to %s: %s; want %s", tt.from, tt.to, got, tt.want)
		}
	}
	if got := fmt.Sprint(rollcall.KeyChanges(masters, rollcall.NoEpoch, day("2025-12-31"), day("2028-01-01"))); got != "[2026-06-10 (a new master key) 2026-12-01 (a new master key)]" {
		t.Errorf("without an epoch: %s", got)
	}
	for _, tt := range []struct{ month, want string }{
		{"2026-05", ""}, {"2026-06", "2026-06-10"}, {"2026-12", ""},
	} {
		month, err := rollcall.ParseMonth(tt.month)
		if err != nil {
			t.Fatal(err)
		}
		change, found := rollcall.PanelKeyChange(masters, month)
		if found != (tt.want != "") || found && change.Day.String() != tt.want {
			t.Errorf("a panel's %s: %v, %v; want %q", tt.month, change, found, tt.want)
		}
	}
	if all := rollcall.InForce(masters); len(all) != 3 || all[2].ID != 4 {
		t.Errorf("in force: %v", all)
	}
}
