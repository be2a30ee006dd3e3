package kafka_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"rollcall"
	"rollcall/internal/kafka"
	"rollcall/internal/test/engines"
	"rollcall/internal/test/logtest"
)

// TestTransactions has a producer that nobody here wrote commit, abort and leave
// open: only what is committed is read, and no control record is rejected.
func TestTransactions(t *testing.T) {
	t.Run("embedded", func(t *testing.T) {
		c := openBroker(t).Cluster()
		transactions(t, c, kgo.SeedBrokers("embedded:9092"), kgo.Dialer(func(ctx context.Context, network, host string) (net.Conn, error) {
			return c.Dialer()(ctx, network, host)
		}))
	})
	t.Run("Kafka", func(t *testing.T) {
		addr := engines.Kafka(t, "transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1").Addr()
		transactions(t, emptyCluster(t, addr), kgo.SeedBrokers(addr))
	})
}

// producer is a transactional client.
type producer struct {
	*testing.T
	*kgo.Client
}

func newProducer(t *testing.T, id string, opts []kgo.Opt) producer {
	t.Helper()
	c, err := kgo.NewClient(append(opts, kgo.TransactionalID(id), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return producer{t, c}
}

// send begins a transaction, and sends visitors to a partition in two batches.
func (p producer) send(partition int32, first, n int) {
	p.Helper()
	if err := p.BeginTransaction(); err != nil {
		p.Fatal(err)
	}
	ctx := logtest.Within(p.T, time.Minute)
	for half := range 2 {
		for i := range n / 2 {
			r := &kgo.Record{
				Topic: kafka.Events, Partition: partition, Value: fmt.Append(nil, first+half*n/2+i),
				Headers: []kgo.RecordHeader{{Key: "content-type", Value: []byte("application/json")}},
			}
			p.Produce(ctx, r, nil)
		}
		if err := p.Flush(ctx); err != nil {
			p.Fatal(err)
		}
	}
}

func (p producer) end(how kgo.TransactionEndTry) {
	p.Helper()
	if err := p.EndTransaction(logtest.Within(p.T, time.Minute), how); err != nil {
		p.Fatal(err)
	}
}

// byNumber reads a visitor's number.
func byNumber(to []rollcall.Event, value []byte, _ string, at time.Time, _ bool) ([]rollcall.Event, error) {
	var n int
	if err := json.Unmarshal(value, &n); err != nil {
		return to, err
	}
	e := logtest.Events(n, 1)[0]
	e.Time = at
	return append(to, e), nil
}

func transactions(t *testing.T, c *kafka.Cluster, opts ...kgo.Opt) {
	p, other := newProducer(t, "one", opts), newProducer(t, "two", opts)
	p.send(0, 100, 10)
	other.send(0, 200, 10) // between the two batches' ends of the first
	p.end(kgo.TryCommit)
	other.end(kgo.TryAbort)
	p.send(0, 300, 10)
	p.end(kgo.TryAbort)
	p.send(1, 400, 10)
	p.end(kgo.TryCommit)
	other.send(1, 500, 10) // left open
	opt := kafka.SourceOptions{Decode: byNumber}
	s := logtest.Source(t, c, opt)
	openRecords(t, c, 10)
	want := map[rollcall.Visitor]bool{}
	expect := func(first int) {
		for i := range 10 {
			want[rollcall.Visitor(first+i)] = true
		}
	}
	expect(100)
	expect(400)
	seen := commitAll(t, c, s)
	if !maps.Equal(seen, want) {
		t.Errorf("with an open transaction %v was read, not %v", seen, want)
	}
	if n := s.Stats().Aborted.Load(); n != 20 {
		t.Errorf("%d records of aborted transactions were counted, not 20", n)
	}
	other.end(kgo.TryCommit)
	openRecords(t, c, 0)
	expect(500)
	maps.Copy(seen, commitAll(t, c, s))
	if !maps.Equal(seen, want) {
		t.Errorf("when it was committed %v was read, not %v", seen, want)
	}
	for r, err := range kafka.ReadRejected(logtest.Within(t, time.Minute), c, kafka.Wanted{}) {
		t.Errorf("rejected: %+v, %v", r, err)
	}
}

// openRecords waits until so many records are in open transactions: a broker
// answers an end before it has written it.
func openRecords(t *testing.T, c *kafka.Cluster, want int64) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d records are in open transactions", want), func() bool {
		rows, err := c.Positions(logtest.Within(t, time.Minute), logtest.Group)
		if err != nil {
			return false // there is no group yet
		}
		var got int64
		for _, p := range rows {
			got += p.End - p.Stable
		}
		return got == want
	})
}
