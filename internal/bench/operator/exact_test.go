package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate"
	"rollcall/aggregate/census"
	"rollcall/internal/clickhouse"
	"rollcall/internal/sqlite"
	"rollcall/internal/test/engines"
)

// size is how much is compared.
type size struct {
	accounts, days, questions int
	flush                     int // bytes of a flush
}

// TestExact: of a service that is counted exactly, every figure of every union is
// that of a count by hand: difference 0, whatever came in which order, twice, again
// after a death, and to two aggregators.
func TestExact(t *testing.T) {
	exact(t, size{accounts: 4000, days: 8, questions: 60, flush: 1 << 20})
}

// TestSoakExact is the same of 400,000 accounts.
func TestSoakExact(t *testing.T) {
	if os.Getenv("ROLLCALL_SOAK") == "" {
		t.Skip("counts three million visits by hand: make soak")
	}
	exact(t, size{accounts: 400_000, days: 31, questions: 60, flush: 256 << 20})
}

func exact(t *testing.T, how size) {
	m := newMonth(how.accounts, 20, 3)
	m.days = how.days
	var visits []visit
	for day := m.first; day < m.first+rollcall.Day(m.days); day++ {
		m.day(day, func(v *visit) bool { visits = append(visits, *v); return true })
	}
	for _, engine := range []struct {
		name string
		open func(*testing.T) rollcall.Store
	}{{"SQLite", openSQLite}, {"ClickHouse", openClickHouse}, {"two shards", openShards}} {
		t.Run(engine.name, func(t *testing.T) {
			store := engine.open(t)
			if err := store.PutService(t.Context(), rollcall.Service{ID: service, Name: "MyChat", Census: rollcall.Exactly}); err != nil {
				t.Fatal(err)
			}
			c := &comparison{T: t, month: m, visits: visits, store: store, rand: rand.New(rand.NewPCG(2026, 10))}
			c.fold(how.flush, false, nil)
			c.ask(how.questions, 0)
		})
	}
}

// TestSwitchedOn: a service is counted exactly after its first three days were
// loaded. What is of the days after is exact though all are loaded again; what
// touches those days is the sketches', unless so few accounts are in it that a
// sketch counts them, and the answer names the days.
func TestSwitchedOn(t *testing.T) {
	m := newMonth(20_000, 3, 3)
	m.days = 6
	const early = 3
	var before, all []visit
	for day := m.first; day < m.first+rollcall.Day(m.days); day++ {
		m.day(day, func(v *visit) bool {
			if all = append(all, *v); day < m.first+early {
				before = append(before, *v)
			}
			return true
		})
	}
	store := openSQLite(t)
	if err := store.PutService(t.Context(), rollcall.Service{ID: service, Name: "MyChat", Census: rollcall.Exactly}); err != nil {
		t.Fatal(err)
	}
	c := &comparison{T: t, month: m, visits: before, store: store, rand: rand.New(rand.NewPCG(2026, 11))}
	never := func(rollcall.ServiceID) bool { return false }
	c.fold(6<<20, true, never)
	c.visits = all
	c.fold(6<<20, true, nil)
	c.ask(60, early)
	if c.sketched == 0 {
		t.Error("no figure was the sketches': nothing is tested of them")
	}
}

func openSQLite(t *testing.T) rollcall.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "rollcall.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return closed(t, store)
}

func openClickHouse(t *testing.T) rollcall.Store {
	t.Helper()
	return dial(t, "", engines.ClickHouse(t))
}

func openShards(t *testing.T) rollcall.Store {
	t.Helper()
	return dial(t, engines.Cluster, engines.ClickHouseCluster(t, 2)...)
}

func dial(t *testing.T, cluster string, servers ...*engines.ClickHouseServer) rollcall.Store {
	t.Helper()
	addrs := make([]string, len(servers))
	for i, s := range servers {
		addrs[i] = s.Addr()
	}
	store, err := clickhouse.Open(t.Context(), "clickhouse://"+strings.Join(addrs, ",")+"/exact", clickhouse.Options{Cluster: cluster})
	if err != nil {
		t.Fatal(err)
	}
	return closed(t, store)
}

// closed closes the store with the test.
func closed(t *testing.T, store rollcall.Store) rollcall.Store {
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// comparison holds a store's answers to the visits.
type comparison struct {
	*testing.T
	month             *month
	visits            []visit
	store             rollcall.Store
	rand              *rand.Rand
	figures, sketched int
}

// errKilled ends an aggregator: what it holds is lost.
var errKilled = errors.New("killed")

// rows are visits as a log gives them, in batches, and where its reader stands.
type rows struct {
	month           *month
	visits          []visit
	read, committed int
	left            int // batches until its reader dies
	deaths          int
	done            context.CancelFunc
	batch           rollcall.Batch
}

const batchRows = 1024

// Next gives the next batch; after the last it waits until the aggregator is
// told to end.
func (r *rows) Next(ctx context.Context) (*rollcall.Batch, error) {
	if r.left--; r.left < 0 {
		return nil, errKilled
	}
	if r.read >= len(r.visits) {
		r.done()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	part := r.visits[r.read:min(r.read+batchRows, len(r.visits))]
	r.read += len(part)
	r.batch.Reset()
	for i := range part {
		e := part[i].event(r.month)
		r.batch.Add(&e)
	}
	r.batch.Next, r.batch.Behind = int64(r.read), true
	return &r.batch, nil
}

// Commit notes where another reader has to begin.
func (r *rows) Commit(_ context.Context, offsets rollcall.Offsets) error {
	r.committed = int(offsets[0])
	return nil
}

// Again is for what is removed meanwhile, which nothing is.
func (r *rows) Again() error { return nil }

// event gives a visit as the log has it.
func (v *visit) event(m *month) rollcall.Event {
	minute := scatter(uint64(v.account))>>20%1200 + 120 // far from midnight in any zone of the test
	return rollcall.Event{
		Group: rollcall.Group{
			Market: "FR", Service: service, Location: v.location, Kind: v.kind, Key: 7,
			Platform: v.platform, Segment: segmentID(v.segment), Precision: rollcall.Precision(v.account % 2),
		},
		Time:    time.Date(2026, 10, 1+int(v.day-m.first), 0, int(minute), 0, 0, time.UTC),
		Visitor: rollcall.Visitor(scatter(uint64(v.account))),
	}
}

// fold brings the visits to the store: in no order unless sorted, some of them
// twice, by two aggregators of which one dies again and again and reads on from
// what it had committed.
func (c *comparison) fold(flush int, sorted bool, exactly func(rollcall.ServiceID) bool) {
	c.Helper()
	visits := slices.Clone(c.visits)
	if !sorted {
		c.rand.Shuffle(len(visits), func(i, j int) { visits[i], visits[j] = visits[j], visits[i] })
		visits = append(visits, visits[:len(visits)/8]...)
	}
	half := len(visits) / 2
	dying, other := &rows{month: c.month, visits: visits[:half]}, &rows{month: c.month, visits: visits[half-half/8:]}
	for ; ; dying.deaths++ {
		err := c.aggregate(dying, flush, exactly, 3<<dying.deaths)
		if err == nil {
			break
		}
		if !errors.Is(err, errKilled) {
			c.Fatal(err)
		}
		dying.read = dying.committed
	}
	if dying.deaths == 0 && !sorted {
		c.Error("no aggregator died")
	}
	if err := c.aggregate(other, flush, exactly, math.MaxInt); err != nil {
		c.Fatal(err)
	}
}

// aggregate runs an aggregator to the rows' end, or until it has died.
func (c *comparison) aggregate(from *rows, flush int, exactly func(rollcall.ServiceID) bool, batches int) error {
	c.Helper()
	calendar, err := rollcall.Market{ID: "FR", Name: "France", Zone: "Europe/Paris"}.Calendar()
	if err != nil {
		c.Fatal(err)
	}
	if exactly == nil {
		exactly = func(id rollcall.ServiceID) bool { return id == service }
	}
	ctx, cancel := context.WithCancel(c.Context())
	defer cancel()
	from.done, from.left = cancel, batches
	return aggregate.Run(ctx, from, c.store, aggregate.Options{
		K: c.store.K(), Calendar: func(rollcall.MarketID) (*rollcall.Calendar, error) { return calendar, nil }, Exactly: exactly,
		Bytes: flush, Behind: time.Hour, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
}

// ask draws questions, and compares each line of the answers. Of the first early
// days sketches alone are known.
func (c *comparison) ask(questions int, early rollcall.Day) {
	c.Helper()
	begun := time.Now()
	for range questions {
		q := c.draw()
		table, err := census.Table(c.Context(), c.store, q)
		if err != nil {
			c.Fatalf("%+v: %v", q, err)
		}
		want := counted(c.month, c.visits, &q)
		read := q.From
		if q.Window != (rollcall.Window{}) {
			read = q.Window.From(q.From)
		}
		touched := early > 0 && read < c.month.first+early && q.To >= c.month.first
		if noted := strings.Contains(fmt.Sprint(table.Meta.Notes), "have sketches alone"); noted != anySketched(table) {
			c.Errorf("%+v: the notes are %q", q, table.Meta.Notes)
		}
		c.compare(&q, table, want, touched)
	}
	c.Logf("difference 0: %d visits, %d questions, %d figures compared, %d of them the sketches', in %v", len(c.visits), questions, c.figures, c.sketched, time.Since(begun).Round(time.Millisecond))
	if c.figures < questions {
		c.Errorf("%d figures of %d questions: next to nothing is tested", c.figures, questions)
	}
}

// anySketched reports whether a figure is a sketch's estimate.
func anySketched(table *rollcall.Table) bool {
	for i := range table.Rows {
		if table.Cell(i, "exact") != true {
			return true
		}
	}
	return false
}

// compare takes each line of the answer from what is wanted: nothing is left.
func (c *comparison) compare(q *rollcall.CensusQuery, table *rollcall.Table, want map[line]accounts, touched bool) {
	c.Helper()
	want = maps.Clone(want)
	for i := range table.Rows {
		l := labelled(table, i)
		m, exact := table.Cell(i, "unique_accounts").(rollcall.Measure), table.Cell(i, "exact") == true
		n := want[l].len()
		delete(want, l)
		c.figures++
		switch {
		case exact && m.Value == float64(n) && m.SE == 0 && m.Low == m.Value && m.High == m.Value:
		case !exact && touched:
			c.sketched++
			if off := m.Value - float64(n); off > 5*m.SE || off < -5*m.SE {
				c.Errorf("%+v: %v: %v, counted %d", q, l, m, n)
			}
		default:
			c.Fatalf("%+v: %v: exact %v, %+v, counted %d", q, l, exact, m, n)
		}
	}
	if len(want) > 0 {
		c.Fatalf("%+v: the answer lacks %d lines", q, len(want))
	}
}

// labelled gives what a row is of.
func labelled(table *rollcall.Table, row int) (l line) {
	for _, column := range table.Columns[1 : len(table.Columns)-3] {
		text := fmt.Sprint(table.Cell(row, column.Name))
		switch rollcall.CensusBy(column.Name) {
		case rollcall.ByPlatform:
			l.platform = text
		case rollcall.BySegment:
			l.segment = text
		case rollcall.ByLocation:
			l.location = text
		case rollcall.ByKind:
			l.kind = text
		default:
			l.period = text
		}
	}
	return l
}

// draw draws a question: a union of days, platforms, segments and places, as one
// figure, by dimensions, or over windows.
func (c *comparison) draw() rollcall.CensusQuery {
	pick := func(n int) bool { return c.rand.IntN(n) == 0 }
	q := rollcall.CensusQuery{
		Market: "FR", Services: []rollcall.ServiceID{service}, From: c.month.first + rollcall.Day(c.rand.IntN(c.month.days)),
		At: rollcall.CensusPlace{Any: rollcall.Location(1 + c.rand.IntN(7))}, Credit: rollcall.ByPresence,
	}
	q.To = min(q.From+rollcall.Day(c.rand.IntN(c.month.days)), c.month.first+rollcall.Day(c.month.days)-1)
	for _, b := range []rollcall.CensusBy{rollcall.ByPlatform, rollcall.BySegment, rollcall.ByLocation, rollcall.ByKind} {
		if pick(6) {
			q.By = append(q.By, b)
		}
	}
	units, windows := []rollcall.CensusBy{rollcall.ByDay, rollcall.ByWeek, rollcall.ByMonth}, []rollcall.Window{{Days: 7}, {Days: 28}, {Days: 30}, {Month: true}}
	switch c.rand.IntN(4) {
	case 0:
		q.By = append(q.By, units[c.rand.IntN(len(units))])
	case 1:
		q.Window = windows[c.rand.IntN(len(windows))]
		q.By = q.By[:min(1, len(q.By))]
	}
	if pick(4) {
		q.Credit = rollcall.ByUse
	}
	if pick(3) {
		q.Platforms = []rollcall.Platform{rollcall.Phone, rollcall.Web}[:1+c.rand.IntN(2)]
	}
	for pick(2) {
		q.Segments = append(q.Segments, segmentID(c.rand.IntN(c.month.segments)))
	}
	return q
}
