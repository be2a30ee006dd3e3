package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/census"
	"rollcall/aggregate/hll"
	"rollcall/aggregate/idset"
	"rollcall/internal/clickhouse"
	"rollcall/internal/test/engines"
)

// questioned is a store of two months that docs/sql.md's statements are asked of:
// of mychat, counted exactly, and of msn, by sketches.
type questioned struct {
	*testing.T
	server *engines.ClickHouseServer
	store  *clickhouse.Store
}

// TestSQL runs every statement of docs/sql.md on the real engine, and holds its
// rows to Rollcall's own answers.
func TestSQL(t *testing.T) {
	server := engines.ClickHouse(t)
	store, err := clickhouse.Open(t.Context(), "clickhouse://"+server.Addr()+"/census", clickhouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	q := questioned{T: t, server: server, store: store}
	q.fill()
	var statements []string
	for _, block := range regexp.MustCompile("(?ms)^```sql\n(.*?)^```").FindAllStringSubmatch(readFile(t, "docs/sql.md"), -1) {
		statements = append(statements, block[1])
	}
	answers := []func() []string{
		q.instances, q.whole, q.sticky, q.weeks, q.rolling, q.growth, q.devices, q.newcomers, q.merged, q.sketched,
	}
	if len(statements) != len(answers) {
		t.Fatalf("docs/sql.md has %d statements, and %d are known here", len(statements), len(answers))
	}
	for i, statement := range statements {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			asked := questioned{T: t, server: server, store: store}
			want, got := answers[i](), asked.sql(statement)
			if i == len(statements)-1 {
				got = near(got, want)
			}
			if !slices.Equal(got, want) {
				t.Errorf("SQL says\n%s\nRollcall says\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
	q.bytes()
}

// fill stores two months in two flushes, of which each has most of the rows: they
// stand in parts that are not merged.
func (q questioned) fill() {
	q.Helper()
	for _, s := range []rollcall.Service{{ID: "mychat", Name: "MyChat", Census: rollcall.Exactly, Epoch: rollcall.NoEpoch}, {ID: "msn", Name: "MSN"}} {
		if err := q.store.PutService(q.Context(), s); err != nil {
			q.Fatal(err)
		}
	}
	r := rand.New(rand.NewPCG(10, 2026))
	seen := make(map[rollcall.Cell][]uint64)
	for range 60_000 {
		c := drawCell(r, "mychat")
		seen[c] = append(seen[c], account(r, 4000))
	}
	for range 150_000 {
		c := drawCell(r, "msn")
		c.Segment = ""
		seen[c] = append(seen[c], account(r, 60_000))
	}
	for range 2 {
		for _, ids := range seen {
			r.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
		}
		q.merge(seen, 0.8)
	}
	q.merge(seen, 1)
}

// account draws the pseudonym of one of the first n accounts, of low numbers more
// often than of high ones.
func account(r *rand.Rand, n int) uint64 {
	return (uint64(float64(n)*r.Float64()*r.Float64()) + 1) * 0x9e3779b97f4a7c15
}

func drawCell(r *rand.Rand, service rollcall.ServiceID) rollcall.Cell {
	return rollcall.Cell{
		Market: "FR", Day: rollcall.DayOf(2026, time.September, 1) + rollcall.Day(r.IntN(61)), Service: service,
		Location: rollcall.Elsewhere, Kind: []rollcall.Kind{rollcall.Login, rollcall.Presence, rollcall.Use}[r.IntN(3)], Key: 9,
		Platform: []rollcall.Platform{rollcall.NoPlatform, rollcall.Phone, rollcall.Computer}[r.IntN(3)],
		Segment:  []rollcall.SegmentID{"", "lyon", "lyon-2", "paris"}[r.IntN(4)],
	}
}

// merge flushes a share of each cell's accounts.
func (q questioned) merge(seen map[rollcall.Cell][]uint64, share float64) {
	q.Helper()
	err := q.store.Merge(q.Context(), rollcall.Deltas{Cells: func(yield func(rollcall.Cell, rollcall.CellState) bool) {
		for c, ids := range seen {
			part := slices.Clone(ids[:int(math.Ceil(share*float64(len(ids))))])
			s := hll.New(q.store.K())
			s.AddSlice(part)
			state := rollcall.CellState{Visitors: s.Append(nil), Minutes: hll.New(q.store.K()).Append(nil), Coarse: true}
			if c.Service == "mychat" {
				state.Accounts, state.Exact = idset.Append(nil, part), true
			}
			if !yield(c, state) {
				return
			}
		}
	}})
	if err != nil {
		q.Fatal(err)
	}
}

// sql gives a statement's rows, their values joined by spaces.
func (q questioned) sql(statement string) (rows []string) {
	q.Helper()
	request, err := http.NewRequestWithContext(q.Context(), http.MethodPost,
		"http://"+q.server.HTTPAddr()+"/?wait_end_of_query=1&output_format_json_quote_64bit_integers=0&default_format=JSONCompactEachRow&output_format_json_quote_denormals=1&database=census", strings.NewReader(statement))
	if err != nil {
		q.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		q.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		q.Fatalf("%s: %v: %s", answer.Status, err, body)
	}
	for line := range strings.Lines(string(body)) {
		var values []any
		if err := json.Unmarshal([]byte(line), &values); err != nil {
			q.Fatal(err)
		}
		row := make([]string, len(values))
		for i, v := range values {
			row[i] = fmt.Sprint(v)
			if f, ok := v.(float64); ok {
				row[i] = number(f)
			}
		}
		rows = append(rows, strings.Join(row, " "))
	}
	return rows
}

func number(f float64) string { return fmt.Sprintf("%.9g", f) }

// census is Rollcall's own answer: of each row what it is of, and the accounts.
func (q questioned) census(from, to string, by rollcall.CensusBy, change func(*rollcall.CensusQuery)) (names []string, accounts []float64) {
	q.Helper()
	of := rollcall.CensusQuery{Market: "FR", Services: []rollcall.ServiceID{"mychat"}, At: rollcall.CensusPlace{Any: rollcall.Home | rollcall.Work | rollcall.Elsewhere}, Credit: rollcall.ByPresence}
	var err error
	if of.From, err = rollcall.ParseDay(from); err != nil {
		q.Fatal(err)
	}
	if of.To, err = rollcall.ParseDay(to); err != nil {
		q.Fatal(err)
	}
	if by != "" {
		of.By = []rollcall.CensusBy{by}
	}
	if change != nil {
		change(&of)
	}
	table, err := census.Table(q.Context(), q.store, of)
	if err != nil {
		q.Fatal(err)
	}
	for i := range table.Rows {
		names = append(names, strings.Replace(fmt.Sprint(table.Rows[i][len(table.Columns)-4]), rollcall.None, "", 1))
		m := measure(table, i, "unique_accounts")
		if accounts = append(accounts, m.Value); table.Cell(i, "exact") != true && of.Services[0] == "mychat" {
			q.Errorf("%s to %s: row %d is not exact", from, to, i)
		}
	}
	return names, accounts
}

const first, last = "2026-10-01", "2026-10-31"

func rowsOf(names []string, accounts []float64, more string) (rows []string) {
	for i, name := range names {
		rows = append(rows, name+" "+number(accounts[i])+more)
	}
	slices.Sort(rows)
	return rows
}

func (q questioned) instances() []string {
	names, accounts := q.census(first, last, rollcall.BySegment, nil)
	return rowsOf(names, accounts, " 1")
}

func (q questioned) whole() []string { return []string{number(q.accounts(first, last)) + " 1"} }

// accounts are mychat's.
func (q questioned) accounts(from, to string) float64 {
	q.Helper()
	_, accounts := q.census(from, to, "", nil)
	return accounts[0]
}

func (q questioned) sticky() []string {
	_, days := q.census(first, last, rollcall.ByDay, nil)
	sum := 0.0
	for _, n := range days {
		sum += n
	}
	dau, mau := sum/float64(len(days)), q.accounts(first, last)
	return []string{number(dau) + " " + number(mau) + " " + number(100*dau/mau)}
}

func (q questioned) weeks() (rows []string) {
	names, accounts := q.census(first, last, rollcall.ByWeek, nil)
	for i, name := range names {
		rows = append(rows, strings.Replace(name, "-W", " ", 1)+" "+number(accounts[i]))
	}
	return rows
}

func (q questioned) rolling() []string {
	names, accounts := q.census(first, last, "", func(of *rollcall.CensusQuery) { of.Window = rollcall.Window{Days: 28} })
	for i, n := range accounts {
		names[i] += " " + number(n)
	}
	return names
}

func (q questioned) growth() []string {
	before, now := q.accounts("2026-09-01", "2026-09-30"), q.accounts(first, last)
	return []string{"2026-09-01 " + number(before) + " inf", "2026-10-01 " + number(now) + " " + number(100*(now/before-1))}
}

func (q questioned) devices() []string {
	names, accounts := q.census(first, last, rollcall.ByPlatform, nil)
	return rowsOf(names, accounts, "")
}

func (q questioned) newcomers() []string {
	before, now, both := q.accounts("2026-09-01", "2026-09-30"), q.accounts(first, last), q.accounts("2026-09-01", last)
	return []string{number(both-before) + " " + number(before+now-both) + " " + number(both-now)}
}

// merged is asked once two instances are one.
func (q questioned) merged() []string {
	for _, s := range []rollcall.Segment{{ID: "lyon", Name: "Lyon"}, {ID: "lyon-2", Name: "Lyon 2", Into: "lyon"}} {
		if err := q.store.PutSegment(q.Context(), s); err != nil {
			q.Fatal(err)
		}
	}
	names, accounts := q.census(first, last, rollcall.BySegment, nil)
	if len(names) != 3 {
		q.Errorf("of four instances, two of which are one, %d are counted", len(names))
	}
	return rowsOf(names, accounts, "")
}

func (q questioned) sketched() []string {
	_, msn := q.census(first, last, "", func(of *rollcall.CensusQuery) { of.Services = []rollcall.ServiceID{"msn"} })
	return []string{"msn " + number(msn[0]) + " 31", "mychat " + number(q.accounts(first, last)) + " 0"}
}

// near gives Rollcall's rows for those of SQL's that differ by as much as two
// estimates of one sketch may.
func near(got, want []string) []string {
	got = slices.Clone(got)
	for i := range min(len(got), len(want)) {
		var of, service string
		var sql, ours float64
		var days, sketched int
		if n, _ := fmt.Sscan(got[i], &of, &sql, &days); n < 3 {
			continue
		}
		if n, _ := fmt.Sscan(want[i], &service, &ours, &sketched); n == 3 && of == service && days == sketched && math.Abs(sql/ours-1) < 0.04 {
			got[i] = want[i]
		}
	}
	return got
}

// bytes holds the union that SQL makes of the sketches to Rollcall's, bit by bit.
func (q questioned) bytes() {
	q.Helper()
	union := hll.New(q.store.K())
	for row, err := range q.store.Cells(q.Context(), rollcall.CellQuery{Market: "FR", Services: []rollcall.ServiceID{"msn"}, From: rollcall.DayOf(2026, 10, 1), To: rollcall.DayOf(2026, 10, 31)}) {
		if err == nil {
			err = union.MergeState(row.Visitors)
		}
		if err != nil {
			q.Fatal(err)
		}
	}
	got := q.server.Query("SELECT hex(uniqCombined64MergeState(14)(visitors)) FROM census.cells WHERE service = 'msn' AND day BETWEEN '2026-10-01' AND '2026-10-31'")
	if want := strings.ToUpper(hex.EncodeToString(union.Append(nil))); got != want || len(got) < 20_000 {
		q.Errorf("SQL's union of the sketches is %d digits that aren't Rollcall's %d", len(got), len(want))
	}
}
