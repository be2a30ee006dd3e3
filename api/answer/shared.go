package answer

import (
	"maps"
	"net/http"
	"strings"
	"sync"

	"rollcall/internal/problem"
)

// Shared has requests that are alike and come while one of them is worked on
// answered by the next one's work: many readers of one figure cost two
// computations, however many they are. An answer is never older than the request:
// whoever comes in the middle of a computation waits for one that begins after
// that. Nothing is kept. It stands before what lets few requests in at a time.
// Its fields are set once, before its first use; then it is safe for concurrent use.
type Shared struct {
	Under string                     // the beginning of the paths whose answers are shared
	Key   func(*http.Request) string // two requests of one key are answered alike

	mu    sync.Mutex // guards byKey
	byKey map[string]*flights
}

// mostSharing is how many requests of one key may wait; others are refused.
const mostSharing = 2000

// flights are the requests of one key that are there.
type flights struct {
	now  *flight // that is worked on
	next *flight // whose requests wait until now has ended; nil: there are none
}

// flight is one computation, and what came of it.
type flight struct {
	waiting int           // requests that wait for it, beside the one that does it
	begins  chan struct{} // closed by end: one of those that wait may begin; owned by Shared
	taken   bool          // one of them has begun it
	done    chan struct{} // closed where the rest stands; owned by who does it
	made    bool          // what was answered is for others too
	status  int
	header  http.Header
	body    []byte
}

func newFlight() *flight { return &flight{begins: make(chan struct{}), done: make(chan struct{})} }

// Handler stands before next.
func (s *Shared) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !reads(r) || !strings.HasPrefix(r.URL.Path, s.Under) {
			next.ServeHTTP(w, r)
			return
		}
		key := r.Method + "\n" + strings.Join(r.Header.Values("If-None-Match"), ",") + "\n" + s.Key(r)
		for {
			f, mine := s.join(key)
			if f == nil {
				w.Header().Set("Retry-After", "1")
				problem.Write(w, http.StatusServiceUnavailable, "as many requests wait for this figure as there is room for; ask again later")
				return
			}
			if !mine && !s.wait(r, key, f) {
				if r.Context().Err() != nil {
					return // the client has gone: nobody is left to tell
				}
				if !f.made {
					continue // what came of it is nobody else's: ask anew
				}
				f.answer(w)
				return
			}
			s.do(w, r, next, key, f)
			return
		}
	})
}

// join gives the flight that a request is of, and whether it is to do it now; nil:
// there are too many.
func (s *Shared) join(key string) (f *flight, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byKey == nil {
		s.byKey = map[string]*flights{}
	}
	of := s.byKey[key]
	if of == nil {
		of = &flights{now: newFlight()}
		of.now.taken = true
		s.byKey[key] = of
		return of.now, true
	}
	if of.next == nil {
		of.next = newFlight()
	}
	if of.next.waiting == mostSharing {
		return nil, false
	}
	of.next.waiting++
	return of.next, false
}

// wait waits for a flight to begin or to be done; begin says that the request is
// the one that does it.
func (s *Shared) wait(r *http.Request, key string, f *flight) (begin bool) {
	select {
	case <-f.begins:
	case <-r.Context().Done():
		s.leave(key, f)
		return false
	}
	s.mu.Lock()
	begin = !f.taken
	f.taken = true
	s.mu.Unlock()
	if begin {
		return true
	}
	select {
	case <-f.done:
	case <-r.Context().Done():
	}
	return false
}

// leave takes a request away from a flight that has not begun. One that nobody is
// left to do is let go.
func (s *Shared) leave(key string, f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.waiting--
	of := s.byKey[key]
	switch {
	case of == nil || f.waiting > 0 || f.taken:
	case of.next == f:
		of.next = nil
	case of.now == f: // it was to begin
		s.begin(key, of)
	}
}

// begin lets those who wait begin; mu is held.
func (s *Shared) begin(key string, of *flights) {
	of.now, of.next = of.next, nil
	if of.now == nil {
		delete(s.byKey, key)
		return
	}
	close(of.now.begins)
}

// do answers a request by next, and gives what came of it to those who wait for
// it. What was cut short by the client's going, and a refusal for want of room,
// say nothing of the others' requests.
func (s *Shared) do(w http.ResponseWriter, r *http.Request, next http.Handler, key string, f *flight) {
	made := &recorder{ResponseWriter: w, status: http.StatusOK}
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		close(f.done)
		s.begin(key, s.byKey[key])
	}()
	next.ServeHTTP(made, r)
	if r.Context().Err() == nil && made.status != http.StatusServiceUnavailable {
		f.status, f.header, f.body, f.made = made.status, w.Header().Clone(), made.body.Bytes(), true
	}
	w.WriteHeader(made.status)
	_, _ = w.Write(made.body.Bytes()) // the client has gone: nobody is left to tell
}

// answer writes what the flight gave.
func (f *flight) answer(w http.ResponseWriter) {
	maps.Copy(w.Header(), f.header)
	w.WriteHeader(f.status)
	_, _ = w.Write(f.body)
}
