package kafka

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/compress"
)

// kafka-go decompresses a record batch whole before it gives its first record,
// however much that is: a few KB of a producer's can stand for gigabytes. It has
// no option for it, and finds its codecs in a variable of its own, so that is
// where the bound is put, once, before the first cluster is dialled. Whatever
// else in the process reads with kafka-go is bounded too.
//
// Nor does it tell of a batch that it can't decompress: it tries again for ever.
// So a batch beyond the bound gives one record instead, with a key that nobody
// else can know, and whoever reads goes on behind the batch.

// guard bounds the library's codecs, and gives the key. It is called for every
// cluster, and acts once.
var guard = sync.OnceValue(func() []byte {
	sign := make([]byte, 16)
	_, _ = rand.Read(sign) // it never fails
	for i, codec := range compress.Codecs {
		if codec != nil {
			compress.Codecs[i] = &guarded{CompressionCodec: bounded(codec), instead: signRecord(sign)}
		}
	}
	return sign
})

// signRecord is a record of version 2 with the key. Its offset is beyond any:
// kafka-go drops what is before the offset that it was to begin at.
func signRecord(key []byte) []byte {
	const beyond = 1 << 48
	body := []byte{0, 0} // attributes, time
	body = binary.AppendVarint(body, beyond)
	body = append(binary.AppendVarint(body, int64(len(key))), key...)
	body = append(body, 1, 0) // no value, no headers
	return append(binary.AppendVarint(nil, int64(len(body))), body...)
}

// jammed reports that the message stands for a batch that can't be read, which
// holds the next offset.
func (c *Cluster) jammed(m *kafka.Message) bool {
	return len(m.Key) > 0 && bytes.Equal(m.Key, c.sign)
}

// unguarded gives a codec that bounds nothing by itself; nil: there is none.
func unguarded(code kafka.Compression) kafka.CompressionCodec {
	codec := code.Codec()
	if g, ok := codec.(*guarded); ok {
		return g.CompressionCodec
	}
	return codec
}

// guarded is a codec whose readers give no more than a batch may hold.
type guarded struct {
	kafka.CompressionCodec
	instead []byte    // of what can't be read
	buffers sync.Pool // of *bytes.Buffer
}

// NewReader decompresses all that r has, which ends with its batch.
func (g *guarded) NewReader(r io.Reader) io.ReadCloser {
	packed, err := io.ReadAll(r)
	if err != nil {
		return io.NopCloser(failing{err}) // of the connection
	}
	out, ok := g.buffers.Get().(*bytes.Buffer)
	if !ok {
		out = new(bytes.Buffer)
	}
	out.Reset()
	if err := g.inflate(out, packed); err != nil {
		g.buffers.Put(out)
		return io.NopCloser(bytes.NewReader(g.instead))
	}
	return &inflated{Buffer: out, home: &g.buffers}
}

func (g *guarded) inflate(out *bytes.Buffer, packed []byte) error {
	if err := inflateTo(out, packed, g.CompressionCodec); err != nil {
		return err
	}
	return checkEach(out.Bytes())
}

type failing struct{ err error }

// Read fails.
func (f failing) Read([]byte) (int, error) { return 0, f.err }

// inflated is a batch's records; Close lets their memory be used again.
type inflated struct {
	*bytes.Buffer
	home *sync.Pool
}

// Close gives the memory back.
func (i *inflated) Close() error {
	if i.Buffer != nil {
		i.home.Put(i.Buffer)
		i.Buffer = nil
	}
	return nil
}

// bounded gives the library's codec, but of zstd one whose decoder takes no
// more memory than a batch may hold: every frame claims a window of its own.
func bounded(codec kafka.CompressionCodec) kafka.CompressionCodec {
	if codec.Code() != int8(kafka.Zstd) {
		return codec
	}
	return &zstdCodec{CompressionCodec: codec}
}

type zstdCodec struct {
	kafka.CompressionCodec
	decoders sync.Pool // of *zstd.Decoder
}

// NewReader decompresses r.
func (c *zstdCodec) NewReader(r io.Reader) io.ReadCloser {
	z, ok := c.decoders.Get().(*zstd.Decoder)
	var err error
	if ok {
		err = z.Reset(r)
	} else {
		z, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(MaxInflated))
	}
	if err != nil {
		return io.NopCloser(failing{err})
	}
	return &zstdReader{Decoder: z, home: &c.decoders}
}

type zstdReader struct {
	*zstd.Decoder
	home *sync.Pool
}

// Close lets the decoder be used again.
func (z *zstdReader) Close() error {
	if err := z.Reset(nil); err != nil {
		return err
	}
	z.home.Put(z.Decoder)
	return nil
}

// checkEach refuses a record that kafka-go would take too much memory for: one
// that is too long, or has very many headers, each of which takes it 40 bytes
// and a sender two. What are no records of version 2 is left to kafka-go.
func checkEach(records []byte) error {
	r := fields{rest: records}
	for len(r.rest) > 0 && !r.bad {
		r.record()
		switch {
		case r.headers > maxHeaders:
			return badRecords("a record has %d headers; the most is %d", r.headers, maxHeaders)
		case !r.bad && r.size > MaxRecord:
			return badRecords("a record has %d bytes; the most in a compressed batch is %d MiB", r.size, MaxRecord>>20)
		}
	}
	return nil
}
