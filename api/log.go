package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"rollcall"
)

// postSettle waits until the store has everything that the log holds now.
func (s *Server) postSettle(ctx context.Context, _ *struct{}) (*struct{}, error) {
	if err := s.Log.Settle(ctx); err != nil {
		return nil, s.fault("settle", err)
	}
	return nil, nil
}

type replayInput struct {
	Body struct {
		Time    *time.Time       `json:"time,omitempty" doc:"from the first record at or after this time"`
		Offsets map[string]int64 `json:"offsets,omitempty" doc:"from these offsets, by partition; other partitions are left out"`
	}
}

type replayed struct {
	Events int64 `json:"events"`
}

// postReplay folds a part of the log again, up to its present end, and answers
// when the store has it.
func (s *Server) postReplay(ctx context.Context, in *replayInput) (*body[replayed], error) {
	from, err := in.from()
	if err != nil {
		return nil, s.fault("replay", err)
	}
	n, err := s.Log.Replay(ctx, from)
	if err != nil {
		return nil, s.fault("replay", err)
	}
	return &body[replayed]{Body: replayed{n}}, nil
}

func (in *replayInput) from() (from ReplayFrom, err error) {
	if (in.Body.Time == nil) == (in.Body.Offsets == nil) {
		return from, &rollcall.Invalid{Field: "from", Reason: "give a time or offsets, one of them", Code: "from"}
	}
	if in.Body.Time != nil {
		return ReplayFrom{Time: *in.Body.Time}, nil
	}
	from.Offsets = rollcall.Offsets{}
	for name, offset := range in.Body.Offsets {
		p, err := strconv.Atoi(name)
		if err != nil || p < 0 || offset < 0 {
			return from, &rollcall.Invalid{Field: "offsets", Value: name, Reason: "want a partition and its offset, both from 0", Code: "offsets"}
		}
		from.Offsets[p] = offset
	}
	return from, nil
}

// getRejected gives the refused inputs as NDJSON, oldest first. A fault in the
// middle ends the answer with a last line {"error": ...}.
func (s *Server) getRejected(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := json.NewEncoder(w)
	for rejected, err := range s.Rejected.Rejected(r.Context()) {
		if err != nil {
			_, detail := s.judge("rejected", err)
			_ = out.Encode(map[string]string{"error": detail})
			return
		}
		if out.Encode(rejected) != nil {
			return // the client has gone
		}
	}
}

type resent struct {
	Inputs int `json:"inputs"`
}

// postRejected sends the refused through the log again; what is still not valid
// stays refused, and is not kept twice.
func (s *Server) postRejected(ctx context.Context, _ *struct{}) (*body[resent], error) {
	n, err := s.Rejected.Resend(ctx)
	if err != nil {
		return nil, s.fault("replay the rejected", err)
	}
	return &body[resent]{Body: resent{n}}, nil
}
