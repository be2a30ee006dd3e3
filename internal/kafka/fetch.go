package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// kafka-go's own readers give the records of aborted transactions and of open
// ones, and its client's Fetch drops the list that tells them apart. So the
// request is made here, and its answer is read as whole record batches.

// fetched is what a leader gave of a partition, in order.
type fetched struct {
	batches []rawBatch // from the one that holds the offset on
	stable  int64      // the last stable offset: whatever is before it is committed or aborted
}

// next is the offset that follows the batches.
func (f *fetched) next() int64 { return f.batches[len(f.batches)-1].next }

// fetch asks the leader for the batches from the offset on, up to the last
// stable offset. No batch says that there is none yet.
func (c *Cluster) fetch(ctx context.Context, topic string, partition int, offset int64) (f fetched, err error) {
	answer, err := c.transport.RoundTrip(ctx, c.client.Addr, &rawFetch{topic: topic, partition: int32(partition), offset: offset})
	if err != nil {
		return f, fmt.Errorf("kafka: fetch %s/%d at %d: %w", topic, partition, offset, err)
	}
	raw, ok := answer.(*rawFetched)
	if !ok {
		return f, fmt.Errorf("kafka: fetch %s/%d at %d: the answer is a %T", topic, partition, offset, answer)
	}
	if f.batches, err = cutBatches(raw.records, offset); err != nil {
		return f, fmt.Errorf("kafka: fetch %s/%d at %d: %w", topic, partition, offset, err)
	}
	passOver(f.batches, raw.aborted)
	f.stable = raw.stable
	return f, nil
}

// open opens a batch; why says that it can't be read. One that came broken over
// the wire is fetched once more.
func (c *Cluster) open(ctx context.Context, topic string, partition int, b *rawBatch) (records opened, why, err error) {
	records, why = b.open(&c.codecs)
	if !errors.Is(why, errSum) {
		return records, why, nil
	}
	f, err := c.fetch(ctx, topic, partition, b.first)
	if err == nil && (len(f.batches) == 0 || f.batches[0].first != b.first) {
		err = fmt.Errorf("kafka: fetch %s/%d at %d: batch is gone: %w", topic, partition, b.first, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return records, nil, err
	}
	b.bytes = f.batches[0].bytes
	records, why = b.open(&c.codecs)
	return records, why, nil
}

// rawFetch is a Fetch request whose answer's records are not looked into.
// kafka-go lets a message speak for itself on the connection to the leader.
type rawFetch struct {
	topic     string
	partition int32
	offset    int64
}

type rawFetched struct {
	records []byte
	stable  int64
	aborted []aborted
}

// ApiKey is Fetch's.
func (*rawFetch) ApiKey() protocol.ApiKey { return protocol.Fetch } //nolint:revive // the library's name

// ApiKey is Fetch's.
func (*rawFetched) ApiKey() protocol.ApiKey { return protocol.Fetch } //nolint:revive // as above

// Required says that RawExchange does it.
func (*rawFetch) Required(map[protocol.ApiKey]int16) bool { return true }

// Broker is the partition's leader.
func (f *rawFetch) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	leader, ok := cluster.Brokers[cluster.Topics[f.topic].Partitions[f.partition].Leader]
	if !ok {
		return protocol.Broker{ID: -1}, kafka.LeaderNotAvailable
	}
	return leader, nil
}

const (
	rawVersion    = 4       // of Fetch: the oldest that Kafka 4 speaks
	rawMost       = 1 << 20 // bytes asked for; one batch is whole all the same
	rawAnswer     = 128 << 20
	readCommitted = 1 // the isolation level: no record after the last stable offset, and a list of what was aborted
)

// RawExchange sends the request, and reads the answer's records.
func (f *rawFetch) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if _, err := rw.Write(f.frame()); err != nil {
		return nil, err
	}
	var head [8]byte // size and correlation id
	if _, err := io.ReadFull(rw, head[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size < 4 || size > rawAnswer {
		return nil, fmt.Errorf("an answer of %d bytes", size)
	}
	body := make([]byte, size-4)
	if _, err := io.ReadFull(rw, body); err != nil {
		return nil, err
	}
	return f.answer(body)
}

func (f *rawFetch) frame() []byte {
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(rawVersion)
	req.ReplicaID, req.MinBytes, req.MaxBytes, req.IsolationLevel = -1, 1, rawMost, readCommitted
	req.MaxWaitMillis = int32(fetchWait.Milliseconds())
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = f.partition, f.offset, rawMost
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.Partitions = f.topic, append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	b := make([]byte, 4)
	b = binary.BigEndian.AppendUint16(b, uint16(kmsg.Fetch))
	b = binary.BigEndian.AppendUint16(b, rawVersion)
	b = binary.BigEndian.AppendUint32(b, 1) // correlation: nothing else is under way on the connection
	b = binary.BigEndian.AppendUint16(b, uint16(len(clientID)))
	b = req.AppendTo(append(b, clientID...))
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

func (f *rawFetch) answer(body []byte) (protocol.Message, error) {
	res := kmsg.NewPtrFetchResponse()
	res.SetVersion(rawVersion)
	if err := res.ReadFrom(body); err != nil {
		return nil, fmt.Errorf("an answer that can't be read: %w", err)
	}
	if len(res.Topics) != 1 || len(res.Topics[0].Partitions) != 1 {
		return nil, errors.New("an answer without the partition")
	}
	p := &res.Topics[0].Partitions[0]
	if p.ErrorCode != 0 {
		return nil, kafka.Error(p.ErrorCode)
	}
	got := &rawFetched{records: p.RecordBatches, stable: p.LastStableOffset}
	for _, a := range p.AbortedTransactions {
		got.aborted = append(got.aborted, aborted{producer: a.ProducerID, first: a.FirstOffset})
	}
	return got, nil
}
