package server

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/api/access"
	"rollcall/api/disclosure"
)

// withSegments is guarded, with accounts of some segments: three of lyon, two of
// rhone of which one is among them, one of nantes, and one of none. Keys are of
// lyon, and of rhone that is merged into it.
func withSegments(t *testing.T, options Options) *guardedServer {
	t.Helper()
	options.Readers = disclosure.Rule{} // whose limits would hide how few they are
	g := guardedBy(t, options)
	for name, ids := range map[string][]rollcall.SegmentID{"reader of lyon": {"lyon"}, "reader of rhone": {"rhone"}, "reader of none": {"", "nowhere"}} {
		_, key, err := access.NewToken(g.tokens, access.Token{Name: name, Role: access.RoleRead, Segments: ids}, time.Unix(1e9, 0))
		if err != nil {
			t.Fatal(err)
		}
		g.keys[name] = key
	}
	see(t, g.process, map[rollcall.SegmentID][]uint64{"lyon": {1 << 60, 2 << 60, 3 << 60}, "rhone": {3 << 60, 4 << 60}, "nantes": {5 << 60}, "": {6 << 60}})
	for _, line := range []string{`{"segment":"rhone","name":"Rhône","into":"lyon"}`, `{"segment":"nantes","name":"The Capital"}`} {
		if a := g.send(t, "admin", "/v1/segments", line); a.status != http.StatusCreated {
			t.Fatalf("%s: %d %s", line, a.status, a.body)
		}
	}
	for _, segment := range []string{"lyon", "nantes"} { // of a day on which nothing is left
		day := rollcall.DayOf(2004, 1, 8)
		if _, err := g.process.store.AddCorrections(t.Context(), rollcall.Correction{
			Action: rollcall.Removal, Market: "FR", Service: "icq", Segment: segment, From: day, To: day, Reason: "twice in " + segment, Time: time.Unix(1e9, 0).UTC(),
		}); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// see puts accounts of segments into the store.
func see(t *testing.T, p *Process, accounts map[rollcall.SegmentID][]uint64) {
	t.Helper()
	err := p.store.Merge(t.Context(), rollcall.Deltas{Cells: func(yield func(rollcall.Cell, rollcall.CellState) bool) {
		for id, ids := range accounts {
			s := hll.New(p.store.K())
			s.AddSlice(ids)
			c := rollcall.Cell{Market: "FR", Day: rollcall.DayOf(2004, 1, 7), Service: "icq", Location: rollcall.Elsewhere, Kind: rollcall.Use, Segment: id, Key: 9}
			if !yield(c, rollcall.CellState{Visitors: s.Append(nil), Minutes: s.Append(nil)}) {
				return
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
}

const censusOf = "/v1/census?market=FR&from=2004-01&to=2004-01"

// TestSegmentsHidden: a key of some segments is told nothing of another, by any
// route or form: not that it is there, and no figure that it is part of.
func TestSegmentsHidden(t *testing.T) {
	g := withSegments(t, assisted())
	read := map[string]bool{}
	for _, r := range g.all {
		if r.method != http.MethodGet || !strings.HasPrefix(r.pattern, "/v1/") && r.pattern != "/metrics" || strings.HasPrefix(r.pattern, "/v1/oidc/") {
			continue
		}
		a := g.ask(t, "reader of lyon", http.MethodGet, address(r.pattern))
		if read[r.pattern] = a.status == http.StatusOK; a.status != http.StatusOK && a.status != http.StatusForbidden {
			t.Errorf("%s: %d %s", r.pattern, a.status, a.body)
		}
		for _, secret := range []string{"nantes", "The Capital", `"panel":`, "P0001"} {
			if strings.Contains(a.body, secret) {
				t.Errorf("%s tells of %s: %.300s", r.pattern, secret, a.body)
			}
		}
	}
	for _, pattern := range []string{"/v1/markets", "/v1/markets/{market}", "/v1/services", "/v1/services/{service}", "/v1/segments", "/v1/segments/{segment}", "/v1/panels", "/v1/months", "/v1/publications", "/v1/census", "/v1/census/months", "/v1/metrics", "/v1/version", "/v1/session"} {
		if !read[pattern] {
			t.Errorf("%s is not read", pattern)
		}
		delete(read, pattern)
	}
	for pattern, is := range read {
		if is && pattern != "/v1/rejected" {
			t.Errorf("%s is read, and knows no segment", pattern)
		}
	}
	for _, list := range []string{"/v1/panels", "/v1/months", "/v1/publications?market=FR", "/v1/publications?market=FR&panel=nn", "/v1/publications?market=FR&panel=absent"} {
		if a := g.ask(t, "reader of lyon", http.MethodGet, list); a.status != http.StatusOK || !strings.Contains(a.body, `"rows":[]`) {
			t.Errorf("%s: %d %s", list, a.status, a.body)
		}
	}
}

// TestHiddenAsAbsent: a segment that a key may not see is answered byte for byte as
// one that is not there, whatever is asked.
func TestHiddenAsAbsent(t *testing.T) {
	g := withSegments(t, quiet())
	for _, path := range []string{
		censusOf + "&segment=nantes", censusOf + "&segment=nantes&by=day", censusOf + "&segment=lyon,nantes", censusOf + "&segment=nantes&format=csv",
		censusOf + "&segment=nantes&by=fortnight", strings.Replace(censusOf, "FR", "XX", 1) + "&segment=nantes", "/v1/segments/nantes",
	} {
		for _, who := range []string{"reader of lyon", "reader of rhone", "reader of none"} {
			hidden, absent := g.ask(t, who, http.MethodGet, path), g.ask(t, who, http.MethodGet, strings.Replace(path, "nantes", "nantez", 1))
			if hidden.status < 400 || hidden.status != absent.status || strings.ReplaceAll(hidden.body, "nantes", "nantez") != absent.body || hidden.header.Get("ETag") != "" {
				t.Errorf("%s, %s: %d %s\nand one that is absent: %d %s", who, path, hidden.status, hidden.body, absent.status, absent.body)
			}
		}
	}
	if a := g.ask(t, "reader of lyon", http.MethodGet, "/v1/segments/rhonee"); a.status != http.StatusNotFound || !strings.Contains(a.body, "the nearest is rhone\"") {
		t.Errorf("%d %s", a.status, a.body)
	}
	all := g.ask(t, "reader", http.MethodGet, censusOf)
	kept := fetch(t, g.Server, http.MethodGet, censusOf, "Authorization", "Bearer "+g.keys["reader of lyon"], "If-None-Match", all.header.Get("ETag"))
	if all.status != http.StatusOK || kept.status != http.StatusOK || kept.header.Get("ETag") == all.header.Get("ETag") {
		t.Errorf("with the ETag of what another was given: %d, then %d", all.status, kept.status)
	}
}

// TestSegmentFigures: a figure that a key of some segments asks for is of those,
// and says so; an old id, in a key, a filter or a route, means its target.
func TestSegmentFigures(t *testing.T) {
	g := withSegments(t, assisted())
	for _, c := range []struct{ who, how, row, note string }{
		{"reader", "", `"unique_accounts":{"value":6,`, ""},
		{"reader", "&by=segment", `"segment":"lyon","unique_accounts":{"value":4,`, ""},
		{"reader of lyon", "", `"unique_accounts":{"value":4,`, "This key reads some segments only, and the figures are of those: lyon."},
		{"reader of lyon", "&window=7d", `"2004-01-09","unique_accounts":{"value":4,`, "the figures are of those: lyon."},
		{"reader", "", "", "icq, segment The Capital (nantes), of 2004-01-08 was removed"},
		{"reader of lyon", "", "", "icq, segment Lyon (lyon), of 2004-01-08 was removed"},
		{"reader of lyon", "&segment=rhone", `"unique_accounts":{"value":4,`, "Segment rhone is merged into lyon, and means it."},
		{"reader of rhone", "&segment=lyon", `"unique_accounts":{"value":4,`, "The figures are of these segments only: lyon."},
		{"reader of rhone", "&by=segment", `"segment":"lyon","unique_accounts":{"value":4,`, "of those: lyon."},
		{"reader of none", "", `"unique_accounts":{"value":1,`, "of those: none, nowhere."},
		{"reader of none", "&segment=none", `"unique_accounts":{"value":1,`, "of these segments only: none."},
	} {
		a := g.ask(t, c.who, http.MethodGet, censusOf+c.how)
		if a.status != http.StatusOK || !strings.Contains(a.body, c.row) || !strings.Contains(a.body, c.note) {
			t.Errorf("%s, %s: %d %s", c.who, c.how, a.status, a.body)
		}
	}
	if a := g.ask(t, "reader", http.MethodGet, "/v1/segments/rhone"); a.status != http.StatusOK || !strings.Contains(a.body, `"segment":"lyon","name":"Lyon"}`) {
		t.Errorf("the target of rhone: %d %s", a.status, a.body)
	}
	if a := g.ask(t, "reader of rhone", http.MethodGet, "/v1/census/months?market=FR"); !strings.Contains(a.body, `"rows":[{"month":"2004-01","market":"FR"}]`) {
		t.Errorf("the months that it was seen in: %s", a.body)
	}
	if a := g.ask(t, "reader of rhone", http.MethodGet, "/v1/session"); !strings.Contains(a.body, `"segments":["rhone"]`) {
		t.Errorf("a session says %s", a.body)
	}
	in := fetch(t, g.Server, http.MethodGet, censusOf, "Cookie", g.signIn(t, "reader of rhone"))
	if !strings.Contains(in.body, `"unique_accounts":{"value":4,`) {
		t.Errorf("in a session: %s", in.body)
	}
	s, err := assistant(t, g.URL, g.keys["reader of lyon"])
	if err != nil {
		t.Fatal(err)
	}
	for tool, arguments := range map[string]map[string]any{
		"census": {"market": "FR", "from": "2004-01", "to": "2004-01", "by": "segment"}, "method": {"about": "segments"},
		"ranking": {"market": "FR", "panel": "nn", "month": "2003-01"},
	} {
		texts, failed := called(t, s, tool, arguments)
		if text := strings.Join(texts, " "); strings.Contains(text, "nantes") || failed != (tool == "ranking") || !failed && !strings.Contains(text, `"segment":"lyon"`) {
			t.Errorf("an assistant is told by %s: %s", tool, text)
		}
	}
	a := g.ask(t, "reader of lyon", http.MethodGet, censusOf+"&by=segment&format=csv")
	if a.status != http.StatusOK || strings.Contains(a.body, "nantes") || !strings.Contains(a.body, ",lyon,4,") {
		t.Errorf("as CSV: %d %s", a.status, a.body)
	}
}

// TestSegmentRoutes: a line that is made is said to be where it is, and the same
// again is there; one that can't be is refused by its field.
func TestSegmentRoutes(t *testing.T) {
	o, s := published(t)
	post := func(body string) answered { return send(t, s, "/v1/segments", body) }
	const line = `{"segment":"Nantes.1_a-b","name":"Nantes, \"le\" <b>"}`
	made, again := post(line), post(line)
	if at := made.header.Get("Location"); made.status != http.StatusCreated || again.status != http.StatusOK || again.body != made.body || again.header.Get("Location") != "" || at != "/v1/segments/Nantes.1_a-b" {
		t.Fatalf("%d %v %s, then %d %s", made.status, made.header, made.body, again.status, again.body)
	}
	if is := fetch(t, s, http.MethodGet, made.header.Get("Location")); is.status != http.StatusOK || is.body != made.body {
		t.Errorf("there is %d %s", is.status, is.body)
	}
	for body, want := range map[string]int{
		`{"segment":"none","name":"None"}`: 422, `{"segment":"","name":"x"}`: 422, `{"segment":"a","name":""}`: 422, `{"segment":"a"}`: 422,
		`{"segment":"a","name":"\u001b[2J"}`: 422, `{"segment":"a","name":"` + strings.Repeat("x", 1<<19) + `"}`: 422, `{"segment":"a","name":"` + strings.Repeat("x", 1<<20) + `"}`: 413, `{"segment":"a","name":"\u202e"}`: 422,
		`{"segment":"a","name":"x","into":"a"}`: 422, `{"segment":"a","name":"x","into":"none"}`: 422, `{"segment":"a","name":"x","into":"absent"}`: 404,
		`{"segment":"` + strings.Repeat("a", 65) + `","name":"x"}`: 422, `{"segment":"a","name":"x","more":1}`: 422,
	} {
		if a := post(body); a.status != want || len(a.body) > 2000 {
			t.Errorf("%.80s: %d %.300s", body, a.status, a.body)
		}
	}
	// Each of 300 wants to be merged into the one before: the second is, as the first
	// is in none; no other is.
	merged := 0
	for i := range 300 {
		if i > 0 && post(fmt.Sprintf(`{"segment":"c%d","name":"C","into":"c%d"}`, i, i-1)).status == http.StatusCreated {
			merged++
			continue
		}
		if a := post(fmt.Sprintf(`{"segment":"c%d","name":"C"}`, i)); a.status != http.StatusCreated {
			t.Fatal(a.body)
		}
	}
	if merged != 150 {
		t.Errorf("%d of a chain are merged", merged)
	}
	first := fetch(t, s, http.MethodGet, "/v1/segments?limit=200")
	next, _, _ := strings.Cut(strings.TrimPrefix(first.header.Get("Link"), "<"), ">")
	rest := fetch(t, s, http.MethodGet, next)
	if n := strings.Count(first.body, `"segment"`) + strings.Count(rest.body, `"segment"`); n != 302 || strings.Count(first.body, `"segment"`) != 200 {
		t.Errorf("%d segments in two parts: %v", n, first.header)
	}
	if _, err := o.store.Segments(t.Context(), "FR"); err != nil {
		t.Error(err)
	}
}

// TestAddersAtOnce: of two who merge segments into each other at once one is
// refused.
func TestAddersAtOnce(t *testing.T) {
	o, _ := published(t)
	c := changeableOf(o.Process)
	for i := range 20 {
		a, b := rollcall.SegmentID(fmt.Sprint("a", i)), rollcall.SegmentID(fmt.Sprint("b", i))
		for _, id := range []rollcall.SegmentID{a, b} {
			if _, err := c.AddSegment(t.Context(), rollcall.Segment{ID: id, Name: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for k, s := range []rollcall.Segment{{ID: a, Name: "x", Into: b}, {ID: b, Name: "x", Into: a}} {
			wg.Go(func() { _, errs[k] = c.AddSegment(t.Context(), s) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), rollcall.ErrConflict) {
			t.Fatalf("%v", errs)
		}
	}
}
