package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"rollcall"
	"rollcall/api/access"
)

// TestInternalIsNotForReaders: an internal version is there for those who
// publish, and not found by those who read.
func TestInternalIsNotForReaders(t *testing.T) {
	october := rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: rollcall.MonthOf(2002, time.October)}
	s := &Server{Logger: slog.New(slog.DiscardHandler), Publications: versions{list: []rollcall.Publication{
		{PanelMonth: october, Version: 1}, {PanelMonth: october, Version: 2}, {PanelMonth: october, Version: 3, Internal: true}, {PanelMonth: october, Version: 4},
	}}}
	mux := chi.NewMux()
	huma.Register(humachi.New(mux, config("test")), get("/x", "x"), func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return s.form(&rollcall.Table{Meta: rollcall.Meta{Internal: true, Market: "FR", Panel: "nn", From: "2002-09-01", To: "2002-10-31", Version: 3}}, Shape{}), nil
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
		if reader && !strings.Contains(w.Body.String(), "version 3 of 2002-10 of panel nn in FR: not found; there are versions 1, 2 and 4") {
			t.Errorf("a reader is told: %s", w.Body)
		}
	}
}

type published = Publications // a field of this name can't stand beside the method

// versions is a month's list of them.
type versions struct {
	published
	list []rollcall.Publication
}

func (v versions) Known(context.Context, rollcall.PanelMonth) error { return nil }

func (v versions) Publications(context.Context, rollcall.MarketID, rollcall.PanelID) ([]rollcall.Publication, error) {
	return v.list, nil
}

// TestInternalVersion: a reader is told of an internal version, be it withdrawn,
// that there is none.
func TestInternalVersion(t *testing.T) {
	october := rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: rollcall.MonthOf(2002, time.October)}
	h := (&Server{Logger: slog.New(slog.DiscardHandler), Publications: versions{list: []rollcall.Publication{
		{PanelMonth: october, Version: 1}, {PanelMonth: october, Version: 2, Internal: true},
		{PanelMonth: october, Version: 3, Internal: true, Withdrawn: time.Unix(1e9, 0)},
	}}}).Handler()
	for version, want := range map[int][2]int{1: {200, 200}, 2: {200, 404}, 3: {410, 404}, 4: {404, 404}} {
		for i, role := range []access.Role{access.RolePublish, access.RoleRead} {
			r := httptest.NewRequest(http.MethodGet, fmt.Sprintf("/v1/publications/FR/nn/2002-10/%d", version), nil)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r.WithContext(access.With(r.Context(), access.Caller{Role: role})))
			if w.Code != want[i] {
				t.Errorf("version %d, %s: %d, want %d: %s", version, role, w.Code, want[i], w.Body)
			}
			if w.Code == http.StatusNotFound && !strings.Contains(w.Body.String(), fmt.Sprintf(`"detail":"version %d of 2002-10 of panel nn in FR: not found; there is version 1"`, version)) {
				t.Errorf("version %d, %s: %s", version, role, w.Body)
			}
		}
	}
}
