package api

import (
	"context"

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

// given is a body that a request brings.
type given[T any] struct {
	Body T
	Plain
}

// nothing is what a request brings that has neither parameters nor a body.
type nothing struct{ Plain }

func (s *Server) getMarkets(context.Context, *nothing) (*list[rollcall.Market], error) {
	return listOf(s.Catalogue.Catalogue().Markets), nil
}

func (s *Server) postMarket(ctx context.Context, in *given[rollcall.Market]) (*body[rollcall.Market], error) {
	if err := s.Catalogue.AddMarket(ctx, in.Body); err != nil {
		return nil, s.fault("add market", err)
	}
	return &body[rollcall.Market]{Body: in.Body}, nil
}

func (s *Server) getServices(context.Context, *nothing) (*list[rollcall.Service], error) {
	return listOf(s.Catalogue.Catalogue().Services), nil
}

func (s *Server) postService(ctx context.Context, in *given[rollcall.Service]) (*body[rollcall.Service], error) {
	if err := s.Catalogue.AddService(ctx, in.Body); err != nil {
		return nil, s.fault("add service", err)
	}
	return &body[rollcall.Service]{Body: in.Body}, nil
}
