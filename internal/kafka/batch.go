package kafka

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"iter"
	"slices"
	"time"

	"rollcall"

	"github.com/segmentio/kafka-go"
)

// Limits of a record batch. One beyond them is kept among the rejected.
const (
	MaxInflated = 16 << 20 // bytes of its records, decompressed
	MaxRecord   = 4 << 20  // bytes of one of them, where they are compressed
	maxHeaders  = 64       // of a record
)

func badRecords(format string, args ...any) error {
	return &rollcall.Invalid{Field: "records", Reason: fmt.Sprintf(format, args...), Code: "records"}
}

// rawBatch is a record batch as it lies on the broker: the offsets [first,
// next), and its bytes. Of version 2 these are, as big-endian integers:
//
//	 0  int64  first offset         23  int32  last offset less the first
//	 8  int32  bytes that follow    27  int64  first record's time, ms
//	12  int32  leader's epoch       35  int64  last record's time, ms
//	16  int8   version              43  int64  producer; -1: none
//	17  uint32 CRC-32C from 21 on   51  int16  producer's epoch
//	21  int16  attributes           53  int32  first sequence number
//	                                57  int32  number of records, which follow
//
// The attributes are the codec (bits 0 to 2), and whether the last record's time
// is the broker's own and all records' (3), the batch is of a transaction (4),
// and it is a control batch: a transaction's end, or another note of the broker
// to itself (5).
type rawBatch struct {
	span
	bytes []byte
	pass  bool // it is not to be read: a control batch, or of an aborted transaction
}

// Places in a batch, and bits of its attributes.
const (
	lengthAt, versionAt, sumAt, attributesAt, lastAt      = 8, 16, 17, 21, 23
	firstTimeAt, lastTimeAt, producerAt, countAt, headEnd = 27, 35, 43, 57, 61

	codecBits        = 7
	brokerTime       = 1 << 3
	ofTransaction    = 1 << 4
	ofControl        = 1 << 5
	oldestHead       = 27 // bytes, of any version
	versionOfBatches = 2
)

func (b *rawBatch) has(attribute uint16) bool {
	return b.bytes[versionAt] == versionOfBatches && binary.BigEndian.Uint16(b.bytes[attributesAt:])&attribute != 0
}

func (b *rawBatch) int64(at int) int64 { return int64(binary.BigEndian.Uint64(b.bytes[at:])) }

func (b *rawBatch) producer() int64 { return b.int64(producerAt) }

// count is the number of records that the batch claims.
func (b *rawBatch) count() int64 { return int64(int32(binary.BigEndian.Uint32(b.bytes[countAt:]))) }

// cutBatches gives the whole batches that reach the offset. The last may be cut
// off, which is how a broker obeys the number of bytes asked for.
func cutBatches(raw []byte, offset int64) (batches []rawBatch, err error) {
	for len(raw) > 0 {
		b, err := cutBatch(raw)
		if err != nil {
			if len(batches) > 0 {
				return batches, nil // the rest is asked for next, and then is the first
			}
			return nil, err
		}
		if raw = raw[len(b.bytes):]; b.next > offset {
			batches = append(batches, b)
		}
	}
	return batches, nil
}

// cutBatch reads the head of the first batch. Before version 2 the offset is the
// last record's, and a head has only 27 bytes.
func cutBatch(b []byte) (rawBatch, error) {
	if len(b) < oldestHead {
		return rawBatch{}, badRecords("%d bytes are no batch", len(b))
	}
	first := int64(binary.BigEndian.Uint64(b))
	length := int64(int32(binary.BigEndian.Uint32(b[lengthAt:]))) + lengthAt + 4
	last, head := first, int64(oldestHead)
	if b[versionAt] == versionOfBatches {
		last += int64(int32(binary.BigEndian.Uint32(b[lastAt:])))
		head = headEnd
	}
	if first < 0 || last < first || length < head || length > int64(len(b)) {
		return rawBatch{}, badRecords("a batch of the offsets %d to %d claims %d bytes of %d", first, last, length, len(b))
	}
	return rawBatch{span: span{first: first, next: last + 1}, bytes: b[:length]}, nil
}

// aborted is a transaction whose records don't count: a producer's, from an
// offset on to the control batch that ends it.
type aborted struct{ producer, first int64 }

// passOver marks what is not to be read: control batches, and those of the
// aborted transactions. A producer has one transaction at a time.
func passOver(batches []rawBatch, list []aborted) {
	slices.SortFunc(list, func(a, b aborted) int { return int(min(max(a.first-b.first, -1), 1)) })
	within := make(map[int64]bool) // producers that are in one
	for i := range batches {
		b := &batches[i]
		for len(list) > 0 && list[0].first < b.next {
			within[list[0].producer] = true
			list = list[1:]
		}
		switch {
		case b.has(ofControl):
			b.pass = true
			delete(within, b.producer())
		case b.has(ofTransaction):
			b.pass = within[b.producer()]
		}
	}
}

// errSum says that a batch's bytes are not those that were sent.
var errSum = badRecords("a batch's checksum does not match")

// open checks the batch and decompresses it: what it gives can be read to the
// end within the limits above.
func (b *rawBatch) open(codecs *codecs) (opened, error) {
	if v := b.bytes[versionAt]; v != versionOfBatches {
		return opened{}, badRecords("a batch is of message format %d, from before Kafka 0.11", v)
	}
	if crc32.Checksum(b.bytes[attributesAt:], crc32.MakeTable(crc32.Castagnoli)) != binary.BigEndian.Uint32(b.bytes[sumAt:]) {
		return opened{}, errSum
	}
	code := kafka.Compression(binary.BigEndian.Uint16(b.bytes[attributesAt:]) & codecBits)
	records, err := codecs.inflate(b.bytes[headEnd:], code)
	if err == nil {
		err = checkRecords(records, b.count(), code != 0)
	}
	return opened{batch: b, records: records}, err
}

// opened is a batch that can be read.
type opened struct {
	batch   *rawBatch
	records []byte
}

// each gives the records from the offset on. Their bytes are the batch's; a
// record's headers are good until the next one. A record without a timestamp has
// the zero time.
func (o *opened) each(from int64) iter.Seq[kafka.Message] {
	return func(yield func(kafka.Message) bool) {
		r := rawRecord{wanted: true}
		for f := (fields{rest: o.records}); len(f.rest) > 0; {
			f.record(&r)
			m := kafka.Message{
				Offset: o.batch.first + r.offset, Time: o.time(r.time), Key: r.key, Value: r.value, Headers: r.headers,
			}
			if m.Offset >= from && !yield(m) {
				return
			}
		}
	}
}

// time is that of a record so many milliseconds after the batch's first.
func (o *opened) time(after int64) time.Time {
	ms := o.batch.int64(firstTimeAt) + after
	if o.batch.has(brokerTime) {
		ms = o.batch.int64(lastTimeAt)
	}
	if ms < 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// checkRecords walks over a batch's records. One may be too long, where a few
// bytes stand for very many, or have very many headers, each of which takes 40
// bytes here and a sender two.
func checkRecords(records []byte, count int64, packed bool) error {
	f, r := fields{rest: records, bad: count < 0}, rawRecord{}
	for n := count; n > 0 && !f.bad; n-- {
		f.record(&r)
		switch {
		case r.count > maxHeaders:
			return badRecords("a record has %d headers; the most is %d", r.count, maxHeaders)
		case packed && r.size > MaxRecord:
			return badRecords("a record has %d bytes; the most in a compressed batch is %d MiB", r.size, MaxRecord>>20)
		}
	}
	if f.bad || len(f.rest) > 0 {
		return badRecords("a batch does not hold the %d records that it claims", count)
	}
	return nil
}

// fields walks over records of version 2: length, attributes, timestamp and
// offset deltas, key, value, headers; numbers are zigzag varints.
type fields struct {
	rest []byte
	bad  bool
}

// rawRecord is what was walked over last.
type rawRecord struct {
	size, count  int64 // of its bytes and headers, as it claims
	time, offset int64 // after the batch's first
	key, value   []byte
	tail         []byte // its headers as they lie in the batch; nil: bad ones, or none was walked over yet
	headers      []kafka.Header
	wanted       bool // the headers are
}

// record walks over one.
func (f *fields) record(r *rawRecord) {
	r.size = f.varint()
	if f.bad || r.size < 0 || r.size > int64(len(f.rest)) {
		f.bad = true
		return
	}
	body := fields{rest: f.rest[:r.size]}
	f.rest = f.rest[r.size:]
	body.skip(1)
	r.time = body.varint()
	r.offset = body.varint()
	r.key = body.bytes(-1)
	r.value = body.bytes(-1)
	if len(body.rest) > 0 && bytes.Equal(body.rest, r.tail) {
		return // as the record before has them, which nearly all do
	}
	body.readHeaders(r)
	f.bad = f.bad || body.bad
}

// readHeaders walks over a record's last part, which are its headers.
func (f *fields) readHeaders(r *rawRecord) {
	tail := f.rest
	r.tail, r.headers = nil, r.headers[:0]
	if r.count = f.varint(); r.count < 0 || r.count > maxHeaders {
		f.bad = true
	}
	for n := r.count; n > 0 && !f.bad; n-- {
		key, value := f.bytes(0), f.bytes(-1)
		if r.wanted {
			r.headers = append(r.headers, kafka.Header{Key: headerName(key), Value: value})
		}
	}
	if f.bad = f.bad || len(f.rest) > 0; !f.bad {
		r.tail = tail
	}
}

// headerName is a header's key, without memory for those that nearly all have.
func headerName(key []byte) string {
	switch string(key) {
	case headerType:
		return headerType
	case headerBackfill:
		return headerBackfill
	}
	return string(key)
}

// varint walks over a number. Most have one byte.
func (f *fields) varint() int64 {
	if len(f.rest) > 0 && f.rest[0] < 1<<7 {
		zigzag := int64(f.rest[0])
		f.rest = f.rest[1:]
		return zigzag>>1 ^ -(zigzag & 1)
	}
	return f.longVarint()
}

func (f *fields) longVarint() int64 {
	v, n := binary.Varint(f.rest)
	if n <= 0 {
		f.bad, f.rest = true, nil
		return 0
	}
	f.rest = f.rest[n:]
	return v
}

// bytes walks over a length and so many bytes; -1 stands for none where least
// is -1.
func (f *fields) bytes(least int64) []byte {
	n := f.varint()
	if n < least {
		f.bad = true
		return nil
	}
	return f.skip(max(n, 0))
}

func (f *fields) skip(n int64) []byte {
	if n > int64(len(f.rest)) {
		f.bad, f.rest = true, nil
		return nil
	}
	walked := f.rest[:n]
	f.rest = f.rest[n:]
	return walked
}
