package kafka

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/segmentio/kafka-go"
)

// codecs decompress record batches, of which a few KB can stand for gigabytes:
// no more than a batch may hold is taken.
type codecs struct {
	zstd sync.Pool // of *zstd.Decoder
}

// inflate gives what was packed. What was not packed it gives as it is.
func (c *codecs) inflate(packed []byte, code kafka.Compression) ([]byte, error) {
	if code == 0 {
		return packed, nil
	}
	if code.Codec() == nil {
		return nil, badRecords("a batch has the unknown codec %d", code)
	}
	if err := checkClaims(packed, code); err != nil {
		return nil, err
	}
	r, err := c.reader(packed, code)
	if err != nil {
		return nil, badRecords("a batch can't be decompressed: %v", err)
	}
	defer r.Close()
	var out bytes.Buffer
	if _, err := out.ReadFrom(io.LimitReader(r, MaxInflated+1)); err != nil {
		return nil, badRecords("a batch can't be decompressed: %v", err)
	}
	if out.Len() > MaxInflated {
		return nil, badRecords("a batch is over %d MiB decompressed", MaxInflated>>20)
	}
	return out.Bytes(), nil
}

// reader is kafka-go's, but of zstd one whose decoder takes no more memory than a
// batch may hold: every frame claims a window of its own.
func (c *codecs) reader(packed []byte, code kafka.Compression) (io.ReadCloser, error) {
	if code != kafka.Zstd {
		return code.Codec().NewReader(bytes.NewReader(packed)), nil
	}
	z, ok := c.zstd.Get().(*zstd.Decoder)
	var err error
	if ok {
		err = z.Reset(bytes.NewReader(packed))
	} else {
		z, err = zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(MaxInflated))
	}
	return &zstdReader{Decoder: z, pool: &c.zstd}, err
}

type zstdReader struct {
	*zstd.Decoder
	pool *sync.Pool
}

// Close lets the decoder be used again.
func (z *zstdReader) Close() error {
	if err := z.Reset(nil); err != nil {
		return err
	}
	z.pool.Put(z.Decoder)
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
