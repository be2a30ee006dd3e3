package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"rollcall"
)

// firstStep is an errand's.
func firstStep(to string, version int) rollcall.Delivery {
	at := time.Unix(1e9, 7).UTC()
	return rollcall.Delivery{
		Errand: rollcall.Errand{PanelMonth: rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: rollcall.MonthOf(2002, 10)}, Version: version, To: to},
		Step:   1, State: rollcall.Waiting, Until: at, Since: at, Time: at, Holder: "a",
	}
}

// testDeliveries: the last step of each errand counts, any other than the next
// is refused, and what is at its end is listed no more.
func testDeliveries(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	month, folder, mail := firstStep("close", 0), firstStep("folder", 1), firstStep("mail", 1)
	refused := firstStep("mail", 0)
	refused.Cause, refused.Text = "files", "there's no roster; \"\t"
	for _, d := range []rollcall.Delivery{month, folder, mail, refused} {
		must(t, s.AddDelivery(t.Context(), d))
	}
	folder.Step, folder.State, folder.Tries, folder.Holder, folder.Error = 2, rollcall.Held, 1, "b", "the disk is full"
	folder.Until, folder.Time = folder.Until.Add(time.Minute), folder.Time.Add(time.Second)
	mail.Step, mail.State = 2, rollcall.Delivered
	for _, d := range []rollcall.Delivery{folder, mail} {
		must(t, s.AddDelivery(t.Context(), d))
	}
	for _, step := range []int{1, 2, 4} {
		again := folder
		again.Step, again.Holder, again.Time = step, "c", folder.Time.Add(-time.Hour)
		if err := s.AddDelivery(t.Context(), again); !errors.Is(err, rollcall.ErrConflict) {
			t.Errorf("step %d after step 2: %v", step, err)
		}
	}
	got, err := s.Deliveries(t.Context())
	must(t, err)
	if want := []rollcall.Delivery{month, refused, folder}; !slices.Equal(got, want) {
		t.Errorf("deliveries are\n%+v, want\n%+v", got, want)
	}
	folder.Step, folder.State = 3, rollcall.GivenUp
	must(t, s.AddDelivery(t.Context(), folder))
	if got, err = s.Deliveries(t.Context()); err != nil || len(got) != 2 {
		t.Errorf("%d deliveries after one was given up, %v", len(got), err)
	}
}

// testHoldersAtOnce: of several that take a step, each of which says so, one has
// it.
func testHoldersAtOnce(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	const holders, steps = 4, 3
	for step := 1; step <= steps; step++ {
		var all sync.WaitGroup
		errs := make([]error, holders)
		for i := range holders {
			d := firstStep("close", 0)
			d.Step, d.Holder, d.Time = step, fmt.Sprint(i), d.Time.Add(time.Duration(-i))
			all.Go(func() { errs[i] = s.AddDelivery(t.Context(), d) })
		}
		all.Wait()
		took := -1
		for i, err := range errs {
			if err == nil && took < 0 {
				took = i
			} else if !errors.Is(err, rollcall.ErrConflict) {
				t.Errorf("step %d, holder %d: %v", step, i, err)
			}
		}
		got, err := s.Deliveries(t.Context())
		if err != nil || len(got) != 1 || got[0].Step != step || got[0].Holder != fmt.Sprint(took) {
			t.Errorf("step %d, taken by %d: %+v, %v", step, took, got, err)
		}
	}
}
