package publish

import (
	"context"
	"errors"
	"fmt"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/calibrate"
)

// Verify holds a version against its objects and the rules; what doesn't agree
// is a rollcall.ErrIncoherent.
func (pub *Publisher) Verify(ctx context.Context, of rollcall.PanelMonth, version int) error {
	p, err := pub.Publication(ctx, of, version)
	if err != nil && !errors.Is(err, rollcall.ErrWithdrawn) { // it must not be used, and is still what it was
		return err
	}
	return pub.VerifyPublication(ctx, p)
}

// VerifyPublication reads a version's document and all that it names, checks every hash,
// weighs and computes anew, and holds the figures against the rules and the
// version's row against its document.
func (pub *Publisher) VerifyPublication(ctx context.Context, p rollcall.Publication) error {
	if err := pub.refuseAged(ctx, p.PanelMonth); err != nil {
		return fmt.Errorf("verify version %d: %w", p.Version, err)
	}
	fresh := Versions{Store: checked{pub.Store}}
	m, err := fresh.load(ctx, p.Document)
	if err != nil {
		return fmt.Errorf("verify version %d of %s: %w", p.Version, p.Month, err)
	}
	if m.Doc.Of != p.PanelMonth {
		return fmt.Errorf("verify version %d of %s: its document is of %s, panel %s in %s: %w",
			p.Version, p.Month, m.Doc.Of.Month, m.Doc.Of.Panel, m.Doc.Of.Market, rollcall.ErrIncoherent)
	}
	if err := pub.verifyRow(ctx, p, m.Doc); err != nil {
		return fmt.Errorf("verify version %d of %s: %w: %w", p.Version, p.Month, err, rollcall.ErrIncoherent)
	}
	return pub.Check(m)
}

// verifyRow holds what the store says of a version against its document and the
// versions before it. No hash covers the row: a status or reason that might have
// been given is not found out.
func (pub *Publisher) verifyRow(ctx context.Context, p rollcall.Publication, d *audience.Document) error {
	s := d.Settings
	if internal := d.Internal(); internal != p.Internal {
		return fmt.Errorf("internal is %v where its limits of %d and %d make it %v", p.Internal, s.Low, s.Caution, internal)
	}
	list, err := pub.versions(ctx, p.PanelMonth)
	if err != nil {
		return err
	}
	var last rollcall.Publication
	for i, before := range list {
		if before.Version != i+1 {
			return fmt.Errorf("version %d is missing", i+1)
		}
		if before.Version == p.Version {
			break
		}
		if !before.Internal {
			last = before
		}
	}
	if p.Internal {
		return nil
	}
	return follows(last, p.Status)
}

// checked is a store whose objects are held against their names.
type checked struct{ rollcall.Store }

// Object gives an object, or rollcall.ErrIncoherent where its bytes are not those
// of its name.
func (c checked) Object(ctx context.Context, of rollcall.Hash) ([]byte, error) {
	body, err := c.Store.Object(ctx, of)
	if err != nil {
		return nil, err
	}
	if rollcall.HashOf(body) != of {
		return nil, fmt.Errorf("object %s has other bytes: %w", of, rollcall.ErrIncoherent)
	}
	return body, nil
}

// Calibrations says of each version to which services' own census it is
// calibrated. What has aged out is passed over, and what can't be read, which
// Verify tells of.
func (v *Versions) Calibrations(ctx context.Context, list []rollcall.Publication) error {
	v.start()
	for i := range list {
		p := &list[i]
		if !p.AgedOut.IsZero() {
			continue
		}
		c, err := v.calibrations.Get(ctx, p.Document, func() (*rollcall.Calibration, int64, error) {
			d, err := v.document(ctx, p.Document)
			if err != nil {
				return nil, 0, err
			}
			return calibrate.Named(d), 1, nil
		})
		if err == nil {
			p.Calibration = c
		}
	}
	return ctx.Err()
}

// document reads a version's document.
func (v *Versions) document(ctx context.Context, of rollcall.Hash) (*audience.Document, error) {
	body, err := v.Store.Object(ctx, of)
	if err != nil {
		return nil, err
	}
	return audience.DecodeDocument(body)
}

// CountLate says of each version how many diary days came, or grew, since it was
// closed and are in none of its figures: of its own roster and catalogue. What
// has aged out is passed over.
func (v *Versions) CountLate(ctx context.Context, list []rollcall.Publication) error {
	known, calibrations := map[rollcall.Hash]*int{}, map[rollcall.Hash]*rollcall.Calibration{}
	for i := range list {
		p := &list[i]
		if !p.AgedOut.IsZero() {
			continue
		}
		if known[p.Document] == nil {
			n, err := v.late(ctx, p)
			if err != nil {
				return fmt.Errorf("diary days since version %d of %s: %w", p.Version, p.Month, err)
			}
			known[p.Document], calibrations[p.Document] = &n, p.Calibration
		}
		p.Late, p.Calibration = known[p.Document], calibrations[p.Document]
	}
	return nil
}

// late counts a version's late diary days, and tells it of its census.
func (v *Versions) late(ctx context.Context, p *rollcall.Publication) (int, error) {
	d, err := v.document(ctx, p.Document)
	if err != nil {
		return 0, err
	}
	if p.Calibration, err = calibrate.Later(ctx, v.Store, d); err != nil {
		return 0, err
	}
	parts, err := loadParts(ctx, v.Store, d)
	if err != nil {
		return 0, err
	}
	was, err := v.Store.Object(ctx, d.Diaries)
	if err != nil {
		return 0, err
	}
	is, err := audience.Freeze(ctx, v.Store, d, parts.Roster) // d is this call's own
	if err != nil || rollcall.HashOf(is) == d.Diaries {
		return 0, err
	}
	return audience.Later(d, len(parts.Roster.Panelists), was, is)
}
