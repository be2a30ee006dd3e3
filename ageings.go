package rollcall

import (
	"fmt"
	"time"
)

// Ageings is what has aged out, the earliest month first.
type Ageings []Ageing

// Before gives the first month that is still there; 0: all are.
func (a Ageings) Before() Month {
	if len(a) == 0 {
		return 0
	}
	return a[len(a)-1].Before
}

// Since says when a month's facts were removed; the zero time: they were not.
func (a Ageings) Since(m Month) time.Time {
	for _, one := range a {
		if m < one.Before {
			return one.Time
		}
	}
	return time.Time{}
}

// Check refuses a panel's month that has aged out, with ErrAgedOut.
func (a Ageings) Check(of PanelMonth) error {
	at := a.Since(of.Month)
	if at.IsZero() {
		return nil
	}
	return fmt.Errorf("%s of panel %s in %s has %w: its facts were removed on %s, and no figure can be computed from them",
		of.Month, of.Panel, of.Market, ErrAgedOut, at.Format(time.DateOnly))
}
