package rollcall

import (
	"fmt"
	"maps"
	"slices"
)

// Catalogue is what a deployment knows: its markets, services and segments. It is
// immutable; a change makes a new one.
type Catalogue struct {
	markets  map[MarketID]market
	services map[ServiceID]Service
	Markets  []Market  // in order of id
	Services []Service // in order of id
	Segments []Segment // in order of id
}

type market struct {
	Market
	calendar *Calendar
}

// NewCatalogue checks markets and services and loads the zones. Of two lines
// of one id the later stands. Segments are as the store gives them.
func NewCatalogue(markets []Market, services []Service, segments ...Segment) (*Catalogue, error) {
	c := &Catalogue{
		Segments: segments,
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

// Calendar gives a market's calendar, or an Unknown.
func (c *Catalogue) Calendar(id MarketID) (*Calendar, error) {
	if m, ok := c.markets[id]; ok {
		return m.calendar, nil
	}
	near := Nearest(string(id), slices.Sorted(maps.Keys(c.markets)))
	return nil, &Unknown{Kind: "market", Name: string(id), Near: near, Advice: addMarket}
}

// Service gives a service of the catalogue, or an Unknown.
func (c *Catalogue) Service(id ServiceID) (Service, error) {
	if s, ok := c.services[id]; ok {
		return s, nil
	}
	near := Nearest(string(id), slices.Sorted(maps.Keys(c.services)))
	return Service{}, &Unknown{Kind: "service", Name: string(id), Near: near, Advice: addService}
}

// Knows refuses a question of an unknown market, or of any unknown service.
func (c *Catalogue) Knows(m MarketID, services ...ServiceID) error {
	if _, err := c.Calendar(m); err != nil {
		return err
	}
	for _, id := range services {
		if _, err := c.Service(id); err != nil {
			return err
		}
	}
	return nil
}

// What to do about an unknown name.
const (
	addMarket  = "add it with `rollcall market add`"
	addService = "add it with `rollcall service add`"
)

// Check refuses a group of an unknown market or service. The group's ids
// become the catalogue's own strings, so that an event does not hold on to the
// input that it was read from.
func (c *Catalogue) Check(g *Group) error {
	m, ok := c.markets[g.Market]
	if !ok {
		return &Invalid{Field: "market", Value: string(g.Market), Reason: "is not known; " + addMarket, Code: "unknown_market"}
	}
	s, ok := c.services[g.Service]
	if !ok {
		return &Invalid{Field: "service", Value: string(g.Service), Reason: "is not known; " + addService, Code: "unknown_service"}
	}
	g.Market, g.Service = m.ID, s.ID
	return nil
}
