package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"rollcall/api"
)

// bearer sends a key with every request.
type bearer string

// RoundTrip sends a request.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if b != "" {
		r.Header.Set("Authorization", "Bearer "+string(b))
	}
	return http.DefaultTransport.RoundTrip(r)
}

// assistant is a client of the protocol's own library.
func assistant(t *testing.T, at, key string) (*mcp.ClientSession, error) {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	s, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: at + "/mcp", HTTPClient: &http.Client{Transport: bearer(key)}, MaxRetries: -1}, nil)
	if err == nil {
		t.Cleanup(func() { s.Close() })
	}
	return s, err
}

// called gives the texts of a tool's answer.
func called(t *testing.T, s *mcp.ClientSession, tool string, arguments map[string]any) (texts []string, failed bool) {
	t.Helper()
	r, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	for _, c := range r.Content {
		texts = append(texts, c.(*mcp.TextContent).Text)
	}
	return texts, r.IsError
}

func assisted() Options {
	o := quiet()
	o.MCP = true
	return o
}

// calls are one of each tool, with the address that has its answer.
func calls() map[string]struct {
	arguments map[string]any
	path      string
	words     []string
} {
	of := map[string]any{"market": "FR", "panel": "nn", "month": "2003-01"}
	with := func(name string, value any) map[string]any {
		m := map[string]any{name: value}
		for k, v := range of {
			m[k] = v
		}
		return m
	}
	panelled := slices.Clip([]string{"market fr panel nn", "unique_audience in persons", "95 % interval", "version 2, status final", " ok"})
	const report = "?market=FR&panel=nn&month=2003-01"
	return map[string]struct {
		arguments map[string]any
		path      string
		words     []string
	}{
		"ranking": {with("service", []string{"msn", "aim"}), "/v1/reports/ranking" + report + "&service=msn,aim", append(panelled, "month 2003-01")},
		"trend":   {with("version", 2), "/v1/reports/trend" + report + "&version=2", append(panelled, "month 2003-01 ")},
		"compare": {with("compare", "year"), "/v1/reports/ranking" + report + "&compare=year", append(panelled, "change in persons")},
		"census":  {map[string]any{"market": "FR", "from": "2002-12", "to": "2003-01", "by": "month"}, "/v1/census?market=FR&from=2002-12&to=2003-01&by=month", []string{"market fr", "in accounts", "95 % interval", " ok."}},
		"markets": {
			map[string]any{"service": "msn", "month": "2003-01"}, "/v1/reports/markets?service=msn&month=2003-01",
			[]string{"markets of service msn month 2003-01", "unique_audience in persons", "difference in points", "95 % interval", " ok"},
		},
		"method": {nil, "/v1/metrics", nil},
	}
}

// TestAssistants: a reader's assistant is given by each tool what the API answers,
// byte for byte, beside words that name units, intervals and status.
func TestAssistants(t *testing.T) {
	g := guardedBy(t, assisted())
	for _, who := range []string{"reader", "reader of FR"} {
		s, err := assistant(t, g.URL, g.keys[who])
		if err != nil {
			t.Fatal(err)
		}
		listed, err := s.ListTools(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, tool := range listed.Tools {
			names = append(names, tool.Name)
		}
		if want := []string{"census", "compare", "markets", "method", "ranking", "trend"}; !slices.Equal(names, want) {
			t.Errorf("the tools are %v, want %v", names, want)
		}
		for tool, call := range calls() {
			texts, failed := called(t, s, tool, call.arguments)
			api := g.ask(t, who, http.MethodGet, call.path)
			if failed || len(texts) != 2 || api.status != http.StatusOK || texts[1] != api.body {
				t.Errorf("%s as %s: failed %v, %.400q\nand the API: %d %.200s", tool, who, failed, texts, api.status, api.body)
				continue
			}
			for _, word := range append(call.words, "unit") {
				if !strings.Contains(strings.ToLower(texts[0]), word) {
					t.Errorf("%s: the words lack %q: %s", tool, word, texts[0])
				}
			}
		}
	}
}

// TestAssistantsAbout: what there is to ask for is the API's lists.
func TestAssistantsAbout(t *testing.T) {
	g := guardedBy(t, assisted())
	s, err := assistant(t, g.URL, g.keys["reader of US"])
	if err != nil {
		t.Fatal(err)
	}
	for about, path := range map[string]string{"columns": "/v1/metrics", "markets": "/v1/markets", "services": "/v1/services", "panels": "/v1/panels", "months": "/v1/months"} {
		texts, failed := called(t, s, "method", map[string]any{"about": about})
		if api := g.ask(t, "reader of US", http.MethodGet, path); failed || texts[1] != api.body || strings.Contains(texts[1], `"market":"FR"`) {
			t.Errorf("%s: %v %q, and the API %s", about, failed, texts, api.body)
		}
	}
}

// TestAssistantsKeys: read keys alone are let in, and to each another market is one
// that isn't there.
func TestAssistantsKeys(t *testing.T) {
	g := guardedBy(t, assisted())
	for who, want := range map[string]int{"nobody": 401, "ingest": 403, "publisher": 403, "admin": 403} {
		if s, err := assistant(t, g.URL, g.keys[who]); err == nil {
			t.Errorf("%s is let in: %v", who, s.InitializeResult())
		}
		if got := send(t, g.Server, "/mcp", `{}`, "Authorization", "Bearer "+g.keys[who]).status; got != want {
			t.Errorf("%s: %d, want %d", who, got, want)
		}
	}
	s, err := assistant(t, g.URL, g.keys["reader of US"])
	if err != nil {
		t.Fatal(err)
	}
	for tool, call := range calls() {
		if tool == "method" {
			continue
		}
		near := "the nearest is US"
		if tool == "markets" { // which names none
			near = "2003-01 is not closed in any market; no other month is published either"
		}
		texts, failed := called(t, s, tool, call.arguments)
		if api := g.ask(t, "reader of US", http.MethodGet, call.path); !failed || len(texts) != 2 || !strings.Contains(texts[0], near) || texts[1] != api.body || api.status != http.StatusNotFound {
			t.Errorf("%s of another market: %q; the API: %d %s", tool, texts, api.status, api.body)
		}
	}
}

// TestAssistantsMistaken: what is wrong with a question names what is near.
func TestAssistantsMistaken(t *testing.T) {
	g := guardedBy(t, assisted())
	s, err := assistant(t, g.URL, g.keys["reader"])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tool      string
		arguments map[string]any
		want      []string
	}{
		{"ranking", map[string]any{"market": "FR", "panel": "nn", "month": "2003-01", "locaton": "home"}, []string{`"locaton": is no argument of ranking`, "the nearest is location"}},
		{"ranking", map[string]any{"market": "FR", "panel": "nn", "month": "2003-01", "live": "true"}, []string{`"live": is no argument`}},
		{"ranking", map[string]any{"panel": "nn"}, []string{"market: is missing", "month: is missing"}},
		{"ranking", map[string]any{"market": "FR", "panel": "mn", "month": "2003-01"}, []string{"the nearest is nn"}},
		{"trend", map[string]any{"market": "FR", "panel": "nn", "month": "2003-01", "service": "msm"}, []string{"msm", "msn"}},
		{"trend", map[string]any{"market": "FR", "panel": "nn", "month": map[string]any{"a": 1}}, []string{"month: is not a text"}},
		{"compare", map[string]any{"market": "FR", "panel": "nn", "month": "2003-01", "compare": "yer"}, []string{"yer", "year"}},
		{"census", map[string]any{"market": "FR", "from": "2003-13", "to": "2003-01"}, []string{"2003-13"}},
		{"method", map[string]any{"about": "market"}, []string{"the nearest is markets"}},
	} {
		texts, failed := called(t, s, c.tool, c.arguments)
		if !failed {
			t.Errorf("%s %v is answered: %.200q", c.tool, c.arguments, texts)
		}
		for _, want := range c.want {
			if !strings.Contains(texts[0], want) {
				t.Errorf("%s %v: %q lacks %q", c.tool, c.arguments, texts[0], want)
			}
		}
	}
}

// TestAssistantsGuarded: unless it was asked for there is no such route; a page of
// another site, a name that is not this machine's, several messages and a long one
// are refused.
func TestAssistantsGuarded(t *testing.T) {
	if _, s := published(t); send(t, s, "/mcp", `{}`).status != http.StatusNotFound {
		t.Error("nobody asked for /mcp, and it is there")
	}
	e, options := &Engine{Data: t.TempDir()}, assisted()
	control, err := (Listening{Listen: "127.0.0.1:0"}).control(e, options.Log)
	if err != nil {
		t.Fatal(err)
	}
	o, _ := publishedOf(t, e, options)
	s := httptest.NewServer(api.Admit(control, o.handler))
	t.Cleanup(s.Close)
	accept := []string{"Accept", "application/json, text/event-stream"}
	const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"method","arguments":{}}}`
	if a := send(t, s, "/mcp", call, accept...); a.status != http.StatusOK || !strings.Contains(a.body, "unique_audience") {
		t.Errorf("on this machine without a key: %d %.300s", a.status, a.body)
	}
	for why, refused := range map[string]struct {
		body string
		add  []string
		want int
	}{
		"another origin": {call, []string{"Origin", "https://example.org"}, 403},
		"several":        {" [" + call + "," + call + "]", nil, 400},
		"too long":       {`{"jsonrpc":"` + strings.Repeat("2", 64<<10) + `"}`, nil, 413},
	} {
		if a := send(t, s, "/mcp", refused.body, slices.Concat(accept, refused.add)...); a.status != refused.want {
			t.Errorf("%s: %d %s, want %d", why, a.status, a.body, refused.want)
		}
	}
	if a := ask(t, s, http.MethodPost, "/mcp", call, "Content-Type", "text/plain"); a.status != http.StatusForbidden {
		t.Errorf("a form's type: %d", a.status)
	}
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost, s.URL+"/mcp", strings.NewReader(call))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "rebound.example.org"
	r.Header.Set("Content-Type", "application/json")
	a, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if a.Body.Close(); a.StatusCode != http.StatusForbidden {
		t.Errorf("under another name: %d", a.StatusCode)
	}
}

// TestAssistantsBound: an answer that is too long for anybody to read is not given,
// and it is said how to ask for less.
func TestAssistantsBound(t *testing.T) {
	g := guardedBy(t, assisted())
	s, err := assistant(t, g.URL, g.keys["reader"])
	if err != nil {
		t.Fatal(err)
	}
	long := map[string]any{"market": "FR", "from": "2002-02", "to": "2003-01", "by": "day,platform,kind,segment,location"}
	q := url.Values{}
	for k, v := range long {
		q.Set(k, v.(string))
	}
	api := g.ask(t, "reader", http.MethodGet, "/v1/census?"+q.Encode())
	texts, failed := called(t, s, "census", long)
	if api.status != http.StatusOK || len(api.body) <= 256<<10 {
		t.Fatalf("%d bytes are no long answer: %d %.300s", len(api.body), api.status, api.body)
	}
	if !failed || len(texts) != 1 || !strings.Contains(texts[0], "ask for less") {
		t.Errorf("%d bytes: failed %v, %.300q", len(api.body), failed, texts)
	}
}
