package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"rollcall"
	"rollcall/internal/problem"
)

// postSettle waits until the store has everything that the log holds now.
func (s *Server) postSettle(ctx context.Context, _ *nothing) (*struct{}, error) {
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
	Plain
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
	s.audited(ctx, "replay", "", fmt.Sprintf("%d events", n))
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

// postAcknowledge gives what the embedded log has lost, which then is no longer
// told.
func (s *Server) postAcknowledge(ctx context.Context, _ *nothing) (*body[LogDamage], error) {
	d, err := s.Log.Acknowledge(ctx)
	if err != nil {
		return nil, s.fault("acknowledge the log's damage", err)
	}
	s.audited(ctx, "acknowledge damage", "", fmt.Sprintf("%d bytes of the log", d.Bytes))
	return &body[LogDamage]{Body: d}, nil
}

// getRejected gives the refused inputs as NDJSON, oldest first. A fault in the
// middle ends the answer with a last line {"error": ...}.
func (s *Server) getRejected(w http.ResponseWriter, r *http.Request) {
	q, err := parseRejectedQuery(r.URL.RawQuery)
	if err != nil {
		s.refuse(w, r, "rejected", err)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := json.NewEncoder(w)
	for rejected, err := range s.Rejected.Rejected(r.Context(), q) {
		if err != nil {
			_ = out.Encode(map[string]string{"error": s.fault("rejected", err).Detail})
			return
		}
		if out.Encode(rejected) != nil {
			return // the client has gone
		}
	}
}

func parseRejectedQuery(query string) (q RejectedQuery, err error) {
	if faults := problem.Parameters(query, "code", "source", "all"); len(faults) > 0 {
		return q, problem.Invalid(faults)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return q, err
	}
	q.Code, q.Source = values.Get("code"), values.Get("source")
	if all := values.Get("all"); all != "" {
		if q.All, err = strconv.ParseBool(all); err != nil {
			return q, &rollcall.Invalid{Field: "all", Value: all, Reason: "is neither true nor false", Code: "parameter"}
		}
	}
	return q, nil
}

type resendInput struct {
	Code   string `query:"code" doc:"only what was refused with this code"`
	Source string `query:"source" doc:"only what comes from a source that begins so"`
	Plain
}

// postRejected sends what was refused, and is valid now, through the log again;
// what is still not valid stays refused.
func (s *Server) postRejected(ctx context.Context, in *resendInput) (*body[Resent], error) {
	done, err := s.Rejected.Resend(ctx, RejectedQuery{Code: in.Code, Source: in.Source})
	if err != nil {
		return nil, s.fault("replay the rejected", err)
	}
	s.audited(ctx, "replay rejected", "", fmt.Sprintf("%d of %d inputs", done.Valid, done.Inputs))
	return &body[Resent]{Body: done}, nil
}
