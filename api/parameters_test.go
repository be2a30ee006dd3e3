package api

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"rollcall"
	"rollcall/api/access"
	"rollcall/api/disclosure"
	"rollcall/internal/problem"
)

// askedServer answers every report with an empty table and keeps the question.
type askedServer struct{ reports, census []string }

func (a *askedServer) Report(_ context.Context, q rollcall.Query) (*rollcall.Table, error) {
	a.reports = append(a.reports, q.Report)
	return &rollcall.Table{}, nil
}

func (a *askedServer) Markets(context.Context, rollcall.MarketsQuery) (*rollcall.Table, error) {
	a.reports = append(a.reports, "markets")
	return &rollcall.Table{}, nil
}

func (a *askedServer) Diff(ctx context.Context, q rollcall.Query, _, _ int) (*rollcall.Table, error) {
	return a.Report(ctx, q)
}

func (a *askedServer) server() *Server {
	return &Server{
		Reports: a, Readers: disclosure.Rule{Least: 50, Round: 10}, Logger: slog.New(slog.DiscardHandler),
		Census: func(_ context.Context, q rollcall.CensusQuery) (*rollcall.Table, error) {
			a.census = append(a.census, string(q.Market))
			return &rollcall.Table{}, nil
		},
	}
}

// problemOf asks, and gives the status and the problem's detail.
func problemOf(t *testing.T, h http.Handler, r *http.Request) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var p problem.Details
	if w.Code >= 400 {
		if got := w.Header().Get("Content-Type"); got != problem.ContentType {
			t.Errorf("%s %s: content type %q", r.Method, r.URL, got)
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Errorf("%s %s: %v in %s", r.Method, r.URL, err, w.Body)
		}
	}
	return w.Code, p.Detail
}

// TestParameters: what is unknown, given twice, missing or contradicting is
// refused, every fault of a request at once.
func TestParameters(t *testing.T) {
	asked := &askedServer{}
	h := asked.server().Handler()
	const report = "/v1/reports/ranking?market=FR&panel=nn"
	for path, want := range map[string]string{
		report + "&month=2002-10":                                                               "",
		report + "&from=2002-10-07&to=2002-10-13":                                               "",
		report + "&from=2002-10&to=2003-10":                                                     "",
		report + "&month=2002-10&service=msn,aim&live=true":                                     "",
		"/v1/reports/markets?service=msn&month=2002-10&panel=nn,other&location=home&credit=use": "",
		"/v1/reports/markets?service=msn,aim&month=2002-10":                                     "service: names several: this report is of one service",
		"/v1/reports/markets?service=msn&month=October":                                         `month "October": is not a month YYYY-MM`,
		"/v1/reports/markets?service=msn&month=2002-10&credit=both":                             `credit "both": is not presence or use`,
		report:                                  "month: is missing; or give from and to",
		report + "&month=2002-10&month=2002-11": "month: is given 2 times, and may be given once",
		report + "&month=2002-10&service=msn&service=aim":                            "service: is given 2 times, and may be given once",
		report + "&month=2002-10&live=true&version=2":                                "live: contradicts version: what is computed now is no published version",
		report + "&month=2002-10&from=2002-10-01&to=2002-10-05":                      "month: contradicts from and to: give a month, or from and to",
		report + "&from=2002-10-01":                                                  "to: is missing beside from",
		report + "&to=2002-10-01":                                                    "from: is missing beside to",
		report + "&from=2002-10-09&to=2002-10-01":                                    `from "2002-10-09": is after to, 2002-10-01`,
		report + "&from=2002-10-32&to=2002-13":                                       `from "2002-10-32": is a date that does not exist; to "2002-13": is not a date YYYY-MM-DD or a month YYYY-MM`,
		report + "&from=2002-02-29&to=2002-02-30":                                    `from "2002-02-29": is a date that does not exist; to "2002-02-30": is a date that does not exist`,
		report + "&mont=2002-10&x=1&locaton=home":                                    "month: is missing; or give from and to; locaton: is not a parameter of this; the nearest are location, locale, format; mont: is not a parameter of this; the nearest are month, pool, round; x: is not a parameter of this; the nearest are to, from, live",
		report + "&month=2002-13&location=office&credit=clicks":                      `month "2002-13": is not a month YYYY-MM; location "office": is not home, work, home+work, both, home-only or work-only; credit "clicks": is not presence or use`,
		report + "&month=2002-10&service=%zz":                                        "query: is not well formed: a % stands before two hexadecimal digits, and ; is no separator",
		"/v1/census?market=FR&from=2002-10-01&to=2002-10-31":                         "",
		"/v1/census?market=FR&from=2002-10&to=2002-10":                               "",
		"/v1/reports/ranking?market=FR&panel=nn&month=2002-10&version=0":             "version 0: is under 1",
		"/v1/reports/ranking?market=FR&panel=nn&month=2002-10&pool=13":               "pool 13: is over 12",
		"/v1/census?market=FR&from=2002-10-01":                                       "to: is missing",
		"/v1/census?market=FR&market=BE&from=2002-10-02&to=2002-10-01&location=moon": `market: is given 2 times, and may be given once; from "2002-10-02": is after to, 2002-10-01; location "moon": is not home, work, elsewhere, several of these joined by +, any, both, home-only or work-only`,
		"/v1/census?market=FR&from=2002-10-01&to=2002-10-31&min_accounts=-1":         `min_accounts "-1": is not a whole number of 0 or more, of 9 digits at most`,
		"/v1/version?x=1":                                                     "x: is not a parameter of this, which has none",
		report + "&month=2002-10&service=msn,,aim":                            `service "msn,,aim": has no name after msn; give it, or leave out the comma`,
		report + "&month=2002-10&service=,":                                   `service ",": has no name before its first comma; give it, or leave out the comma`,
		"/v1/reports/markets?service=msn&month=2002-10&panel=nn,":             `panel "nn,": has no name after nn; give it, or leave out the comma`,
		"/v1/census?market=FR&from=2002-10&to=2002-10&service=,aim":           `service ",aim": has no name before its first comma; give it, or leave out the comma`,
		"/v1/census?market=FR&from=2002-10&to=2002-10&segment=lyon,,&by=,day": `segment "lyon,,": has no name after lyon; give it, or leave out the comma; what has none is called none; by ",day": has no name before its first comma; `,
		"/v1/rejected?all=true&al=1":                                          "al: is not a parameter of this; the nearest are all, code, source",
		"/v1/rejected?all=1&all=0":                                            "all: is given 2 times, and may be given once",
	} {
		status, detail := problemOf(t, h, httptest.NewRequest(http.MethodGet, path, nil))
		if want == "" && status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, detail)
		}
		if want != "" && (status != http.StatusUnprocessableEntity || !strings.HasPrefix(detail, want)) {
			t.Errorf("%s:\n got %d %s\nwant 422 %s", path, status, detail, want)
		}
	}
	if len(asked.reports) != 5 || len(asked.census) != 2 {
		t.Errorf("%d reports and %d censuses were asked of the stages, want 5 and 2", len(asked.reports), len(asked.census))
	}
}

// TestEveryRouteIsStrict: no route takes a parameter that it doesn't have. The
// input of one that does lacks Plain.
func TestEveryRouteIsStrict(t *testing.T) {
	s := (&askedServer{}).server()
	mux := chi.NewMux()
	mux.Use(middleware.Recoverer)
	api := humachi.New(mux, config("test"))
	s.operations(api)
	routes := 0
	for path, item := range api.OpenAPI().Paths {
		for method, operation := range map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodDelete: item.Delete} {
			if operation == nil {
				continue
			}
			routes++
			url := strings.NewReplacer("{market}", "FR", "{panel}", "nn", "{month}", "2002-10", "{version}", "1", "{other}", "2", "{report}", "ranking").Replace(path)
			r := httptest.NewRequest(method, url+"?nonsense=1", bytes.NewReader([]byte("{}")))
			r.Header.Set("Content-Type", "application/json")
			if status, detail := problemOf(t, mux, r); status != http.StatusUnprocessableEntity || !strings.Contains(detail, "nonsense: is not a parameter of this") {
				t.Errorf("%s %s: %d %s", method, url, status, detail)
			}
		}
	}
	if routes < 20 {
		t.Errorf("%d routes were looked at", routes)
	}
}

// TestReadersMinimum: a reader can't have figures of fewer accounts than the
// server says, the operator and administrators can.
func TestReadersMinimum(t *testing.T) {
	h := (&askedServer{}).server().Handler()
	for _, c := range []struct {
		role access.Role
		ask  string
		want int
	}{
		{access.RoleRead, "", 200}, {access.RoleRead, "&min_accounts=50", 200}, {access.RoleRead, "&min_accounts=51", 200},
		{access.RoleRead, "&min_accounts=0", 403}, {access.RoleRead, "&min_accounts=49", 403}, {access.RoleRead, "&min_accounts=00", 403}, {access.RolePublish, "&min_accounts=1", 403},
		{access.RoleRead, "&location=home%2Belsewhere", 403}, {access.RoleAdmin, "&location=home%2Belsewhere", 200},
		{access.RoleAdmin, "&min_accounts=0", 200}, {"", "&min_accounts=0", 200},
	} {
		r := httptest.NewRequest(http.MethodGet, "/v1/census?market=FR&from=2002-10-01&to=2002-10-31"+c.ask, nil)
		if c.role != "" {
			r = r.WithContext(access.With(r.Context(), access.Caller{Role: c.role}))
		}
		if got, detail := problemOf(t, h, r); got != c.want {
			t.Errorf("%q with %q: %d %s, want %d", c.role, c.ask, got, detail, c.want)
		}
	}
}
