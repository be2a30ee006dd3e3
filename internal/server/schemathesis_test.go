package server

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/internal/test/engines"
)

// TestSchemathesis has every route asked what its description allows and forbids:
// there is no fault of ours, and no answer that is not described. It is bounded by
// its examples, and asks the same each time.
func TestSchemathesis(t *testing.T) {
	engines.Require(t, engines.Readers)
	g := guarded(t)
	if err := g.process.Fold(t.Context(), prometheus.NewRegistry()); err != nil { // or a settling waits for ever
		t.Fatal(err)
	}
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32 // who sends wrong keys is soon let wait: so that every request comes from elsewhere
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := asked.Add(1)
		r.RemoteAddr = net.JoinHostPort(net.IPv4(10, byte(n>>16), byte(n>>8), byte(n)).String(), "1")
		g.Config.Handler.ServeHTTP(w, r)
	}))
	defer s.Close()
	engines.Elsewhere(t) // where it writes
	said := string(engines.Python(t, nil, filepath.Join(testdata, "contract.py"), "--config-file", filepath.Join(testdata, "schemathesis.toml"),
		"run", s.URL+"/openapi.json", "--header", "Authorization: Bearer "+g.keys["admin"], "--checks", "all", "--phases", "examples,coverage,fuzzing",
		"--max-examples", "5", "--generation-deterministic", "--continue-on-failure", "--no-color"))
	if !strings.Contains(said, "Tested: ") {
		t.Errorf("it asked nothing: %s", said)
	}
	if alive := fetch(t, g.Server, http.MethodGet, "/healthz"); alive.status != http.StatusOK {
		t.Errorf("and then the server answers %d", alive.status)
	}
}
