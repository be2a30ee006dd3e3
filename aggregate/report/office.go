package report

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rollcall"
)

// Office closes months and answers for them. Its fields are set once, before
// its first use; then it is safe for concurrent use.
type Office struct {
	Store     rollcall.Store
	Catalogue func() *rollcall.Catalogue
	Targets   func(ctx context.Context, name string) (string, error) // a saved target's text; nil: none is saved
	Log       *slog.Logger                                           // nil: silent
	Pseudonym Pseudonym                                              // of panelists; nil: nobody new can be named
	Now       func() time.Time
	Software  string // the version printed on reports
	Memory    int64  // bytes of months kept loaded; 0: DefaultMemory

	forgot atomic.Int32 // the month before which nothing is kept loaded

	once   sync.Once // guards the limits of what follows
	months cache[rollcall.Hash, *month]
	tables cache[tableKey, *rollcall.Table]
}

// DefaultMemory is Office.Memory's default, in bytes.
const DefaultMemory = 512 << 20

const mostTables = 256

func (o *Office) start() {
	o.once.Do(func() {
		o.months.limit, o.tables.limit = o.Memory, mostTables
		if o.Memory <= 0 {
			o.months.limit = DefaultMemory
		}
	})
}

// month loads a document, or finds it loaded.
func (o *Office) month(ctx context.Context, hash rollcall.Hash) (*month, error) {
	o.start()
	return o.months.get(ctx, hash, func() (*month, int64, error) {
		m, err := o.load(ctx, hash)
		if err != nil {
			return nil, 0, err
		}
		return m, m.cost(), nil
	})
}

func (o *Office) load(ctx context.Context, hash rollcall.Hash) (*month, error) {
	body, err := o.Store.Object(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("publication's document %s: %w", hash, err)
	}
	if rollcall.HashOf(body) != hash {
		return nil, fmt.Errorf("publication's document %s is not what was published", hash)
	}
	d, err := decodeDocument(body)
	if err != nil {
		return nil, err
	}
	var p parts
	if err := p.load(ctx, o.Store, d); err != nil {
		return nil, err
	}
	if p.diaries, err = o.Store.Object(ctx, d.Diaries); err != nil {
		return nil, fmt.Errorf("diaries of %s: %w", d.Of.Month, err)
	}
	m, err := newMonth(hash, d, p)
	if err != nil {
		return nil, err
	}
	m.prepare()
	return m, nil
}

// Publications gives the versions of a panel's months, or of all panels' where
// panel is empty, by month, panel and version. It says which have aged out.
func (o *Office) Publications(ctx context.Context, market rollcall.MarketID, panel rollcall.PanelID) ([]rollcall.Publication, error) {
	list, err := o.Store.Publications(ctx, market, panel)
	if err != nil {
		return nil, fmt.Errorf("publications of panel %s in %s: %w", panel, market, err)
	}
	gone, err := o.ages(ctx)
	if err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	for i := range list {
		list[i].AgedOut = gone.since(list[i].Month)
	}
	slices.SortFunc(list, comparePublications)
	return list, nil
}

func comparePublications(a, b rollcall.Publication) int {
	return cmp.Or(cmp.Compare(a.Month, b.Month), cmp.Compare(a.Panel, b.Panel), a.Version-b.Version)
}

// versions gives the versions of one month, ascending.
func (o *Office) versions(ctx context.Context, of rollcall.PanelMonth) ([]rollcall.Publication, error) {
	list, err := o.Publications(ctx, of.Market, of.Panel)
	return slices.DeleteFunc(list, func(p rollcall.Publication) bool { return p.Month != of.Month }), err
}

// Publication finds a version of a month; version 0 is the latest that is not
// internal. It fails with rollcall.ErrNotClosed where the month has no version
// for readers, and rollcall.ErrNotFound where it has others but not this one.
func (o *Office) Publication(ctx context.Context, of rollcall.PanelMonth, version int) (rollcall.Publication, error) {
	list, err := o.versions(ctx, of)
	if err != nil {
		return rollcall.Publication{}, err
	}
	var latest rollcall.Publication
	for _, p := range list {
		if p.Version == version {
			return p, nil
		}
		if !p.Internal {
			latest = p
		}
	}
	if version != 0 && len(list) > 0 {
		return latest, fmt.Errorf("version %d of %s of panel %s in %s: %w", version, of.Month, of.Panel, of.Market, rollcall.ErrNotFound)
	}
	if latest.Version == 0 {
		return latest, fmt.Errorf("%s of panel %s in %s is %w; close it, or ask with --live", of.Month, of.Panel, of.Market, rollcall.ErrNotClosed)
	}
	return latest, nil
}
