package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/calibrate"
	"rollcall/aggregate/panel"
)

// mostRetries bounds how often a closer gives way to another.
const mostRetries = 100

// Close makes the next version of a month: it freezes the month's facts, weighs
// and checks them, and publishes. The same facts and settings always make the
// same document: where the latest version that stands has it already, under the
// same status, that one is given back, Unchanged, whatever the reason given. A
// version whose limits are under the panel's own is internal.
// It fails with rollcall.ErrNotFound where the month has no panel loaded, with
// an Invalid where the status can't follow those before it, and with
// rollcall.ErrIncoherent where a rule of METHOD is broken; then nothing is
// published.
func (pub *Publisher) Close(ctx context.Context, plan rollcall.ClosePlan) (rollcall.Publication, error) {
	p := rollcall.Publication{
		PanelMonth: plan.Of, Status: cmp.Or(plan.Status, rollcall.Preliminary), Reason: strings.TrimSpace(plan.Reason),
	}
	own, err := pub.limits(ctx, plan.Of.Market, plan.Of.Panel)
	if err != nil {
		return rollcall.Publication{}, err
	}
	settings := settingsOf(&plan, own)
	if err := cmp.Or(checkStatus(p), settings.Validate()); err != nil {
		return rollcall.Publication{}, err
	}
	p.Internal = settings.Under(own)
	list, err := pub.versions(ctx, p.PanelMonth)
	if err != nil {
		return rollcall.Publication{}, err
	}
	if standing(list, p.Internal).Status != p.Status { // else the facts decide
		if _, err := next(list, p); err != nil {
			return rollcall.Publication{}, err
		}
	}
	f, err := pub.freeze(ctx, plan.Of, settings, own, calibrate.Plan{Services: plan.Calibrate, PerPerson: plan.PerPerson})
	if err != nil {
		return rollcall.Publication{}, err
	}
	p.Document = f.hash
	p, err = pub.publish(ctx, p, f)
	if err == nil {
		p.Calibration = calibrate.Of(f.month)
	}
	return p, err
}

// SetLimits says under how many persons a panel's figures are withheld, or
// flagged, from the next close on; nil leaves a limit as it is. It fails with an
// Unknown for a panel that has no month.
func (pub *Publisher) SetLimits(ctx context.Context, market rollcall.MarketID, of rollcall.PanelID, low, caution *int) (rollcall.PanelLimits, error) {
	if err := pub.Known(ctx, rollcall.PanelMonth{Market: market, Panel: of}); err != nil {
		return rollcall.PanelLimits{}, err
	}
	own, err := pub.limits(ctx, market, of)
	if err != nil {
		return rollcall.PanelLimits{}, err
	}
	if low != nil {
		own.Low = *low
	}
	if caution != nil {
		own.Caution = *caution
	}
	if err := own.Validate(); err != nil {
		return rollcall.PanelLimits{}, err
	}
	l := rollcall.PanelLimits{Market: market, Panel: of, Low: own.Low, Caution: own.Caution}
	if err := pub.Store.PutPanelLimits(ctx, l); err != nil {
		return rollcall.PanelLimits{}, err
	}
	return l, nil
}

// limits are the panel's own, or the usual where it has none.
func (pub *Publisher) limits(ctx context.Context, market rollcall.MarketID, of rollcall.PanelID) (panel.Thresholds, error) {
	l, err := pub.Store.PanelLimits(ctx, market, of)
	if errors.Is(err, rollcall.ErrNotFound) {
		return panel.Usual(), nil
	}
	return panel.Thresholds{Low: l.Low, Caution: l.Caution}, err
}

// settingsOf are the plan's settings, and where it says none the panel's own
// limits and what is usual.
func settingsOf(plan *rollcall.ClosePlan, own panel.Thresholds) audience.Settings {
	s := audience.DefaultSettings()
	s.Thresholds = own
	if plan.Low != nil {
		s.Low = *plan.Low
	}
	if plan.Caution != nil {
		s.Caution = *plan.Caution
	}
	if plan.Confidence != nil {
		s.Confidence = *plan.Confidence
	}
	if plan.Trim != nil {
		s.Trim = *plan.Trim
	}
	return s
}

func checkStatus(p rollcall.Publication) error {
	if err := rollcall.CheckLine("reason", p.Reason); err != nil {
		return err
	}
	switch p.Status {
	case rollcall.Preliminary, rollcall.Final:
		return nil
	case rollcall.Restated:
		if p.Reason == "" {
			return &rollcall.Invalid{Field: "reason", Reason: "is missing: a restatement says why", Code: "reason"}
		}
		return nil
	}
	return &rollcall.Invalid{Field: "status", Value: string(p.Status), Reason: "is not preliminary, final or restated", Code: "status"}
}

// publish takes the next version; where another closer was first, the one after,
// or the other's if it is the same.
func (pub *Publisher) publish(ctx context.Context, p rollcall.Publication, f *frozen) (rollcall.Publication, error) {
	for range mostRetries {
		list, err := pub.versions(ctx, p.PanelMonth)
		if err != nil {
			return rollcall.Publication{}, err
		}
		if last := standing(list, p.Internal); last.Document == p.Document && last.Status == p.Status {
			last.Unchanged = true
			return last, nil
		}
		if p.Version, err = next(list, p); err != nil {
			return rollcall.Publication{}, err
		}
		if err := f.store(ctx, pub.Store); err != nil {
			return rollcall.Publication{}, err
		}
		p.Time = pub.Now().UTC()
		err = pub.Store.AddPublication(ctx, p)
		if err == nil {
			return p, nil
		}
		if !errors.Is(err, rollcall.ErrConflict) {
			return rollcall.Publication{}, fmt.Errorf("publish version %d of %s: %w", p.Version, p.Month, err)
		}
	}
	return rollcall.Publication{}, fmt.Errorf("publish %s: %d versions were taken by others meanwhile: %w", p.Month, mostRetries, rollcall.ErrConflict)
}

// standing is the latest internal version, or the latest for readers, that was
// not withdrawn: what was is no answer to a close, though it has the same facts.
func standing(list []rollcall.Publication, internal bool) (last rollcall.Publication) {
	for _, p := range list {
		if p.Internal == internal && p.Withdrawn.IsZero() {
			last = p
		}
	}
	return last
}

// next gives the number of the next version, and refuses a status that can't
// follow the last one that readers have seen.
func next(list []rollcall.Publication, p rollcall.Publication) (int, error) {
	version := 1
	var last rollcall.Publication
	for _, before := range list {
		version = max(version, before.Version+1)
		if !before.Internal {
			last = before
		}
	}
	if p.Internal {
		return version, nil
	}
	return version, follows(last, p.Status)
}

// follows refuses what makes no sense after the last public version: anything
// but a restatement of what is final, and a restatement of nothing.
func follows(last rollcall.Publication, status rollcall.PublicationStatus) error {
	switch {
	case last.Version == 0 && status == rollcall.Restated:
		return &rollcall.Invalid{Field: "status", Value: string(status), Reason: "can't be the first version: there is nothing to restate", Code: "status"}
	case last.Version > 0 && last.Status != rollcall.Preliminary && status != rollcall.Restated:
		return &rollcall.Invalid{Field: "status", Value: string(status), Reason: "can't follow version " + strconv.Itoa(last.Version) +
			", which is " + string(last.Status) + "; restate it, with a reason", Code: "status"}
	}
	return nil
}
