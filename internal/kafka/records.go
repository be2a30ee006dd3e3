package kafka

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"rollcall"

	"github.com/klauspost/compress/zstd"
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

// inflate decompresses with the codec that will read the batch.
func inflate(packed []byte, code kafka.Compression) ([]byte, error) {
	if code == 0 {
		return packed, nil
	}
	codec := unguarded(code)
	if codec == nil {
		return nil, badRecords("a batch has the unknown codec %d", code)
	}
	var out bytes.Buffer
	err := inflateTo(&out, packed, codec)
	return out.Bytes(), err
}

// inflateTo decompresses as much as a batch may hold.
func inflateTo(out *bytes.Buffer, packed []byte, codec kafka.CompressionCodec) error {
	if err := checkClaims(packed, kafka.Compression(codec.Code())); err != nil {
		return err
	}
	r := codec.NewReader(bytes.NewReader(packed))
	defer r.Close()
	if _, err := out.ReadFrom(io.LimitReader(r, MaxInflated+1)); err != nil {
		return badRecords("a batch can't be decompressed: %v", err)
	}
	if out.Len() > MaxInflated {
		return badRecords("a batch is over %d MiB decompressed", MaxInflated>>20)
	}
	return nil
}

// checkClaims refuses sizes that the codec would take memory for at once.
func checkClaims(packed []byte, codec kafka.Compression) error {
	var claim uint64
	switch codec {
	case kafka.Snappy:
		claim = snappyClaim(packed)
	case kafka.Zstd:
		var h zstd.Header
		if err := h.Decode(packed); err != nil {
			return badRecords("a batch can't be decompressed: %v", err)
		}
		claim = max(h.WindowSize, h.FrameContentSize)
	}
	if claim > MaxInflated {
		return badRecords("a batch claims %d bytes decompressed; the most is %d MiB", claim, MaxInflated>>20)
	}
	return nil
}

// snappyClaim gives the size that snappy blocks claim to have, decompressed:
// each begins with it, uvarint. One block stands alone; several follow a
// header of 16 bytes, each after its length, uint32.
func snappyClaim(packed []byte) (total uint64) {
	const magic, header = "\x82SNAPPY\x00", 16
	if !bytes.HasPrefix(packed, []byte(magic)) {
		total, _ = binary.Uvarint(packed)
		return total
	}
	for rest := packed[min(header, len(packed)):]; len(rest) >= 4; {
		size := uint64(binary.BigEndian.Uint32(rest))
		rest = rest[4:]
		if size > uint64(len(rest)) {
			return math.MaxUint64
		}
		claim, _ := binary.Uvarint(rest[:size])
		if total += claim; claim > MaxInflated || total > MaxInflated {
			return math.MaxUint64
		}
		rest = rest[size:]
	}
	return total
}

// fields walks over records of version 2: length, attributes, timestamp and
// offset deltas, key, value, headers; numbers are zigzag varints.
type fields struct {
	rest []byte
	bad  bool

	size, headers int64 // that the last record claims
}

func (f *fields) record() {
	size := f.varint()
	f.size, f.headers = size, 0
	if f.bad || size < 0 || size > int64(len(f.rest)) {
		f.bad = true
		return
	}
	body := fields{rest: f.rest[:size]}
	f.rest = f.rest[size:]
	body.skip(1)
	body.varint()
	body.varint()
	body.bytes(-1)
	body.bytes(-1)
	headers := body.varint()
	f.headers = headers
	if body.bad || headers < 0 || headers > maxHeaders {
		f.bad = true
		return
	}
	for range headers {
		body.bytes(0)
		body.bytes(-1)
	}
	f.bad = f.bad || body.bad || len(body.rest) > 0
}

func (f *fields) varint() int64 {
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
func (f *fields) bytes(least int64) {
	n := f.varint()
	if n < least {
		f.bad = true
		return
	}
	f.skip(max(n, 0))
}

func (f *fields) skip(n int64) {
	if n > int64(len(f.rest)) {
		f.bad, f.rest = true, nil
		return
	}
	f.rest = f.rest[n:]
}
