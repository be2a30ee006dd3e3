package server

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"rollcall"
	"rollcall/schemas"
)

// lists is where the deployment's own markets and services are read: the store,
// or a collector's copy of it.
type lists interface {
	Markets(ctx context.Context) ([]rollcall.Market, error)
	Services(ctx context.Context) ([]rollcall.Service, error)
}

// catalogue is the deployment's: the services that Rollcall comes with, and what
// the deployment added.
type catalogue struct {
	own lists
	log *slog.Logger

	mu  sync.RWMutex // guards the rest
	now *rollcall.Catalogue
	at  time.Time // when now was asked for
}

func openCatalogue(ctx context.Context, own lists, log *slog.Logger) (*catalogue, error) {
	c := &catalogue{own: own, log: log}
	return c, c.load(ctx)
}

// How often a catalogue that other processes change is read again: always, and
// at most when something is not in it.
const (
	followEvery = 2 * time.Second
	askAgain    = 250 * time.Millisecond
)

// follow reads what other processes add, until ctx ends. While the store is
// away the last catalogue stands.
func (c *catalogue) follow(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	away := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := c.load(ctx)
		if err != nil && !away && ctx.Err() == nil {
			c.log.Warn("the catalogue can't be read; the last one stands", "error", err)
		}
		away = err != nil
	}
}

func (c *catalogue) load(ctx context.Context) error {
	asked := time.Now()
	markets, err := c.own.Markets(ctx)
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	own, err := c.own.Services(ctx)
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	common, err := schemas.Services()
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	now, err := rollcall.NewCatalogue(markets, override(common, own))
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.at = now, asked
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
func (c *catalogue) Catalogue() *rollcall.Catalogue {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.now
}

// check refuses a group of an unknown market or service, after it has looked
// whether another process has just added it.
func (c *catalogue) check(g *rollcall.Group) error {
	return c.twice(context.Background(), func(now *rollcall.Catalogue) error { return now.Check(g) })
}

// knows refuses a question of an unknown market or service, as check does.
func (c *catalogue) knows(ctx context.Context, m rollcall.MarketID, services []rollcall.ServiceID) error {
	return c.twice(ctx, func(now *rollcall.Catalogue) error { return now.Knows(m, services...) })
}

// twice asks the catalogue, and once more what is in the store where the answer
// is an error and the catalogue is old.
func (c *catalogue) twice(ctx context.Context, ask func(*rollcall.Catalogue) error) error {
	err := ask(c.Catalogue())
	if err == nil || !c.old() {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	if failed := c.load(ctx); failed != nil {
		c.log.Warn("the catalogue can't be read; the last one stands", "error", failed)
	}
	return ask(c.Catalogue())
}

func (c *catalogue) old() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return time.Since(c.at) > askAgain
}

func (c *catalogue) calendar(id rollcall.MarketID) (*rollcall.Calendar, error) {
	return c.Catalogue().Calendar(id)
}

// changeable is a catalogue with the store that its changes go to.
type changeable struct {
	*catalogue
	store rollcall.Store
}

// AddMarket adds or changes a market.
func (c changeable) AddMarket(ctx context.Context, m rollcall.Market) error {
	if _, err := m.Calendar(); err != nil {
		return err
	}
	if err := rollcall.CheckLine("name", m.Name); err != nil {
		return err
	}
	if err := c.store.PutMarket(ctx, m); err != nil {
		return err
	}
	return c.load(ctx)
}

// AddService adds or changes a service.
func (c changeable) AddService(ctx context.Context, s rollcall.Service) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if err := c.store.PutService(ctx, s); err != nil {
		return err
	}
	return c.load(ctx)
}
