package rollcall

import (
	"fmt"
	"slices"
	"strings"
)

// Catalogue is what a deployment knows: its markets and services. It is
// immutable; a change makes a new one.
type Catalogue struct {
	markets  map[MarketID]*Calendar
	services map[ServiceID]Service
	Markets  []Market  // in order of id
	Services []Service // in order of id
}

// NewCatalogue checks markets and services and loads the zones.
func NewCatalogue(markets []Market, services []Service) (*Catalogue, error) {
	c := &Catalogue{
		markets:  make(map[MarketID]*Calendar, len(markets)),
		services: make(map[ServiceID]Service, len(services)),
		Markets:  slices.Clone(markets),
		Services: slices.Clone(services),
	}
	for _, m := range markets {
		cal, err := m.Calendar()
		if err != nil {
			return nil, fmt.Errorf("market %s: %w", m.ID, err)
		}
		c.markets[m.ID] = cal
	}
	for _, s := range services {
		if err := s.Validate(); err != nil {
			return nil, err
		}
		c.services[s.ID] = s
	}
	slices.SortFunc(c.Markets, func(a, b Market) int { return strings.Compare(string(a.ID), string(b.ID)) })
	slices.SortFunc(c.Services, func(a, b Service) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return c, nil
}

// Calendar gives a market's calendar, or an Invalid.
func (c *Catalogue) Calendar(id MarketID) (*Calendar, error) {
	if cal := c.markets[id]; cal != nil {
		return cal, nil
	}
	return nil, &Invalid{Field: "market", Value: string(id), Reason: "is not known; add it with `rollcall market add`", Code: "unknown_market"}
}

// Service gives a service of the catalogue, or an Invalid.
func (c *Catalogue) Service(id ServiceID) (Service, error) {
	if s, ok := c.services[id]; ok {
		return s, nil
	}
	return Service{}, &Invalid{Field: "service", Value: string(id), Reason: "is not known; add it with `rollcall service add`", Code: "unknown_service"}
}

// Check refuses a group of an unknown market or service.
func (c *Catalogue) Check(g *Group) error {
	if _, err := c.Calendar(g.Market); err != nil {
		return err
	}
	_, err := c.Service(g.Service)
	return err
}
