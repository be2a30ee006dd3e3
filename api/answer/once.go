package answer

import (
	"bytes"
	"container/list"
	"crypto/sha256"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"

	"rollcall/internal/problem"
)

// Once answers a request that is sent again under the same Idempotency-Key as it
// answered the first, and does nothing for it. Only what succeeded is remembered,
// for OnceTime, in this process alone: after a restart the request is done anew.
// Its fields are set once, before its first use; then it is safe for concurrent use.
type Once struct {
	Path   string                     // of the POST that it stands before
	Sender func(*http.Request) string // keys of different senders are different
	Now    func() time.Time

	mu    sync.Mutex // guards the rest
	byKey map[onceKey]*list.Element
	order list.List // of *onceDone, the oldest first
}

// OnceTime is how long an answer is remembered, and mostOnce how many are.
const (
	OnceTime = 24 * time.Hour
	mostOnce = 1000
)

type onceKey struct{ sender, name string }

// onceDone is a request that was begun, and what it was answered.
type onceDone struct {
	key    onceKey
	body   [sha256.Size]byte
	since  time.Time
	status int // 0: it is under way
	header http.Header
	answer []byte
}

// Handler stands before next.
func (o *Once) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Header.Get("Idempotency-Key")
		if r.Method != http.MethodPost || r.URL.Path != o.Path || name == "" {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 1<<20))
		if err != nil {
			r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err})) // next says what is wrong
			next.ServeHTTP(w, r)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		mine := &onceDone{key: onceKey{o.Sender(r), name}, body: sha256.Sum256(append([]byte(r.Header.Get("Content-Type")+"\n"), body...))}
		if before := o.begin(mine); before != nil {
			before.again(w, mine)
			return
		}
		made := &recorder{ResponseWriter: w, status: http.StatusOK}
		defer func() { o.end(mine, made) }()
		next.ServeHTTP(made, r)
		w.WriteHeader(made.status)
		_, _ = w.Write(made.body.Bytes()) // the client has gone: nobody is left to tell
	})
}

// failing is a body that ends in an error.
type failing struct{ error }

// Read fails.
func (f failing) Read([]byte) (int, error) { return 0, f.error }

// begin takes note of a request, or gives what is known of the one before it.
func (o *Once) begin(mine *onceDone) (before *onceDone) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.byKey == nil {
		o.byKey = map[onceKey]*list.Element{}
	}
	mine.since = o.Now()
	for at := o.order.Front(); at != nil && (o.order.Len() >= mostOnce || mine.since.Sub(at.Value.(*onceDone).since) >= OnceTime); at = o.order.Front() {
		o.drop(at)
	}
	if at, ok := o.byKey[mine.key]; ok {
		is := *at.Value.(*onceDone)
		return &is
	}
	o.byKey[mine.key] = o.order.PushBack(mine)
	return nil
}

// end remembers what a request was answered, if it succeeded.
func (o *Once) end(mine *onceDone, made *recorder) {
	o.mu.Lock()
	defer o.mu.Unlock()
	at, ok := o.byKey[mine.key]
	if !ok || at.Value.(*onceDone) != mine {
		return // there was no room for it any more
	}
	if made.status >= http.StatusMultipleChoices || made.body.Len() == 0 { // it panicked, or may succeed yet
		o.drop(at)
		return
	}
	mine.status, mine.header, mine.answer = made.status, made.Header().Clone(), bytes.Clone(made.body.Bytes())
}

func (o *Once) drop(at *list.Element) {
	delete(o.byKey, o.order.Remove(at).(*onceDone).key)
}

// again answers a request that was sent before.
func (d *onceDone) again(w http.ResponseWriter, now *onceDone) {
	switch {
	case d.body != now.body:
		fault := &problem.Fault{Location: "header.Idempotency-Key", Code: "repeated", Message: "was sent with another body before; a new request needs a new key"}
		problem.Invalid([]*problem.Fault{fault}).Write(w)
	case d.status == 0:
		w.Header().Set("Retry-After", "1")
		problem.Write(w, http.StatusConflict, "Idempotency-Key: a request with this key is under way; send it again later")
	default:
		maps.Copy(w.Header(), d.header)
		w.WriteHeader(d.status)
		_, _ = w.Write(d.answer)
	}
}
