package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rollcall"
	"rollcall/api/access"
	"rollcall/api/observe"
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
		if embedded {
			observe.SetRoute(r.Context(), "/embed/*") // unless it is one of the API's
		}
		switch {
		case !embedded || path != "" && path[0] != '/':
			next.ServeHTTP(w, r)
		case r.Method != http.MethodGet:
			w.Header().Set("Allow", http.MethodGet)
			problem.Write(w, http.StatusMethodNotAllowed, "a chart is only read")
		case e.serves(path, r.URL.Query()):
			open.ServeHTTP(w, e.reader(r, path))
		case strings.HasPrefix(path, "/v1/") || strings.Count(path, "/") != 1:
			problem.Write(w, http.StatusNotFound, "this is not served to other sites")
		default:
			e.Page.ServeHTTP(w, r)
		}
	})
}

// reader is the request of another path, of a reader of the listed markets alone.
func (e Embed) reader(r *http.Request, path string) *http.Request {
	r = r.Clone(access.With(r.Context(), access.Caller{Role: access.RoleRead, Markets: e.Markets}))
	r.URL.Path, r.URL.RawPath = path, ""
	return r
}

// serves says whether a chart may ask this: of a market that is listed, and only
// what was published.
func (e Embed) serves(path string, asked url.Values) bool {
	if path == "/v1/services" || path == "/v1/markets" {
		return true
	}
	if path != "/v1/publications" && !strings.HasPrefix(path, "/v1/reports/") {
		return false
	}
	market := asked["market"]
	return len(market) == 1 && slices.Contains(e.Markets, rollcall.MarketID(market[0])) && !asked.Has("live")
}
