package api

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/httprate"

	"rollcall"
	"rollcall/api/access"
	"rollcall/api/answer"
	"rollcall/internal/problem"
)

// limiter lets so many requests be worked on at a time, and so many more wait:
// what a month takes in memory, it takes once for each. No sender may fill it
// alone.
type limiter struct {
	paths   []string               // of the requests that are limited, or prefixes of them
	also    func(path string) bool // says of further ones; nil: there are none
	streams bool                   // the answers are made as they are written: they are work to their end
	working chan struct{}
	inside  chan struct{} // working or waiting
	most    int           // inside, of one sender
	share   int           // working, of one sender: all but a quarter, where there is one

	mu sync.Mutex // guards by
	by map[string]*sender
}

// sender is what one sender has in a limiter.
type sender struct {
	inside  int
	working chan struct{}
}

// DefaultConcurrent is Server.Concurrent's default; mostWaiting is how many may
// wait.
const (
	DefaultConcurrent = 4
	mostWaiting       = 64
)

func newLimiter(working, waiting int, paths ...string) *limiter {
	return &limiter{
		paths: paths, working: make(chan struct{}, working), inside: make(chan struct{}, working+waiting),
		most: working + waiting*3/4, share: working - working/4, by: map[string]*sender{},
	}
}

// computations limits what is computed from a month's facts.
func (s *Server) computations() *limiter {
	return newLimiter(cmp.Or(s.Concurrent, DefaultConcurrent), mostWaiting,
		"/v1/reports/", "/v1/census", "/v1/publications", "/v1/exclusions", "/v1/erasures")
}

// listings limits what is read from the log while it is answered: a slow reader
// of it is in no report's way.
func listings() *limiter {
	l := newLimiter(4, mostWaiting, "/v1/rejected")
	l.streams = true
	return l
}

// mostWide is how many wide tables are made at a time.
const mostWide = 4

// wideTables limits tables that are made while they are answered, months' facts in
// memory: a slow reader of one is in no report's way either. It stands before
// computations: what waits here has no report's place.
func wideTables() *limiter {
	l := newLimiter(mostWide, mostWaiting)
	l.also, l.streams = answer.Wide, true
	return l
}

// uploads limits files that are read into memory whole.
func uploads() *limiter {
	l := newLimiter(4, mostWaiting, "/v1/panels/")
	l.streams = true
	return l
}

// limit has the requests of the limiter's paths wait for one another. An answer
// that is being written is worked on no longer: its reader may be slow.
func (l *limiter) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !l.limits(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		leave, err := l.enter(r.Context(), senderOf(r))
		if err != nil {
			w.Header().Set("Retry-After", "1")
			problem.Write(w, http.StatusServiceUnavailable, busy)
			return
		}
		defer leave()
		if !l.streams {
			w = &answered{ResponseWriter: w, done: leave}
		}
		next.ServeHTTP(w, r)
	})
}

const busy = "as many requests wait as there is room for; ask again later"

func (l *limiter) limits(path string) bool {
	return l.also != nil && l.also(path) || slices.ContainsFunc(l.paths, func(p string) bool { return strings.HasPrefix(path, p) })
}

// enter waits until a sender's request may be worked on; leave may be called
// more than once. It fails where too many wait already, or the client has gone.
func (l *limiter) enter(ctx context.Context, name string) (leave func(), err error) {
	of := l.count(name)
	if of == nil {
		return nil, rollcall.ErrFull
	}
	select {
	case l.inside <- struct{}{}:
	default:
		l.discount(name)
		return nil, rollcall.ErrFull
	}
	left := func() { <-l.inside; l.discount(name) }
	select {
	case of.working <- struct{}{}:
	case <-ctx.Done():
		left()
		return nil, ctx.Err()
	}
	select {
	case l.working <- struct{}{}:
		return sync.OnceFunc(func() { <-l.working; <-of.working; left() }), nil
	case <-ctx.Done():
		<-of.working
		left()
		return nil, ctx.Err()
	}
}

// count takes one more of a sender in, if it has not its share; nil: it has.
func (l *limiter) count(name string) *sender {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.by[name]
	if of == nil {
		of = &sender{working: make(chan struct{}, l.share)}
		l.by[name] = of
	}
	if of.inside >= l.most {
		return nil
	}
	of.inside++
	return of
}

func (l *limiter) discount(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by[name].inside--; l.by[name].inside == 0 {
		delete(l.by, name)
	}
}

// senderOf names who sent a request: the key, or else the machine.
func senderOf(r *http.Request) string {
	return cmp.Or(access.Of(r.Context()).ID, access.Address(r))
}

// mostAMinute is how many requests a key may send a minute: a page of the
// dashboard takes about fifty.
const mostAMinute = 6000

// Admit lets requests through to a listener's routes as its control does, and of
// one key no more than it may send.
func Admit(c *access.Control, next http.Handler) http.Handler {
	return c.Handler(rate(mostAMinute)(next))
}

// rate limits what a key may send a minute. Collectors have budgets of their own.
func rate(most int) func(http.Handler) http.Handler {
	limited := httprate.LimitBy(most, time.Minute,
		func(r *http.Request) (string, error) { return senderOf(r), nil },
		httprate.WithLimitHandler(func(w http.ResponseWriter, _ *http.Request) {
			problem.Write(w, http.StatusTooManyRequests, "this key has sent as many requests as it may in a minute; send again later")
		}))
	return func(next http.Handler) http.Handler {
		counted := limited(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if access.Of(r.Context()).ID == "" || access.TakesEvents(r.URL.Path) {
				next.ServeHTTP(w, r)
				return
			}
			counted.ServeHTTP(w, r)
		})
	}
}

// answered is an answer that calls done when it begins.
type answered struct {
	http.ResponseWriter
	done func()
}

// Write writes on.
func (a *answered) Write(b []byte) (int, error) {
	a.done()
	return a.ResponseWriter.Write(b)
}

// Unwrap gives the writer itself, to its controllers.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// pace is how fast a body must come, or an answer be taken: at first it may
// stand still for so long, and every so many bytes give a second more.
type pace struct {
	grace  time.Duration
	second int // bytes
}

// The paces. A body of events has the collector's own.
func answerPace() pace { return pace{30 * time.Second, 16 << 10} }
func bodyPace() pace   { return pace{10 * time.Second, 64 << 10} }

// bodies gives every body but the collector's a deadline that moves with what
// has come of it: a sender that stands still is let go.
func (p pace) bodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !access.TakesEvents(r.URL.Path) {
			r.Body = &pacedBody{ReadCloser: r.Body, control: http.NewResponseController(w), pace: p, left: p.grace}
		}
		next.ServeHTTP(w, r)
	})
}

// answers gives every answer a deadline that moves with what was taken of it.
func (p pace) answers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(time.Time{}) // of the answer before; a connection without deadlines has none
		next.ServeHTTP(&pacedAnswer{ResponseWriter: w, control: control, pace: p, left: p.grace}, r)
	})
}

// pacedBody is a body with a deadline that moves with what has come.
type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	pace    pace
	left    time.Duration
}

// Read reads on.
func (p *pacedBody) Read(b []byte) (int, error) {
	begin := time.Now()
	_ = p.control.SetReadDeadline(begin.Add(p.left)) // a connection without deadlines has none
	n, err := p.ReadCloser.Read(b)
	p.left += p.pace.time(n) - time.Since(begin)
	if err == io.EOF { // a body's end is this very value
		_ = p.control.SetReadDeadline(time.Time{}) // what follows is not this body's
	}
	return n, err
}

func (p pace) time(bytes int) time.Duration {
	return time.Duration(bytes) * time.Second / time.Duration(p.second)
}

// pacedAnswer is an answer with a deadline that moves with what was taken of it.
type pacedAnswer struct {
	http.ResponseWriter
	control *http.ResponseController
	pace    pace
	left    time.Duration
}

// Write writes on.
func (p *pacedAnswer) Write(b []byte) (int, error) {
	begin := time.Now()
	p.left += p.pace.time(len(b))
	_ = p.control.SetWriteDeadline(begin.Add(p.left)) // as above
	n, err := p.ResponseWriter.Write(b)
	p.left -= time.Since(begin)
	return n, err
}

// Unwrap gives the writer itself, to its controllers.
func (p *pacedAnswer) Unwrap() http.ResponseWriter { return p.ResponseWriter }
