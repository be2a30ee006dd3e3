package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rollcall"
	"rollcall/aggregate/audience"
)

// Versions finds what was published, and loads it: the months used last stay
// loaded. Its fields are set once, before its first use; then it is safe for
// concurrent use.
type Versions struct {
	Store  rollcall.Store
	Memory int64 // bytes of months that stay loaded; 0: DefaultMemory

	forgot atomic.Int32 // the month before which nothing stays loaded

	once   sync.Once // guards the limit of what follows
	months audience.Cache[rollcall.Hash, *audience.Month]

	calibrations audience.Cache[rollcall.Hash, *rollcall.Calibration]
}

// mostCalibrations is how many versions' calibrations are remembered.
const mostCalibrations = 10_000

// DefaultMemory is Versions.Memory's default, in bytes.
const DefaultMemory = 512 << 20

func (v *Versions) start() {
	v.once.Do(func() {
		v.calibrations.Limit = mostCalibrations
		v.months.Limit = v.Memory
		if v.Memory <= 0 {
			v.months.Limit = DefaultMemory
		}
	})
}

// Month loads a document, or finds it loaded.
func (v *Versions) Month(ctx context.Context, hash rollcall.Hash) (*audience.Month, error) {
	v.start()
	return v.months.Get(ctx, hash, func() (*audience.Month, int64, error) {
		m, err := v.load(ctx, hash)
		if err != nil {
			return nil, 0, err
		}
		return m, m.Cost(), nil
	})
}

func (v *Versions) load(ctx context.Context, hash rollcall.Hash) (*audience.Month, error) {
	body, err := v.Store.Object(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("publication's document %s: %w", hash, err)
	}
	if rollcall.HashOf(body) != hash {
		return nil, fmt.Errorf("publication's document %s is not what was published", hash)
	}
	d, err := audience.DecodeDocument(body)
	if err != nil {
		return nil, err
	}
	p, err := loadParts(ctx, v.Store, d)
	if err != nil {
		return nil, err
	}
	if p.Diaries, err = v.Store.Object(ctx, d.Diaries); err != nil {
		return nil, fmt.Errorf("diaries of %s: %w", d.Of.Month, err)
	}
	m, err := audience.NewMonth(hash, d, p)
	if err != nil {
		return nil, err
	}
	m.Prepare()
	return m, nil
}

// loadParts reads the roster and the universe that a document names.
func loadParts(ctx context.Context, store rollcall.Store, d *audience.Document) (p audience.Parts, err error) {
	roster, err := store.Object(ctx, d.Roster)
	if err != nil {
		return p, fmt.Errorf("roster of %s: %w", d.Of.Month, err)
	}
	if p.Roster, err = audience.DecodeRoster(roster); err != nil {
		return p, err
	}
	universe, err := store.Object(ctx, d.Universe)
	if err != nil {
		return p, fmt.Errorf("universe of %s: %w", d.Of.Month, err)
	}
	p.Population, err = audience.DecodeUniverse(universe)
	return p, err
}

// Publications gives the versions of a panel's months, or of all panels' where
// panel is empty, by month, panel and version. It says which have aged out.
func (v *Versions) Publications(ctx context.Context, market rollcall.MarketID, panel rollcall.PanelID) ([]rollcall.Publication, error) {
	list, err := v.Store.Publications(ctx, market, panel)
	if err != nil {
		return nil, fmt.Errorf("publications of panel %s in %s: %w", panel, market, err)
	}
	gone, err := v.Ages(ctx)
	if err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	for i := range list {
		list[i].AgedOut = gone.Since(list[i].Month)
	}
	slices.SortFunc(list, comparePublications)
	return list, nil
}

func comparePublications(a, b rollcall.Publication) int {
	return cmp.Or(cmp.Compare(a.Month, b.Month), cmp.Compare(a.Panel, b.Panel), a.Version-b.Version)
}

// versions gives the versions of one month, ascending.
func (v *Versions) versions(ctx context.Context, of rollcall.PanelMonth) ([]rollcall.Publication, error) {
	list, err := v.Publications(ctx, of.Market, of.Panel)
	return slices.DeleteFunc(list, func(p rollcall.Publication) bool { return p.Month != of.Month }), err
}

// Publication finds a version of a month; version 0 is the latest that is neither
// internal nor withdrawn. It fails with rollcall.ErrWithdrawn where the version, or
// every one for readers, was withdrawn, with rollcall.ErrNotClosed where the month has no version
// for readers, and rollcall.ErrNotFound where it has others but not this one.
func (v *Versions) Publication(ctx context.Context, of rollcall.PanelMonth, version int) (rollcall.Publication, error) {
	list, err := v.versions(ctx, of)
	if err != nil {
		return rollcall.Publication{}, err
	}
	var latest, withdrawn rollcall.Publication
	for _, p := range list {
		switch {
		case p.Version == version:
			return p, CheckWithdrawn(p)
		case p.Internal:
		case !p.Withdrawn.IsZero():
			withdrawn = p
		default:
			latest = p
		}
	}
	if version != 0 && len(list) > 0 {
		return latest, rollcall.NoVersion(of, version, list)
	}
	if latest.Version == 0 && withdrawn.Version != 0 {
		return latest, CheckWithdrawn(withdrawn)
	}
	if latest.Version == 0 && len(list) > 0 {
		return latest, fmt.Errorf("%s of panel %s in %s is %w for readers: every version of it is internal; close it with the usual limits, or name a version",
			of.Month, of.Panel, of.Market, rollcall.ErrNotClosed)
	}
	if latest.Version == 0 {
		return latest, fmt.Errorf("%s of panel %s in %s is %w; close it, or ask with --live", of.Month, of.Panel, of.Market, rollcall.ErrNotClosed)
	}
	return latest, nil
}

// CheckWithdrawn refuses a version that was withdrawn, and says why it was.
func CheckWithdrawn(p rollcall.Publication) error {
	if p.Withdrawn.IsZero() {
		return nil
	}
	return fmt.Errorf("version %d of %s of panel %s in %s was %w on %s: %s",
		p.Version, p.Month, p.Panel, p.Market, rollcall.ErrWithdrawn, p.Withdrawn.UTC().Format(time.DateOnly), p.WithdrawalReason)
}

// Withdraw marks a version as one that must not be used, and gives it as it is
// then. One that is withdrawn already stays as it was.
func (v *Versions) Withdraw(ctx context.Context, w rollcall.Withdrawal) (p rollcall.Publication, err error) {
	if w.Reason == "" {
		return p, &rollcall.Invalid{Field: "reason", Reason: "is missing: whoever asks for the version is told it", Code: "reason_missing"}
	}
	if err := rollcall.CheckLine("reason", w.Reason); err != nil {
		return p, err
	}
	if p, err = v.Publication(ctx, w.PanelMonth, w.Version); err != nil {
		if errors.Is(err, rollcall.ErrWithdrawn) {
			err = nil
		}
		return p, err
	}
	if err := v.Store.Withdraw(ctx, w); err != nil {
		return p, err
	}
	if p, err = v.Publication(ctx, w.PanelMonth, w.Version); errors.Is(err, rollcall.ErrWithdrawn) {
		err = nil
	}
	return p, err
}

// Ages reads what has aged out, and lets go of it in memory too.
func (v *Versions) Ages(ctx context.Context) (rollcall.Ageings, error) {
	list, err := v.Store.Ageings(ctx)
	if err != nil {
		return nil, err
	}
	a := rollcall.Ageings(list)
	if before := a.Before(); v.forgot.Swap(int32(before)) != int32(before) {
		v.months.Remove(func(m *audience.Month) bool { return m.Doc.Of.Month < before })
	}
	return a, nil
}

// refuseAged refuses a month that has aged out.
func (v *Versions) refuseAged(ctx context.Context, of rollcall.PanelMonth) error {
	a, err := v.Ages(ctx)
	if err != nil {
		return err
	}
	return a.Check(of)
}
