package api

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// turns lets so many requests be worked on at a time, and so many more wait for
// their turn: what a month takes in memory, it takes once for each.
type turns struct {
	paths   []string // of the requests that take turns, or prefixes of them; "/" is the page alone
	working chan struct{}
	inside  chan struct{} // working or waiting
}

// DefaultTurns is Server.Turns' default, and waiting is how many may wait.
const (
	DefaultTurns = 4
	waiting      = 64
)

func newTurns(working, waiting int, paths ...string) *turns {
	return &turns{paths: paths, working: make(chan struct{}, working), inside: make(chan struct{}, working+waiting)}
}

// computing are the turns of what is computed from a month's facts.
func (s *Server) computing() *turns {
	return newTurns(cmp.Or(s.Turns, DefaultTurns), waiting,
		"/", "/v1/reports/", "/v1/census", "/v1/publications", "/v1/exclusions", "/v1/erasures", "/v1/rejected")
}

// uploading are the turns of files that are read into memory whole.
func uploading() *turns { return newTurns(1, waiting, "/v1/panels/") }

// of gives every request of its paths its turn.
func (t *turns) of(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !t.take(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		if !t.enter(r) {
			w.Header().Set("Retry-After", "1")
			problem(w, http.StatusServiceUnavailable, "as many requests wait as there is room for; ask again later")
			return
		}
		defer t.leave()
		answer := &prompt{ResponseWriter: w, control: http.NewResponseController(w)}
		defer answer.end()
		next.ServeHTTP(answer, r)
	})
}

func (t *turns) take(path string) bool {
	return slices.ContainsFunc(t.paths, func(p string) bool { return path == p || p != "/" && strings.HasPrefix(path, p) })
}

// enter waits for a turn. It is false where too many wait already, or the
// client has gone.
func (t *turns) enter(r *http.Request) bool {
	select {
	case t.inside <- struct{}{}:
	default:
		return false
	}
	select {
	case t.working <- struct{}{}:
		return true
	case <-r.Context().Done():
		<-t.inside
		return false
	}
}

func (t *turns) leave() {
	<-t.working
	<-t.inside
}

// prompt is an answer that its reader must take within answerTime a write:
// until then the turn is not free for another.
type prompt struct {
	http.ResponseWriter
	control *http.ResponseController
}

const answerTime = time.Minute

// Write writes on.
func (p *prompt) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(answerTime)) // a connection without deadlines has none
	return p.ResponseWriter.Write(b)
}

// end leaves the connection to its next request.
func (p *prompt) end() { _ = p.control.SetWriteDeadline(time.Time{}) } // as above

// Unwrap gives the writer itself, to its controllers.
func (p *prompt) Unwrap() http.ResponseWriter { return p.ResponseWriter }
