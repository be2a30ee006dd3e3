package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
	"rollcall/api/access"
	"rollcall/internal/problem"
)

// postSettle waits until the store has everything that the log holds now.
func (s *Server) postSettle(ctx context.Context, _ *nothing) (*struct{}, error) {
	if err := s.Log.Settle(ctx); err != nil {
		return nil, s.fault("settle", err)
	}
	return nil, nil
}

// caughtUpTime is how long an erasure, or its dry run, waits for what the log holds.
const caughtUpTime = 10 * time.Second

// caughtUp waits, for an erasure of one person or account or its dry run, until the
// store has what the log holds: what was sent seconds ago is to be found too. A process
// without a log answers from the store as it is.
func caughtUp(ctx context.Context, log Log) error {
	ctx, cancel := context.WithTimeout(ctx, caughtUpTime)
	defer cancel()
	err := log.Settle(ctx)
	if err == nil || errors.Is(err, rollcall.ErrConflict) {
		return nil
	}
	return fmt.Errorf("%w: the log may hold events that are not in the store yet; try again when they are", rollcall.ErrConflict)
}

type replayInput struct {
	Body struct {
		Time    *time.Time       `json:"time,omitempty" doc:"from the first record at or after this time"`
		Offsets map[string]int64 `json:"offsets,omitempty" doc:"from these offsets, by partition; other partitions are left out"`

		WithRemoved bool `json:"with_removed,omitempty" doc:"bring back what was removed from the census too"`
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
	words := fmt.Sprintf("%d events", n)
	if from.WithRemoved {
		words += ", with what was removed from the census"
	}
	s.audited(ctx, "replay", "", words)
	return &body[replayed]{Body: replayed{n}}, nil
}

func (in *replayInput) from() (from ReplayFrom, err error) {
	if (in.Body.Time == nil) == (in.Body.Offsets == nil) {
		return from, &rollcall.Invalid{Field: "from", Reason: "give a time or offsets, one of them", Code: "from"}
	}
	from.WithRemoved = in.Body.WithRemoved
	if in.Body.Time != nil {
		from.Time = *in.Body.Time
		return from, nil
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
	out, begun := json.NewEncoder(w), false
	for rejected, err := range s.Rejected.Rejected(r.Context(), q) {
		if err != nil && !begun {
			s.refuse(w, r, "rejected", err)
			return
		}
		if begun = true; err != nil {
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

// audited takes note in the audit log of what a request has done. It is done: that
// it can't be noted is told to the operator, and not to the caller.
func (s *Server) audited(ctx context.Context, action string, market rollcall.MarketID, object string) {
	if s.Audit == nil {
		return
	}
	caller := access.Of(ctx)
	e := rollcall.AuditEntry{Time: time.Now().UTC(), Key: caller.ID, Name: cmp.Or(caller.Name, "operator"), Action: action, Market: market, Object: object}
	if err := s.Audit.AddAudit(context.WithoutCancel(ctx), e); err != nil {
		s.Logger.Error("the audit log lacks an entry", "error", err, "entry", e)
	}
}

// keyUses takes note of the first use of each key a day.
type keyUses struct {
	*Server

	mu  sync.Mutex // guards the rest
	day string
	had map[string]bool
}

func (u *keyUses) noted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if caller := access.Of(r.Context()); caller.ID != "" && u.first(caller.ID, time.Now().UTC().Format(time.DateOnly)) {
			u.audited(r.Context(), "use key", "", "the first time of the day, with the role "+string(caller.Role))
		}
		next.ServeHTTP(w, r)
	})
}

func (u *keyUses) first(key, day string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if day != u.day {
		u.day, u.had = day, map[string]bool{}
	}
	had := u.had[key]
	u.had[key] = true
	return !had
}

// audits is the audit log's route.
type audits struct{ *Server }

type auditInput struct {
	Before string `query:"before" format:"date-time" doc:"only what was done before this time; the Link of an answer has it for the next"`
	Limit  int    `query:"limit" minimum:"1" maximum:"10000" default:"1000" doc:"the most entries"`
	Plain
}

// Resolve refuses a time that is none: an empty one too, which huma takes for one
// that isn't given.
func (in *auditInput) Resolve(ctx huma.Context) []error {
	u, errs := ctx.URL(), in.Plain.Resolve(ctx)
	if u.Query().Has("before") && in.Before == "" {
		errs = append(errs, located(inQuery, &rollcall.Invalid{Field: "before", Reason: "is empty, and is no time such as 2002-10-03T18:22:05Z", Code: "before"})...)
	}
	return errs
}

// get gives what was done, newest first, the changes of the keys among it.
func (s audits) get(ctx context.Context, in *auditInput) (*paged[rollcall.AuditEntry], error) {
	var before time.Time
	if in.Before != "" {
		var err error
		if before, err = time.Parse(time.RFC3339Nano, in.Before); err != nil {
			return nil, s.fault("audit", &rollcall.Invalid{Field: "before", Value: in.Before, Reason: "is not a time such as 2002-10-03T18:22:05Z", Code: "before"})
		}
	}
	rows, err := s.entries(ctx, before, in.Limit)
	if err != nil {
		return nil, s.fault("audit", err)
	}
	next := ""
	if len(rows) == in.Limit {
		next = fmt.Sprintf(`</v1/audit?before=%s&limit=%d>; rel="next"`, rows[len(rows)-1].Time.Format(time.RFC3339Nano), in.Limit)
	}
	return pageOf(rows, next), nil
}

func (s audits) entries(ctx context.Context, before time.Time, most int) ([]rollcall.AuditEntry, error) {
	rows, err := s.Audit.Audit(ctx, before, most)
	if err != nil {
		return nil, err
	}
	if s.Access != nil && s.Access.Keys != nil {
		all, err := s.Access.Keys.All()
		if err != nil {
			return nil, err
		}
		for _, e := range access.Changes(all) {
			if before.IsZero() || e.Time.Before(before) {
				rows = append(rows, e)
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b rollcall.AuditEntry) int { return b.Time.Compare(a.Time) })
	return rows[:min(most, len(rows))], nil
}
