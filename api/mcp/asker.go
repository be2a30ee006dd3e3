package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/go-chi/chi/v5"
)

// mostAnswered bounds what a tool gives: an assistant has to read it all.
const mostAnswered = 256 << 10

// asker asks the API within a request, as the request's caller: the same keys,
// markets and limits hold, and the same answers are kept.
type asker struct {
	routes  http.Handler
	request *http.Request
	log     *slog.Logger
}

// ask reads one route.
func (b asker) ask(path string, query url.Values) *given {
	ctx := context.WithValue(b.request.Context(), chi.RouteCtxKey, (*chi.Context)(nil)) // the inner one is routed anew
	r := (&http.Request{
		Method: http.MethodGet, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody, Host: b.request.Host, RemoteAddr: b.request.RemoteAddr,
		URL: &url.URL{Path: path, RawQuery: query.Encode()}, Header: http.Header{"Accept": {"application/json"}},
	}).WithContext(ctx)
	g := &given{header: http.Header{}, status: http.StatusOK}
	b.routes.ServeHTTP(g, r)
	return g
}

// given is what the API has answered, as far as it may be given on.
type given struct {
	header http.Header
	status int
	size   int
	body   bytes.Buffer
}

// Header gives the answer's header.
func (g *given) Header() http.Header { return g.header }

// WriteHeader takes note of the status.
func (g *given) WriteHeader(status int) { g.status = status }

// Write takes the body in; what is over the bound is only counted.
func (g *given) Write(b []byte) (int, error) {
	if g.size += len(b); g.size <= mostAnswered {
		g.body.Write(b)
	}
	return len(b), nil
}

func (g *given) failed() bool { return g.status != http.StatusOK }

// why says in words why the API has not answered.
func (g *given) why() string {
	var p struct{ Title, Detail string }
	if json.Unmarshal(g.body.Bytes(), &p) != nil || p.Detail == "" {
		return http.StatusText(g.status)
	}
	return p.Detail
}
