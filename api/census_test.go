package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"rollcall"
)

// TestNodeInfo: the answer is of the form that NodeInfo's own schema has, with what
// can be told and nothing else.
func TestNodeInfo(t *testing.T) {
	text, err := os.ReadFile("testdata/nodeinfo-2.1-usage.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	of, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("usage.json", of); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("usage.json")
	if err != nil {
		t.Fatal(err)
	}
	n := func(x int64) *int64 { return &x }
	for _, tt := range []struct {
		month, halfyear *int64
		ask, want       string
	}{
		{n(1200), n(3400), "", `{"users":{"activeHalfyear":3400,"activeMonth":1200}}`},
		{n(1200), nil, "&total=5000", `{"users":{"total":5000,"activeMonth":1200}}`},
		{nil, nil, "&total=0", `{"users":{"total":0}}`},
		{nil, nil, "", `{"users":{}}`},
	} {
		s := (&askedServer{}).server()
		s.Usage = func(_ context.Context, market rollcall.MarketID, service rollcall.ServiceID) (month, halfyear *int64, err error) {
			if market != "FR" || service != "msn" {
				t.Errorf("asked of %s at %s", service, market)
			}
			return tt.month, tt.halfyear, nil
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/census/nodeinfo?market=FR&service=msn"+tt.ask, http.NoBody))
		var got any
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(got); err != nil {
			t.Errorf("%s: %v", w.Body, err)
		}
		if w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != tt.want {
			t.Errorf("%d %s, want %s", w.Code, w.Body, tt.want)
		}
	}
	for _, ask := range []string{"service=msn", "market=FR", "market=FR&service=msn&total=-1", "market=FR&service=msn&total=many"} {
		w := httptest.NewRecorder()
		(&askedServer{}).server().Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/census/nodeinfo?"+ask, http.NoBody))
		if w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", ask, w.Code, w.Body)
		}
	}
}
