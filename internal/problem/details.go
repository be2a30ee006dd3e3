package problem

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"rollcall"
)

// ContentType is that of every problem.
const ContentType = "application/problem+json"

// TypePrefix begins every problem's type; its code ends it. The types are
// described in docs/api.md.
const TypePrefix = "urn:rollcall:problem:"

// Details is an answer that is not the one asked for.
type Details struct {
	Type   string   `json:"type" doc:"urn:rollcall:problem: and the code"`
	Title  string   `json:"title" doc:"the status in words"`
	Status int      `json:"status" doc:"of HTTP"`
	Code   string   `json:"code" doc:"what kind of failure it is; it stays the same from version to version"`
	Detail string   `json:"detail" doc:"what happened, in one line"`
	Errors []*Fault `json:"errors,omitempty" doc:"every fault of the request"`
}

// New makes the problem of a status that needs no more words than these.
func New(status int, detail string) *Details {
	return of(status, codeOf(status), detail)
}

func of(status int, code, detail string) *Details {
	return &Details{Type: TypePrefix + code, Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

// Invalid makes the problem of faults, in their words.
func Invalid(faults []*Fault) *Details {
	words := make([]string, len(faults))
	for i, f := range faults {
		words[i] = f.Error()
	}
	d := New(http.StatusUnprocessableEntity, strings.Join(words, "; "))
	d.Errors = faults
	return d
}

// Error gives the detail.
func (d *Details) Error() string { return d.Detail }

// GetStatus gives the HTTP status.
func (d *Details) GetStatus() int { return d.Status }

// ContentType gives a problem's own, whatever was agreed for answers.
func (d *Details) ContentType(string) string { return ContentType }

// GetHeaders says when to ask again, where that is of use.
func (d *Details) GetHeaders() http.Header {
	if d.Status == http.StatusServiceUnavailable || d.Status == http.StatusTooManyRequests {
		return http.Header{"Retry-After": {"1"}}
	}
	return nil
}

// Write answers with the problem.
func (d *Details) Write(w http.ResponseWriter) {
	if again := d.GetHeaders().Get("Retry-After"); again != "" && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", again)
	}
	w.Header().Set("Content-Type", ContentType)
	w.WriteHeader(d.Status)
	_ = json.NewEncoder(w).Encode(d) // the client has gone: nobody is left to tell
}

// Write answers with the problem of a status.
func Write(w http.ResponseWriter, status int, detail string) { New(status, detail).Write(w) }

// ErrSlow says that a body came too slowly.
var ErrSlow = errors.New("the body came too slowly; send it again")

// kinds turns the kinds of failure into status and code, first match first.
var kinds = []struct {
	kind   error
	status int
	code   string
}{
	{rollcall.ErrInvalid, http.StatusUnprocessableEntity, "invalid"},
	{rollcall.ErrNotClosed, http.StatusNotFound, "not_closed"},
	{rollcall.ErrWithdrawn, http.StatusGone, "withdrawn"},
	{rollcall.ErrAgedOut, http.StatusGone, "aged_out"},
	{rollcall.ErrNotFound, http.StatusNotFound, "not_found"},
	{rollcall.ErrIncoherent, http.StatusConflict, "incoherent"},
	{rollcall.ErrConflict, http.StatusConflict, "conflict"},
	{rollcall.ErrFull, http.StatusTooManyRequests, "full"},
	{rollcall.ErrAway, http.StatusServiceUnavailable, "away"},
	{ErrSlow, http.StatusRequestTimeout, "too_slow"},
	{context.DeadlineExceeded, http.StatusGatewayTimeout, "timeout"},
}

// statuses are the codes of what is told by its status alone.
var statuses = []struct {
	status int
	code   string
}{
	{http.StatusBadRequest, "malformed"},
	{http.StatusUnauthorized, "no_key"},
	{http.StatusForbidden, "forbidden"},
	{http.StatusNotFound, "not_found"},
	{http.StatusMethodNotAllowed, "method_not_allowed"},
	{http.StatusRequestTimeout, "too_slow"},
	{http.StatusConflict, "conflict"},
	{http.StatusGone, "gone"},
	{http.StatusRequestEntityTooLarge, "too_large"},
	{http.StatusUnsupportedMediaType, "media_type"},
	{http.StatusUnprocessableEntity, "invalid"},
	{http.StatusTooManyRequests, "full"},
	{http.StatusServiceUnavailable, "unavailable"},
	{http.StatusGatewayTimeout, "timeout"},
}

// internal is the code of a fault of ours.
const internal = "internal"

func codeOf(status int) string {
	for _, s := range statuses {
		if s.status == status {
			return s.code
		}
	}
	return internal
}

// Codes gives every code that a problem may have.
func Codes() []string {
	out, seen := []string{}, map[string]bool{}
	add := func(code string) {
		if !seen[code] {
			out, seen[code] = append(out, code), true
		}
	}
	for _, k := range kinds {
		add(k.code)
	}
	for _, s := range statuses {
		add(s.code)
	}
	add(internal)
	return out
}

// Of makes an error a problem. What is none of the known kinds is ours to mend:
// known is false, and its text doesn't reach the user.
func Of(err error) (d *Details, known bool) {
	if errors.As(err, &d) {
		return d, true
	}
	for _, k := range kinds {
		if errors.Is(err, k.kind) {
			d = of(k.status, k.code, err.Error())
			if k.kind == rollcall.ErrAway { // where it is does not concern who asks
				d.Detail = "the store does not answer now; ask again later"
			}
			d.Errors = faultsOf(err)
			return d, true
		}
	}
	return New(http.StatusInternalServerError, "something failed inside; the server's log says what"), false
}
