package api

import (
	"bytes"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

var update = flag.Bool("update", false, "write schemas/openapi.yaml anew")

const described = "../schemas/openapi.yaml"

// description gets the API's own description of itself.
func description(t *testing.T, path string) []byte {
	t.Helper()
	s := &Server{Version: "test", Logger: slog.New(slog.DiscardHandler), Collector: http.NotFoundHandler(), Metrics: http.NotFoundHandler()}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.Bytes()
}

// TestOpenAPI: what clients are made from changes only where a change of the
// committed description says so.
func TestOpenAPI(t *testing.T) {
	got := description(t, "/openapi.yaml")
	if *update {
		if err := os.WriteFile(described, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(described)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the API's description is not %s (%v): see what has changed for clients, and write it anew with go test ./api -run OpenAPI -update", described, err)
	}
}

// TestOpenAPIIsValid holds the description, and every example in it, against its
// own schemas.
func TestOpenAPIIsValid(t *testing.T) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(description(t, "/openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
		t.Error(err)
	}
}
