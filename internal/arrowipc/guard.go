package arrowipc

import (
	"encoding/binary"
	"io"

	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	flatbuffers "github.com/google/flatbuffers/go"
	"github.com/klauspost/compress/zstd"
)

// frames cuts a stream into its messages without copying, and looks at each
// before the Arrow library does: the library takes memory for whatever size a
// message claims, and follows a schema however it is tangled.
//
// A message is ffffffff (absent before Arrow 0.15), the length of its metadata
// as int32 LE, the metadata (a flatbuffer), and a body whose length the
// metadata gives. Length 0 or the end of the bytes ends the stream.
type frames struct {
	rest []byte
	msg  *ipc.Message
}

var _ ipc.MessageReader = (*frames)(nil)

// Message gives the next message; io.EOF after the last.
func (f *frames) Message() (*ipc.Message, error) {
	meta, err := f.metadata()
	if err != nil {
		return nil, err
	}
	size, err := checkMessage(meta, f.rest, MaxMemory)
	if err != nil {
		return nil, err
	}
	body := f.rest[:size]
	f.rest = f.rest[size:]
	f.msg = ipc.NewMessage(memory.NewBufferBytes(meta), memory.NewBufferBytes(body))
	return f.msg, nil
}

// Retain and Release do nothing: the bytes are the caller's.
func (f *frames) Retain() {}

// Release does nothing, as Retain.
func (f *frames) Release() {}

func (f *frames) metadata() ([]byte, error) {
	if len(f.rest) == 0 {
		return nil, io.EOF
	}
	size, err := f.word()
	if err == nil && size == 0xffffffff {
		size, err = f.word()
	}
	switch {
	case err != nil:
		return nil, err
	case size == 0:
		return nil, io.EOF
	case uint64(size) > uint64(len(f.rest)):
		return nil, malformed("a message of %d bytes is cut at %d", size, len(f.rest))
	}
	meta := f.rest[:size]
	f.rest = f.rest[size:]
	return meta, nil
}

func (f *frames) word() (uint32, error) {
	if len(f.rest) < 4 {
		return 0, malformed("the stream is cut inside a length")
	}
	n := binary.LittleEndian.Uint32(f.rest)
	f.rest = f.rest[4:]
	return n, nil
}

// Places of fields in the flatbuffers of Arrow's Message.fbs and Schema.fbs.
const (
	messageKind, messageHeader, messageBody = 6, 8, 10

	schemaFields, schemaMetadata                              = 6, 8
	fieldName, fieldKind, fieldType, fieldChildren, fieldMeta = 4, 8, 10, 14, 16
	keyValueKey, keyValueValue                                = 4, 6

	dictionaryData                        = 6
	batchLength, batchBuffers, batchCodec = 4, 8, 10
	codecKind                             = 4
)

// Values of Message.fbs' MessageHeader and CompressionType.
const (
	kindSchema, kindDictionary, kindBatch = 1, 2, 3

	codecZstd = 1
)

// CheckMessage refuses a message that is malformed, or that the Arrow library
// would take more than most bytes of memory for. body is the message's own, whole.
// Errors are *rollcall.Invalid.
func CheckMessage(meta, body []byte, most int64) (err error) {
	defer recovered(&err)
	_, err = checkMessage(meta, body, most)
	return err
}

// checkMessage gives the length of the message's body, after looking at what
// the message asks for. It panics where an offset leads outside of meta.
func checkMessage(meta, rest []byte, most int64) (int, error) {
	root := flatbuffers.Table{Bytes: meta, Pos: flatbuffers.GetUOffsetT(meta)}
	size := root.GetInt64Slot(messageBody, 0)
	if size < 0 || size > int64(len(rest)) {
		return 0, malformed("a body of %d bytes is cut at %d", size, len(rest))
	}
	header, ok := child(&root, messageHeader)
	if !ok {
		return 0, malformed("a message has no header")
	}
	switch kind := root.GetByteSlot(messageKind, 0); kind {
	case kindSchema:
		return int(size), checkSchema(&header)
	case kindBatch:
		return int(size), checkBatch(&header, rest[:size], most)
	case kindDictionary:
		data, ok := child(&header, dictionaryData)
		if !ok {
			return 0, malformed("a dictionary has no data")
		}
		return int(size), checkBatch(&data, rest[:size], most)
	default:
		return 0, malformed("a message is of kind %d, not a schema, dictionary or record batch", kind)
	}
}

// child gives the table that a slot refers to.
func child(t *flatbuffers.Table, slot flatbuffers.VOffsetT) (flatbuffers.Table, bool) {
	o := flatbuffers.UOffsetT(t.Offset(slot))
	if o == 0 {
		return flatbuffers.Table{}, false
	}
	return flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(o + t.Pos)}, true
}

// children gives the tables of the vector that a slot refers to.
func children(t *flatbuffers.Table, slot flatbuffers.VOffsetT, visit func(*flatbuffers.Table) error) error {
	o := flatbuffers.UOffsetT(t.Offset(slot))
	if o == 0 {
		return nil
	}
	start := t.Vector(o)
	for i := range t.VectorLen(o) {
		item := flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(start + flatbuffers.UOffsetT(i)*4)}
		if err := visit(&item); err != nil {
			return err
		}
	}
	return nil
}

// schemaCost counts what the library would do with a schema. Offsets may share
// targets, so a small flatbuffer can unfold into a huge tree.
type schemaCost struct {
	fields int
	text   int
}

func checkSchema(schema *flatbuffers.Table) error {
	cost := &schemaCost{}
	err := children(schema, schemaFields, func(f *flatbuffers.Table) error { return cost.field(f, 0) })
	if err != nil {
		return err
	}
	return children(schema, schemaMetadata, cost.metadata)
}

func (c *schemaCost) field(f *flatbuffers.Table, depth int) error {
	if c.fields++; c.fields > maxFields || depth > maxDepth {
		return beyond("has more than %d columns, or columns nested more than %d deep", maxFields, maxDepth)
	}
	if kind := f.GetByteSlot(fieldKind, 0); !plainType(kind) {
		return malformed("a column has the type %d, which is not read", kind)
	}
	if err := c.string(f, fieldName); err != nil {
		return err
	}
	if err := children(f, fieldMeta, c.metadata); err != nil {
		return err
	}
	if data, ok := child(f, fieldType); ok && f.GetByteSlot(fieldKind, 0) == typeTimestamp {
		if err := c.string(&data, timestampZone); err != nil {
			return err
		}
	}
	return children(f, fieldChildren, func(f *flatbuffers.Table) error { return c.field(f, depth+1) })
}

func (c *schemaCost) metadata(kv *flatbuffers.Table) error {
	if err := c.string(kv, keyValueKey); err != nil {
		return err
	}
	return c.string(kv, keyValueValue)
}

func (c *schemaCost) string(t *flatbuffers.Table, slot flatbuffers.VOffsetT) error {
	c.text += 32 // what an empty one costs
	if o := flatbuffers.UOffsetT(t.Offset(slot)); o != 0 {
		c.text += t.VectorLen(o)
	}
	if c.text > maxText {
		return beyond("has more than %d bytes of names and metadata", maxText)
	}
	return nil
}

// Types of Schema.fbs.
const (
	typeNull, typeUnion, typeLargeList = 1, 14, 21

	typeTimestamp, timestampZone = 10, 6
)

// plainType leaves out unions, run-end encodings and views: the library takes
// memory by counts that their metadata claims.
func plainType(kind byte) bool {
	return typeNull <= kind && kind <= typeLargeList && kind != typeUnion
}

// checkBatch adds up what the buffers of a batch will take. Buffers may
// overlap, so the sum is bounded and not only each.
func checkBatch(batch *flatbuffers.Table, body []byte, most int64) error {
	if rows := batch.GetInt64Slot(batchLength, 0); rows < 0 || rows > MaxRows {
		return beyond("has a batch of %d rows; the most is %d", rows, MaxRows)
	}
	o := flatbuffers.UOffsetT(batch.Offset(batchBuffers))
	if o == 0 {
		return nil
	}
	codec, compressed := child(batch, batchCodec)
	at := batch.Vector(o)
	total := int64(0)
	for range batch.VectorLen(o) {
		packed, err := bufferAt(body, batch.GetInt64(at), batch.GetInt64(at+8))
		size := int64(len(packed))
		if err == nil && compressed && size > 0 {
			size, err = unpackedSize(packed, codec.GetByteSlot(codecKind, 0), most)
		}
		if err != nil {
			return err
		}
		if total += size; total > most {
			return beyond("needs more than %d MiB of memory", most>>20)
		}
		at += 16
	}
	return nil
}

func bufferAt(body []byte, offset, length int64) ([]byte, error) {
	if offset < 0 || length < 0 || offset > int64(len(body)) || length > int64(len(body))-offset {
		return nil, malformed("a buffer lies outside of its body")
	}
	return body[offset : offset+length], nil
}

// unpackedSize gives what a compressed buffer takes when read. It begins with
// its decompressed size, int64 LE, or -1 where it is not compressed.
func unpackedSize(packed []byte, codec byte, most int64) (int64, error) {
	if len(packed) < 8 {
		return 0, malformed("a compressed buffer has no size")
	}
	size := int64(binary.LittleEndian.Uint64(packed))
	if size == -1 {
		return int64(len(packed)), nil
	}
	if size < 0 || size > most {
		return 0, beyond("has a buffer of %d bytes when decompressed", uint64(size))
	}
	if codec == codecZstd {
		return size, checkWindow(packed[8:])
	}
	return size, nil
}

// checkWindow refuses a zstd frame whose window would take more memory than a
// whole stream may.
func checkWindow(packed []byte) error {
	var h zstd.Header
	if err := h.Decode(packed); err != nil {
		return malformed("a buffer is not zstd: %v", err)
	}
	if h.WindowSize > MaxMemory || h.FrameContentSize > MaxMemory {
		return beyond("has a zstd window over %d MiB", MaxMemory>>20)
	}
	return nil
}
