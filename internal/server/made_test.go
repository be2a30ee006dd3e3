package server

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestMade: what is made is answered with 201, and is where Location says; made
// again it is answered with 200, but for a rule, which is one more.
func TestMade(t *testing.T) {
	_, s := published(t)
	for _, c := range []struct {
		path, body, at string
		again          int
	}{
		{"/v1/markets", `{"market":"BE","zone":"Europe/Brussels"}`, "/v1/markets/BE", 200},
		{"/v1/services", `{"service":"mychat","name":"MyChat"}`, "/v1/services/mychat", 200},
		{"/v1/targets", `{"target":"women","expression":"sex=F"}`, "/v1/targets/women", 200},
		{"/v1/exclusions", `{"market":"FR","panel":"nn","month":"2003-01","service":"icq","reason":"a meter"}`, "/v1/exclusions?market=FR&month=2003-01&panel=nn", 201},
		{"/v1/publications", `{"market":"FR","panel":"nn","month":"2003-01","status":"restated","reason":"a meter"}`, "/v1/publications/FR/nn/2003-01/3", 200},
	} {
		made := send(t, s, c.path, c.body)
		if at := made.header.Get("Location"); made.status != http.StatusCreated || at != c.at {
			t.Errorf("%s: %d, Location %q, %s", c.path, made.status, at, made.body)
			continue
		}
		if is := fetch(t, s, http.MethodGet, c.at); is.status != http.StatusOK || !strings.Contains(is.body, strings.TrimSuffix(made.body, "}\n")) {
			t.Errorf("at %s is %d %s, and was made as %s", c.at, is.status, is.body, made.body)
		}
		again := send(t, s, c.path, c.body)
		if again.status != c.again || again.status == http.StatusOK && again.header.Get("Location") != "" {
			t.Errorf("%s again: %d %v", c.path, again.status, again.header)
		}
	}
}

// TestServiceStays: what a change of a service does not name stays as it was.
func TestServiceStays(t *testing.T) {
	_, s := published(t)
	send(t, s, "/v1/services", `{"service":"mychat","name":"MyChat","owner":"ACME","census":"exact","epoch":"none"}`)
	changed := send(t, s, "/v1/services", `{"service":"mychat","name":"My Chat","brand":"Chats"}`)
	for _, want := range []string{`"name":"My Chat"`, `"brand":"Chats"`, `"owner":"ACME"`, `"census":"exact"`, `"epoch":"none"`} {
		if !strings.Contains(changed.body, want) {
			t.Errorf("changed: %s has no %s", changed.body, want)
		}
	}
	if off := send(t, s, "/v1/services", `{"service":"mychat","name":"My Chat","census":""}`); off.status != http.StatusOK || strings.Contains(off.body, "exact") {
		t.Errorf("census empty: %d %s", off.status, off.body)
	}
}

// TestLists: every row of a list has its id under its noun's name, and a list
// that grows comes in parts.
func TestLists(t *testing.T) {
	o, s := published(t)
	o.loadPanel("US", "2003-01")
	o.closeMonth("US", "2003-01", `"status":"preliminary"`)
	for path, ids := range map[string][]string{
		"/v1/markets": {"market"}, "/v1/services": {"service"}, "/v1/targets": {"target"}, "/v1/metrics": {"metric"},
		"/v1/panels": {"panel", "market"}, "/v1/months": {"month", "market", "panel"}, "/v1/publications?market=FR": {"month", "panel", "version"}, "/v1/census/months?market=FR": {"month", "market"},
	} {
		rows := rowsAt(t, s.URL, path)
		seen := map[string]bool{}
		for _, row := range rows {
			var id []string
			for _, name := range ids {
				text, err := json.Marshal(row[name])
				if err != nil || row[name] == nil || row[name] == "" {
					t.Errorf("%s: %v has no %s", path, row, name)
				}
				id = append(id, string(text))
			}
			if key := strings.Join(id, " "); seen[key] {
				t.Errorf("%s: two rows are %s", path, key)
			} else {
				seen[key] = true
			}
		}
		if len(rows) == 0 {
			t.Errorf("%s: no rows", path)
		}
	}
	for path, want := range map[string]int{"/v1/publications?market=FR&limit=1": 2, "/v1/months?limit=1": 2, "/v1/panels?limit=1": 2, "/v1/months?market=US&limit=1": 1} {
		got, at := 0, path
		for at != "" {
			a := fetch(t, s, http.MethodGet, at)
			got += strings.Count(a.body, `"panel":"nn"`)
			at, _ = strings.CutSuffix(strings.TrimPrefix(a.header.Get("Link"), "<"), `>; rel="next"`)
			if a.status != http.StatusOK || got > want {
				t.Fatalf("%s: %d %s", path, a.status, a.body)
			}
		}
		if got != want {
			t.Errorf("%s: %d rows in parts of one, want %d", path, got, want)
		}
	}
	if a := fetch(t, s, http.MethodGet, "/v1/months?after=FR.nn.1999-01"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "query.after") {
		t.Errorf("behind a row that isn't there: %d %s", a.status, a.body)
	}
}

func rowsAt(t *testing.T, server, path string) []map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	var list struct {
		Rows []map[string]any `json:"rows"`
	}
	if err := json.NewDecoder(a.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	return list.Rows
}

// TestUnknownNames: a name that is not known is 404 on every route that takes it,
// and the nearest are named, at its place.
func TestUnknownNames(t *testing.T) {
	_, s := published(t)
	for path, want := range map[string]string{
		"/v1/markets/FX": "path.market", "/v1/services/msm": "path.service", "/v1/targets/yong": "path.target", "/v1/reports/rankin": "path.report",
		"/v1/publications?market=FX": "query.market", "/v1/census/months?market=FX": "query.market", "/v1/publications?market=FR&panel=nm": "query.panel", "/v1/months?market=FX": "query.market", "/v1/months?panel=nm": "query.panel",
		"/v1/panels?market=FR&panel=nm": "query.panel", "/v1/panels/nm/months/2003-01?market=FR": "path.panel", "/v1/panels/nn/months/2003-02?market=FR": "path.month",
		"/v1/exclusions?market=FR&panel=nn&month=2003-02": "query.month", "/v1/publications/FX/nn/2003-01/2": "path.market", "/v1/publications/FR/nm/2003-01/2": "path.panel",
		"/v1/publications/FR/nn/2003-02/2/workbook.xlsx": "path.month", "/v1/publications/FR/nn/2003-02/2/folder.zip": "path.month", "/v1/publications/FX/nn/2003-01/2/withheld": "path.market",
		"/v1/publications/FR/nm/2003-01/2/verify": "path.panel", "/v1/publications/FR/nn/2003-02/2/diff/1": "path.month",
		"/v1/reports/ranking?market=FX&panel=nn&month=2003-01": "query.market", "/v1/reports/ranking?market=FR&panel=nn&month=2003-01&service=msm": "query.service",
		"/v1/reports/ranking?market=FR&panel=nn&month=2003-01&target=%40yong": "query.target", "/v1/census?market=FX&from=2003-01&to=2003-01": "query.market",
		"/v1/census?market=FR&from=2003-01&to=2003-01&service=msm": "query.service",
	} {
		a := fetch(t, s, http.MethodGet, path)
		if a.status != http.StatusNotFound || !strings.Contains(a.body, `"code":"not_found"`) || !strings.Contains(a.body, `"location":"`+want+`"`) || !strings.Contains(a.body, "the nearest") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}
