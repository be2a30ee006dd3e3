package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"rollcall/api/openapi"
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

// TestDescriptionToRead: the page is served whole by the binary, and may run what
// it is and nothing else.
func TestDescriptionToRead(t *testing.T) {
	page := string(description(t, openapi.PagePath))
	if regexp.MustCompile(`(?:src|href)="(?:[a-z]+:)?//`).MatchString(page) {
		t.Errorf("the page takes something from elsewhere: %s", page)
	}
	own := regexp.MustCompile(`(?:src|href)="(/docs/[^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(own) < 3 {
		t.Errorf("the page is not what it was: %s", page)
	}
	for _, part := range own {
		if len(description(t, part[1])) == 0 {
			t.Errorf("%s is empty", part[1])
		}
	}
	w := httptest.NewRecorder()
	openapi.Page().ServeHTTP(w, httptest.NewRequest(http.MethodGet, openapi.PagePath, nil))
	policy := w.Header().Get("Content-Security-Policy")
	for _, script := range regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(page, -1) {
		sum := sha256.Sum256([]byte(script[1]))
		if !strings.Contains(policy, base64.StdEncoding.EncodeToString(sum[:])) {
			t.Errorf("the policy %s has no room for the page's own script", policy)
		}
	}
	if strings.Contains(policy, "script-src 'self' 'unsafe") {
		t.Errorf("the policy is %s", policy)
	}
}
