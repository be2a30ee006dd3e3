package openapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"

	"github.com/swaggest/swgui/v5emb"
)

// PagePath is where the description is to read.
const PagePath = "/docs"

// Page serves the description to read, from the binary alone: what it may run is
// its own scripts, and the one in its page by that script's hash.
func Page() http.Handler {
	page := v5emb.New("Rollcall", "/openapi.json", PagePath)
	first := httptest.NewRecorder()
	page.ServeHTTP(first, httptest.NewRequest(http.MethodGet, PagePath, nil))
	policy := "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; script-src 'self'" + scriptHashes(first.Body.Bytes())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		page.ServeHTTP(w, r)
	})
}

var inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

// scriptHashes names the scripts that stand in a page, as its policy does.
func scriptHashes(page []byte) string {
	var out strings.Builder
	for _, script := range inlineScript.FindAllSubmatch(bytes.ReplaceAll(page, []byte("\r\n"), []byte("\n")), -1) {
		sum := sha256.Sum256(script[1])
		out.WriteString(" 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'")
	}
	return out.String()
}
