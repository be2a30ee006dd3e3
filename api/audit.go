package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
	"rollcall/api/access"
)

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

// auditList is a list with where the next is.
type auditList struct {
	Link string `header:"Link" doc:"rel=next: the entries before these"`
	Body struct {
		Rows []rollcall.AuditEntry `json:"rows"`
	}
}

// get gives what was done, newest first, the changes of the keys among it.
func (s audits) get(ctx context.Context, in *auditInput) (*auditList, error) {
	var before time.Time
	if in.Before != "" {
		var err error
		if before, err = time.Parse(time.RFC3339Nano, in.Before); err != nil {
			return nil, huma.Error422UnprocessableEntity("before: is not a time such as 2002-10-03T18:22:05Z")
		}
	}
	rows, err := s.entries(ctx, before, in.Limit)
	if err != nil {
		return nil, s.fault("audit", err)
	}
	out := &auditList{Body: listOf(rows).Body}
	if len(rows) == in.Limit {
		out.Link = fmt.Sprintf(`</v1/audit?before=%s&limit=%d>; rel="next"`, rows[len(rows)-1].Time.Format(time.RFC3339Nano), in.Limit)
	}
	return out, nil
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
