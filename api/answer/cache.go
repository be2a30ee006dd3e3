package answer

import (
	"container/list"
	"net/http"
	"sync"
	"time"
)

// Cache keeps whole answers, those asked for last, up to a limit in bytes. An
// answer is given for FreshTime, and until Forget. It is safe for concurrent use.
type Cache struct {
	limit int64
	now   func() time.Time

	mu    sync.Mutex // guards what follows
	size  int64
	era   int64 // how often what was kept has been forgotten
	byKey map[string]*list.Element
	order list.List // of *kept, the one asked for last first
}

// FreshTime is how long an answer is given without another look: by then what
// another process has published is seen.
const FreshTime = time.Second

// overhead is what an answer takes beside its body and its key.
const overhead = 1 << 10

// kept is an answer as it was written.
type kept struct {
	key    string
	header http.Header // not changed any more
	body   []byte      // nor this
	since  time.Time
}

func (k *kept) size() int64 { return int64(len(k.body)) + int64(2*len(k.key)) + overhead }

// NewCache makes an empty one of so many bytes.
func NewCache(limit int64, now func() time.Time) *Cache {
	return &Cache{limit: limit, now: now, byKey: map[string]*list.Element{}}
}

// get finds an answer that is fresh; era is what put wants to know.
func (c *Cache) get(key string) (found *kept, era int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.byKey[key]
	if !ok {
		return nil, c.era
	}
	if k := at.Value.(*kept); c.now().Sub(k.since) < FreshTime {
		c.order.MoveToFront(at)
		return k, c.era
	}
	c.drop(at)
	return nil, c.era
}

// put keeps an answer, unless what it was made of was changed since its era, or it
// would take most of the room.
func (c *Cache) put(k *kept, era int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if era != c.era || k.size() > c.limit/4 {
		return
	}
	if at, ok := c.byKey[k.key]; ok {
		c.drop(at)
	}
	k.since = c.now()
	c.byKey[k.key] = c.order.PushFront(k)
	c.size += k.size()
	for c.size > c.limit {
		c.drop(c.order.Back())
	}
}

// Forget drops everything: something was changed.
func (c *Cache) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.era++
	c.size = 0
	c.order.Init()
	clear(c.byKey)
}

func (c *Cache) drop(at *list.Element) {
	k := c.order.Remove(at).(*kept)
	delete(c.byKey, k.key)
	c.size -= k.size()
}
