package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"rollcall"
	"rollcall/aggregate/panel"
)

// mostRetries bounds how often a closer gives way to another.
const mostRetries = 100

// Close makes the next version of a month: it freezes the month's facts, weighs
// and checks them, and publishes. The same facts and settings always make the
// same document. A version whose limits are under panel.Usual's is internal.
// It fails with rollcall.ErrNotFound where the month has no panel loaded, with
// an Invalid where the status can't follow those before it, and with
// rollcall.ErrIncoherent where a rule of METHOD is broken; then nothing is
// published.
func (pub *Publisher) Close(ctx context.Context, plan rollcall.ClosePlan) (rollcall.Publication, error) {
	p := rollcall.Publication{
		PanelMonth: plan.Of, Status: cmp.Or(plan.Status, rollcall.Preliminary), Reason: strings.TrimSpace(plan.Reason),
	}
	settings := settingsOf(&plan)
	if err := cmp.Or(checkStatus(p), settings.validate()); err != nil {
		return rollcall.Publication{}, err
	}
	p.Internal = settings.Under(panel.Usual())
	if _, err := pub.next(ctx, p); err != nil {
		return rollcall.Publication{}, err
	}
	m, err := pub.freeze(ctx, plan.Of, settings)
	if err != nil {
		return rollcall.Publication{}, err
	}
	p.Document = m.hash
	return pub.publish(ctx, p)
}

// settingsOf are the plan's settings, and the usual ones where it says none.
func settingsOf(plan *rollcall.ClosePlan) Settings {
	s := DefaultSettings()
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

// publish takes the next version; where another closer was first, the one after.
func (pub *Publisher) publish(ctx context.Context, p rollcall.Publication) (rollcall.Publication, error) {
	for range mostRetries {
		version, err := pub.next(ctx, p)
		if err != nil {
			return rollcall.Publication{}, err
		}
		p.Version, p.Time = version, pub.Now().UTC()
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

// next gives the number of the next version, and refuses a status that can't
// follow the last one that readers have seen.
func (pub *Publisher) next(ctx context.Context, p rollcall.Publication) (int, error) {
	list, err := pub.versions(ctx, p.PanelMonth)
	if err != nil {
		return 0, err
	}
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

// freeze loads the month's facts as they are now and, if no rule is broken,
// stores them: an object that no publication names would never age out.
func (pub *Publisher) freeze(ctx context.Context, of rollcall.PanelMonth, s Settings) (*month, error) {
	d, p, err := pub.collect(ctx, of, s)
	if err != nil {
		return nil, err
	}
	d.Diaries = rollcall.HashOf(p.diaries)
	body, err := d.encode()
	if err != nil {
		return nil, err
	}
	pub.start()
	hash := rollcall.HashOf(body)
	m, err := pub.months.get(ctx, hash, func() (*month, int64, error) {
		m, err := newMonth(hash, d, p)
		if err != nil {
			return nil, 0, err
		}
		m.prepare()
		return m, m.cost(), nil
	})
	if err != nil {
		return nil, err
	}
	if err := pub.Check(m); err != nil {
		return nil, err
	}
	for name, object := range map[string][]byte{"diaries": p.diaries, "document": body} {
		if _, err := pub.Store.PutObject(ctx, object); err != nil {
			return nil, fmt.Errorf("store the %s of %s: %w", name, of.Month, err)
		}
	}
	return m, nil
}

// live computes a month from its facts as they are now; nothing is stored.
func (pub *Publisher) live(ctx context.Context, of rollcall.PanelMonth) (*month, error) {
	d, p, err := pub.collect(ctx, of, DefaultSettings())
	if err != nil {
		return nil, err
	}
	d.Diaries = rollcall.HashOf(p.diaries)
	body, err := d.encode()
	if err != nil {
		return nil, err
	}
	return newMonth(rollcall.HashOf(body), d, p)
}

// collect reads everything that a month's figures are computed from.
func (pub *Publisher) collect(ctx context.Context, of rollcall.PanelMonth, s Settings) (*document, parts, error) {
	d := &document{Format: documentVersion, Of: of, Settings: s, Exclusions: []rollcall.Exclusion{}}
	var p parts
	if err := pub.present(ctx, of); err != nil {
		return nil, p, err
	}
	if err := pub.describe(d); err != nil {
		return nil, p, err
	}
	files, err := pub.Store.PanelObjects(ctx, of)
	if errors.Is(err, rollcall.ErrNotFound) || err == nil && files.Roster == (rollcall.Hash{}) {
		return nil, p, fmt.Errorf("panel %s in %s has no roster for %s; load it with `rollcall panel load`: %w", of.Panel, of.Market, of.Month, rollcall.ErrNotFound)
	}
	if err != nil {
		return nil, p, fmt.Errorf("panel files of %s: %w", of.Month, err)
	}
	d.Roster, d.Universe = files.Roster, files.Universe
	exclusions, err := pub.Store.Exclusions(ctx, of)
	if err != nil {
		return nil, p, fmt.Errorf("exclusions of %s: %w", of.Month, err)
	}
	d.Exclusions = append(d.Exclusions, exclusions...)
	if d.Before, err = pub.before(ctx, of); err != nil {
		return nil, p, err
	}
	if p, err = loadParts(ctx, pub.Store, d); err != nil {
		return nil, p, err
	}
	p.diaries, err = newFreezer(d, p.roster).freeze(ctx, pub.Store)
	return d, p, err
}

// describe fills in the market and the catalogue.
func (pub *Publisher) describe(d *document) error {
	c := pub.Catalogue()
	calendar, err := c.Calendar(d.Of.Market)
	if err != nil {
		return err
	}
	for _, m := range c.Markets {
		if m.ID == d.Of.Market {
			d.Market = m
		}
	}
	if len(c.Services) > mostServices {
		return &rollcall.Invalid{Field: "services", Value: strconv.Itoa(len(c.Services)), Reason: fmt.Sprintf("is more than the %d that a report can have", mostServices), Code: "services"}
	}
	d.Services, d.Starts = c.Services, starts(calendar, d.Of.Month)
	return nil
}

// before pins the latest versions, for readers, of the months before.
func (pub *Publisher) before(ctx context.Context, of rollcall.PanelMonth) ([]pinned, error) {
	list, err := pub.Publications(ctx, of.Market, of.Panel)
	if err != nil {
		return nil, err
	}
	out := []pinned{}
	for i := len(list) - 1; i >= 0; i-- {
		p := list[i]
		if p.Internal || p.Month >= of.Month || p.Month < of.Month-history {
			continue
		}
		if len(out) == 0 || out[len(out)-1].Month != p.Month {
			out = append(out, pinned{Month: p.Month, Version: p.Version, Document: p.Document})
		}
	}
	return out, nil
}
