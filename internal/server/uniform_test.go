package server

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"rollcall/api/openapi"
)

// routed is a route of the API, as chi has it.
type routed struct{ method, pattern string }

// routesOf walks all routes.
func routesOf(t *testing.T, h http.Handler) (all []routed) {
	t.Helper()
	err := chi.Walk(h.(chi.Routes), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		all = append(all, routed{method, pattern})
		return nil
	})
	if err != nil || len(all) < 40 {
		t.Fatalf("%d routes, %v", len(all), err)
	}
	return all
}

// published is a server of one published month, over the network.
func published(t testing.TB) (*analyst, *httptest.Server) {
	t.Helper()
	return publishedOf(t, &Engine{Data: t.TempDir()}, quiet())
}

// madeFolder is a folder that is made once: each test has a copy.
type madeFolder struct {
	once       sync.Once
	store, key []byte
}

// copyTo fills a data folder, for which make is asked the first time.
func (f *madeFolder) copyTo(t testing.TB, data string, make func(*analyst)) {
	t.Helper()
	f.once.Do(func() {
		dir := t.TempDir()
		o := newAnalyst(t, &Engine{Data: dir})
		make(o)
		copied, err := o.backup(t.Context(), "made.db")
		if err != nil {
			t.Fatal(err)
		}
		if f.store, err = os.ReadFile(copied); err != nil {
			t.Fatal(err)
		}
		if f.key, err = os.ReadFile(filepath.Join(dir, "master.key")); err != nil {
			t.Fatal(err)
		}
	})
	for path, held := range map[string][]byte{storePath(data): f.store, filepath.Join(data, "master.key"): f.key} {
		if err := os.WriteFile(path, held, 0o600); err != nil || len(held) == 0 {
			t.Fatalf("%s: %d bytes, %v", path, len(held), err)
		}
	}
}

var publishedFolder madeFolder

func publishedOf(t testing.TB, e *Engine, options Options) (*analyst, *httptest.Server) {
	t.Helper()
	publishedFolder.copyTo(t, e.Data, publishJanuary)
	o := newAnalystOf(t, e, options)
	o.clock = o.clock.Add(time.Hour) // after what was done to make it
	s := httptest.NewServer(o.handler)
	t.Cleanup(s.Close)
	return o, s
}

func publishJanuary(o *analyst) {
	o.addMarkets()
	o.folds(inOrder)
	o.loadPanel("FR", "2003-01")
	o.must(http.MethodPost, "/v1/segments", `{"segment":"lyon","name":"Lyon"}`)
	o.must(http.MethodPost, "/v1/targets", `{"target":"young","expression":"age=15-24"}`)
	o.closeMonth("FR", "2003-01", `"low":0,"caution":0`)
	o.closeMonth("FR", "2003-01", `"status":"final"`)
}

// address fills a pattern in, with what a GET of it needs.
func address(pattern string) string {
	path := strings.NewReplacer("{market}", "FR", "{panel}", "nn", "{month}", "2003-01", "{version}", "2", "{other}", "1", "{report}", "ranking", "{service}", "msn", "{segment}", "lyon", "{target}", "young", "/*", "/index.js").Replace(pattern)
	switch {
	case path == "/v1/reports/markets":
		return path + "?service=msn&month=2003-01"
	case strings.HasPrefix(path, "/v1/reports/"):
		return path + "?market=FR&panel=nn&month=2003-01"
	case path == "/v1/census/nodeinfo":
		return path + "?market=FR&service=msn"
	case path == "/v1/publications", path == "/v1/census/months":
		return path + "?market=FR"
	case path == "/v1/exclusions":
		return path + "?market=FR&panel=nn&month=2003-01"
	case strings.HasPrefix(path, "/v1/panels/nn/"):
		return path + "?market=FR"
	case path == "/v1/census/corrections":
		return path + "?market=FR"
	case path == "/v1/census":
		return path + "?market=FR&from=2003-01-01&to=2003-01-31"
	}
	return path
}

// answered is an answer whose body was read.
type answered struct {
	status int
	header http.Header
	body   string
}

func fetch(t *testing.T, s *httptest.Server, method, path string, headers ...string) answered {
	t.Helper()
	return ask(t, s, method, path, "", headers...)
}

// send posts JSON.
func send(t *testing.T, s *httptest.Server, path, body string, headers ...string) answered {
	t.Helper()
	return ask(t, s, http.MethodPost, path, body, append(headers, "Content-Type", "application/json")...)
}

func ask(t *testing.T, s *httptest.Server, method, path, body string, headers ...string) answered {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "identity")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{a.StatusCode, a.Header, string(text)}
}

// TestEveryRoute holds every route to what is so of all of them.
func TestEveryRoute(t *testing.T) {
	o, s := published(t)
	all := routesOf(t, o.handler)
	methods := map[string][]string{}
	for _, r := range all {
		methods[r.pattern] = append(methods[r.pattern], r.method)
	}
	for pattern, has := range methods {
		t.Run(pattern, func(t *testing.T) {
			path := address(pattern)
			options := fetch(t, s, http.MethodOptions, path)
			if options.status != http.StatusNoContent || options.body != "" {
				t.Errorf("OPTIONS: %d %s", options.status, options.body)
			}
			refused := fetch(t, s, http.MethodPatch, path)
			if refused.status != http.StatusMethodNotAllowed || refused.header.Get("Content-Type") != "application/problem+json" || refused.header.Get("Allow") != options.header.Get("Allow") {
				t.Errorf("PATCH: %d %v", refused.status, refused.header)
			}
			for _, method := range has {
				if !strings.Contains(options.header.Get("Allow"), method) {
					t.Errorf("Allow %q lacks %s", options.header.Get("Allow"), method)
				}
				if method != http.MethodGet && strings.HasPrefix(path, "/v1/") {
					changes(t, s, method, path)
				}
				if method == http.MethodGet && !strings.HasPrefix(pattern, "/v1/oidc/") { // there is no issuer
					reads(t, s, path)
				}
			}
		})
	}
}

// changes holds what is no GET to what is so of all of them: a parameter that it
// has not is refused, and nothing is done.
func changes(t *testing.T, s *httptest.Server, method, path string) {
	t.Helper()
	path, _, _ = strings.Cut(path, "?")
	a := ask(t, s, method, path+"?nonsense=1", "{}", "Content-Type", "application/json")
	if a.status != http.StatusUnprocessableEntity || a.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(a.body, `"query.nonsense"`) || !strings.Contains(a.body, `"unknown_parameter"`) {
		t.Errorf("%s with an unknown parameter: %d %s", method, a.status, a.body)
	}
}

// reads holds a GET to what is so of all of them.
func reads(t *testing.T, s *httptest.Server, path string) {
	t.Helper()
	got, head := fetch(t, s, http.MethodGet, path), fetch(t, s, http.MethodHead, path)
	if got.status >= 300 && !strings.HasSuffix(path, "/index.js") || head.status != got.status || head.body != "" || head.header.Get("Content-Type") != got.header.Get("Content-Type") {
		t.Errorf("GET: %d %.300s; HEAD: %d %q", got.status, got.body, head.status, head.body)
	}
	if got.status >= 400 && got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("GET: %d %s", got.status, got.header.Get("Content-Type"))
	}
	if got.status != http.StatusOK || !strings.HasPrefix(path, "/v1/") {
		return
	}
	join := "?"
	if strings.Contains(path, "?") {
		join = "&"
	}
	if unknown := fetch(t, s, http.MethodGet, path+join+"nonsense=1"); unknown.status != http.StatusUnprocessableEntity || unknown.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("an unknown parameter: %d %s", unknown.status, unknown.body)
	}
	if path == "/v1/rejected" || strings.HasSuffix(path, ".parquet") { // which is written as it is made
		if again := fetch(t, s, http.MethodGet, path); got.header.Get("ETag") != "" || again.body != got.body {
			t.Errorf("ETag %q, and again %d bytes, were %d", got.header.Get("ETag"), len(again.body), len(got.body))
		}
		return
	}
	tag := got.header.Get("ETag")
	again := fetch(t, s, http.MethodGet, path, "If-None-Match", `"other", W/`+tag)
	if tag == "" || got.header.Get("Cache-Control") == "" || again.status != http.StatusNotModified || again.body != "" || again.header.Get("ETag") != tag {
		t.Errorf("ETag %q, Cache-Control %q, and then %d", tag, got.header.Get("Cache-Control"), again.status)
	}
	if other := fetch(t, s, http.MethodGet, path, "If-None-Match", `"other"`); other.status != http.StatusOK || other.body != got.body {
		t.Errorf("with another's ETag: %d", other.status)
	}
	unpacks(t, s, path, got)
	if strings.HasPrefix(path, "/v1/reports/") || strings.HasPrefix(path, "/v1/census?") || strings.Contains(path, "/diff/") {
		comesIn(t, s, path)
	}
}

// comesIn has a table answered in every form, by what is accepted and by name:
// the same bytes, under a file's name that tells what it is.
func comesIn(t *testing.T, s *httptest.Server, path string) {
	t.Helper()
	join := "?"
	if strings.Contains(path, "?") {
		join = "&"
	}
	for form, media := range map[string]string{
		"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		"parquet": "application/vnd.apache.parquet", "arrow": "application/vnd.apache.arrow.file",
	} {
		named, accepted := fetch(t, s, http.MethodGet, path+join+"format="+form), fetch(t, s, http.MethodGet, path, "Accept", media)
		got, _, _ := strings.Cut(named.header.Get("Content-Type"), ";")
		if named.status != http.StatusOK || got != media || !strings.Contains(named.header.Get("Content-Disposition"), "."+form) {
			t.Errorf("format=%s: %d, %s, %s", form, named.status, got, named.header.Get("Content-Disposition"))
		}
		if accepted.body != named.body || !strings.Contains(strings.Join(accepted.header.Values("Vary"), ","), "Accept") {
			t.Errorf("Accept: %s gives other bytes than format=%s, or does not vary: %v", media, form, accepted.header)
		}
	}
}

// unpacks holds the packed answers to the plain one.
func unpacks(t *testing.T, s *httptest.Server, path string, plain answered) {
	t.Helper()
	for coding, unpack := range map[string]func(io.Reader) (io.Reader, error){
		"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"zstd": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r, zstd.WithDecoderConcurrency(1)) },
	} {
		a := fetch(t, s, http.MethodGet, path, "Accept-Encoding", coding)
		if a.header.Get("Content-Encoding") == "" {
			if len(plain.body) > 1<<10 && strings.Contains(plain.header.Get("Content-Type"), "json") {
				t.Errorf("%d bytes are not packed in %s", len(plain.body), coding)
			}
			continue
		}
		in, err := unpack(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(in)
		if err != nil || string(body) != plain.body || a.header.Get("ETag") == plain.header.Get("ETag") || !strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Accept-Encoding") {
			t.Errorf("%s: %d bytes, want %d, %v, %v", coding, len(body), len(plain.body), err, a.header)
		}
	}
}

// TestLasting: what can't change is said to, and nothing else.
func TestLasting(t *testing.T) {
	_, s := published(t)
	const of = "/v1/reports/ranking?market=FR&panel=nn&month=2003-01"
	for path, want := range map[string]bool{
		of: false, of + "&live=true": false, of + "&version=2": true, of + "&version=2&target=@young": false,
		"/v1/publications/FR/nn/2003-01/2/diff/1": true, "/v1/markets": false,
	} {
		a := fetch(t, s, http.MethodGet, path)
		if got := strings.Contains(a.header.Get("Cache-Control"), "immutable"); a.status != http.StatusOK || got != want {
			t.Errorf("%s: %d, immutable %v, want %v", path, a.status, got, want)
		}
	}
}

// TestClosedTwice: a new version is 201 and says where it is; closed again it is
// given back.
func TestClosedTwice(t *testing.T) {
	o, s := published(t)
	const month = `{"market":"FR","panel":"nn","month":"2003-01","status":"restated","reason":"late events"}`
	made := send(t, s, "/v1/publications", month, "Idempotency-Key", "one")
	if repeated := send(t, s, "/v1/publications", month, "Idempotency-Key", "one"); repeated.status != http.StatusCreated || repeated.body != made.body || repeated.header.Get("Location") != made.header.Get("Location") {
		t.Errorf("sent again under its key: %d %v %s", repeated.status, repeated.header, repeated.body)
	}
	again := send(t, s, "/v1/publications", month)
	if made.status != http.StatusCreated || again.status != http.StatusOK || !strings.Contains(again.body, `"unchanged":true`) || again.header.Get("Location") != "" {
		t.Errorf("%d %s, and then %d %s", made.status, made.body, again.status, again.body)
	}
	at := made.header.Get("Location")
	if is := fetch(t, s, http.MethodGet, at); at != "/v1/publications/FR/nn/2003-01/3" || is.body != made.body || strings.Contains(is.header.Get("Cache-Control"), "immutable") {
		t.Errorf("at %q is %d %s", at, is.status, is.body)
	}
	o.must(http.MethodPost, at+"/withdraw", `{"reason":"wrong"}`)
	if gone := fetch(t, s, http.MethodGet, at); gone.status != http.StatusGone || !strings.Contains(gone.body, "wrong") {
		t.Errorf("withdrawn, it is %d %s", gone.status, gone.body)
	}
}

// TestKeptAnswers: a new version is seen by the next request.
func TestKeptAnswers(t *testing.T) {
	o, s := published(t)
	const of = "/v1/reports/ranking?market=FR&panel=nn&month=2003-01"
	before, same := fetch(t, s, http.MethodGet, of), fetch(t, s, http.MethodGet, of)
	if before.body != same.body || before.header.Get("ETag") != same.header.Get("ETag") {
		t.Error("asked twice, answered differently")
	}
	o.closeMonth("FR", "2003-01", `"status":"restated","reason":"late events"`)
	after := fetch(t, s, http.MethodGet, of)
	if !strings.Contains(after.body, `"version":3`) || after.header.Get("ETag") == before.header.Get("ETag") {
		t.Errorf("after a restatement: %.200s", after.body)
	}
}

// spoken is what of a table is said in a language, and the rest of it.
type spoken struct {
	Meta struct {
		Method string
		Notes  []string
	}
	Columns []struct{ Name, Label, Definition string }
	Rows    json.RawMessage
}

func spokenAt(t *testing.T, s *httptest.Server, path string) (out spoken, a answered) {
	t.Helper()
	a = fetch(t, s, http.MethodGet, path)
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != http.StatusOK {
		t.Fatalf("%s: %d, %v", path, a.status, err)
	}
	return out, a
}

// TestFrench: with locale=fr every table's definitions and notes are French and
// its figures the same; English is what is given where nothing is asked.
func TestFrench(t *testing.T) {
	_, s := published(t)
	paths := []string{"/v1/publications/FR/nn/2003-01/1/diff/2?round=1"}
	for _, r := range openapi.Reports() {
		paths = append(paths, address("/v1/reports/"+r.Name))
	}
	for _, by := range []string{"platform,segment,location,kind,day", "week", "month", "quarter", "year"} {
		paths = append(paths, address("/v1/census")+"&by="+by)
	}
	for _, path := range paths {
		english, plain := spokenAt(t, s, path)
		if _, asked := spokenAt(t, s, path+"&locale=en"); asked.body != plain.body {
			t.Errorf("%s: in English it is another answer", path)
		}
		french, a := spokenAt(t, s, path+"&locale=fr")
		if a.header.Get("ETag") == plain.header.Get("ETag") || !bytes.Equal(french.Rows, english.Rows) || len(french.Columns) == 0 {
			t.Errorf("%s: ETag %s, and the rows are the same: %v", path, a.header.Get("ETag"), bytes.Equal(french.Rows, english.Rows))
		}
		for i, c := range english.Columns {
			if f := french.Columns[i]; f.Name != c.Name || f.Definition == c.Definition || f.Label == "" {
				t.Errorf("%s: column %s is %q, %q in French", path, c.Name, f.Label, f.Definition)
			}
		}
		for i, note := range english.Meta.Notes {
			if french.Meta.Notes[i] == note {
				t.Errorf("%s: %q is so in French too", path, note)
			}
		}
		if named := strings.HasPrefix(english.Meta.Method, "method="); named != (french.Meta.Method == english.Meta.Method) {
			t.Errorf("%s: the method is %q in French", path, french.Meta.Method)
		}
	}
	english, french := rowsAt(t, s.URL, "/v1/metrics"), rowsAt(t, s.URL, "/v1/metrics?locale=fr")
	for i, c := range english {
		if french[i]["metric"] != c["metric"] || french[i]["definition"] == c["definition"] {
			t.Errorf("%v is %v in French", c, french[i])
		}
	}
}
