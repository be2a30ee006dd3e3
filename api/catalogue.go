package api

import (
	"context"
	"net/http"

	"rollcall"
)

// list is the form of every list: {"rows": [...]}.
type list[T any] struct {
	Body struct {
		Rows []T `json:"rows"`
	}
}

func listOf[T any](rows []T) *list[T] {
	l := new(list[T])
	l.Body.Rows = append([]T{}, rows...)
	return l
}

type body[T any] struct {
	Body T
}

// made is the answer of a route that makes what has an address of its own: 201,
// and where it is; or 200 where it, or another in its place, was there.
type made[T any] struct {
	Status   int
	Location string `header:"Location" doc:"where what was made is"`
	Body     T
}

// madeAt says where something is that is new.
func madeAt[T any](path string, what T, isNew bool) *made[T] {
	if !isNew {
		return &made[T]{Status: http.StatusOK, Body: what}
	}
	return &made[T]{Status: http.StatusCreated, Location: path, Body: what}
}

// given is a body that a request brings.
type given[T any] struct {
	Body T
	Plain
}

// nothing is what a request brings that has neither parameters nor a body.
type nothing struct{ Plain }

// MarketChange adds a market, or changes one: an empty name or zone stays what
// it was.
type MarketChange struct {
	Market    string `json:"market"`
	Name      string `json:"name,omitempty"`
	Zone      string `json:"zone,omitempty" doc:"IANA, such as Europe/Paris; it stays once the market has facts"`
	Rename    bool   `json:"rename,omitempty" doc:"change the name of a market that has facts"`
	Simulated bool   `json:"simulated,omitempty" doc:"its people do not exist; it can't be changed later"`
}

func (s *Server) postMarket(ctx context.Context, in *given[MarketChange]) (*body[rollcall.Market], error) {
	m := rollcall.Market{ID: rollcall.MarketID(in.Body.Market), Name: in.Body.Name, Zone: in.Body.Zone, Simulated: in.Body.Simulated}
	m, err := s.Catalogue.AddMarket(ctx, m, in.Body.Rename)
	if err != nil {
		return nil, s.fault("add market", err)
	}
	s.audited(ctx, "set market", m.ID, m.Name+", "+m.Zone)
	return &body[rollcall.Market]{Body: m}, nil
}

func (s *Server) getServices(context.Context, *nothing) (*list[rollcall.Service], error) {
	return listOf(s.Catalogue.Catalogue().Services), nil
}

func (s *Server) postService(ctx context.Context, in *given[rollcall.Service]) (*body[rollcall.Service], error) {
	if err := s.Catalogue.AddService(ctx, in.Body); err != nil {
		return nil, s.fault("add service", err)
	}
	s.audited(ctx, "set service", "", string(in.Body.ID))
	return &body[rollcall.Service]{Body: in.Body}, nil
}
