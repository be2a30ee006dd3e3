package api

import (
	"context"
	"fmt"

	"rollcall"
)

// MasterKeys are the master keys of the pseudonyms, of which only hashes are
// ever told.
type MasterKeys interface {
	States(ctx context.Context) ([]rollcall.MasterState, error)
	Rotate(ctx context.Context, from rollcall.Day, lost bool) (rollcall.Rotation, error)
}

// masterKeys answers of them.
type masterKeys struct{ *Server }

func (s masterKeys) get(ctx context.Context, _ *nothing) (*list[rollcall.MasterState], error) {
	all, err := s.MasterKeys.States(ctx)
	if err != nil {
		return nil, s.fault("list the master keys", err)
	}
	return listOf(all), nil
}

type rotationInput struct {
	Body struct {
		From string `json:"from" doc:"the first day of the new master key, a day to come, YYYY-MM-DD"`
		Lost bool   `json:"lost,omitempty" doc:"master keys that the store knows are lost"`
	}
	Plain
}

// post begins a new master key on a day to come.
func (s masterKeys) post(ctx context.Context, in *rotationInput) (*body[rollcall.Rotation], error) {
	from, err := namedDay("from", in.Body.From)
	if err != nil {
		return nil, s.fault("rotate", err)
	}
	done, err := s.MasterKeys.Rotate(ctx, from, in.Body.Lost)
	if err != nil {
		return nil, s.fault("rotate", err)
	}
	s.audited(ctx, "rotate master key", "", fmt.Sprintf("%s, from %s on", done.ID, done.From))
	return &body[rollcall.Rotation]{Body: done}, nil
}
