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

func (s *Server) getMarkets(context.Context, *struct{}) (*list[rollcall.Market], error) {
	return listOf(s.Catalogue.Catalogue().Markets), nil
}

func (s *Server) postMarket(ctx context.Context, in *body[rollcall.Market]) (*body[rollcall.Market], error) {
	if err := s.Catalogue.AddMarket(ctx, in.Body); err != nil {
		return nil, s.fault("add market", err)
	}
	return in, nil
}

func (s *Server) getServices(context.Context, *struct{}) (*list[rollcall.Service], error) {
	return listOf(s.Catalogue.Catalogue().Services), nil
}

func (s *Server) postService(ctx context.Context, in *body[rollcall.Service]) (*body[rollcall.Service], error) {
	if err := s.Catalogue.AddService(ctx, in.Body); err != nil {
		return nil, s.fault("add service", err)
	}
	return in, nil
}
