package publish_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"rollcall"
)

// TestEraseKept: what versions froze keeps the person, and is named; a month that
// is final keeps diaries and roster too.
func TestEraseKept(t *testing.T) {
	h := newPanel(t).filled()
	november := october
	november.Month++
	h.load(november, smallRoster, smallUniverse)
	h.close(rollcall.ClosePlan{Of: october, Status: rollcall.Final})
	h.close(rollcall.ClosePlan{Of: november})
	done, err := h.Erase(t.Context(), "nn", "P4")
	if err != nil || done.Rosters != 1 || done.Diaries != 0 || done.Lost != "" {
		t.Errorf("erased %+v, %v", done, err)
	}
	h.close(rollcall.ClosePlan{Of: november}) // without the person
	if done, err = h.Erase(t.Context(), "nn", "P1"); err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, p := range done.Kept {
		kept = append(kept, fmt.Sprintf("%s %d %s", p.Month, p.Version, p.Status))
	}
	if got := strings.Join(kept, ", "); got != "2002-10 1 final, 2002-11 1 preliminary, 2002-11 2 preliminary" {
		t.Errorf("P1 is kept by %s", got)
	}
	if done, err = h.Erase(t.Context(), "nn", "P4"); !errors.Is(err, rollcall.ErrConflict) || !strings.Contains(err.Error(), "rosters of final months only, which stay: 2002-10 in FR") {
		t.Errorf("P4 again: %+v, %v", done, err)
	}
}

// TestEraseUnderEveryKey: a panelist is found under every master key that is
// there, and said to be looked for no further back where one is lost.
func TestEraseUnderEveryKey(t *testing.T) {
	h := newPanel(t).filled()
	first := h.Pseudonyms
	from := (october.Month + 1).First()
	h.Pseudonyms = func(panel rollcall.PanelID, id string) []rollcall.Pseudonym {
		p := first(panel, id)[0]
		return []rollcall.Pseudonym{p, {From: from, Visitor: p.Visitor + 1000, Key: testKey + 1}}
	}
	november := october
	november.Month++
	h.load(november, smallRoster, smallUniverse)
	would, err := h.PreviewErasure(t.Context(), "nn", "P1")
	if again, _ := h.PreviewErasure(t.Context(), "nn", "P1"); err != nil || !reflect.DeepEqual(again, would) {
		t.Errorf("a preview changed something: %+v, then %+v, %v", would, again, err)
	}
	done, err := h.Erase(t.Context(), "nn", "P1")
	if err != nil || done.Rosters != 2 || done.Diaries != 1 || done.Lost != "" || !reflect.DeepEqual(done, would) {
		t.Errorf("erased %+v, %v; the preview was %+v", done, err, would)
	}
	if _, err := h.PreviewErasure(t.Context(), "nn", "P1"); !errors.Is(err, rollcall.ErrNotFound) {
		t.Errorf("a preview of one who is erased: %v", err)
	}
	two := h.Pseudonyms
	h.Pseudonyms = func(panel rollcall.PanelID, id string) []rollcall.Pseudonym {
		all := two(panel, id)
		all[0] = rollcall.Pseudonym{Lost: true}
		return all
	}
	if done, err = h.Erase(t.Context(), "nn", "P4"); err != nil || done.Rosters != 1 || done.Diaries != 0 || done.Lost != "2002-11-01" {
		t.Errorf("where the first key is lost: %+v, %v", done, err)
	}
	rule := rollcall.Exclusion{PanelMonth: october, Reason: "moved"}
	if err := h.Exclude(t.Context(), rule, "P2"); !errors.Is(err, rollcall.ErrConflict) || !strings.Contains(err.Error(), "the master key of 2002-10 is lost") {
		t.Errorf("an exclusion in a month whose key is lost: %v", err)
	}
	rule.PanelMonth = november
	if err := h.Exclude(t.Context(), rule, "P2"); err != nil {
		t.Error(err)
	}
}

// TestMonthOfTwoKeys: a month with the loss of the master key within it can't be
// closed, and says which day it is; one that begins with it can, and so can one
// within which the master key was rotated: panels keep theirs.
func TestMonthOfTwoKeys(t *testing.T) {
	h := newPanel(t).filled()
	now := time.Date(2002, 11, 4, 9, 0, 0, 0, time.UTC)
	for i, m := range []rollcall.Master{
		{ID: 1}, {ID: 2, From: october.Month.First() + 8}, {ID: 3, From: october.Month.First(), Lost: true},
	} {
		m.Time = now.Add(time.Duration(i))
		if err := h.store.AddMaster(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		h.close(rollcall.ClosePlan{Of: october})
	}
	if err := h.store.AddMaster(t.Context(), rollcall.Master{ID: 4, From: october.Month.First() + 9, Lost: true, Time: now}); err != nil {
		t.Fatal(err)
	}
	_, err := h.Close(t.Context(), rollcall.ClosePlan{Of: october})
	if want := "2002-10 of panel nn has the change of its pseudonyms' key within it, 2002-10-10"; !errors.Is(err, rollcall.ErrConflict) || !strings.Contains(err.Error(), want) {
		t.Errorf("closed: %v; want %s", err, want)
	}
	if _, err := h.Live(t.Context(), october); !errors.Is(err, rollcall.ErrConflict) {
		t.Errorf("live: %v", err)
	}
}
