package api

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"rollcall/internal/jsondepth"
	"rollcall/internal/problem"
)

// TestDeepBodies: every route whose body is JSON refuses one that is nested too
// deep before anything parses it, and does not send it back.
func TestDeepBodies(t *testing.T) {
	handler := (&Server{Logger: slog.New(slog.DiscardHandler)}).Handler()
	for _, path := range bodyRoutes(t) {
		for _, contentType := range []string{"", "application/json", "application/merge-patch+json"} {
			t.Run(path+" "+contentType, func(t *testing.T) {
				r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(`{"name":`+strings.Repeat("[", jsondepth.Most)+strings.Repeat("]", jsondepth.Most)+"}"))
				r.Header.Set("Content-Type", contentType)
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				said := w.Body.String()
				if w.Code != http.StatusBadRequest || w.Header().Get("Content-Type") != problem.ContentType || !strings.Contains(said, "64 levels deep") || strings.Contains(said, "[[[") {
					t.Errorf("%d %s: %s", w.Code, w.Header().Get("Content-Type"), said)
				}
			})
		}
	}
}

// bodyRoutes are the paths of all operations that take a body.
func bodyRoutes(t *testing.T) (paths []string) {
	t.Helper()
	described := humachi.New(chi.NewMux(), config("test"))
	new(Server).operations(described)
	for path, item := range described.OpenAPI().Paths {
		if item.Post != nil && item.Post.RequestBody != nil {
			paths = append(paths, regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "1"))
		}
		if item.Put != nil || item.Patch != nil || item.Delete != nil && item.Delete.RequestBody != nil {
			t.Fatalf("%s: changes by another method, which this test does not try", path)
		}
	}
	slices.Sort(paths)
	if len(paths) < 5 {
		t.Fatalf("only %v take a body", paths)
	}
	return paths
}
