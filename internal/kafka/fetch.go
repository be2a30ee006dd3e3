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

// rawBatch is a record batch as it lies on the broker: the offsets [first,
// next), and its bytes.
type rawBatch struct {
	span
	bytes []byte
}

// batchAt asks the leader for the batch that holds the offset, or the first
// after it.
func (c *Cluster) batchAt(ctx context.Context, topic string, partition int, offset int64) (rawBatch, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	answer, err := c.transport.RoundTrip(ctx, c.client.Addr, &rawFetch{topic: topic, partition: int32(partition), offset: offset})
	if err != nil {
		return rawBatch{}, fmt.Errorf("kafka: fetch %s/%d at %d: %w", topic, partition, offset, err)
	}
	fetched, ok := answer.(*rawFetched)
	if !ok {
		return rawBatch{}, fmt.Errorf("kafka: fetch %s/%d at %d: the answer is a %T", topic, partition, offset, answer)
	}
	for rest := fetched.records; ; {
		b, err := cutBatch(rest)
		if err != nil {
			return b, fmt.Errorf("kafka: fetch %s/%d at %d: %w", topic, partition, offset, err)
		}
		if b.next > offset {
			return b, nil
		}
		rest = rest[len(b.bytes):]
	}
}

// cutBatch reads the head of the first batch: base offset, int64; length of
// what follows, int32; of version 2 also the leader's epoch, int32; the
// version, int8; a sum, int32; attributes, int16; the last record's offset less
// the base, int32. Before version 2 the offset is the last record's.
func cutBatch(b []byte) (rawBatch, error) {
	const head, lengthAt, versionAt, lastAt = 27, 8, 16, 23
	if len(b) < head {
		return rawBatch{}, badRecords("%d bytes are no batch", len(b))
	}
	first := int64(binary.BigEndian.Uint64(b))
	length := int64(int32(binary.BigEndian.Uint32(b[lengthAt:]))) + lengthAt + 4
	last := first
	if b[versionAt] == 2 {
		last += int64(int32(binary.BigEndian.Uint32(b[lastAt:])))
	}
	if first < 0 || last < first || length < head || length > int64(len(b)) {
		return rawBatch{}, badRecords("a batch of the offsets %d to %d claims %d bytes of %d", first, last, length, len(b))
	}
	return rawBatch{span: span{first: first, next: last + 1}, bytes: b[:length]}, nil
}

// unreadable gives the batch at the offset, and why it can't be read. That it can
// is an error: it must have come broken over the wire.
func (c *Cluster) unreadable(ctx context.Context, topic string, partition int, at int64) (b rawBatch, why, err error) {
	if b, err = c.batchAt(ctx, topic, partition, at); err != nil {
		return b, nil, err
	}
	if why = b.fault(); why == nil {
		err = fmt.Errorf("kafka: batch %s/%d at %d came broken: %w", topic, partition, at, io.ErrUnexpectedEOF)
	}
	return b, why, err
}

// fault says why the batch can't be read; nil: it can.
func (b *rawBatch) fault() error {
	var batch kmsg.RecordBatch
	if err := batch.ReadFrom(b.bytes); err != nil {
		return badRecords("a batch can't be read: %v", err)
	}
	code := kafka.Compression(batch.Attributes & 7)
	records, err := inflate(batch.Records, code)
	if err != nil || code == 0 {
		return err
	}
	return checkEach(records)
}

// rawFetch is a Fetch request whose answer is not looked into. kafka-go lets a
// message speak for itself on the connection to the leader.
type rawFetch struct {
	topic     string
	partition int32
	offset    int64
}

type rawFetched struct{ records []byte }

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
	rawVersion = 4       // of Fetch: the oldest that Kafka 4 speaks
	rawMost    = 1 << 20 // bytes asked for; one batch is whole all the same
	rawAnswer  = 128 << 20
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
	req.ReplicaID, req.MinBytes, req.MaxBytes = -1, 1, rawMost
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
	return &rawFetched{records: p.RecordBatches}, nil
}
