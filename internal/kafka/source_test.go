package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
)

// commitAt sets the group's offset from outside.
func commitAt(t *testing.T, c *Cluster, partition int, offset int64) {
	t.Helper()
	res, err := c.client.OffsetCommit(within(t, patience), &kafka.OffsetCommitRequest{
		GroupID: "rollcall-test", GenerationID: -1,
		Topics: map[string][]kafka.OffsetCommit{Events: {{Partition: partition, Offset: offset}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range res.Topics[Events] {
		if p.Error != nil {
			t.Fatal(p.Error)
		}
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx := within(t, patience)
	for !holds() {
		if pause(ctx, 5*time.Millisecond); ctx.Err() != nil {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

func TestOffsetAheadOfTheLog(t *testing.T) {
	b := openBroker(t, t.TempDir(), BrokerOptions{})
	w := newWriter(t, b.Cluster())
	if err := w.Append(within(t, patience), events(0, 20000)); err != nil {
		t.Fatal(err)
	}
	commitAt(t, b.Cluster(), 0, 1e6)
	commitAt(t, b.Cluster(), 1, 1e6)
	s := newSource(t, b.Cluster(), SourceOptions{})
	gather(t, s, 20000)
	if got := s.Stats().Ahead.Load(); got != 2 {
		t.Errorf("%d offsets were found ahead of the log, not 2", got)
	}
}

func TestGapIsCounted(t *testing.T) {
	b := openBroker(t, t.TempDir(), BrokerOptions{})
	w := newWriter(t, b.Cluster())
	for i := range 40 {
		if err := w.Append(within(t, patience), events(i*2000, 2000)); err != nil {
			t.Fatal(err)
		}
	}
	at := ends(b)
	commitAt(t, b.Cluster(), 0, 1)
	if err := b.kfake.DeleteRecords(Events, 0, at[0]-1); err != nil { // as a cluster's retention may
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	opt := SourceOptions{Options: options(t)}
	opt.Registerer = registry
	s, err := NewSource(b.Cluster(), "rollcall-test", opt)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	gather(t, s, 1)
	want := at[0] - 2
	eventually(t, "the gap is counted", func() bool { return s.Stats().Gaps.Load() == want })
	if got := metric(t, registry, "rollcall_log_gap_offsets_total"); got != float64(want) {
		t.Errorf("the metric of gaps is %v, not %d", got, want)
	}
}

func metric(t *testing.T, g prometheus.Gatherer, name string) float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// Two members share the partitions; one that leaves hands its own back, and
// what it had not committed is read again.
func TestTwoMembers(t *testing.T) {
	b := openBroker(t, t.TempDir(), BrokerOptions{})
	w := newWriter(t, b.Cluster())
	first := newSource(t, b.Cluster(), SourceOptions{})
	if err := w.Append(within(t, patience), events(0, 20000)); err != nil {
		t.Fatal(err)
	}
	gather(t, first, 20000)
	second := newSource(t, b.Cluster(), SourceOptions{})
	owns := func(s *Source) int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.owned)
	}
	eventually(t, "each member has a partition", func() bool { return owns(first) == 1 && owns(second) == 1 })
	eventually(t, "both count two members", func() bool { return first.Members() == 2 && second.Members() == 2 })

	if err := w.Append(within(t, patience), events(20000, 20000)); err != nil {
		t.Fatal(err)
	}
	batch, err := second.Next(within(t, patience))
	if err != nil {
		t.Fatal(err)
	}
	lost, next := batch.Partition, batch.Next
	if err := first.Commit(within(t, patience), rollcall.Offsets{lost: next + 100}); err != nil {
		t.Fatal(err)
	}
	offsets, err := b.Cluster().committed(within(t, patience), "rollcall-test", []int{lost})
	if err != nil || offsets[lost] >= next {
		t.Errorf("a member committed %v of a partition that is not its own: %v", offsets, err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	gather(t, first, 20000)
}

// Batches that were queued when their generation ended are not handed on.
func TestStaleBatchesAreDropped(t *testing.T) {
	b := openBroker(t, t.TempDir(), BrokerOptions{})
	s := newSource(t, b.Cluster(), SourceOptions{})
	eventually(t, "the group is joined", func() bool { return s.current() != nil })
	stale := &rollcall.Batch{Partition: 0, Next: 99}
	s.out <- read{batch: stale, gen: &kafka.Generation{}}
	w := newWriter(t, b.Cluster())
	if err := w.Append(within(t, patience), events(0, 1)); err != nil {
		t.Fatal(err)
	}
	got, err := s.Next(within(t, patience))
	if err != nil || got.Next == 99 {
		t.Errorf("Next gave the batch %v: %v", got, err)
	}
}

// A commit that the brokers refuse is no error: the range is read again.
func TestFailedCommitReadsAgain(t *testing.T) {
	b := openBroker(t, t.TempDir(), BrokerOptions{})
	w := newWriter(t, b.Cluster())
	s := newSource(t, b.Cluster(), SourceOptions{})
	if err := w.Append(within(t, patience), events(0, 100)); err != nil {
		t.Fatal(err)
	}
	gather(t, s, 1)
	expel(t, b.Cluster(), s.current().MemberID)
	if err := w.Append(within(t, patience), events(100, 100)); err != nil {
		t.Fatal(err)
	}
	gather(t, s, 100) // its commit fails
	if s.Stats().Uncommit.Load() != 1 {
		t.Errorf("%d commits failed, not 1", s.Stats().Uncommit.Load())
	}
	gather(t, s, 100) // what was not committed comes again
	if err := Settle(within(t, patience), b.Cluster(), "rollcall-test"); err != nil {
		t.Error(err)
	}
}

// What a member still holds from an earlier generation takes nothing back that
// another has committed since.
func TestCommitNeverGoesBack(t *testing.T) {
	b := openBroker(t, t.TempDir(), BrokerOptions{})
	w := newWriter(t, b.Cluster())
	s := newSource(t, b.Cluster(), SourceOptions{})
	if err := w.Append(within(t, patience), events(0, 1000)); err != nil {
		t.Fatal(err)
	}
	gather(t, s, 1000)
	before, err := b.Cluster().committed(within(t, patience), "rollcall-test", []int{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	old := s.current()
	expel(t, b.Cluster(), old.MemberID)
	eventually(t, "the group is joined again", func() bool { return s.current() != old && s.Joined() == nil })
	for p, next := range before {
		if next > 0 {
			if err := s.Commit(within(t, patience), rollcall.Offsets{p: next - 1}); err != nil {
				t.Fatal(err)
			}
		}
	}
	after, err := b.Cluster().committed(within(t, patience), "rollcall-test", []int{0, 1})
	if err != nil || !maps.Equal(before, after) {
		t.Errorf("committed %v, and after an old flush %v: %v", before, after, err)
	}
	if err := Settle(within(t, patience), b.Cluster(), "rollcall-test"); err != nil {
		t.Error(err)
	}
}

// expel makes the group's coordinator forget a member.
func expel(t *testing.T, c *Cluster, member string) {
	t.Helper()
	res, err := c.client.LeaveGroup(within(t, patience), &kafka.LeaveGroupRequest{
		GroupID: "rollcall-test", Members: []kafka.LeaveGroupRequestMember{{ID: member}},
	})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestNextEnds(t *testing.T) {
	b := openBroker(t, t.TempDir(), BrokerOptions{})
	s := newSource(t, b.Cluster(), SourceOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Next with an ended context gave %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next(t.Context()); !errors.Is(err, rollcall.ErrConflict) {
		t.Errorf("Next of a closed source gave %v", err)
	}
}

// freezer makes connections that stop answering: those that have fetched when
// freeze is called never give another byte, nor an error.
type freezer struct {
	inner dialFunc
	mu    sync.Mutex // guards conns
	conns []*frozenConn
}

type frozenConn struct {
	net.Conn
	fetches atomic.Bool
	frozen  atomic.Bool
	closed  chan struct{}
	once    sync.Once
}

func (f *freezer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := f.inner(ctx, network, address)
	if err != nil {
		return nil, err
	}
	frozen := &frozenConn{Conn: c, closed: make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns = append(f.conns, frozen)
	return frozen, nil
}

// freeze reports whether there was a connection to freeze.
func (f *freezer) freeze() (any bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		if c.fetches.Load() {
			c.frozen.Store(true)
			any = true
		}
	}
	return any
}

func (c *frozenConn) Write(p []byte) (int, error) {
	if len(p) > 6 && binary.BigEndian.Uint16(p[4:]) == 1 {
		c.fetches.Store(true)
	}
	return c.Conn.Write(p)
}

func (c *frozenConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.frozen.Load() {
		<-c.closed
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *frozenConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// A reader that has fallen silent while the log grows is replaced.
func TestWatchdog(t *testing.T) {
	b := openBroker(t, t.TempDir(), BrokerOptions{})
	f := &freezer{inner: b.listener.dial}
	c := newCluster(b.Cluster().brokers, Security{}, f.dial)
	defer c.Close()
	w := newWriter(t, b.Cluster())
	s := newSource(t, c, SourceOptions{Stall: 400 * time.Millisecond})
	if err := w.Append(within(t, patience), events(0, 20000)); err != nil {
		t.Fatal(err)
	}
	gather(t, s, 20000)
	if !f.freeze() {
		t.Fatal("no connection has fetched")
	}
	if err := w.Append(within(t, patience), events(20000, 20000)); err != nil {
		t.Fatal(err)
	}
	gather(t, s, 20000)
	if s.Stats().Stalls.Load() == 0 {
		t.Error("no stall was counted")
	}
}

// kafka-go's defaults are wrong for this log; these are the relations that
// must hold.
func TestTimingAndSizes(t *testing.T) {
	b := openBroker(t, t.TempDir(), BrokerOptions{})
	w := newWriter(t, b.Cluster())
	for _, k := range []*kafka.Writer{w.events, w.rejects} {
		if k.RequiredAcks != kafka.RequireAll || k.Async {
			t.Errorf("the writer of %s waits for %v", k.Topic, k.RequiredAcks)
		}
		if k.BatchTimeout < 5*time.Millisecond || k.BatchTimeout > 10*time.Millisecond {
			t.Errorf("the writer of %s holds a batch for %v", k.Topic, k.BatchTimeout)
		}
	}
	if w.events.BatchBytes > 900<<10 {
		t.Errorf("a request has up to %d bytes", w.events.BatchBytes)
	}
	g := newSource(t, b.Cluster(), SourceOptions{}).groupConfig()
	if g.HeartbeatInterval > g.SessionTimeout/6 || g.SessionTimeout < 6*time.Second || g.SessionTimeout > 10*time.Second {
		t.Errorf("heartbeats come every %v of %v", g.HeartbeatInterval, g.SessionTimeout)
	}
	if !g.WatchPartitionChanges || g.StartOffset != kafka.FirstOffset {
		t.Errorf("the group watches partitions: %v, starts at %d", g.WatchPartitionChanges, g.StartOffset)
	}
	r := (&partition{source: &Source{cluster: b.Cluster(), opt: SourceOptions{Options: options(t)}}}).readerConfig(&tether{})
	if !r.OffsetOutOfRangeError || r.QueueCapacity < 8 || r.QueueCapacity > 16 || r.GroupID != "" {
		t.Errorf("a reader has OffsetOutOfRangeError %v, a queue of %d, the group %q", r.OffsetOutOfRangeError, r.QueueCapacity, r.GroupID)
	}
}

// No message passes 900 KiB, whatever the events.
func TestMessagesAreBounded(t *testing.T) {
	b := openBroker(t, t.TempDir(), BrokerOptions{})
	w := newWriter(t, b.Cluster())
	list := events(0, 50000)
	for i := range list {
		list[i].Market = rollcall.MarketID(fmt.Sprintf("%064d", i))
		list[i].Panel = rollcall.PanelID(fmt.Sprintf("%064d", i))
		list[i].Service = rollcall.ServiceID(fmt.Sprintf("%064d", i))
	}
	enc := w.encoder()
	for rest := list; len(rest) > 0; {
		n, messages, err := w.encode(enc, rest)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			if len(m.Value) > messageBytes+1024 {
				t.Errorf("a message has %d bytes", len(m.Value))
			}
		}
		if total := sizeOf(messages); total > appendBytes+messageBytes {
			t.Errorf("%d bytes are encoded at once", total)
		}
		rest = rest[n:]
	}
	if err := w.Append(within(t, patience), list); err != nil {
		t.Fatal(err)
	}
	gather(t, newSource(t, b.Cluster(), SourceOptions{}), len(list))
}
