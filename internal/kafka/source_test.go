package kafka_test

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	kafkago "github.com/segmentio/kafka-go"

	"rollcall"
	"rollcall/internal/kafka"
	"rollcall/internal/kafka/embedded"
	"rollcall/internal/test/logtest"
)

// commitAt sets the group's offset from outside.
func commitAt(t *testing.T, c *kafka.Cluster, partition int, offset int64) {
	t.Helper()
	res, err := c.Client().OffsetCommit(logtest.Within(t, logtest.Patience), &kafkago.OffsetCommitRequest{
		GroupID: logtest.Group, GenerationID: -1,
		Topics: map[string][]kafkago.OffsetCommit{kafka.Events: {{Partition: partition, Offset: offset}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range res.Topics[kafka.Events] {
		if p.Error != nil {
			t.Fatal(p.Error)
		}
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx := logtest.Within(t, logtest.Patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not within %v", what, logtest.Patience)
		}
	}
}

func TestOffsetAheadOfTheLog(t *testing.T) {
	b := openBroker(t)
	w := logtest.Writer(t, b.Cluster())
	logtest.Append(t, w, logtest.Events(0, 20000))
	commitAt(t, b.Cluster(), 0, 1e6)
	commitAt(t, b.Cluster(), 1, 1e6)
	s := logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
	logtest.Gather(t, s, 20000)
	// One partition has all events, so that the other may be looked at after they came.
	eventually(t, "both offsets are found ahead of the log", func() bool { return s.Stats().Ahead.Load() == 2 })
}

func TestGapIsCounted(t *testing.T) {
	b := openBrokerWith(t, embedded.Options{Segment: 256 << 10})
	c := b.Cluster()
	w := logtest.Writer(t, c)
	for i := range 40 {
		logtest.Append(t, w, logtest.Events(i*2000, 2000))
	}
	other, err := kafka.NewSource(c, "another group", kafka.SourceOptions{Options: logtest.Options(t)})
	if err != nil {
		t.Fatal(err)
	}
	logtest.Gather(t, other, 80000)
	if err := errors.Join(other.Close(), b.Trim(t.Context(), "another group")); err != nil { // as a cluster's retention may
		t.Fatal(err)
	}
	commitAt(t, c, 0, 1)
	at, err := c.Positions(logtest.Within(t, logtest.Patience), logtest.Group)
	if err != nil || at[0].First < 3 {
		t.Fatalf("the log was trimmed to %+v: %v", at, err)
	}
	registry := prometheus.NewRegistry()
	opt := kafka.SourceOptions{Options: logtest.Options(t)}
	opt.Registerer = registry
	s, err := kafka.NewSource(c, logtest.Group, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	logtest.Gather(t, s, 1)
	want := at[0].First - 1
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
	b := openBroker(t)
	w := logtest.Writer(t, b.Cluster())
	first := logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
	logtest.Append(t, w, logtest.Events(0, 20000))
	logtest.Gather(t, first, 20000)
	second := logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
	eventually(t, "each member has a partition", func() bool { return first.Owned() == 1 && second.Owned() == 1 })
	eventually(t, "both count two members", func() bool { return first.Members() == 2 && second.Members() == 2 })

	for from := 20000; from < 60000; from += 20000 { // an append is one partition's, and the next another's
		logtest.Append(t, w, logtest.Events(from, 20000))
	}
	batch, err := second.Next(logtest.Within(t, logtest.Patience))
	if err != nil {
		t.Fatal(err)
	}
	lost, next := batch.Partition, batch.Next
	if err := first.Commit(logtest.Within(t, logtest.Patience), rollcall.Offsets{lost: next + 100}); err != nil {
		t.Fatal(err)
	}
	offsets, err := b.Cluster().Committed(logtest.Within(t, logtest.Patience), logtest.Group, []int{lost})
	if err != nil || offsets[lost] >= next {
		t.Errorf("a member committed %v of a partition that is not its own: %v", offsets, err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	logtest.Gather(t, first, 40000)
}

// Batches that were queued when their generation ended are not handed on.
func TestStaleBatchesAreDropped(t *testing.T) {
	b := openBroker(t)
	s := logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
	eventually(t, "the group is joined", func() bool { return s.Generation() != nil })
	stale := &rollcall.Batch{Partition: 0, Next: 99}
	s.Queue(stale, &kafkago.Generation{})
	w := logtest.Writer(t, b.Cluster())
	logtest.Append(t, w, logtest.Events(0, 1))
	got, err := s.Next(logtest.Within(t, logtest.Patience))
	if err != nil || got.Next == 99 {
		t.Errorf("Next gave the batch %v: %v", got, err)
	}
}

// A commit that the brokers refuse is no error: the range is read again.
func TestFailedCommitReadsAgain(t *testing.T) {
	b := openBroker(t)
	w := logtest.Writer(t, b.Cluster())
	s := logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
	logtest.Append(t, w, logtest.Events(0, 100))
	logtest.Gather(t, s, 1)
	expel(t, b.Cluster(), s.Generation().MemberID)
	logtest.Append(t, w, logtest.Events(100, 100))
	logtest.Gather(t, s, 100) // its commit fails
	if s.Stats().Uncommit.Load() != 1 {
		t.Errorf("%d commits failed, not 1", s.Stats().Uncommit.Load())
	}
	logtest.Gather(t, s, 100) // what was not committed comes again
	if err := kafka.Settle(logtest.Within(t, logtest.Patience), b.Cluster(), logtest.Group); err != nil {
		t.Error(err)
	}
}

// What a member still holds from an earlier generation takes nothing back that
// another has committed since.
func TestCommitNeverGoesBack(t *testing.T) {
	b := openBroker(t)
	w := logtest.Writer(t, b.Cluster())
	s := logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
	logtest.Append(t, w, logtest.Events(0, 1000))
	logtest.Gather(t, s, 1000)
	before, err := b.Cluster().Committed(logtest.Within(t, logtest.Patience), logtest.Group, []int{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	old := s.Generation()
	expel(t, b.Cluster(), old.MemberID)
	eventually(t, "the group is joined again", func() bool { return s.Generation() != old && s.Joined() == nil })
	for p, next := range before {
		if next > 0 {
			if err := s.Commit(logtest.Within(t, logtest.Patience), rollcall.Offsets{p: next - 1}); err != nil {
				t.Fatal(err)
			}
		}
	}
	after, err := b.Cluster().Committed(logtest.Within(t, logtest.Patience), logtest.Group, []int{0, 1})
	if err != nil || !maps.Equal(before, after) {
		t.Errorf("committed %v, and after an old flush %v: %v", before, after, err)
	}
	if err := kafka.Settle(logtest.Within(t, logtest.Patience), b.Cluster(), logtest.Group); err != nil {
		t.Error(err)
	}
}

// expel makes the group's coordinator forget a member.
func expel(t *testing.T, c *kafka.Cluster, member string) {
	t.Helper()
	res, err := c.Client().LeaveGroup(logtest.Within(t, logtest.Patience), &kafkago.LeaveGroupRequest{
		GroupID: logtest.Group, Members: []kafkago.LeaveGroupRequestMember{{ID: member}},
	})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestNextEnds(t *testing.T) {
	b := openBroker(t)
	s := logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
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
	inner kafka.DialFunc
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
	b := openBroker(t)
	f := &freezer{inner: b.Cluster().Dialer()}
	c := kafka.DialLocal("embedded:9092", kafka.Local{Dial: f.dial})
	defer c.Close()
	w := logtest.Writer(t, b.Cluster())
	s := logtest.Source(t, c, kafka.SourceOptions{Stall: 400 * time.Millisecond})
	logtest.Append(t, w, logtest.Events(0, 20000))
	logtest.Gather(t, s, 20000)
	if !f.freeze() {
		t.Fatal("no connection has fetched")
	}
	logtest.Append(t, w, logtest.Events(20000, 20000))
	logtest.Gather(t, s, 20000)
	if s.Stats().Stalls.Load() == 0 {
		t.Error("no stall was counted")
	}
}
