package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate"
	"rollcall/aggregate/report"
	"rollcall/api/disclosure"
	"rollcall/ingest"
	"rollcall/internal/test/engines"
)

// TestStoresAgree folds one stream of events into SQLite, into ClickHouse and
// into two shards of it, in another order and by other flushes each, and does
// there all that a research firm does. Every sketch, every set of minutes,
// every report and every version must be the same, byte for byte.
func TestStoresAgree(t *testing.T) {
	servers := engines.ClickHouseCluster(t, 2)
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(strings.Repeat("5a", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	one, two := servers[0].Addr(), servers[1].Addr()
	want := answers(t, &Engine{Data: t.TempDir(), KeyFile: key}, inOrder)
	requireContent(t, want)
	for name, c := range map[string]struct {
		engine Engine
		fold   folding
	}{
		"ClickHouse": {Engine{Clickhouse: "clickhouse://" + one + "/single", KeyFile: key}, byTwo},
		"two shards": {Engine{Clickhouse: "clickhouse://" + one + "," + two + "/shards", Cluster: engines.Cluster, KeyFile: key}, backwards},
	} {
		t.Run(name, func(t *testing.T) { requireSameAnswers(t, answers(t, &c.engine, c.fold), want) })
	}
}

// answer is what one question gave.
type answer struct {
	question string
	status   int // of HTTP; 200 for what is read from the store itself
	body     string
}

// requireContent fails where there was little to compare.
func requireContent(t *testing.T, all []answer) {
	t.Helper()
	good, bytes, figures := 0, 0, 0
	for _, a := range all {
		bytes += len(a.body)
		figures += strings.Count(a.body, `"status":"ok"`)
		if a.status == http.StatusOK || a.status == http.StatusCreated {
			good++
		} else if !strings.Contains(a.question, turnOfTheYear) {
			t.Errorf("%s: %d %s", a.question, a.status, a.body)
		}
	}
	t.Logf("%d questions, %d of them answered, with %d bytes and %d figures", len(all), good, bytes, figures)
	if good < 500 || figures < 10_000 {
		t.Errorf("%d answers with %d figures that are shown: next to nothing is compared", good, figures)
	}
}

// quiet are options of a process that says nothing.
func quiet() Options {
	return Options{Software: "test", Log: slog.New(slog.DiscardHandler), Out: io.Discard, Readers: disclosure.Rule{Least: 50, Round: 10}}
}

func requireSameAnswers(t *testing.T, got, want []answer) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d answers, want %d", len(got), len(want))
	}
	for i, w := range want {
		if got[i] != w {
			t.Errorf("%s: %d, want %d: %s", w.question, got[i].status, w.status, difference(got[i].body, w.body))
		}
	}
}

// difference shows both texts about the first byte that isn't the same.
func difference(got, want string) string {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	about := func(s string) string { return s[max(0, min(at-120, len(s))):min(at+80, len(s))] }
	return fmt.Sprintf("byte %d\n got %s\nwant %s", at, about(got), about(want))
}

// analyst is a process with a clock of its own, asked over its own API.
type analyst struct {
	testing.TB
	*Process
	clock   time.Time
	answers []answer
}

// newAnalyst starts a process over an empty store.
func newAnalyst(t testing.TB, e *Engine) *analyst {
	t.Helper()
	return newAnalystOf(t, e, quiet())
}

func newAnalystOf(t testing.TB, e *Engine, options Options) *analyst {
	t.Helper()
	o := &analyst{TB: t, Process: newProcess(e, options), clock: time.Date(2003, 2, 3, 9, 0, 0, 0, time.UTC)}
	t.Cleanup(func() {
		if err := o.Process.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := o.start(t.Context(), parts{answers: true}); err != nil {
		t.Fatal(err)
	}
	o.Process.months.Now = func() time.Time { return o.clock }
	return o
}

// answers starts a process over an empty store, folds the stream, closes
// the months, and asks everything.
func answers(t *testing.T, e *Engine, fold folding) []answer {
	t.Helper()
	o := newAnalyst(t, e)
	o.addMarkets()
	o.folds(fold)
	o.publish()
	o.askFacts()
	o.askReports()
	o.askCensus()
	o.askVersions()
	return o.answers
}

func (o *analyst) addMarkets() {
	o.Helper()
	o.must(http.MethodPost, "/v1/markets", `{"market":"FR","name":"France","zone":"Europe/Paris"}`)
	o.must(http.MethodPost, "/v1/markets", `{"market":"US","name":"The States","zone":"America/New_York"}`)
}

// must does what has to succeed, and moves the clock.
func (o *analyst) must(method, path, body string) {
	o.Helper()
	o.clock = o.clock.Add(1234567 * time.Microsecond)
	if a := o.do(method, path, "application/json", []byte(body)); a.status >= 300 {
		o.Fatalf("%s: %d %s", a.question, a.status, a.body)
	}
}

// ask keeps an answer.
func (o *analyst) ask(path string) {
	o.Helper()
	o.answers = append(o.answers, o.do(http.MethodGet, path, "", nil))
}

func (o *analyst) do(method, path, contentType string, body []byte) answer {
	r := httptest.NewRequestWithContext(o.Context(), method, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	o.handler.ServeHTTP(w, r)
	return answer{method + " " + path, w.Code, w.Body.String()}
}

var (
	bothMarkets = []string{"FR", "US"}
	bothMonths  = []string{"2002-12", "2003-01"}
)

// publish loads the panels, closes both months, corrects them, and closes again.
func (o *analyst) publish() {
	o.Helper()
	o.must(http.MethodPost, "/v1/targets", `{"target":"young","expression":"age=15-24"}`)
	for _, month := range bothMonths {
		for _, market := range bothMarkets {
			o.loadPanel(market, month)
			o.closeMonth(market, month, `"status":"preliminary"`)
		}
	}
	for _, rule := range []string{`"panelist":"P0003"`, `"service":"icq","day":"2002-12-24"`} {
		o.must(http.MethodPost, "/v1/exclusions", `{"market":"FR","panel":"nn","month":"2002-12","reason":"a faulty meter",`+rule+`}`)
	}
	o.closeMonth("FR", "2002-12", `"status":"final"`)
	o.must(http.MethodPost, "/v1/erasures", `{"panel":"nn","panelist":"P0005"}`)
	o.closeMonth("FR", "2002-12", `"status":"restated","reason":"late events"`)
	for _, market := range bothMarkets {
		o.closeMonth(market, "2003-01", `"status":"final"`)
		o.closeMonth(market, "2003-01", `"low":0,"caution":0`)
	}
}

func (o *analyst) closeMonth(market, month, how string) {
	o.Helper()
	o.must(http.MethodPost, "/v1/publications", fmt.Sprintf(`{"market":%q,"panel":"nn","month":%q,%s}`, market, month, how))
}

func (o *analyst) loadPanel(market, month string) {
	o.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	roster, universe := panelFiles(market)
	for name, text := range map[string]string{"roster": roster, "universe": universe} {
		part, err := w.CreateFormFile(name, name+".csv")
		if err == nil {
			_, err = io.WriteString(part, text)
		}
		if err != nil {
			o.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		o.Fatal(err)
	}
	a := o.do(http.MethodPut, "/v1/panels/nn/months/"+month+"?market="+market, w.FormDataContentType(), body.Bytes())
	if a.status >= 300 {
		o.Fatalf("%s: %d %s", a.question, a.status, a.body)
	}
	o.answers = append(o.answers, a)
}

// askFacts reads every sketch and every set of minutes.
func (o *analyst) askFacts() {
	o.Helper()
	from, to := rollcall.DayOf(2002, time.November, 1), rollcall.DayOf(2003, time.February, 28)
	for _, market := range bothMarkets {
		var cells, diaries []string
		for row, err := range o.store.Cells(o.Context(), rollcall.CellQuery{Market: rollcall.MarketID(market), From: from, To: to}) {
			if err != nil {
				o.Fatal(err)
			}
			cells = append(cells, fmt.Sprintf("%v %x %x", row.Cell, row.Visitors, row.CellState.Minutes))
		}
		for row, err := range o.store.Diaries(o.Context(), rollcall.DiaryQuery{Market: rollcall.MarketID(market), Panel: "nn", From: from, To: to}) {
			if err != nil {
				o.Fatal(err)
			}
			line := fmt.Sprint(row.Diary)
			for first, end := range row.Minutes.Runs {
				line += fmt.Sprintf(" %d-%d", first, end)
			}
			diaries = append(diaries, line)
		}
		slices.Sort(cells) // within a service they come in an engine's own order
		for kind, lines := range map[string][]string{"cells": cells, "diaries": diaries} {
			if len(lines) < 1000 {
				o.Errorf("%s has %d %s: the stream is not what it was", market, len(lines), kind)
			}
		}
		o.answers = append(o.answers,
			answer{market + "'s cells", http.StatusOK, strings.Join(cells, "\n")},
			answer{market + "'s diaries", http.StatusOK, strings.Join(diaries, "\n")})
	}
}

// unheld is the month's version that withholds nothing.
const unheld = "month=2003-01&version=3"

// askReports asks every report about every place and credit, and about a
// target, a week, several months, some services, older versions and today.
func (o *analyst) askReports() {
	o.Helper()
	for _, name := range report.Reports() {
		path := "/v1/reports/" + name
		for _, place := range rollcall.Places() {
			for _, credit := range []string{"presence", "use"} {
				o.both(path, "FR", unheld+"&location="+url.QueryEscape(string(place))+"&credit="+credit)
			}
		}
		for _, how := range []string{
			"month=2003-01", "month=2003-01&version=1", "month=2002-12", "month=2002-12&version=1", "month=2002-12&live=true",
			unheld + "&target=@young", unheld + "&target=" + url.QueryEscape("sex=F,!age=15-24"),
			"version=3&from=2003-01-06&to=2003-01-12", "version=3&from=2002-12-01&to=2003-01-31", unheld + "&service=msn,icq",
		} {
			everyone := name == "quality" && strings.Contains(how, "target=") // whose weights are
			everything := (name == "quality" || name == "consistency") && strings.Contains(how, "service=")
			if !everyone && !everything {
				o.both(path, "FR", how)
			}
		}
		o.both(path, "US", unheld)
	}
}

// turnOfTheYear is a range that the census refuses: accounts have another key
// in the new year.
const turnOfTheYear = "from=2002-12-15&to=2003-01-10"

func (o *analyst) askCensus() {
	o.Helper()
	for _, days := range []string{"from=2002-12-01&to=2002-12-31", "from=2003-01-01&to=2003-01-31", "from=2003-01-06&to=2003-01-12", turnOfTheYear} {
		for _, how := range []string{"", "&location=home", "&location=work&credit=use", "&location=both&min_accounts=0", "&location=elsewhere&service=icq,aim"} {
			o.both("/v1/census", "FR", days+how)
		}
		o.both("/v1/census", "US", days)
	}
}

// both asks for a table as JSON and as CSV. A panel's report names its panel.
func (o *analyst) both(path, market, query string) {
	o.Helper()
	if path != "/v1/census" {
		query += "&panel=nn"
	}
	for _, format := range []string{"json", "csv"} {
		o.ask(path + "?market=" + market + "&" + query + "&format=" + format)
	}
}

// askVersions asks what was published, with the hashes of its content, whether
// that is so, and what changed.
func (o *analyst) askVersions() {
	o.Helper()
	for _, market := range bothMarkets {
		list := "/v1/publications?market=" + market
		var published struct{ Rows []rollcall.Publication }
		o.ask(list)
		if err := json.Unmarshal([]byte(o.answers[len(o.answers)-1].body), &published); err != nil || len(published.Rows) < 3 {
			o.Fatalf("%d publications, %v", len(published.Rows), err)
		}
		for _, p := range published.Rows {
			version := fmt.Sprintf("/v1/publications/%s/nn/%s/%d", market, p.Month, p.Version)
			if a := o.do(http.MethodGet, version+"/verify", "", nil); a.status >= 300 {
				o.Errorf("%s: %d %s", a.question, a.status, a.body)
			}
			for other := 1; other < p.Version; other++ {
				for _, format := range []string{"json", "csv"} {
					o.ask(fmt.Sprintf("%s/diff/%d?format=%s", version, other, format))
				}
			}
		}
	}
}

// folding folds a stream of batches into a store.
type folding func(o *analyst, batches []*rollcall.Batch)

// folds makes the stream's events as the collectors do, and folds them.
func (o *analyst) folds(fold folding) {
	o.Helper()
	converter := &ingest.Converter{Keys: o.keys, Catalogue: o.catalogue.Catalogue, Now: time.Now}
	var batches []*rollcall.Batch
	for i, line := range analystEvents() {
		if i%rowsOfBatch == 0 {
			batches = append(batches, new(rollcall.Batch))
		}
		sighting, err := ingest.ParseJSON([]byte(line))
		if err != nil {
			o.Fatalf("%s: %v", line, err)
		}
		events, err := converter.Append(nil, &sighting, time.Time{}, true)
		if err != nil {
			o.Fatalf("%s: %v", line, err)
		}
		for i := range events {
			batches[len(batches)-1].Add(&events[i])
		}
	}
	fold(o, batches)
}

const rowsOfBatch = 5000

// inOrder is one aggregator that flushes every batch.
func inOrder(o *analyst, batches []*rollcall.Batch) { o.run(batches, 1) }

// backwards is one that reads the last batch first, and flushes once.
func backwards(o *analyst, batches []*rollcall.Batch) {
	slices.Reverse(batches)
	o.run(batches, 1<<30)
}

// byTwo is two at once, with a part of the log each; some of it is read twice.
func byTwo(o *analyst, batches []*rollcall.Batch) {
	half := len(batches) / 2
	var both sync.WaitGroup
	both.Go(func() { o.run(batches[:half+1], 1) })
	both.Go(func() { o.run(batches[half-1:], 1<<20) })
	both.Wait()
}

// run is one aggregator, until it has read everything.
func (o *analyst) run(batches []*rollcall.Batch, flushBytes int) {
	ctx, stop := context.WithCancel(o.Context())
	defer stop()
	err := aggregate.Run(ctx, &playback{batches: batches, stop: stop}, o.store, aggregate.Options{
		K: o.store.K(), Calendar: o.catalogue.calendar, Bytes: flushBytes, Log: o.Process.Log,
	})
	if err != nil {
		o.Error(err)
	}
}

// playback is a source of some batches, which stops its reader at their end.
type playback struct {
	batches []*rollcall.Batch
	stop    func()
}

// Next gives the next batch.
func (p *playback) Next(ctx context.Context) (*rollcall.Batch, error) {
	if len(p.batches) == 0 {
		p.stop()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	next := p.batches[0]
	p.batches = p.batches[1:]
	return next, nil
}

// Commit needs nothing: nobody reads on from here.
func (p *playback) Commit(context.Context, rollcall.Offsets) error { return nil }

// Again is for what is removed meanwhile, which nothing is.
func (p *playback) Again() error { return nil }
