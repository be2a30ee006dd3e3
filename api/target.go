package api

import (
	"context"

	"rollcall"
)

func (s *Server) getTargets(ctx context.Context, _ *nothing) (*list[rollcall.Target], error) {
	targets, err := s.Targets.Targets(ctx)
	if err != nil {
		return nil, s.fault("targets", err)
	}
	return listOf(targets), nil
}

func (s *Server) postTarget(ctx context.Context, in *given[rollcall.Target]) (*body[rollcall.Target], error) {
	if err := s.Targets.SaveTarget(ctx, in.Body); err != nil {
		return nil, s.fault("save target", err)
	}
	s.audited(ctx, "save target", "", in.Body.Name)
	return &body[rollcall.Target]{Body: in.Body}, nil
}
