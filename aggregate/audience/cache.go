package audience

import (
	"container/list"
	"context"
	"errors"
	"sync"
)

// Cache keeps the values used last, up to a total cost, and makes each missing
// one once however many ask for it at a time. The zero cache keeps nothing
// beyond the value in use: set limit.
type Cache[K comparable, V any] struct {
	Limit int64 // of the total cost, in the owner's unit

	mu    sync.Mutex // guards what follows
	cost  int64
	byKey map[K]*list.Element
	order list.List // of *slot, the last used first
}

type slot[K comparable, V any] struct {
	key   K
	ready chan struct{} // closed by the maker
	cost  int64
	value V
	err   error
}

// Get gives the value of a key, making it if it is not kept. A failure is not
// kept; one that comes from another caller's context is tried again.
func (c *Cache[K, V]) Get(ctx context.Context, key K, create func() (V, int64, error)) (V, error) {
	for {
		s, mine := c.claim(key)
		if mine {
			c.fill(s, create)
			return s.value, s.err
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			var none V
			return none, ctx.Err()
		}
		if ctx.Err() != nil || !errors.Is(s.err, context.Canceled) && !errors.Is(s.err, context.DeadlineExceeded) {
			return s.value, s.err
		}
	}
}

// claim gives the key's slot, and whether the caller must fill it.
func (c *Cache[K, V]) claim(key K) (s *slot[K, V], mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.byKey[key]; ok {
		c.order.MoveToFront(at)
		return at.Value.(*slot[K, V]), false
	}
	if c.byKey == nil {
		c.byKey = map[K]*list.Element{}
	}
	s = &slot[K, V]{key: key, ready: make(chan struct{}), err: errAbandoned}
	c.byKey[key] = c.order.PushFront(s)
	return s, true
}

// errAbandoned stays where the maker of a value panicked.
var errAbandoned = errors.New("the value's making was abandoned")

func (c *Cache[K, V]) fill(s *slot[K, V], create func() (V, int64, error)) {
	defer c.finish(s)
	s.value, s.cost, s.err = create()
}

func (c *Cache[K, V]) finish(s *slot[K, V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(s.ready)
	if s.err != nil {
		c.drop(s)
		return
	}
	c.cost += s.cost
	for at := c.order.Back(); at != nil && c.cost > c.Limit; {
		last := at.Value.(*slot[K, V])
		at = at.Prev()
		if last != s && last.done() {
			c.drop(last)
			c.cost -= last.cost
		}
	}
}

// Remove drops the values of which f is true.
func (c *Cache[K, V]) Remove(f func(V) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for at := c.order.Back(); at != nil; {
		s := at.Value.(*slot[K, V])
		at = at.Prev()
		if s.done() && f(s.value) {
			c.drop(s)
			c.cost -= s.cost
		}
	}
}

func (c *Cache[K, V]) drop(s *slot[K, V]) {
	if at, ok := c.byKey[s.key]; ok {
		c.order.Remove(at)
		delete(c.byKey, s.key)
	}
}

func (s *slot[K, V]) done() bool {
	select {
	case <-s.ready:
		return true
	default:
		return false
	}
}
