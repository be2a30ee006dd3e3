package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
)

// statuses turns the kinds of failure into HTTP status, first match first.
var statuses = []struct {
	kind   error
	status int
}{
	{rollcall.ErrInvalid, http.StatusUnprocessableEntity},
	{rollcall.ErrNotClosed, http.StatusNotFound},
	{rollcall.ErrWithdrawn, http.StatusGone},
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

// Refuse is problem, for what stands before the routes.
func Refuse(w http.ResponseWriter, status int, detail string) { problem(w, status, detail) }

const problemType = "application/problem+json"

func writeProblem(w io.Writer, status int, detail string) {
	_ = json.NewEncoder(w).Encode(Problem{Title: http.StatusText(status), Status: status, Detail: detail}) // the client has gone: nobody is left to tell
}

func notFound(w http.ResponseWriter, r *http.Request) {
	problem(w, http.StatusNotFound, "there is nothing at "+r.URL.Path)
}
