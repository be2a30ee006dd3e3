package calibrate

import (
	"context"
	"errors"
	"fmt"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/census"
)

// Count gives the accounts of a service that its own census has seen in a month,
// at home and at work or at any place, with their relative standard error, 0
// where they were counted one by one. It fails with an Incomplete where the
// census may lack some of them.
func Count(ctx context.Context, store rollcall.Store, d *audience.Document, service rollcall.ServiceID, place string) (accounts, rse float64, err error) {
	at, err := rollcall.ParseCensusPlace(place)
	if err != nil {
		return 0, 0, err
	}
	q := rollcall.CensusQuery{
		Market: d.Of.Market, Services: []rollcall.ServiceID{service}, From: d.Of.Month.First(), To: d.Of.Month.Last(), At: at, Credit: rollcall.ByPresence,
	}
	if err := complete(ctx, store, d, q); err != nil {
		return 0, 0, err
	}
	t, err := census.Table(ctx, store, q)
	if err != nil {
		return 0, 0, lacking(d, service, err)
	}
	m, _ := t.Cell(0, "unique_accounts").(rollcall.Measure)
	if m.Status.Withheld() || !(m.Value > 0) {
		return 0, 0, &Incomplete{Of: d.Of, Service: service, Why: "it has no account at " + place}
	}
	return m.Value, m.SE / m.Value, nil
}

// Incomplete says that the census of a month may lack accounts: a panel can't be
// calibrated to it.
type Incomplete struct {
	Of      rollcall.PanelMonth
	Service rollcall.ServiceID
	Why     string // a clause
}

// Error names the service, the market and the month.
func (i *Incomplete) Error() string {
	return fmt.Sprintf("the census of %s in %s is not complete for %s: %s", i.Service, i.Of.Market, i.Of.Month, i.Why)
}

// Unwrap makes it a conflict with what is stored.
func (i *Incomplete) Unwrap() error { return rollcall.ErrConflict }

// lacking gives an Incomplete where a census can't be united.
func lacking(d *audience.Document, service rollcall.ServiceID, err error) error {
	var invalid *rollcall.Invalid
	if errors.As(err, &invalid) && invalid.Code == "two_keys" {
		return &Incomplete{Of: d.Of, Service: service, Why: invalid.Reason}
	}
	return err
}

// complete refuses a month of whose days one has no account, or was removed, or
// has a collector's outage marked, or of which rows are set aside as damaged.
func complete(ctx context.Context, store rollcall.Store, d *audience.Document, q rollcall.CensusQuery) error {
	service := q.Services[0]
	refuse := func(format string, args ...any) error {
		return &Incomplete{Of: d.Of, Service: service, Why: fmt.Sprintf(format, args...)}
	}
	q.By, q.At = []rollcall.CensusBy{rollcall.ByDay}, rollcall.CensusPlace{}
	t, err := census.Table(ctx, store, q)
	if err != nil {
		return lacking(d, service, err)
	}
	for i := range t.Rows {
		m, _ := t.Cell(i, "unique_accounts").(rollcall.Measure)
		if d.Starts[i+1] > d.Starts[i] && !(m.Value > 0) { // a day that was
			return refuse("%s has nothing", t.Cell(i, "day"))
		}
	}
	corrections, err := store.Corrections(ctx)
	if err != nil {
		return err
	}
	for _, c := range corrections.Of(rollcall.Removal) {
		if c.Market == q.Market && c.Service == service && c.From <= q.To && q.From <= c.To && corrections.Restored(&c).IsZero() {
			return refuse("%s was removed (%s), and what was loaded since may lack some of it", c.Days(), c.Reason)
		}
	}
	if down := corrections.Down(q.Market, service, q.From, q.To); len(down) > 0 {
		return refuse("a collector was down on %s (%s); if nothing is lacking, `census mark --clear` lifts the mark", down[0].Days(), down[0].Reason)
	}
	aside, err := store.SetAside(ctx)
	if err != nil {
		return err
	}
	if n := rollcall.DamagedIn(aside, "cells", q.Market, d.Of.Month, d.Of.Month); n > 0 {
		return refuse("damaged rows of cells of this market and month are set aside: %d", n)
	}
	return nil
}
