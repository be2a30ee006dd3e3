package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkWarm asks a handler again for what it has answered before: a ranking
// whose bytes are kept, the same encoded anew from the table that is kept, and the
// probe, which does nothing.
func BenchmarkWarm(b *testing.B) {
	o, _ := published(b)
	const ranking = "/v1/reports/ranking?market=FR&panel=nn&month=2003-01"
	for _, asked := range []struct {
		name, path string
		accept     func(i int) string
	}{
		{"healthz", "/healthz", func(int) string { return "" }},
		{"kept", ranking, func(int) string { return "application/json" }},
		{"encoded", ranking, func(i int) string { return fmt.Sprintf("application/json, x/%d", i) }}, // another question each time
	} {
		b.Run(asked.name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(b.Context(), http.MethodGet, asked.path, nil)
				r.Header.Set("Accept", asked.accept(i))
				if o.handler.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
}
