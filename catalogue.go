package rollcall

import (
	"fmt"
	"maps"
	"slices"
)

// Catalogue is what a deployment knows: its markets and services. It is
// immutable; a change makes a new one.
type Catalogue struct {
	markets  map[MarketID]market
	services map[ServiceID]Service
	Markets  []Market  // in order of id
	Services []Service // in order of id
}

type market struct {
	Market
	calendar *Calendar
}

// NewCatalogue checks markets and services and loads the zones. Of two lines
// of one id the later stands.
func NewCatalogue(markets []Market, services []Service) (*Catalogue, error) {
	c := &Catalogue{
		markets:  make(map[MarketID]market, len(markets)),
		services: make(map[ServiceID]Service, len(services)),
	}
	for _, m := range markets {
		cal, err := m.Calendar()
		if err != nil {
			return nil, fmt.Errorf("market %s: %w", m.ID, err)
		}
		c.markets[m.ID] = market{m, cal}
	}
	for _, s := range services {
		if err := s.Validate(); err != nil {
			return nil, err
		}
		c.services[s.ID] = s
	}
	for _, id := range slices.Sorted(maps.Keys(c.markets)) {
		c.Markets = append(c.Markets, c.markets[id].Market)
	}
	for _, id := range slices.Sorted(maps.Keys(c.services)) {
		c.Services = append(c.Services, c.services[id])
	}
	return c, nil
}

// Calendar gives a market's calendar, or an Invalid.
func (c *Catalogue) Calendar(id MarketID) (*Calendar, error) {
	if m, ok := c.markets[id]; ok {
		return m.calendar, nil
	}
	return nil, unknownMarket(id)
}

func unknownMarket(id MarketID) error {
	return &Invalid{Field: "market", Value: string(id), Reason: "is not known; add it with `rollcall market add`", Code: "unknown_market"}
}

// Service gives a service of the catalogue, or an Invalid.
func (c *Catalogue) Service(id ServiceID) (Service, error) {
	if s, ok := c.services[id]; ok {
		return s, nil
	}
	return Service{}, &Invalid{Field: "service", Value: string(id), Reason: "is not known; add it with `rollcall service add`", Code: "unknown_service"}
}

// Check refuses a group of an unknown market or service. The group's ids
// become the catalogue's own strings, so that an event does not hold on to the
// input that it was read from.
func (c *Catalogue) Check(g *Group) error {
	m, ok := c.markets[g.Market]
	if !ok {
		return unknownMarket(g.Market)
	}
	s, err := c.Service(g.Service)
	if err != nil {
		return err
	}
	g.Market, g.Service = m.ID, s.ID
	return nil
}
