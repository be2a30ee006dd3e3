package report

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"rollcall"
)

// Publisher takes a panel's files, closes its months, and finds what was
// published. Its fields are set once, before its first use; then it is safe for
// concurrent use.
type Publisher struct {
	Store     rollcall.Store
	Catalogue func() *rollcall.Catalogue
	Check     func(*month) error // the rules without which no month is published
	Log       *slog.Logger       // nil: silent
	Pseudonym Pseudonym          // of panelists; nil: nobody new can be named
	Now       func() time.Time
	Memory    int64 // bytes of months that stay loaded; 0: DefaultMemory

	forgot atomic.Int32 // the month before which nothing stays loaded

	once   sync.Once // guards the limit of what follows
	months cache[rollcall.Hash, *month]
}

// DefaultMemory is Publisher.Memory's default, in bytes.
const DefaultMemory = 512 << 20

func (pub *Publisher) start() {
	pub.once.Do(func() {
		pub.months.limit = pub.Memory
		if pub.Memory <= 0 {
			pub.months.limit = DefaultMemory
		}
	})
}

// month loads a document, or finds it loaded.
func (pub *Publisher) month(ctx context.Context, hash rollcall.Hash) (*month, error) {
	pub.start()
	return pub.months.get(ctx, hash, func() (*month, int64, error) {
		m, err := pub.load(ctx, hash)
		if err != nil {
			return nil, 0, err
		}
		return m, m.cost(), nil
	})
}

func (pub *Publisher) load(ctx context.Context, hash rollcall.Hash) (*month, error) {
	body, err := pub.Store.Object(ctx, hash)
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
	p, err := loadParts(ctx, pub.Store, d)
	if err != nil {
		return nil, err
	}
	if p.diaries, err = pub.Store.Object(ctx, d.Diaries); err != nil {
		return nil, fmt.Errorf("diaries of %s: %w", d.Of.Month, err)
	}
	m, err := newMonth(hash, d, p)
	if err != nil {
		return nil, err
	}
	m.prepare()
	return m, nil
}

// loadParts reads the roster and the universe that a document names.
func loadParts(ctx context.Context, store rollcall.Store, d *document) (p parts, err error) {
	roster, err := store.Object(ctx, d.Roster)
	if err != nil {
		return p, fmt.Errorf("roster of %s: %w", d.Of.Month, err)
	}
	if p.roster, err = DecodeRoster(roster); err != nil {
		return p, err
	}
	universe, err := store.Object(ctx, d.Universe)
	if err != nil {
		return p, fmt.Errorf("universe of %s: %w", d.Of.Month, err)
	}
	p.population, err = DecodeUniverse(universe)
	return p, err
}
