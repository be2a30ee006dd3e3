package server

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/api"
	"rollcall/api/access"
	"rollcall/api/openapi"
)

// guardedServer is a server of one published month in FR, behind keys.
type guardedServer struct {
	*httptest.Server
	process *Process
	all     []routed
	tokens  string
	keys    map[string]string // by who has them
}

func guarded(t *testing.T) *guardedServer {
	t.Helper()
	return guardedBy(t, quiet())
}

// guardedBy is guarded, of a process with these options.
func guardedBy(t *testing.T, options Options) *guardedServer {
	t.Helper()
	g := &guardedServer{tokens: filepath.Join(t.TempDir(), "tokens"), keys: map[string]string{"nobody": ""}}
	for name, token := range map[string]access.Token{
		"reader": {Role: access.RoleRead}, "reader of FR": {Role: access.RoleRead, Markets: []rollcall.MarketID{"FR"}},
		"reader of US": {Role: access.RoleRead, Markets: []rollcall.MarketID{"US"}},
		"ingest":       {Role: access.RoleIngest}, "publisher": {Role: access.RolePublish}, "admin": {Role: access.RoleAdmin},
	} {
		token.Name = name
		_, key, err := access.NewToken(g.tokens, token, time.Unix(1e9, 0))
		if err != nil {
			t.Fatal(err)
		}
		g.keys[name] = key
	}
	e := &Engine{Data: t.TempDir()}
	var err error
	if options.Access, err = (Listening{Listen: "127.0.0.1:0", Tokens: g.tokens}).control(e, options.Log); err != nil {
		t.Fatal(err)
	}
	o, _ := publishedOf(t, e, options)
	g.process, g.all = o.Process, routesOf(t, o.handler)
	g.Server = httptest.NewServer(api.Admit(options.Access, o.handler))
	t.Cleanup(g.Close)
	return g
}

// TestKeysNotLookedAt: on a loopback address the folder's keys are not asked for,
// and it is said where there are some.
func TestKeysNotLookedAt(t *testing.T) {
	e := &Engine{Data: t.TempDir()}
	warned := func(l Listening) string {
		t.Helper()
		var said strings.Builder
		control, err := l.control(e, slog.New(slog.NewTextHandler(&said, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if (control.Keys != nil) != (l.Tokens != "") {
			t.Errorf("--tokens %q: keys %v", l.Tokens, control.Keys)
		}
		return said.String()
	}
	if said := warned(Listening{Listen: "127.0.0.1:0"}); said != "" {
		t.Errorf("without keys: %s", said)
	}
	if _, _, err := access.NewToken(TokensPath(e.Data), access.Token{Name: "lyon", Role: access.RoleRead}, time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	if said := warned(Listening{Listen: "127.0.0.1:0"}); !strings.Contains(said, "--tokens") || !strings.Contains(said, TokensPath(e.Data)) {
		t.Errorf("with keys: %q", said)
	}
	if said := warned(Listening{Listen: "127.0.0.1:0", Tokens: TokensPath(e.Data)}); said != "" {
		t.Errorf("with --tokens: %s", said)
	}
}

// send posts JSON.
func (g *guardedServer) send(t *testing.T, who, path, body string) answered {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+g.keys[who])
	r.Header.Set("Content-Type", "application/json")
	a, err := g.Client().Do(r)
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

// signIn gives the cookie of a session of whoever has a key.
func (g *guardedServer) signIn(t *testing.T, who string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.URL+access.SessionPath, strings.NewReader(`{"key":"`+g.keys[who]+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	a, err := g.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if len(a.Cookies()) != 1 || a.StatusCode != http.StatusCreated {
		t.Fatalf("signing in as %s: %d, %v", who, a.StatusCode, a.Cookies())
	}
	return a.Cookies()[0].String()
}

func (g *guardedServer) ask(t *testing.T, who, method, path string) answered {
	t.Helper()
	return fetch(t, g.Server, method, path, "Authorization", "Bearer "+g.keys[who], "Content-Type", "application/json")
}

// callers are the columns of the table below.
func callers() [6]string {
	return [6]string{"nobody", "reader", "reader of US", "ingest", "publisher", "admin"}
}

// statuses says for every route what each caller is answered: of the market FR,
// and to what changes something without a body.
func statuses() map[string][6]int {
	open, none := [6]int{200, 200, 200, 200, 200, 200}, [6]int{404, 404, 404, 404, 404, 404}
	ofNoMarket, ofMarket := [6]int{401, 200, 200, 403, 200, 200}, [6]int{401, 200, 404, 403, 200, 200}
	publishers, admins := [6]int{401, 403, 403, 403, 400, 400}, [6]int{401, 403, 403, 403, 403, 400}
	done := [6]int{401, 403, 403, 403, 403, 200} // by admins, without a body
	table := map[string][6]int{
		"GET /": open, "GET /accounts": open, "GET /docs": open, "GET /healthz": open, "GET /readyz": open, "GET /openapi.json": open, "GET /openapi.yaml": open,
		"GET /assets/*": none, "GET /docs/*": none, // there is no such file
		"GET /openapi-3.0.json": ofNoMarket, "GET /openapi-3.0.yaml": ofNoMarket,
		"GET /v1/markets": ofNoMarket, "GET /v1/services": ofNoMarket, "GET /v1/targets": ofNoMarket, "GET /v1/version": ofNoMarket,
		"GET /v1/services/{service}": ofNoMarket, "GET /v1/segments": ofNoMarket, "GET /v1/segments/{segment}": ofNoMarket, "GET /v1/targets/{target}": ofNoMarket, "GET /v1/panels": ofNoMarket, "GET /v1/months": ofNoMarket, "GET /v1/metrics": ofNoMarket,
		"GET /v1/markets/{market}": ofMarket, "GET /v1/panels/{panel}/months/{month}": ofMarket, "GET /v1/exclusions": ofMarket,
		"GET /v1/master-keys": done, "POST /v1/master-keys/rotate": admins,
		"GET /v1/oidc/login": none, "GET /v1/oidc/callback": none, // there is no issuer
		"GET /v1/session": open, "DELETE /v1/session": {204, 204, 204, 204, 204, 204}, "POST /v1/session": {422, 422, 422, 422, 422, 422},
		"GET /metrics":            {401, 200, 403, 403, 200, 200},
		"GET /v1/census/nodeinfo": ofMarket, "GET /v1/census/corrections": ofMarket, "POST /v1/census/erasures": admins,
		"POST /v1/census/marks": publishers, "DELETE /v1/census/marks": {401, 403, 403, 403, 422, 422}, "POST /v1/census/removals": publishers,
		"GET /v1/census": ofMarket, "GET /v1/census/months": ofMarket, "GET /v1/publications": ofMarket, "GET /v1/reports/{report}": ofMarket, "GET /v1/reports/markets": ofMarket,
		"POST /v1/publications": publishers, "POST /v1/exclusions": publishers, "POST /v1/targets": publishers,
		"PUT /v1/panels/{panel}/months/{month}": {401, 403, 403, 403, 422, 422},
		"POST /v1/backup":                       admins, "POST /v1/erasures": admins, "POST /v1/log/replay": admins, "POST /v1/markets": admins,
		"POST /v1/panels/{panel}/limits": admins, "POST /v1/services": admins, "POST /v1/segments": admins, "POST /v1/store/check": admins,
		"POST /v1/log/acknowledge": done, "POST /v1/log/settle": done, "POST /v1/rejected/replay": done, "GET /v1/rejected": done, "GET /v1/audit": done,
		"POST /v1/events": {401, 403, 403, 200, 403, 200},
	}
	for _, path := range access.EventPaths() {
		if path != access.EventsPath { // a body of nothing is no batch, and as one call it is refused by itself
			table["POST "+path] = [6]int{401, 403, 403, 400, 403, 400}
		}
	}
	for _, kind := range []string{"alias", "group", "identify", "page", "screen", "track"} {
		table["POST /v1/"+kind] = [6]int{401, 403, 403, 422, 403, 422}
	}
	for _, report := range openapi.Reports() {
		table["GET /v1/reports/"+report.Name] = ofMarket
	}
	const version = "/v1/publications/{market}/{panel}/{month}/{version}/"
	for _, part := range []string{"folder.zip", "replicates.parquet", "uses.parquet", "withheld", "workbook.xlsx"} {
		table["GET "+version+part] = ofMarket
	}
	table["GET "+strings.TrimSuffix(version, "/")] = ofMarket
	table["GET "+version+"verify"] = [6]int{401, 204, 404, 403, 204, 204}
	table["GET "+version+"diff/{other}"] = [6]int{401, 404, 404, 403, 200, 200} // the other is internal
	table["POST "+version+"withdraw"] = publishers
	return table
}

// TestWhoMayWhat holds every route of the router to what the table says of every
// caller, with a key and in a session that was begun with it.
func TestWhoMayWhat(t *testing.T) {
	g := guarded(t)
	cookies := map[string]string{}
	for _, who := range callers() {
		if who != "nobody" {
			cookies[who] = g.signIn(t, who)
		}
	}
	table := statuses()
	for _, r := range g.all {
		name := r.method + " " + r.pattern
		want, ok := table[name]
		var byKey, bySession [6]int
		for i, who := range callers() {
			byKey[i] = g.ask(t, who, r.method, address(r.pattern)).status
			bySession[i] = fetch(t, g.Server, r.method, address(r.pattern), "Cookie", cookies[who], "Content-Type", "application/json").status
			if name == "DELETE /v1/session" && who != "nobody" {
				cookies[who] = g.signIn(t, who)
			}
		}
		if !ok || byKey != want || bySession != want {
			t.Errorf("%q: %v by key, %v in a session, want %v", name, byKey, bySession, want)
		}
		delete(table, name)
	}
	for name := range table {
		t.Errorf("%s is no route", name)
	}
}

// TestNothingThere: where nothing is, a caller with a key is told so, whatever its
// role may do elsewhere, and one without is asked for a key.
func TestNothingThere(t *testing.T) {
	g := guarded(t)
	for i, who := range callers() {
		want := http.StatusNotFound
		if i == 0 {
			want = http.StatusUnauthorized
		}
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
			for _, path := range []string{"/v1/event", "/v1/publication/FR", "/v1/census/removal", "/nowhere"} {
				if a := g.ask(t, who, method, path); a.status != want {
					t.Errorf("%s: %s %s is %d, want %d: %s", who, method, path, a.status, want, a.body)
				}
			}
		}
	}
	if a := g.ask(t, "ingest", http.MethodGet, "/v1/markets"); a.status != http.StatusForbidden {
		t.Errorf("what is there, and not for a role, is %d", a.status)
	}
}

// TestMarketsHidden: to a reader of one market another is as one that isn't there:
// in no list, in no name that is near, and alike in every answer.
func TestMarketsHidden(t *testing.T) {
	g := guarded(t)
	for _, r := range g.all {
		if r.method != http.MethodGet || !strings.HasPrefix(r.pattern, "/v1/") {
			continue
		}
		path := address(r.pattern)
		hidden := g.ask(t, "reader of US", http.MethodGet, path)
		if strings.Contains(hidden.body, `"name":"France"`) || strings.Contains(hidden.body, `"market":"FR"`) {
			t.Errorf("%s tells of FR: %.300s", path, hidden.body)
		}
		named := strings.NewReplacer("market=FR", "market=XX", "/FR/", "/XX/").Replace(path)
		if named == path {
			continue
		}
		missing := g.ask(t, "reader of US", http.MethodGet, named)
		if strings.HasPrefix(r.pattern, "/v1/reports/{") { // which is of no report
			continue
		}
		if missing.status != http.StatusNotFound || !strings.Contains(missing.body, "the nearest is US") {
			t.Errorf("%s: %d %s", named, missing.status, missing.body)
		}
		if hidden.status != missing.status || strings.ReplaceAll(hidden.body, "FR", "XX") != missing.body || hidden.header.Get("ETag") != "" {
			t.Errorf("%s: %d %s %v\nand %s: %d %s", path, hidden.status, hidden.body, hidden.header, named, missing.status, missing.body)
		}
	}
	if a := g.ask(t, "reader of FR", http.MethodGet, "/v1/markets"); !strings.Contains(a.body, "France") || strings.Contains(a.body, "The States") {
		t.Errorf("a reader of FR is told %s", a.body)
	}
	const ranking = "/v1/reports/ranking?market=FR&panel=nn&month=2003-01"
	all := g.ask(t, "reader", http.MethodGet, ranking)
	kept := fetch(t, g.Server, http.MethodGet, ranking, "Authorization", "Bearer "+g.keys["reader of US"], "If-None-Match", all.header.Get("ETag"))
	if all.status != http.StatusOK || kept.status != http.StatusNotFound {
		t.Errorf("with the ETag of what another was given: %d, then %d", all.status, kept.status)
	}
	if vary := all.header.Values("Vary"); !slices.Contains(vary, "Authorization") || !slices.Contains(vary, "Cookie") {
		t.Errorf("an answer to a key varies by %q", vary)
	}
}

// takesEvents reports whether events are sent to a route, a tracker's among them.
func takesEvents(pattern string) bool {
	switch strings.TrimSuffix(pattern, "/") {
	case "/v1/events", "/v1/batch", "/v1/track", "/v1/page", "/v1/screen", "/v1/identify", "/v1/group", "/v1/alias", "/v1/import", "/batch", "/capture", "/i/v1/analytics/events":
		return true
	}
	return false
}

// change is what an administrator posts, and the action that the audit log has.
type change struct{ pattern, body, action string }

func changesMade() []change {
	return []change{
		{"/v1/markets", `{"market":"BE","name":"Belgium","zone":"Europe/Brussels"}`, "set market"},
		{"/v1/services", `{"service":"tchap","name":"Tchap","brand":"","owner":""}`, "set service"},
		{"/v1/segments", `{"segment":"isere","name":"Isère","into":"lyon"}`, "set segment"},
		{"/v1/census/removals", `{"market":"FR","service":"icq","segment":"nantes","from":"2004-01-07","to":"2004-01-07","reason":"twice"}`, "remove census"},
		{"/v1/census/marks", `{"market":"FR","from":"2004-01-07","to":"2004-01-07","reason":"down"}`, "mark census"},
		{"/v1/census/erasures", `{"service":"icq","account":"somebody"}`, "erase account"},
		{"/v1/targets", `{"target":"young","expression":"age=15-24"}`, "save target"},
		{"/v1/panels/{panel}/limits", `{"market":"FR","low":0,"caution":0}`, "set limits"},
		{"/v1/exclusions", `{"market":"FR","panel":"nn","month":"2003-01","service":"msn","reason":"a private reason"}`, "exclude"},
		{"/v1/publications", `{"market":"FR","panel":"nn","month":"2003-01","status":"restated","reason":"r"}`, "publish"},
		{"/v1/publications/{market}/{panel}/{month}/{version}/withdraw", `{"reason":"wrong"}`, "withdraw"},
		{"/v1/erasures", `{"panel":"nn","panelist":"P0005"}`, "erase"},
		{"/v1/backup", `{"file":"a.db"}`, "backup"},
		{"/v1/store/check", `{"repair":true}`, "repair store"},
		{"/v1/log/replay", `{"time":"2002-10-01T00:00:00Z"}`, "replay"},
		{"/v1/log/acknowledge", "", "acknowledge damage"},
		{"/v1/rejected/replay", "", "replay rejected"},
		{"/v1/master-keys/rotate", `{"from":"` + time.Now().AddDate(0, 1, 0).Format(time.DateOnly) + `"}`, "rotate master key"},
	}
}

// alone starts everything in one process on a folder of its own; must posts to it, and
// gives what it answers.
func alone(t *testing.T) (s *httptest.Server, must func(path, body string) string) {
	t.Helper()
	p, err := Start(t.Context(), &Engine{Data: t.TempDir()}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	s = httptest.NewServer(p.handler)
	t.Cleanup(s.Close)
	return s, func(path, body string) string {
		t.Helper()
		a := send(t, s, path, body)
		if a.status >= 300 {
			t.Fatalf("%s %s: %d %s", path, body, a.status, a.body)
		}
		return a.body
	}
}

// TestDryRunsOfErasures: the dry run of an erasure, which tells of a person, leaves an
// entry in the audit log, whether somebody was found or not; and it finds what was sent
// a moment before.
func TestDryRunsOfErasures(t *testing.T) {
	s, must := alone(t)
	must("/v1/markets", `{"market":"FR","name":"France","zone":"Europe/Paris"}`)
	must("/v1/services", `{"service":"mychat","name":"MyChat","census":"exact"}`)
	const seen = `{"time":"2003-01-23T18:22:05Z","market":"FR","service":"mychat","location":"home","kind":"use",`
	must("/v1/events?backfill=true", "["+seen+`"panel":"nn","panelist":"P5"},`+seen+`"account":"ann"}]`)
	if would := must("/v1/erasures", `{"panel":"nn","panelist":"P5","dry_run":true}`); !strings.Contains(would, `"diaries":1`) {
		t.Errorf("a day of diaries was sent: %s", would)
	}
	must("/v1/events?backfill=true", "["+strings.ReplaceAll(seen, "-23T", "-24T")+`"account":"ann"}]`)
	if would := must("/v1/census/erasures", `{"service":"mychat","account":"ann","dry_run":true}`); !strings.Contains(would, `"sets":2`) {
		t.Errorf("an account of two days was sent: %s", would)
	}
	if a := send(t, s, "/v1/erasures", `{"panel":"nn","panelist":"P6","dry_run":true}`); a.status != http.StatusNotFound {
		t.Errorf("nobody: %d %s", a.status, a.body)
	}
	text := fetch(t, s, http.MethodGet, "/v1/audit").body
	for entry, times := range map[string]int{
		`"action":"dry run of erase","object":"a panelist of panel nn"`: 2, `"action":"dry run of erase account","object":"an account of service mychat"`: 1,
		`"action":"erase`: 0, "P5": 0, "P6": 0, "ann": 0,
	} {
		if n := strings.Count(text, entry); n != times {
			t.Errorf("%d times %s, want %d: %s", n, entry, times, text)
		}
	}
}

// TestErasureOfWhatWasJustSent: what was sent of a person a moment before is erased too,
// and no flush brings it back.
func TestErasureOfWhatWasJustSent(t *testing.T) {
	s, must := alone(t)
	must("/v1/markets", `{"market":"FR","name":"France","zone":"Europe/Paris"}`)
	must("/v1/services", `{"service":"mychat","name":"MyChat"}`)
	must("/v1/events?backfill=true", `[{"time":"2003-01-23T18:22:05Z","market":"FR","service":"mychat","location":"home","kind":"use","panel":"nn","panelist":"P5"}]`)
	if done := must("/v1/erasures", `{"panel":"nn","panelist":"P5"}`); !strings.Contains(done, `"diaries":1`) {
		t.Errorf("a day of diaries was sent: %s", done)
	}
	must("/v1/log/settle", "")
	if a := send(t, s, "/v1/erasures", `{"panel":"nn","panelist":"P5"}`); a.status != http.StatusNotFound {
		t.Errorf("something came back: %d %s", a.status, a.body)
	}
}

// TestAudit: every route that changes something says in the audit log who did so;
// it has no key in it and no panelist, and is for administrators.
func TestAudit(t *testing.T) {
	g := withSegments(t, quiet())
	done := map[string]string{ // the routes, and the action
		"PUT /v1/panels/{panel}/months/{month}": "load panel", // before the keys were asked for
		"POST /v1/events":                       "",           // the log has them
		"POST /v1/log/settle":                   "", "POST /v1/session": "", "DELETE /v1/session": "",
		"DELETE /v1/census/marks": "clear mark",
	}
	for _, r := range g.all {
		if takesEvents(r.pattern) {
			done[r.method+" "+r.pattern] = "" // the log has them
		}
	}
	for _, c := range changesMade() {
		path, _, _ := strings.Cut(address(c.pattern), "?")
		if a := g.send(t, "admin", path, c.body); a.status >= 300 {
			t.Errorf("%s: %d %s", c.pattern, a.status, a.body)
		}
		done["POST "+c.pattern] = c.action
	}
	if a := g.ask(t, "admin", http.MethodDelete, "/v1/census/marks?market=FR&from=2004-01-07&to=2004-01-07&reason=wrong"); a.status != http.StatusOK {
		t.Errorf("clear: %d %s", a.status, a.body)
	}
	text := g.ask(t, "admin", http.MethodGet, "/v1/audit").body
	for _, r := range g.all {
		action, known := done[r.method+" "+r.pattern]
		if r.method != http.MethodGet && (!known || !strings.Contains(text, `"action":"`+action)) {
			t.Errorf("%s %s leaves no entry", r.method, r.pattern)
		}
	}
	for _, want := range []string{`"name":"operator","action":"load panel","market":"FR"`, `"name":"admin","action":"publish","market":"FR","object":"panel nn, 2003-01, version 3, restated"`, `"action":"use key"`, `"action":"make key"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the audit log lacks %s: %s", want, text)
		}
	}
	if strings.Contains(text, "P0005") || strings.Contains(text, "private reason") || strings.Contains(text, "rc_") {
		t.Errorf("the audit log tells too much: %s", text)
	}
	one := g.ask(t, "admin", http.MethodGet, "/v1/audit?limit=1")
	next, _, _ := strings.Cut(strings.TrimPrefix(one.header.Get("Link"), "<"), ">")
	if second := g.ask(t, "admin", http.MethodGet, next); strings.Count(second.body, `"time"`) != 1 || second.body == one.body {
		t.Errorf("after %s comes, by %q, %s", one.body, next, second.body)
	}
}
