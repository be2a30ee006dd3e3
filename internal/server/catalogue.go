package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"rollcall"
	"rollcall/schemas"
)

// listing is where the registry's own markets and services are: the store, or a
// collector's copy of it.
type listing interface {
	Markets(ctx context.Context) ([]rollcall.Market, error)
	PutMarket(ctx context.Context, m rollcall.Market) error
	Services(ctx context.Context) ([]rollcall.Service, error)
	PutService(ctx context.Context, s rollcall.Service) error
}

// registry is the deployment's catalogue: the services that Rollcall comes
// with, and what the deployment added.
type registry struct {
	own listing
	log *slog.Logger

	mu  sync.RWMutex // guards the rest
	now *rollcall.Catalogue
	at  time.Time // when now was asked for
}

func openRegistry(ctx context.Context, own listing, log *slog.Logger) (*registry, error) {
	r := &registry{own: own, log: log}
	return r, r.load(ctx)
}

// How often a catalogue that other processes change is read again: always, and
// at most when something is not in it.
const (
	followEvery = 2 * time.Second
	askAgain    = 250 * time.Millisecond
)

// follow reads what other processes add, until ctx ends. While the store is
// away the last catalogue stands.
func (r *registry) follow(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	away := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := r.load(ctx)
		if err != nil && !away && ctx.Err() == nil {
			r.log.Warn("the catalogue can't be read; the last one stands", "error", err)
		}
		away = err != nil
	}
}

func (r *registry) load(ctx context.Context) error {
	asked := time.Now()
	markets, err := r.own.Markets(ctx)
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	own, err := r.own.Services(ctx)
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	common, err := schemas.Services()
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	c, err := rollcall.NewCatalogue(markets, override(common, own))
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now, r.at = c, asked
	return nil
}

// override puts the deployment's own services in place of common ones of the
// same id, and after the others.
func override(common, own []rollcall.Service) []rollcall.Service {
	at := make(map[rollcall.ServiceID]int, len(common))
	for i, s := range common {
		at[s.ID] = i
	}
	for _, s := range own {
		if i, ok := at[s.ID]; ok {
			common[i] = s
			continue
		}
		common = append(common, s)
	}
	return common
}

// Catalogue gives today's markets and services.
func (r *registry) Catalogue() *rollcall.Catalogue {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.now
}

// AddMarket adds or changes a market.
func (r *registry) AddMarket(ctx context.Context, m rollcall.Market) error {
	if _, err := m.Calendar(); err != nil {
		return err
	}
	if err := r.own.PutMarket(ctx, m); err != nil {
		return err
	}
	return r.load(ctx)
}

// AddService adds or changes a service.
func (r *registry) AddService(ctx context.Context, s rollcall.Service) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if err := r.own.PutService(ctx, s); err != nil {
		return err
	}
	return r.load(ctx)
}

// check refuses a group of an unknown market or service, after it has looked
// whether another process has just added it.
func (r *registry) check(g *rollcall.Group) error {
	err := r.Catalogue().Check(g)
	if err == nil || !r.old() {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTime)
	defer cancel()
	if failed := r.load(ctx); failed != nil {
		r.log.Warn("the catalogue can't be read; the last one stands", "error", failed)
	}
	return r.Catalogue().Check(g)
}

func (r *registry) old() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return time.Since(r.at) > askAgain
}

func (r *registry) calendar(id rollcall.MarketID) (*rollcall.Calendar, error) {
	return r.Catalogue().Calendar(id)
}
