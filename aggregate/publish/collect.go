package publish

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/calibrate"
	"rollcall/aggregate/panel"
)

// frozen is a month's facts as they were when it was closed.
type frozen struct {
	hash            rollcall.Hash // of the document
	of              rollcall.PanelMonth
	month           *audience.Month
	document, facts []byte
}

// freeze loads the month's facts as they are now, and checks them by the rules.
// Nothing is stored yet: an object that no publication names would never age out.
func (pub *Publisher) freeze(ctx context.Context, of rollcall.PanelMonth, s audience.Settings, own panel.Thresholds, plan calibrate.Plan) (*frozen, error) {
	d, p, err := pub.collect(ctx, of, s, own)
	if err != nil {
		return nil, err
	}
	if err := calibrate.Document(ctx, pub.Store, d, p, plan); err != nil {
		return nil, err
	}
	body, err := d.Encode()
	if err != nil {
		return nil, err
	}
	pub.start()
	hash := rollcall.HashOf(body)
	m, err := pub.months.Get(ctx, hash, func() (*audience.Month, int64, error) {
		m, err := audience.NewMonth(hash, d, p)
		if err != nil {
			return nil, 0, err
		}
		m.Prepare()
		return m, m.Cost(), nil
	})
	if err != nil {
		return nil, err
	}
	if err := pub.Check(m); err != nil {
		return nil, err
	}
	return &frozen{hash: hash, of: of, month: m, document: body, facts: p.Diaries}, nil
}

// store stores what a version names.
func (f *frozen) store(ctx context.Context, store rollcall.Store) error {
	for name, object := range map[string][]byte{"diaries": f.facts, "document": f.document} {
		if _, err := store.PutObject(ctx, object); err != nil {
			return fmt.Errorf("store the %s of %s: %w", name, f.of.Month, err)
		}
	}
	return nil
}

// Live computes a month from its facts as they are now; nothing is stored.
func (pub *Publisher) Live(ctx context.Context, of rollcall.PanelMonth) (*audience.Month, error) {
	own, err := pub.limits(ctx, of.Market, of.Panel)
	if err != nil {
		return nil, err
	}
	d, p, err := pub.collect(ctx, of, settingsOf(&rollcall.ClosePlan{}, own), own)
	if err != nil {
		return nil, err
	}
	body, err := d.Encode()
	if err != nil {
		return nil, err
	}
	return audience.NewMonth(rollcall.HashOf(body), d, p)
}

// collect reads everything that a month's figures are computed from.
func (pub *Publisher) collect(ctx context.Context, of rollcall.PanelMonth, s audience.Settings, own panel.Thresholds) (*audience.Document, audience.Parts, error) {
	d := audience.NewDocument(of, s)
	if own != panel.Usual() {
		d.Limits = &own
	}
	var p audience.Parts
	if err := pub.refuseAged(ctx, of); err != nil {
		return nil, p, err
	}
	if err := pub.refuseTwoKeys(ctx, of); err != nil {
		return nil, p, err
	}
	if err := pub.describe(d); err != nil {
		return nil, p, err
	}
	files, err := pub.objects(ctx, of)
	if errors.Is(err, rollcall.ErrNotFound) {
		if err := pub.Known(ctx, rollcall.PanelMonth{Market: of.Market, Panel: of.Panel}); err != nil {
			return nil, p, err
		}
		return nil, p, fmt.Errorf("%w: panel %s in %s has no roster for %s; load it with `rollcall panel load`", rollcall.ErrNotFound, of.Panel, of.Market, of.Month)
	}
	if err != nil {
		return nil, p, err
	}
	d.Roster, d.Universe = files.Roster, files.Universe
	exclusions, err := pub.Store.Exclusions(ctx, of)
	if err != nil {
		return nil, p, fmt.Errorf("exclusions of %s: %w", of.Month, err)
	}
	d.Exclusions = append(d.Exclusions, exclusions...)
	if d.Before, err = pub.before(ctx, of, d.Internal()); err != nil {
		return nil, p, err
	}
	if p, err = loadParts(ctx, pub.Store, d); err != nil {
		return nil, p, err
	}
	if p.Diaries, err = audience.Freeze(ctx, pub.Store, d, p.Roster); err != nil {
		return nil, p, err
	}
	d.Diaries = rollcall.HashOf(p.Diaries)
	aside, err := pub.Store.SetAside(ctx) // after the reading, which may have set some aside
	d.Dropped.Damaged = rollcall.DamagedIn(aside, "diaries", of.Market, of.Month, of.Month)
	return d, p, err
}

// refuseTwoKeys refuses a month in which panelists have two pseudonyms: nobody
// before the change can be matched with anybody after it, nor with the roster.
func (pub *Publisher) refuseTwoKeys(ctx context.Context, of rollcall.PanelMonth) error {
	masters, err := pub.Store.Masters(ctx)
	if err != nil {
		return err
	}
	if change, found := rollcall.PanelKeyChange(masters, of.Month); found {
		return fmt.Errorf("%w: %s of panel %s has the change of its pseudonyms' key within it, %s: panelists can't be matched over it", rollcall.ErrConflict, of.Month, of.Panel, change)
	}
	return nil
}

// describe fills in the market and the catalogue.
func (pub *Publisher) describe(d *audience.Document) error {
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
	if len(c.Services) > audience.MostServices {
		return &rollcall.Invalid{Field: "services", Value: strconv.Itoa(len(c.Services)), Reason: fmt.Sprintf("is more than the %d that a report can have", audience.MostServices), Code: "services"}
	}
	d.Services, d.Starts = facts(c.Services), audience.Starts(calendar, d.Of.Month)
	return nil
}

// before pins the latest versions of the months before: for an internal version
// those of any kind, for one for readers those for readers.
func (pub *Publisher) before(ctx context.Context, of rollcall.PanelMonth, internal bool) ([]audience.Pinned, error) {
	list, err := pub.Publications(ctx, of.Market, of.Panel)
	if err != nil {
		return nil, err
	}
	out := []audience.Pinned{}
	for i := len(list) - 1; i >= 0; i-- {
		p := list[i]
		if p.Internal && !internal || !p.Withdrawn.IsZero() || p.Month >= of.Month || p.Month < of.Month-audience.History {
			continue
		}
		if len(out) == 0 || out[len(out)-1].Month != p.Month {
			out = append(out, audience.Pinned{Month: p.Month, Version: p.Version, Document: p.Document})
		}
	}
	return out, nil
}

// facts gives the services without what makes no panel figure: a colour is not
// a reason for another version.
func facts(services []rollcall.Service) []rollcall.Service {
	bare := make([]rollcall.Service, len(services))
	for i, s := range services {
		bare[i] = rollcall.Service{ID: s.ID, Name: s.Name, Brand: s.Brand, Owner: s.Owner}
	}
	return bare
}
