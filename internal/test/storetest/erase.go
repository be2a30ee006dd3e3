package storetest

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"rollcall"
)

// testErase: a panelist's diaries go from every month that no reader has seen
// a final version of, and nothing else goes.
func testErase(t *testing.T, open func(*testing.T, int) Store) {
	facts := Draw(rand.New(rand.NewPCG(11, 12)), k, 20, 2000)
	for i := range facts.Diaries { // three months
		if i%3 == 0 {
			facts.Diaries[i].Day += 40
		}
	}
	s := open(t, k)
	merge(t, s, facts)
	month := day0.Month()
	publish(t, s, rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: month}, rollcall.Preliminary, rollcall.Final)
	publish(t, s, rollcall.PanelMonth{Market: "FR", Panel: "n", Month: month + 1}, rollcall.Final)
	publish(t, s, rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: month + 1}, rollcall.Preliminary)
	must(t, s.AddPublication(t.Context(), rollcall.Publication{
		PanelMonth: rollcall.PanelMonth{Market: "F.R", Panel: "nn", Month: month}, Version: 1, Status: rollcall.Final, Internal: true, Time: time.Unix(0, 0).UTC(),
	}))

	const who = 10
	gone := func(d rollcall.DiaryRow) bool {
		final := d.Market == "FR" && d.Day.Month() == month
		return d.Panel == "nn" && d.Panelist == who && !final
	}
	all := facts.diaryUnion()
	left := slices.DeleteFunc(slices.Clone(all), gone)
	would, err := s.CountErase(t.Context(), "nn", who)
	if must(t, err); would != len(all)-len(left) {
		t.Errorf("%d diaries would be erased, want %d", would, len(all)-len(left))
	}
	requireDiaries(t, s, rollcall.DiaryQuery{Market: "FR", Panel: "nn", From: day0, To: day0 + 100}, all)
	n, err := s.Erase(t.Context(), "nn", who)
	must(t, err)
	if n != len(all)-len(left) || n == 0 {
		t.Errorf("erased %d diaries, want %d", n, len(all)-len(left))
	}
	for _, market := range []rollcall.MarketID{"FR", "F.R"} {
		for _, panel := range []rollcall.PanelID{"nn", "n"} {
			requireDiaries(t, s, rollcall.DiaryQuery{Market: market, Panel: panel, From: day0, To: day0 + 100}, left)
		}
	}
	requireCells(t, s, rollcall.CellQuery{Market: "FR", From: day0, To: day0 + 100}, facts.cellUnion(t))
	if n, err := s.Erase(t.Context(), "nn", who); n != 0 || err != nil {
		t.Errorf("erased %d again, error %v", n, err)
	}
}

// publish adds versions 1, 2, ... of these statuses.
func publish(t *testing.T, s Store, m rollcall.PanelMonth, statuses ...rollcall.PublicationStatus) {
	t.Helper()
	for i, status := range statuses {
		must(t, s.AddPublication(t.Context(), rollcall.Publication{PanelMonth: m, Version: i + 1, Status: status, Time: time.Unix(int64(i), 0).UTC()}))
	}
}
