package census

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/clickhouse"
	"rollcall/internal/sqlite"
	"rollcall/internal/test/engines"
)

// countingStore counts the times that cells are read.
type countingStore struct {
	rollcall.Store
	reads atomic.Int64
}

// Cells are the store's.
func (s *countingStore) Cells(ctx context.Context, q rollcall.CellQuery) iter.Seq2[rollcall.CellRow, error] {
	s.reads.Add(1)
	return s.Store.Cells(ctx, q)
}

// twoProcesses opens a store twice, as two processes do.
func twoProcesses(t *testing.T, engine string) (here, there rollcall.Store) {
	t.Helper()
	var open func() (rollcall.Store, error)
	if engine == "SQLite" {
		path := filepath.Join(t.TempDir(), "rollcall.db")
		open = func() (rollcall.Store, error) { return sqlite.Open(t.Context(), path, sqlite.Options{K: 12}) }
	} else {
		servers, opt := engines.ClickHouseCluster(t, 2), clickhouse.Options{K: 12, Cluster: engines.Cluster}
		dsn := "clickhouse://" + servers[0].Addr() + "," + servers[1].Addr() + "/census"
		if engine == "ClickHouse" {
			dsn, opt.Cluster = servers[0].DSN()+"_census", ""
		}
		open = func() (rollcall.Store, error) { return clickhouse.Open(t.Context(), dsn, opt) }
	}
	for _, s := range []*rollcall.Store{&here, &there} {
		var err error
		if *s, err = open(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { (*s).Close() })
	}
	return here, there
}

// changes are what may be done to a store's census, at random.
type changes struct {
	*testing.T
	*rand.Rand
	stores [2]rollcall.Store // either may do it
	now    time.Time
	done   []string
}

func (c *changes) any() rollcall.Store { return c.stores[c.IntN(2)] }

// step makes one change.
func (c *changes) step() {
	c.Helper()
	c.now = c.now.Add(time.Second)
	day := rollcall.DayOf(2002, 12, 1) + rollcall.Day(c.IntN(62))
	service := []rollcall.ServiceID{"msn", "aim"}[c.IntN(2)]
	of := rollcall.Correction{Market: "FR", Service: service, From: day, To: day + rollcall.Day(c.IntN(5)), Reason: "a test", Time: c.now}
	var err error
	what := c.IntN(8)
	if c.IntN(40) == 0 {
		what = 8
	}
	switch what {
	case 0, 1, 2:
		merge(c.T, c.any(), drawVisits(c.Rand, 1+c.IntN(40), 300), "aim")
	case 3:
		of.Action = rollcall.Removal
		_, err = c.any().AddCorrections(c.Context(), of)
	case 4:
		year, _, _ := day.Date()
		_, err = c.any().AddCorrections(c.Context(), rollcall.Correction{Action: rollcall.Erasing, Service: "aim", To: day, Key: rollcall.KeyID(year), Visitor: rollcall.Visitor(uint64(c.IntN(300)) * 0x9e3779b97f4a7c15), Time: c.now})
	case 5:
		of.Action = []rollcall.Action{rollcall.Outage, rollcall.Cleared, rollcall.Restored}[c.IntN(3)]
		_, err = c.any().AddCorrections(c.Context(), of)
	case 6:
		err = c.any().PutSegment(c.Context(), rollcall.Segment{ID: "lyon", Name: "Lyon", Into: []rollcall.SegmentID{"", "paris"}[c.IntN(2)]})
	case 7:
		err = c.any().PutService(c.Context(), rollcall.Service{ID: service, Name: fmt.Sprint("name ", c.now), Census: []rollcall.CensusForm{"", rollcall.Exactly}[c.IntN(2)]})
	case 8:
		err = c.any().AddMaster(c.Context(), rollcall.Master{ID: rollcall.KeyID(c.Uint64()), From: day, Time: c.now})
	}
	if err != nil {
		c.Fatal(err)
	}
	c.done = append(c.done, fmt.Sprint(what))
}

// age lets December go.
func (c *changes) age() {
	c.Helper()
	before := rollcall.MonthOf(2003, time.January)
	if err := c.any().AddAgeing(c.Context(), rollcall.Ageing{Before: before, Time: c.now}); err != nil {
		c.Fatal(err)
	}
	if _, err := c.any().RemoveFacts(c.Context(), before); err != nil {
		c.Fatal(err)
	}
}

// requireFresh compares the cache's answer with one that was never held.
func requireFresh(c *changes, cache *Cache, q rollcall.CensusQuery) {
	c.Helper()
	got, err := cache.Table(c.Context(), q)
	want, wanted := Table(c.Context(), c.stores[0], q)
	if fmt.Sprint(err) != fmt.Sprint(wanted) || !reflect.DeepEqual(got, want) {
		c.Fatalf("after changes %s, %+v:\n got %+v, %v\nwant %+v, %v", strings.Join(c.done, ","), q, got, err, want, wanted)
	}
}

// TestCacheIsNeverStale: after any change by this process or another, every answer
// is what the store itself gives, while others ask at the same time; and most
// answers are made without reading a cell.
func TestCacheIsNeverStale(t *testing.T) {
	for engine, steps := range map[string]int{"SQLite": 40, "ClickHouse": 10, "ClickHouse's shards": 20} {
		t.Run(engine, func(t *testing.T) {
			if engine == "ClickHouse's shards" {
				engines.Long(t, "two servers and many questions")
			}
			here, there := twoProcesses(t, engine)
			c := &changes{T: t, Rand: rand.New(rand.NewPCG(1, uint64(steps))), stores: [2]rollcall.Store{here, there}, now: time.Date(2003, 2, 1, 0, 0, 0, 0, time.UTC)}
			counted := &countingStore{Store: here}
			cache := NewCache(counted, 1<<20, time.Now)
			var questions []rollcall.CensusQuery
			for range 4 {
				questions = append(questions, drawQuestion(c.Rand))
			}
			stop := askAlong(t, cache, questions)
			merge(t, here, drawVisits(c.Rand, 500, 300), "aim")
			for range steps {
				c.step()
				for _, q := range append(questions, drawQuestion(c.Rand)) {
					requireFresh(c, cache, q)
				}
			}
			c.age()
			for _, q := range questions {
				requireFresh(c, cache, q)
			}
			stop()
			before := counted.reads.Load()
			for range 3 {
				for _, q := range questions {
					requireFresh(c, cache, q)
				}
			}
			if n := counted.reads.Load() - before; n > int64(len(questions)) {
				t.Errorf("cells were read %d times for %d answers: next to nothing is held", n, 3*len(questions))
			}
		})
	}
}

// askAlong asks at the same time, until it is stopped.
func askAlong(t *testing.T, cache *Cache, questions []rollcall.CensusQuery) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	for i := range 2 {
		asking.Go(func() {
			for n := 2 * i; ctx.Err() == nil; n++ {
				_, _ = cache.Table(ctx, questions[n%len(questions)]) // what it is is compared by others
			}
		})
	}
	return func() { cancel(); asking.Wait() }
}

// TestCacheWhileWritten: an answer has at least what was written before it was
// asked for, and at most what was written before it came, whoever asks meanwhile;
// and it is of one moment: each write brings an account to a day of the first half
// of the month and to one of the second, of which one may be held and one not.
func TestCacheWhileWritten(t *testing.T) {
	for engine, writes := range map[string]int64{"SQLite": 300, "ClickHouse": 20} {
		t.Run(engine, func(t *testing.T) {
			here, there := twoProcesses(t, engine)
			cache := NewCache(here, CacheBytes, time.Now)
			first := rollcall.DayOf(2002, 12, 1)
			q := rollcall.CensusQuery{Market: "FR", Services: []rollcall.ServiceID{"msn"}, From: first, To: first + 29, At: rollcall.CensusPlace{Any: rollcall.Home}, Credit: rollcall.ByPresence, By: []rollcall.CensusBy{rollcall.ByDay}}
			half := q
			half.To = first + 14
			var begun, written atomic.Int64
			var asking sync.WaitGroup
			for range 3 {
				asking.Go(func() {
					for over := false; !over; {
						_, _ = cache.Table(t.Context(), half) // so that it is held
						least := written.Load()
						over = least == writes
						table, err := cache.Table(t.Context(), q)
						if err != nil {
							t.Error(err)
							return
						}
						a, b, most := sum(table, 0, 15), sum(table, 15, 30), begun.Load()
						if a < least || a > most || a != b {
							t.Errorf("%d and %d accounts; %d were written before, %d begun after", a, b, least, most)
							return
						}
					}
				})
			}
			for n := range writes {
				begun.Store(n + 1)
				c := rollcall.Cell{Market: "FR", Service: "msn", Day: first + rollcall.Day(n%15), Location: rollcall.Home, Kind: rollcall.Use, Key: 1}
				later := c
				later.Day += 15
				merge(t, []rollcall.Store{here, there}[n%2], []visit{{Cell: c, account: uint64(n) + 1}, {Cell: later, account: uint64(n) + 1}}, "msn")
				written.Store(n + 1)
			}
			asking.Wait()
		})
	}
}

// sum adds the accounts of some rows.
func sum(table *rollcall.Table, from, to int) (n int64) {
	for i := from; i < to; i++ {
		n += int64(table.Cell(i, "unique_accounts").(rollcall.Measure).Value)
	}
	return n
}

// TestCacheIsBounded: it holds no more than its limit, whatever is asked, and what
// is larger is answered too.
func TestCacheIsBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	store := storeOf(t, drawVisits(r, 5000, 9000))
	c := &changes{T: t, Rand: r, stores: [2]rollcall.Store{store, store}}
	const limit = 400_000
	cache := NewCache(store, limit, time.Now)
	most := 0
	for range 60 {
		requireFresh(c, cache, drawQuestion(r))
		most = max(most, cache.bytes)
		held := 0
		for e := cache.order.Front(); e != nil; e = e.Next() {
			held += e.Value.(*heldDay).bytes
		}
		if cache.bytes > limit || cache.bytes != held || len(cache.days) != cache.order.Len() {
			t.Fatalf("%d bytes of %d are held by its count, %d in %d days of %d", cache.bytes, limit, held, cache.order.Len(), len(cache.days))
		}
	}
	if most < limit/2 {
		t.Errorf("it held %d bytes at the most: the limit was never met", most)
	}
}

// mute is a store that can't tell its revision.
type mute struct {
	rollcall.Store
	asked int
}

// Revision fails.
func (m *mute) Revision(context.Context) (rollcall.Revision, error) {
	m.asked++
	return rollcall.Revision{}, fmt.Errorf("a server is down")
}

// TestCacheWithoutRevision: where the store can't tell its revision every answer is
// read, and it is not asked at each.
func TestCacheWithoutRevision(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	store := &mute{Store: storeOf(t, drawVisits(r, 400, 300))}
	now := time.Date(2003, 2, 1, 0, 0, 0, 0, time.UTC)
	cache := NewCache(store, CacheBytes, func() time.Time { return now })
	c := &changes{T: t, Rand: r, stores: [2]rollcall.Store{store, store}}
	for range 20 {
		requireFresh(c, cache, drawQuestion(r))
	}
	if store.asked != 1 {
		t.Errorf("it was asked %d times, want 1", store.asked)
	}
	now = now.Add(restTime)
	requireFresh(c, cache, drawQuestion(r))
	if store.asked != 2 || len(cache.days) != 0 {
		t.Errorf("it was asked %d times, want 2; %d days are held", store.asked, len(cache.days))
	}
}
