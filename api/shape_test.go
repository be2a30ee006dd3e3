package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"rollcall"
	"rollcall/api/export"
)

// TestFormOfAnAnswer: the parameter says the form, else Accept, else it is JSON;
// and the answer has a telling name.
func TestFormOfAnAnswer(t *testing.T) {
	const sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	const attached = `attachment; filename=rollcall_FR_nn_2002-10_v2_ranking_home.`
	table := &rollcall.Table{
		Meta:    rollcall.Meta{Report: "ranking", Market: "FR", Panel: "nn", Month: "2002-10", Location: "home", Credit: "presence", Version: 2, Status: "final"},
		Columns: []rollcall.Column{{Name: "service", Role: "dimension", Label: "Service"}},
		Rows:    []rollcall.Row{{"msn"}},
	}
	mux := chi.NewMux()
	huma.Register(humachi.New(mux, config("test")), get("/x", "x"), func(_ context.Context, in *struct{ Shape }) (*huma.StreamResponse, error) {
		return (&Server{Logger: slog.New(slog.DiscardHandler)}).form(table, in.Shape), nil
	})
	for _, tt := range []struct{ query, accept, contentType, disposition, begins string }{
		{"", "", "application/json", "inline; filename=rollcall_FR_nn_2002-10_v2_ranking_home.json", `{"meta"`},
		{"", "*/*", "application/json", "inline; ", "{"},
		{"", "text/html, application/json;q=0.5", "application/json", "inline; ", "{"},
		{"", "text/csv", "text/csv; charset=utf-8; header=present", attached + "csv", "market,panel,"},
		{"", "text/csv;q=0.1, " + sheet, sheet, attached + "xlsx", "PK"},
		{"", sheet + ";q=0.1, text/csv", "text/csv; charset=utf-8; header=present", attached + "csv", "market,"},
		{"", "text/csv;q=none, ;;", "application/json", "inline; ", "{"},
		{"", "text/csv;q=0", "application/json", "inline; ", "{"},
		{"?format=parquet", "text/csv", export.Parquet.ContentType(), attached + "parquet", "PAR1"},
		{"?format=arrow", "", export.Arrow.ContentType(), attached + "arrow", "ARROW1"},
		{"?format=csv&locale=fr", "", "text/csv; charset=utf-8; header=present", attached + "csv", "market;panel;"},
		{"?format=json", "text/csv", "application/json", "inline; ", "{"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/x"+tt.query, nil)
		r.Header.Set("Accept", tt.accept)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		h := w.Header()
		if w.Code != http.StatusOK || h.Get("Content-Type") != tt.contentType || !strings.HasPrefix(h.Get("Content-Disposition"), tt.disposition) ||
			!strings.HasPrefix(w.Body.String(), tt.begins) || h.Get("Vary") != "Accept" {
			t.Errorf("%q, Accept %q: %d, %v, %.20q", tt.query, tt.accept, w.Code, h, w.Body)
		}
	}
	for _, query := range []string{"?format=pdf", "?locale=de"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/x"+query, nil))
		if w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d, want 422", query, w.Code)
		}
	}
}
