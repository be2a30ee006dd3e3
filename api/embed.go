package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rollcall"
	"rollcall/internal/problem"
)

// Embed is what pages of other sites may show in a frame, to anybody: charts of
// the published figures of some markets.
type Embed struct {
	Page    http.Handler // the page, to be framed by the sites
	Markets []rollcall.MarketID
}

// CheckSite refuses what is no origin of a site: https://example.org, and no path.
func CheckSite(site string) error {
	u, err := url.Parse(site)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Scheme+"://"+u.Host != site || strings.ContainsAny(site, " ;,'\"*") {
		return fmt.Errorf("%q: is not a site such as https://example.org", site)
	}
	return nil
}

// Handler serves /embed/ from open, as it would to a reader, and all else from
// next. A chart is at /embed/FIGURE, what it asks at /embed/v1/.
func (e Embed) Handler(open, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, embedded := strings.CutPrefix(r.URL.Path, "/embed")
		switch {
		case !embedded || path != "" && path[0] != '/':
			next.ServeHTTP(w, r)
		case r.Method != http.MethodGet:
			w.Header().Set("Allow", http.MethodGet)
			problem.Write(w, http.StatusMethodNotAllowed, "a chart is only read")
		case path == "/v1/markets":
			e.markets(open, w, reader(r, path))
		case e.serves(path, r.URL.Query()):
			open.ServeHTTP(w, reader(r, path))
		case strings.HasPrefix(path, "/v1/") || strings.Count(path, "/") != 1:
			problem.Write(w, http.StatusNotFound, "this is not served to other sites")
		default:
			e.Page.ServeHTTP(w, r)
		}
	})
}

// reader is a reader's request of another path.
func reader(r *http.Request, path string) *http.Request {
	r = r.Clone(context.WithValue(r.Context(), roleKey{}, RoleRead))
	r.URL.Path, r.URL.RawPath = path, ""
	return r
}

// serves says whether a chart may ask this: of a market that is listed, and only
// what was published.
func (e Embed) serves(path string, asked url.Values) bool {
	if path == "/v1/services" {
		return true
	}
	if path != "/v1/publications" && !strings.HasPrefix(path, "/v1/reports/") {
		return false
	}
	market := asked["market"]
	return len(market) == 1 && slices.Contains(e.Markets, rollcall.MarketID(market[0])) && !asked.Has("live")
}

// markets takes from the list of all markets those that a chart may name.
func (e Embed) markets(all http.Handler, w http.ResponseWriter, r *http.Request) {
	var list struct {
		Rows []rollcall.Market `json:"rows"`
	}
	answer := &buffered{header: http.Header{}, status: http.StatusOK}
	all.ServeHTTP(answer, r)
	if answer.status != http.StatusOK || json.Unmarshal(answer.body.Bytes(), &list) != nil {
		problem.Write(w, http.StatusServiceUnavailable, "the markets can't be had now; ask again later")
		return
	}
	list.Rows = slices.DeleteFunc(list.Rows, func(m rollcall.Market) bool { return !slices.Contains(e.Markets, m.ID) })
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(list) // the client has gone: nobody is left to tell
}

// buffered is an answer to another handler of this process.
type buffered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *buffered) Header() http.Header         { return b.header }
func (b *buffered) WriteHeader(status int)      { b.status = status }
func (b *buffered) Write(p []byte) (int, error) { return b.body.Write(p) }
