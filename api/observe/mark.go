package observe

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/go-chi/chi/v5"
)

// mark is what becomes known of a request on its way inwards, for the handler
// outside.
type mark struct{ route, key atomic.Pointer[string] }

// markKey marks a request with its mark.
type markKey struct{}

func of(ctx context.Context) *mark {
	m, _ := ctx.Value(markKey{}).(*mark)
	return m
}

// Route gives the pattern of the route that a request has taken, such as
// /v1/markets/{market}; Refused where none has been looked for.
func Route(ctx context.Context) string {
	if m := of(ctx); m != nil && m.route.Load() != nil {
		return *m.route.Load()
	}
	return Refused
}

// SetRoute says which route a request has taken.
func SetRoute(ctx context.Context, pattern string) {
	if m := of(ctx); m != nil {
		m.route.Store(&pattern)
	}
}

// SetKey says by which API key a request came: its id, never the key.
func SetKey(ctx context.Context, id string) {
	if m := of(ctx); m != nil {
		m.key.Store(&id)
	}
}

// What stands for a route where there is none.
const (
	Refused = "refused" // before a route was looked for: no key, or a process that only starts
	Unknown = "unknown" // whatever the path
)

// Routes gives the middleware of a router that says which route was taken. What
// answers before the router does, as a cache, is found as well.
func Routes(routes chi.Routes) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() { SetRoute(r.Context(), taken(routes, r)) }()
			next.ServeHTTP(w, r)
		})
	}
}

// taken is the route of a request, or that of its path where the method is not
// for it.
func taken(routes chi.Routes, r *http.Request) string {
	if c := chi.RouteContext(r.Context()); c != nil && c.RoutePattern() != "" {
		return c.RoutePattern()
	}
	methods := []string{r.Method, http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}
	for _, method := range methods {
		if pattern := routes.Find(chi.NewRouteContext(), method, r.URL.Path); pattern != "" {
			return pattern
		}
	}
	return Unknown
}

// Patterns serves from a mux of the standard library, and says which route was
// taken.
func Patterns(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pattern := Unknown
		if _, found := mux.Handler(r); found != "" {
			_, pattern, _ = strings.Cut(found, " ")
		}
		SetRoute(r.Context(), pattern)
		mux.ServeHTTP(w, r)
	})
}
