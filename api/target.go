package api

import (
	"context"
	"slices"

	"rollcall"
)

func (s *Server) getTargets(ctx context.Context, _ *nothing) (*list[rollcall.Target], error) {
	targets, err := s.Targets.Targets(ctx)
	if err != nil {
		return nil, s.fault("targets", err)
	}
	return listOf(targets), nil
}

// savedTargets gives and takes single ones.
type savedTargets struct{ *Server }

type targetInput struct {
	Target string `path:"target"`
	Plain
}

func (s savedTargets) getOne(ctx context.Context, in *targetInput) (*body[rollcall.Target], error) {
	found, err := s.find(ctx, in.Target)
	if err != nil {
		return nil, s.fault("target", err)
	}
	return &body[rollcall.Target]{Body: found}, nil
}

// find finds a target by its name, or says which are nearest.
func (s savedTargets) find(ctx context.Context, name string) (rollcall.Target, error) {
	saved, err := s.Targets.Targets(ctx)
	if err != nil {
		return rollcall.Target{}, err
	}
	if at := slices.IndexFunc(saved, func(t rollcall.Target) bool { return t.Name == name }); at >= 0 {
		return saved[at], nil
	}
	var names []string
	for _, t := range saved {
		names = append(names, t.Name)
	}
	return rollcall.Target{}, &rollcall.Unknown{Kind: "target", Name: name, Near: rollcall.Nearest(name, names), Advice: "save it with `rollcall target save`"}
}

func (s savedTargets) post(ctx context.Context, in *given[rollcall.Target]) (*made[rollcall.Target], error) {
	_, unknown := s.find(ctx, in.Body.Name)
	if err := s.Targets.SaveTarget(ctx, in.Body); err != nil {
		return nil, s.fault("save target", err)
	}
	s.audited(ctx, "save target", "", in.Body.Name)
	return madeAt(address("targets", in.Body.Name), in.Body, unknown != nil), nil
}
