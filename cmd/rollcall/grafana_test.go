package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/ingest/collect/simulate"
	"rollcall/internal/test/boardtest"
)

// boards are the Grafana dashboards, a store that the demonstration's first two
// months fill, and the roles on it.
type boards struct {
	*cluster
	boards []*boardtest.Board
	serve  *child
	roles  []*child
}

// TestGrafana asks all that the dashboards ask: ClickHouse, the REST API, and
// what Prometheus would read of each role.
func TestGrafana(t *testing.T) {
	c := newCluster(t).empty("boards")
	b := &boards{cluster: c, boards: boardtest.Read(t, filepath.Join(checkout, "dashboards/grafana/dashboards"))}
	aggregator := c.aggregator("--keep", "999mo")
	c.run("collect", "simulate", "--months", "2002-09,2002-10")
	b.serve = c.spawn("serve", "--gauges", "WORLD/icq", "--gauge-segments", "1")
	collector := c.spawn("collect", "http", "--spool", filepath.Join(t.TempDir(), "spool"))
	embedded := spawn(t, "run", "--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0", "--close-day", "10")
	await(t, func() bool { return embedded.metric("rollcall_schedule_timestamp_seconds") > 0 }) // its first look is behind it
	await(t, func() bool { return b.serve.metric("rollcall_active_accounts") > 0 })
	b.roles = []*child{aggregator, b.serve, collector, embedded, meterOf(t, "oscar_bitlbee351")}
	refuse(t, collector)
	passOver(t, collector)
	t.Run("ClickHouse", b.askClickHouse)
	t.Run("REST", b.askREST)
	t.Run("Prometheus", b.askMetrics)
}

// refuse sends what must be refused: its count has no series before that.
func refuse(t *testing.T, p *child) {
	t.Helper()
	answer, err := p.api.Post("http://localhost/v1/events", "application/x-ndjson", strings.NewReader("{}\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusUnprocessableEntity {
		t.Fatalf("an empty event is answered %s", answer.Status)
	}
}

// passOver sends a tracker's call that says nothing of an audience.
func passOver(t *testing.T, p *child) {
	t.Helper()
	answer, err := p.api.Post("http://localhost/v1/identify", "application/json", strings.NewReader(`{"userId":"ann"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("who somebody is is answered %s", answer.Status)
	}
}

// values are those of a reader who chose nothing: of each variable the first
// value, or all of one of which several may be chosen.
func (b *boards) values(t *testing.T, board *boardtest.Board, ask func(*testing.T, boardtest.Target) []string) *boardtest.Values {
	t.Helper()
	v := &boardtest.Values{From: date(1), To: date(31), Of: map[string][]string{"api": {"http://localhost"}}}
	for _, one := range board.Templating.List {
		var values []string
		switch one.Type {
		case "custom", "constant":
			values = strings.Split(one.Text(), ",")
		case "query":
			q := one.Target()
			q.SQL, q.URL = v.Fill(q.SQL), v.Fill(q.URL)
			if values = ask(t, q); len(values) == 0 {
				t.Fatalf("there is nothing to choose for %s", one.Name)
			}
		default:
			continue
		}
		if !one.Multi {
			values = values[:1]
		}
		v.Of[one.Name] = values
	}
	return v
}

func date(day int) time.Time { return time.Date(2002, time.October, day, 0, 0, 0, 0, time.UTC) }

// of gives the boards that ask a source of the type, with what they ask of it.
func (b *boards) of(source string) iterate {
	return func(yield func(*boardtest.Board, []boardtest.Panel) bool) {
		for _, board := range b.boards {
			panels := slices.DeleteFunc(slices.Clone(board.Panels), func(p boardtest.Panel) bool { return p.Datasource.Type != source })
			if len(panels) > 0 && !yield(board, panels) {
				return
			}
		}
	}
}

type iterate = func(yield func(*boardtest.Board, []boardtest.Panel) bool)

// sqlRows is what ClickHouse answers.
type sqlRows struct {
	Meta []struct{ Name, Type string }
	Data []map[string]any
}

func (b *boards) sql(t *testing.T, statement string) (rows sqlRows) {
	t.Helper()
	address := "http://" + b.server.HTTPAddr() + "/?output_format_json_quote_64bit_integers=0&default_format=JSON&database=" + b.database
	answer, err := http.Post(address, "text/plain", strings.NewReader(statement))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil {
		err = json.Unmarshal(text, &rows)
	}
	if err != nil {
		t.Fatalf("%s: %v: %s", statement, err, text)
	}
	return rows
}

// askClickHouse runs every query on the real engine: of the market that the board
// opens with, which has a census, and below the heading of the panels of the other.
func (b *boards) askClickHouse(t *testing.T) {
	for board, panels := range b.of(boardtest.ClickHouse) {
		var markets []string
		v := b.values(t, board, func(t *testing.T, q boardtest.Target) (values []string) {
			rows := b.sql(t, q.SQL)
			for _, row := range rows.Data {
				values = append(values, fmt.Sprint(row[rows.Meta[0].Name]))
			}
			if strings.Contains(q.SQL, "SELECT market") {
				markets = values
			}
			return values
		})
		if want := []string{string(simulate.World().ID), string(simulate.Place().ID)}; !slices.Equal(markets, want) {
			t.Fatalf("the markets to choose from are %v, want %v", markets, want)
		}
		below := slices.IndexFunc(board.Panels, func(p boardtest.Panel) bool { return p.Type == "row" })
		for _, p := range panels {
			at := slices.IndexFunc(board.Panels, func(other boardtest.Panel) bool { return other.ID == p.ID })
			if v.Of["market"] = markets[:1]; at > below {
				v.Of["market"] = markets[1:]
			}
			for _, q := range p.Targets {
				rows := b.sql(t, v.Fill(q.SQL))
				if len(rows.Data) == 0 {
					t.Errorf("%s: %s: no row", board.File, p.Title)
				}
				if p.Type == "timeseries" && (rows.Meta[0].Name != "time" || !strings.HasPrefix(rows.Meta[0].Type, "DateTime")) {
					t.Errorf("%s: a series begins with its time, not %v", p.Title, rows.Meta[0])
				}
				b.agree(t, p.Title, rows, v)
			}
		}
	}
}

// agree compares what a panel shows with the product's own census.
func (b *boards) agree(t *testing.T, title string, rows sqlRows, v *boardtest.Values) {
	t.Helper()
	everywhere := url.Values{"location": {"home+work+elsewhere"}}
	compared := 0
	for _, row := range rows.Data {
		service, _ := row["service"].(string)
		switch title {
		case "Unique accounts of the period":
			want := b.census(t, v, service, everywhere, date(1), date(31))
			b.same(t, title, row["unique_accounts"], want[0])
			b.same(t, title, row["account_minutes"], want[1])
			b.bounds(t, title, row, want[0])
			b.sketched(t, title, row, want[0])
		case "By platform", "By segment", "By platform and segment":
			of := maps.Clone(everywhere)
			if platform, ok := row["platform"].(string); ok {
				of.Set("platform", platform)
			}
			part, _ := row["part"].(string)
			if of.Set("segment", part); title == "By platform" {
				of.Set("platform", part)
				of.Del("segment")
			}
			want := b.census(t, v, service, of, date(1), date(31))
			b.same(t, title, row["unique_accounts"], want[0])
			b.sketched(t, title, row, want[0])
		case "Unique accounts by day", "Account-minutes by day":
			day, err := time.Parse(time.DateTime, row["time"].(string))
			if err != nil {
				t.Fatal(err)
			}
			if day.Day()%7 != 3 {
				continue // a day a week will do
			}
			want := b.census(t, v, service, everywhere, day, day)
			if value, ok := row["account_minutes"]; ok {
				b.same(t, title, value, want[1])
			} else {
				b.same(t, title, row["unique_accounts"], want[0])
			}
		case "At home, at work, elsewhere":
			for _, place := range []string{"home", "work", "elsewhere"} {
				b.same(t, title, row[place], b.census(t, v, service, url.Values{"location": {place}}, date(1), date(31))[0])
			}
		default:
			return
		}
		compared++
	}
	if compared == 0 {
		t.Errorf("%s: nothing was compared", title)
	}
}

// sketched holds the sketch's estimate beside a figure to the figure, and holds
// what is said to be exact to be so in the census too.
func (b *boards) sketched(t *testing.T, title string, row map[string]any, want rollcall.Measure) {
	t.Helper()
	value, shown := row["unique_accounts"].(float64)
	if !shown {
		return
	}
	beside, _ := row["by_sketch"].(float64)
	if exact := row["counted_by"] == "exact"; exact != (want.SE == 0) || exact && value != want.Value {
		t.Errorf("%s: %v; the census says %+v", title, row, want)
	}
	if math.Abs(beside-value) > 0.05*value {
		t.Errorf("%s: %v: the sketch is far off", title, row)
	}
}

// census asks the product for a service's accounts and account-minutes.
func (b *boards) census(t *testing.T, v *boardtest.Values, service string, of url.Values, from, to time.Time) [2]rollcall.Measure {
	t.Helper()
	q := url.Values{
		"market": v.Of["market"], "service": {service}, "credit": {"presence"},
		"from": {from.Format(time.DateOnly)}, "to": {to.Format(time.DateOnly)},
	}
	maps.Copy(q, of)
	answer := b.get(t, "/v1/census?"+q.Encode())
	table := new(rollcall.Table)
	if err := json.Unmarshal(answer, table); err != nil {
		t.Fatal(err)
	}
	return [2]rollcall.Measure{measure(table, 0, "unique_accounts"), measure(table, 0, "account_minutes")}
}

// hump is what ClickHouse's own estimate is too high by at the most, near two and
// a half times as many accounts as a sketch has registers.
const hump = 1.024

// same holds a figure to one of the product's: withheld where that is, else
// within its interval and the hump. ClickHouse estimates from the same registers
// by another formula.
func (b *boards) same(t *testing.T, title string, got any, want rollcall.Measure) {
	t.Helper()
	value, shown := got.(float64)
	switch {
	case shown == want.Status.Withheld():
		t.Errorf("%s: %v; the census says %+v", title, got, want)
	case shown && (value < math.Floor(want.Low) || value > math.Ceil(want.High*hump)):
		t.Errorf("%s: %v; the census says %.1f, between %.1f and %.1f", title, value, want.Value, want.Low, want.High)
	}
}

// bounds holds a row's interval to the product's: around the figure, and no
// narrower.
func (b *boards) bounds(t *testing.T, title string, row map[string]any, want rollcall.Measure) {
	t.Helper()
	low, shown := row["low"].(float64)
	high, _ := row["high"].(float64)
	if shown && (low > want.Value || high < want.Value || high-low < math.Floor((want.High-want.Low)*0.98)) {
		t.Errorf("%s: between %v and %v; the census says %.1f, between %.1f and %.1f", title, low, high, want.Value, want.Low, want.High)
	}
}

// get asks the API, which must answer 200.
func (b *boards) get(t *testing.T, address string) []byte {
	t.Helper()
	answer, err := b.serve.api.Get("http://localhost" + strings.TrimPrefix(address, "http://localhost"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("%s: %s, %v: %.200s", address, answer.Status, err, text)
	}
	return text
}

// rows gives what a query's root selects of an answer, a row a map.
func (b *boards) rows(t *testing.T, q boardtest.Target) []map[string]any {
	t.Helper()
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(b.get(t, q.URL), &answer); err != nil {
		t.Fatalf("%s: %v", q.URL, err)
	}
	var rows []map[string]any
	if json.Unmarshal(answer[q.Root], &rows) == nil {
		return rows
	}
	rows = make([]map[string]any, 1) // one object is one row
	if err := json.Unmarshal(answer[q.Root], &rows[0]); err != nil {
		t.Fatalf("%s: %s: %v", q.URL, q.Root, err)
	}
	return rows
}

// pick follows a selector such as unique_audience.value.
func pick(row map[string]any, selector string) (value any) {
	value = row
	for _, name := range strings.Split(selector, ".") {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return value
}

// askREST asks every address, and looks for every column in its answer.
func (b *boards) askREST(t *testing.T) {
	for board, panels := range b.of(boardtest.REST) {
		v := b.values(t, board, func(t *testing.T, q boardtest.Target) (values []string) {
			for _, row := range b.rows(t, q) {
				values = append(values, fmt.Sprint(pick(row, q.Columns[0].Selector)))
			}
			slices.Sort(values)
			slices.Reverse(values) // the last month
			return slices.Compact(values)
		})
		v.Of["service"] = []string{"msn"} // has users enough in every table
		for _, p := range panels {
			for _, q := range p.Targets {
				q.URL = v.Fill(q.URL)
				requireColumnsOf(t, p.Title, &q, b.rows(t, q))
			}
		}
	}
}

// requireColumnsOf holds the rows to the columns: of each there is a value of
// its type in some row.
func requireColumnsOf(t *testing.T, title string, q *boardtest.Target, rows []map[string]any) {
	t.Helper()
	optional := []string{"reason"} // of a restatement only
	for _, column := range q.Columns {
		if slices.Contains(optional, column.Selector) {
			continue
		}
		if !slices.ContainsFunc(rows, func(row map[string]any) bool { return isOf(column, row) }) {
			t.Errorf("%s: none of %d rows has a %s %s", title, len(rows), column.Type, column.Selector)
		}
	}
}

func isOf(c boardtest.Column, row map[string]any) bool {
	value := pick(row, c.Selector)
	switch c.Type {
	case "number":
		_, ok := value.(float64)
		return ok || withheld(c, row)
	case "timestamp":
		text, _ := value.(string)
		layout := c.Time
		if layout == "" {
			layout = time.RFC3339Nano
		}
		_, err := time.Parse(layout, text)
		return err == nil
	}
	return value != nil
}

// withheld is true of a measure's column where too few panelists are behind it.
func withheld(c boardtest.Column, row map[string]any) bool {
	name, _, _ := strings.Cut(c.Selector, ".")
	status, _ := pick(row, name+".status").(string)
	return rollcall.Status(status).Withheld()
}

var (
	selected = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\{`)
	rated    = regexp.MustCompile(`(?:rate|increase)\(([a-zA-Z_:][a-zA-Z0-9_:]*)\{`)
	grouped  = regexp.MustCompile(`by \((\w+)\)|\{\{(\w+)\}\}`)
)

// metrics are the series that the roles show: the labels of each name, and its
// family's type.
type metrics struct {
	labels map[string][]string
	types  map[string]string
}

// askMetrics looks for every metric of the boards on the roles, with its labels;
// only what counts is asked for its rate.
func (b *boards) askMetrics(t *testing.T) {
	all := b.metrics(t)
	seen := 0
	for board, panels := range b.of(boardtest.Prometheus) {
		asked := panels[:len(panels):len(panels)]
		for _, v := range board.Templating.List {
			if v.Type == "query" {
				asked = append(asked, boardtest.Panel{Title: "variable " + v.Name, Targets: []boardtest.Target{v.Target()}})
			}
		}
		for _, p := range asked {
			for _, q := range p.Targets {
				seen += all.require(t, p.Title, &q)
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d metrics were looked for", seen)
	}
}

// require holds a query to the metrics that there are, and counts those it has.
func (m *metrics) require(t *testing.T, title string, q *boardtest.Target) (n int) {
	t.Helper()
	if strings.HasPrefix(q.Expr, "label_values(go_gc_gomemlimit_bytes") {
		_, ok := m.labels["go_gc_gomemlimit_bytes"]
		if !ok {
			t.Errorf("%s: %s: nobody has the metric", title, q.Expr)
		}
		return 1
	}
	for _, found := range selected.FindAllStringSubmatch(q.Expr, -1) {
		n++
		labels, ok := m.labels[found[1]]
		if !ok {
			t.Errorf("%s: no role has %s", title, found[1])
		}
		for _, by := range grouped.FindAllStringSubmatch(q.Expr+q.Legend, -1) {
			if label := by[1] + by[2]; label != "instance" && !slices.Contains(labels, label) {
				t.Errorf("%s: %s has no label %s", title, found[1], label)
			}
		}
	}
	for _, found := range rated.FindAllStringSubmatch(q.Expr, -1) {
		family := strings.TrimSuffix(strings.TrimSuffix(found[1], "_bucket"), "_count")
		if kind := m.types[family]; kind != "counter" && kind != "histogram" {
			t.Errorf("%s: the rate of %s, a %s", title, found[1], kind)
		}
	}
	if n == 0 {
		t.Errorf("%s: %q asks for no metric", title, q.Expr)
	}
	return n
}

// metrics reads what every role shows.
func (b *boards) metrics(t *testing.T) *metrics {
	t.Helper()
	m := &metrics{labels: map[string][]string{}, types: map[string]string{}}
	for _, p := range b.roles {
		b.await(func() bool { return m.read(t.Context(), p) == nil })
	}
	if !slices.Contains(slices.Collect(maps.Values(m.types)), "histogram") {
		t.Fatalf("the types are %v", m.types)
	}
	return m
}

func (m *metrics) read(ctx context.Context, p *child) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/metrics", nil)
	if err != nil {
		return err
	}
	answer, err := p.api.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	for _, line := range regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`).FindAllStringSubmatch(string(text), -1) {
		m.types[line[1]] = line[2]
	}
	for _, line := range regexp.MustCompile(`(?m)^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? `).FindAllStringSubmatch(string(text), -1) {
		labels := m.labels[line[1]]
		for _, label := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(line[2], -1) {
			labels = append(labels, label[1])
		}
		m.labels[line[1]] = labels
	}
	return err
}
