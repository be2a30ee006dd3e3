// Package bombtest makes record batches of a few KB that stand for gigabytes, for
// the tests of whoever reads them.
package bombtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// zeros gives so many.
type zeros struct{ left int64 }

// Read gives zeros.
func (z *zeros) Read(b []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(b)), z.left))
	clear(b[:n])
	z.left -= int64(n)
	return n, nil
}

// longRecord is a record of version 2 whose value is n zeros.
func longRecord(n int64) io.Reader {
	head := []byte{0, 0, 0, 1} // attributes, deltas, no key
	head = binary.AppendVarint(head, n)
	size := binary.AppendVarint(nil, int64(len(head))+n+1)
	return io.MultiReader(bytes.NewReader(append(size, head...)), &zeros{left: n}, bytes.NewReader([]byte{0}))
}

// Deflate compresses with the codec that kafka-go writes with.
func Deflate(t testing.TB, codec kafka.Compression, r io.Reader) []byte {
	t.Helper()
	var out bytes.Buffer
	w := codec.Codec().NewWriter(&out)
	if _, err := io.Copy(struct{ io.Writer }{w}, r); err != nil { // its ReadFrom of lz4 fails
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Batch is a batch of one packed record, or of more, as it is sent.
func Batch(codec kafka.Compression, count int32, packed []byte) []byte {
	sent := time.Date(2002, 10, 3, 20, 0, 0, 0, time.UTC).UnixMilli()
	b := kmsg.RecordBatch{
		Length: int32(49 + len(packed)), PartitionLeaderEpoch: -1, Magic: 2, Attributes: int16(codec),
		FirstTimestamp: sent, MaxTimestamp: sent,
		LastOffsetDelta: count - 1, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: count, Records: packed,
	}
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

// All gives batches that are small and would be large: over so many bytes when
// decompressed, or with a record over so many, and some very large.
func All(t testing.TB, inflated, longest, large int) map[string][]byte {
	t.Helper()
	twice := append(Deflate(t, kafka.Zstd, bytes.NewReader(record(0, "x"))), []byte("\x28\xb5\x2f\xfd\x00\xd8\x01\x00\x00")...) // a second frame with a window of 128 GiB
	headers := bytes.Repeat([]byte{0, 0}, 2<<20)
	many := append([]byte{0, 0, 0, 1, 1}, binary.AppendVarint(nil, 2<<20)...) // no key, no value
	many = append(many, headers...)
	return map[string][]byte{
		"gzip":              Batch(kafka.Gzip, 1, Deflate(t, kafka.Gzip, longRecord(int64(large)/4))),
		"zstd":              Batch(kafka.Zstd, 1, Deflate(t, kafka.Zstd, longRecord(int64(large)))),
		"lz4":               Batch(kafka.Lz4, 1, Deflate(t, kafka.Lz4, longRecord(int64(large)/8))),
		"snappy":            Batch(kafka.Snappy, 1, Deflate(t, kafka.Snappy, longRecord(int64(inflated)))),
		"snappy in a block": Batch(kafka.Snappy, 1, snappy.Encode(nil, make([]byte, inflated+1))),
		"a claim of snappy": Batch(kafka.Snappy, 1, binary.AppendUvarint(nil, 1<<32-1)),
		"a second window":   Batch(kafka.Zstd, 1, twice),
		"one long record":   Batch(kafka.Gzip, 1, Deflate(t, kafka.Gzip, longRecord(int64(longest)))),
		"very many headers": Batch(kafka.Gzip, 1, Deflate(t, kafka.Gzip, bytes.NewReader(append(binary.AppendVarint(nil, int64(len(many))), many...)))),
		"broken":            Batch(kafka.Gzip, 1, []byte("no gzip")),
		"very many records": Batch(kafka.Zstd, int32(inflated/4000+1), Deflate(t, kafka.Zstd, longBatch(int32(inflated/4000+1)))),
	}
}

// Gzipped is a batch of one record with a content type, if it is not empty.
func Gzipped(t testing.TB, contentType, value string) []byte {
	t.Helper()
	text := func(to []byte, s string) []byte { return append(binary.AppendVarint(to, int64(len(s))), s...) }
	body := text([]byte{0, 0, 0, 1}, value) // attributes, deltas, no key
	if contentType == "" {
		body = append(body, 0)
	} else {
		body = text(text(append(body, 2), "content-type"), contentType)
	}
	record := append(binary.AppendVarint(nil, int64(len(body))), body...)
	return Batch(kafka.Gzip, 1, Deflate(t, kafka.Gzip, bytes.NewReader(record)))
}

// Many is a batch of n like records.
func Many(t testing.TB, n int, value string) []byte {
	t.Helper()
	var all bytes.Buffer
	for i := range n {
		all.Write(record(int64(i), value))
	}
	return Batch(kafka.Gzip, int32(n), Deflate(t, kafka.Gzip, &all))
}

// longBatch is n records of 4 KB each.
func longBatch(n int32) io.Reader {
	var all bytes.Buffer
	for i := range n {
		all.Write(record(int64(i), string(make([]byte, 4000))))
	}
	return &all
}

// record is a record of version 2 with a value.
func record(offset int64, value string) []byte {
	body := binary.AppendVarint([]byte{0, 0}, offset) // attributes, time
	body = binary.AppendVarint(append(body, 1), int64(len(value)))
	body = append(append(body, value...), 0)
	return append(binary.AppendVarint(nil, int64(len(body))), body...)
}

// Produce appends a batch to a partition as it is.
func Produce(t testing.TB, client *kafka.Client, topic string, partition int, raw []byte) {
	t.Helper()
	if err := Try(t.Context(), client, topic, partition, raw); err != nil {
		t.Fatal(err)
	}
}

// Try is Produce of what the broker may refuse.
func Try(ctx context.Context, client *kafka.Client, topic string, partition int, raw []byte) error {
	raw = append(binary.BigEndian.AppendUint32(nil, uint32(len(raw))), raw...)
	res, err := client.RawProduce(ctx, &kafka.RawProduceRequest{
		Topic: topic, Partition: partition, RequiredAcks: kafka.RequireAll, RawRecords: protocol.RawRecordSet{Reader: bytes.NewReader(raw)},
	})
	if err != nil {
		return err
	}
	return res.Error
}
