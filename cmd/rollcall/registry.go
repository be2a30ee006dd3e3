package main

import (
	"context"
	"fmt"
	"sync"

	"rollcall"
	"rollcall/schemas"
)

// shelf is what the registry keeps its own markets and services in.
type shelf interface {
	Markets(ctx context.Context) ([]rollcall.Market, error)
	Services(ctx context.Context) ([]rollcall.Service, error)
	PutMarket(ctx context.Context, m rollcall.Market) error
	PutService(ctx context.Context, s rollcall.Service) error
}

// registry is the deployment's catalogue: the services that Rollcall comes
// with, and what the deployment added.
type registry struct {
	shelf shelf

	mu  sync.RWMutex // guards now
	now *rollcall.Catalogue
}

func openRegistry(ctx context.Context, s shelf) (*registry, error) {
	r := &registry{shelf: s}
	return r, r.load(ctx)
}

func (r *registry) load(ctx context.Context) error {
	markets, err := r.shelf.Markets(ctx)
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	own, err := r.shelf.Services(ctx)
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
	r.now = c
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
	if err := r.shelf.PutMarket(ctx, m); err != nil {
		return err
	}
	return r.load(ctx)
}

// AddService adds or changes a service.
func (r *registry) AddService(ctx context.Context, s rollcall.Service) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if err := r.shelf.PutService(ctx, s); err != nil {
		return err
	}
	return r.load(ctx)
}

func (r *registry) check(g *rollcall.Group) error { return r.Catalogue().Check(g) }

func (r *registry) calendar(id rollcall.MarketID) (*rollcall.Calendar, error) {
	return r.Catalogue().Calendar(id)
}
