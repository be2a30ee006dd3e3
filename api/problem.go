package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"rollcall"
)

// statuses turns the kinds of failure into HTTP status, first match first.
var statuses = []struct {
	kind   error
	status int
}{
	{rollcall.ErrInvalid, http.StatusUnprocessableEntity},
	{rollcall.ErrNotClosed, http.StatusNotFound},
	{rollcall.ErrAgedOut, http.StatusGone},
	{rollcall.ErrNotFound, http.StatusNotFound},
	{rollcall.ErrIncoherent, http.StatusConflict},
	{rollcall.ErrConflict, http.StatusConflict},
	{rollcall.ErrFull, http.StatusTooManyRequests},
	{errSlow, http.StatusRequestTimeout},
	{context.DeadlineExceeded, http.StatusGatewayTimeout},
}

// fault turns an error into a problem. What is not one of the known kinds is
// ours to mend: it is logged, and its text does not reach the user.
func (s *Server) fault(op string, err error) error {
	status, detail := s.judge(op, err)
	return huma.NewError(status, detail)
}

func (s *Server) judge(op string, err error) (status int, detail string) {
	for _, k := range statuses {
		if errors.Is(err, k.kind) {
			return k.status, err.Error()
		}
	}
	s.Logger.Error("request failed", "operation", op, "error", err)
	return http.StatusInternalServerError, "something failed inside; the server's log says what"
}

// Problem is RFC 9457's, as every error is answered.
type Problem = huma.ErrorModel

// problem writes RFC 9457's problem+json outside of huma's own routes.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(status)
	writeProblem(w, status, detail)
}

const problemType = "application/problem+json"

func writeProblem(w io.Writer, status int, detail string) {
	_ = json.NewEncoder(w).Encode(Problem{Title: http.StatusText(status), Status: status, Detail: detail}) // the client has gone: nobody is left to tell
}

// otherMethod answers what a path is not asked by: OPTIONS by saying what it may
// be asked by, HEAD as GET without its body, the rest with a 405.
func otherMethod(routes *chi.Mux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		allowed := []string{http.MethodOptions}
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
			if routes.Match(chi.NewRouteContext(), method, r.URL.Path) {
				allowed = append(allowed, method)
			}
		}
		read := slices.Contains(allowed, http.MethodGet)
		if read {
			allowed = append(allowed, http.MethodHead)
		}
		switch {
		case read && r.Method == http.MethodHead:
			headOf(routes, w, r)
			return
		case r.Method == http.MethodOptions:
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		problem(w, http.StatusMethodNotAllowed, r.Method+" is not for "+r.URL.Path+"; there are "+strings.Join(allowed, ", "))
	}
}

// headOf answers as GET does; the HTTP server leaves the body out.
func headOf(routes http.Handler, w http.ResponseWriter, r *http.Request) {
	as := r.Clone(context.WithValue(r.Context(), chi.RouteCtxKey, nil))
	as.Method = http.MethodGet
	routes.ServeHTTP(w, as)
}

func notFound(w http.ResponseWriter, r *http.Request) {
	problem(w, http.StatusNotFound, "there is nothing at "+r.URL.Path)
}
