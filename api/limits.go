package api

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// limiter lets so many requests be worked on at a time, and so many more wait:
// what a month takes in memory, it takes once for each.
type limiter struct {
	paths   []string // of the requests that are limited, or prefixes of them
	working chan struct{}
	inside  chan struct{} // working or waiting
}

// DefaultConcurrent is Server.Concurrent's default; mostWaiting is how many may
// wait.
const (
	DefaultConcurrent = 4
	mostWaiting       = 64
)

func newLimiter(working, waiting int, paths ...string) *limiter {
	return &limiter{paths: paths, working: make(chan struct{}, working), inside: make(chan struct{}, working+waiting)}
}

// computations limits what is computed from a month's facts.
func (s *Server) computations() *limiter {
	return newLimiter(cmp.Or(s.Concurrent, DefaultConcurrent), mostWaiting,
		"/v1/reports/", "/v1/census", "/v1/publications", "/v1/exclusions", "/v1/erasures", "/v1/rejected")
}

// uploads limits files that are read into memory whole.
func uploads() *limiter { return newLimiter(1, mostWaiting, "/v1/panels/") }

// limit has the requests of the limiter's paths wait for one another.
func (l *limiter) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !l.limits(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		if !l.enter(r) {
			w.Header().Set("Retry-After", "1")
			problem(w, http.StatusServiceUnavailable, "as many requests wait as there is room for; ask again later")
			return
		}
		defer l.leave()
		answer := &prompt{ResponseWriter: w, control: http.NewResponseController(w)}
		defer answer.end()
		next.ServeHTTP(answer, r)
	})
}

func (l *limiter) limits(path string) bool {
	return slices.ContainsFunc(l.paths, func(p string) bool { return strings.HasPrefix(path, p) })
}

// enter waits until the request may be worked on. It is false where too many wait already, or the
// client has gone.
func (l *limiter) enter(r *http.Request) bool {
	select {
	case l.inside <- struct{}{}:
	default:
		return false
	}
	select {
	case l.working <- struct{}{}:
		return true
	case <-r.Context().Done():
		<-l.inside
		return false
	}
}

func (l *limiter) leave() {
	<-l.working
	<-l.inside
}

// prompt is an answer that its reader must take within answerTime a write:
// until then no other is worked on in its place.
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
