package answer

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
)

// Methods gives the middleware that answers OPTIONS, and has HEAD served by the
// routes of GET.
func Methods(routes chi.Routes) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.Method {
			case http.MethodHead:
				if c := chi.RouteContext(r.Context()); c != nil {
					c.RouteMethod = http.MethodGet
				}
			case http.MethodOptions:
				if allow := Allowed(routes, r.URL.Path); allow != "" {
					w.Header().Set("Allow", allow)
					w.WriteHeader(http.StatusNoContent)
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// Allowed lists the methods of a path, as the header Allow does; "": nothing is
// there.
func Allowed(routes chi.Routes, path string) string {
	var out []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		if !routes.Match(chi.NewRouteContext(), method, path) {
			continue
		}
		out = append(out, method)
		if method == http.MethodGet {
			out = append(out, http.MethodHead)
		}
	}
	if out == nil {
		return ""
	}
	return strings.Join(append(out, http.MethodOptions), ", ")
}
