package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall"
)

// closing is the errand to close a month.
const closing = "close"

// closeTime is how long a close may take.
const closeTime = 5 * time.Minute

func (s *Schedule) closer() *destination {
	return &destination{name: closing, kind: closing, shown: "this server", timeout: closeTime, do: closeMonth}
}

// refusal is why a month is not closed. Somebody has to do something about it,
// and is told.
type refusal struct {
	cause string // its code
	err   error
}

func (r *refusal) Error() string { return r.err.Error() }

// closeMonth closes a month, unless it is closed, and has everybody told.
func closeMonth(ctx context.Context, s *Schedule, d rollcall.Delivery) error {
	p, err := s.standing(ctx, d.PanelMonth)
	if err != nil {
		return err
	}
	if p.Version == 0 {
		p, err = s.close(ctx, d.PanelMonth)
	}
	why := new(refusal)
	switch {
	case errors.Is(err, rollcall.ErrAgedOut):
		return nil // nothing can be made of it
	case errors.As(err, &why):
		return cmp.Or(s.tell(ctx, rollcall.Errand{PanelMonth: d.PanelMonth, Cause: why.cause}, why.Error()), err)
	case err != nil:
		return err
	case !p.Withdrawn.IsZero() || !p.AgedOut.IsZero():
		return nil // somebody has decided about it
	}
	return s.tell(ctx, rollcall.Errand{PanelMonth: p.PanelMonth, Version: p.Version}, "")
}

// standing is the month's latest version for readers; version 0: there is none.
func (s *Schedule) standing(ctx context.Context, of rollcall.PanelMonth) (last rollcall.Publication, err error) {
	all, err := s.Publications(ctx, of.Market, of.Panel)
	for _, p := range all {
		if p.PanelMonth == of && !p.Internal && p.Version > last.Version {
			last = p
		}
	}
	return last, err
}

// close makes the month's first version, of all that the log holds.
func (s *Schedule) close(ctx context.Context, of rollcall.PanelMonth) (p rollcall.Publication, err error) {
	if err := s.check(ctx, of); err != nil {
		return p, err
	}
	if s.Settle != nil {
		if err := s.Settle(ctx); err != nil {
			return p, fmt.Errorf("wait for what the log holds: %w", err)
		}
	}
	p, err = s.Close(ctx, rollcall.ClosePlan{Of: of, Status: s.plan.status})
	return p, refused(err)
}

// check refuses a month without files, or whose weights are too uneven.
func (s *Schedule) check(ctx context.Context, of rollcall.PanelMonth) error {
	t, err := s.Report(ctx, rollcall.Query{Report: "quality", Of: of, Live: true})
	if err != nil {
		return refused(err)
	}
	if w := t.Meta.Weights; w != nil && w.Efficiency < s.plan.minEfficiency {
		return &refusal{"efficiency", fmt.Errorf("the efficiency of its weights is %.1f %%, under the limit of %g %%", w.Efficiency, s.plan.minEfficiency)}
	}
	return nil
}

// refused tells what waiting can't mend from what it can: the first is a
// refusal.
func refused(err error) error {
	for _, c := range []struct {
		kind  error
		cause string
	}{{rollcall.ErrNotFound, "files"}, {rollcall.ErrIncoherent, "incoherent"}, {rollcall.ErrInvalid, "invalid"}} {
		if errors.Is(err, c.kind) {
			return &refusal{c.cause, err}
		}
	}
	return err
}

// tell has every destination told. Telling twice is telling once.
func (s *Schedule) tell(ctx context.Context, e rollcall.Errand, text string) error {
	for _, to := range s.plan.destinations {
		if e.Version == 0 && !to.notices {
			continue
		}
		e.To = to.name
		if err := s.begin(ctx, e, text); err != nil {
			return err
		}
	}
	return nil
}
