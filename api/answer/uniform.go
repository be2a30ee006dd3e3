package answer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Uniform makes answers uniform. Found stands before what lets few requests in at
// a time, Made behind it.
type Uniform struct {
	Cache *Cache
	// Reader names what the answers to a request depend on beside the request
	// itself, such as its key's role.
	Reader func(*http.Request) string
}

// Found answers from the cache. A request that changes something empties it.
func (u *Uniform) Found(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if alters(r) {
			defer u.Cache.Forget()
		} else if reads(r) && keeps(r.URL) {
			if k, _ := u.Cache.get(u.Key(r)); k != nil {
				k.answer(w, r)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// Made gives what the routes answer to a GET its ETag, packs it, and keeps it. A
// list that is written as it is read goes through as it is.
func (u *Uniform) Made(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !reads(r) || !Whole(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		_, era := u.Cache.get("")
		made := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(made, r)
		if made.status != http.StatusOK {
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(made.status)
			_, _ = w.Write(made.body.Bytes()) // the client has gone: nobody is left to tell
			return
		}
		k := finish(made, r)
		k.key = u.Key(r)
		if keeps(r.URL) {
			u.Cache.put(k, era)
		}
		k.answer(w, r)
	})
}

// Key names all that an answer to a GET depends on.
func (u *Uniform) Key(r *http.Request) string {
	h := r.Header
	return strings.Join([]string{r.URL.Path, r.URL.RawQuery, strings.Join(h.Values("Accept"), ","), codingOf(strings.Join(h.Values("Accept-Encoding"), ",")), u.Reader(r)}, "\n")
}

func reads(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
}

// alters says whether a request may change a figure: signing in and out doesn't,
// nor does what assistants ask.
func alters(r *http.Request) bool {
	return !reads(r) && r.URL.Path != "/v1/session" && r.URL.Path != "/mcp"
}

// Whole says whether a path's answers are small enough to be held whole, and not
// the page's, which has its own ETags.
func Whole(path string) bool {
	return path != "/v1/rejected" && !Wide(path) && (strings.HasPrefix(path, "/v1/") || strings.HasPrefix(path, "/openapi"))
}

// Wide says whether a path is of a table that may be too large to hold: it is
// written as it is made.
func Wide(path string) bool {
	return strings.HasPrefix(path, "/v1/publications/") && (strings.HasSuffix(path, "/replicates.parquet") || strings.HasSuffix(path, "/uses.parquet"))
}

// keeps says whether an answer is of published figures: those computed live change
// with every event.
func keeps(u *url.URL) bool {
	return (strings.HasPrefix(u.Path, "/v1/reports/") || ofVersion(u.Path)) && !strings.Contains(u.RawQuery, "live=")
}

// ofVersion says whether a path is of a version's figures, and not of the version
// itself, which may be withdrawn or age out.
func ofVersion(path string) bool {
	within, ok := strings.CutPrefix(path, "/v1/publications/")
	return ok && strings.Count(within, "/") > 3 && !strings.HasSuffix(within, "/verify")
}

// lasting says whether an answer can't change: it is of a version, and of no target
// saved under a name.
func lasting(u *url.URL) bool {
	if !keeps(u) {
		return false
	}
	q := u.Query()
	if strings.Contains(q.Get("target"), "@") {
		return false
	}
	return ofVersion(u.Path) || q.Get("version") != "" && q.Get("version") != "0"
}

// recorder holds an answer's status and body back.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader takes note of the status.
func (m *recorder) WriteHeader(status int) { m.status = status }

// Write takes the body in.
func (m *recorder) Write(b []byte) (int, error) { return m.body.Write(b) }

// Unwrap gives the writer itself, to its controllers.
func (m *recorder) Unwrap() http.ResponseWriter { return m.ResponseWriter }

// finish makes an answer of what a route has written.
func finish(made *recorder, r *http.Request) *kept {
	h, body := made.Header().Clone(), made.body.Bytes()
	sum := sha256.Sum256(body)
	tag := hex.EncodeToString(sum[:16])
	if packs(h.Get("Content-Type"), body) {
		vary(h, "Accept-Encoding")
		if coding := codingOf(strings.Join(r.Header.Values("Accept-Encoding"), ",")); coding != "" {
			if packed, err := pack(coding, body); err == nil && len(packed) < len(body) {
				body, tag = packed, tag+"-"+coding
				h.Set("Content-Encoding", coding)
			}
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "private, no-cache")
	if lasting(r.URL) {
		h.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	return &kept{header: h, body: body}
}

func vary(h http.Header, name string) {
	if !slices.Contains(h.Values("Vary"), name) {
		h.Add("Vary", name)
	}
}

// answer writes an answer, or that the reader has it.
func (k *kept) answer(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	maps.Copy(h, k.header)
	if matches(r.Header.Values("If-None-Match"), k.header.Get("ETag")) {
		for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition"} {
			h.Del(name)
		}
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(k.body) //nolint:gosec // what a handler of ours answered, with its own Content-Type
	}
}

// matches reports whether an If-None-Match names the ETag.
func matches(given []string, tag string) bool {
	for name := range strings.SplitSeq(strings.Join(given, ","), ",") {
		if name = strings.TrimPrefix(strings.TrimSpace(name), "W/"); name == tag || name == "*" {
			return true
		}
	}
	return false
}
