package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"rollcall"
	"rollcall/api/access"
)

// TestInternalIsNotForReaders: an internal version is there for those who
// publish, and not found by those who read.
func TestInternalIsNotForReaders(t *testing.T) {
	s := &Server{Logger: slog.New(slog.DiscardHandler)}
	mux := chi.NewMux()
	huma.Register(humachi.New(mux, config("test")), get("/x", "x"), func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return s.form(&rollcall.Table{Meta: rollcall.Meta{Internal: true, Version: 3}}, Shape{}), nil
	})
	for reader, want := range map[bool]int{false: http.StatusOK, true: http.StatusNotFound} {
		r := httptest.NewRequest(http.MethodGet, "/x", nil)
		if reader {
			r = r.WithContext(access.With(r.Context(), access.Caller{Role: access.RoleRead}))
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("reader %v: %d, want %d: %s", reader, w.Code, want, w.Body)
		}
	}
}
