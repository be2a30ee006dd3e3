package census

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"rollcall"
)

// Cache answers a census from what it holds of earlier ones: the unions of single
// days, decoded, and united over all that rows are not of. What it holds is of one
// revision of the store, which is asked for at each question, and before and after
// each reading: so its answer is Table's own, whoever has written meanwhile. It is
// safe for concurrent use.
type Cache struct {
	store rollcall.Store
	limit int // of the days' bytes
	now   func() time.Time

	mu     sync.Mutex // guards the rest
	bytes  int
	days   map[dayKey]*list.Element
	order  list.List        // of *heldDay, the one asked for last first
	large  map[question]int // how many days of it were too many to hold
	lists  *lists           // nil: not read yet
	resume time.Time        // until when the store's revision is not asked for
}

const (
	// CacheBytes is a limit that holds the days of some years of a few services,
	// or a month of some sixty segments of very many accounts.
	CacheBytes = 64 << 20
	// mostDays are answered from a cache: a question of more is Table's.
	mostDays = 3 * 366
	// mostLarge questions are remembered as too large.
	mostLarge = 1000
	// restTime is how long a store whose revision can't be told is not asked again.
	restTime = 30 * time.Second
)

// NewCache makes one over a store that holds so many bytes at the most.
func NewCache(store rollcall.Store, limit int, now func() time.Time) *Cache {
	return &Cache{store: store, limit: limit, now: now, days: make(map[dayKey]*list.Element), large: make(map[question]int)}
}

// question is all that a day's unions depend on beside the day.
type question [sha256.Size]byte

// questionOf gives it; that of rows by day, by month and of a window is one.
func questionOf(q *rollcall.CensusQuery) question {
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %d %q %q %q %q %q", q.Market, q.Services, q.At.Any, q.At.Part, q.Platforms, q.Segments, q.Credit, dimensions(q.By)))
}

// dimensions gives the dimensions but the unit of the calendar.
func dimensions(by []rollcall.CensusBy) []rollcall.CensusBy {
	return slices.DeleteFunc(slices.Clone(by), rollcall.CensusBy.Calendar)
}

type dayKey struct {
	question
	day rollcall.Day
}

// heldDay is a day's unions, which nobody changes any more: their groups are of no
// period. It is of one revision.
type heldDay struct {
	of       dayKey
	revision string
	all      unions
	bytes    int
}

// Table is the function Table's answer.
func (c *Cache) Table(ctx context.Context, q rollcall.CensusQuery) (*rollcall.Table, error) {
	at, ok := c.revision(ctx)
	if !ok {
		return Table(ctx, c.store, q)
	}
	v := &view{Store: c.store, cache: c, at: at}
	if err := v.open(ctx); err != nil {
		return nil, err
	}
	t, err := table(ctx, v, q, v.unite)
	if err != nil || v.read && !v.stands(ctx) {
		return Table(ctx, c.store, q) // which says what is wrong, or reads all at one moment
	}
	return t, nil
}

// revision gives the store's, unless it could not be told a moment ago.
func (c *Cache) revision(ctx context.Context) (rollcall.Revision, bool) {
	if c.resting() {
		return rollcall.Revision{}, false
	}
	at, err := c.store.Revision(ctx)
	if err != nil && ctx.Err() == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.resume = c.now().Add(restTime)
	}
	return at, err == nil
}

func (c *Cache) resting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now().Before(c.resume)
}

// find gives the days of a range that are held of a revision, by their place in it;
// nil: it is not. ok is false where so many were too large to hold.
func (c *Cache) find(what question, q *rollcall.CensusQuery, at *rollcall.Revision) (found []unions, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	lacks := 0
	for day := q.From; day <= q.To; day++ {
		found = append(found, c.get(dayKey{what, day}, at.Of(day.Month())))
		if found[len(found)-1] == nil {
			lacks++
		}
	}
	most, large := c.large[what]
	return found, !large || lacks < most
}

// get gives a day of a revision, and drops what is held of another; mu is held.
func (c *Cache) get(of dayKey, revision string) unions {
	e, ok := c.days[of]
	if !ok {
		return nil
	}
	held := e.Value.(*heldDay)
	if held.revision != revision {
		c.drop(e)
		return nil
	}
	c.order.MoveToFront(e)
	return held.all
}

// put holds days, and drops those that were asked for longest ago.
func (c *Cache) put(days []*heldDay) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, held := range days {
		if e, ok := c.days[held.of]; ok {
			c.drop(e)
		}
		c.days[held.of] = c.order.PushFront(held)
		c.bytes += held.bytes
	}
	for c.bytes > c.limit {
		c.drop(c.order.Back())
	}
}

// drop lets a day go; mu is held.
func (c *Cache) drop(e *list.Element) {
	held := c.order.Remove(e).(*heldDay)
	delete(c.days, held.of)
	c.bytes -= held.bytes
}

// tooLarge remembers that so many days of a question are too many to hold.
func (c *Cache) tooLarge(what question, days int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.large) == mostLarge {
		clear(c.large)
	}
	c.large[what] = days
}

// errPlain says that a question is one for Table.
var errPlain = errors.New("this census is not answered from the cache")
