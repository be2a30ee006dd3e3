package arrowipc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"rollcall"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	flatbuffers "github.com/google/flatbuffers/go"
)

func isCode(err error, code string) bool {
	e := new(rollcall.Invalid)
	return errors.As(err, &e) && e.Code == code
}

// frame makes a message of a flatbuffer and a body.
func frame(meta, body []byte) []byte {
	for len(meta)%8 != 0 {
		meta = append(meta, 0)
	}
	b := binary.LittleEndian.AppendUint32(nil, 0xffffffff)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(meta)))
	return append(append(b, meta...), body...)
}

// schemaMessage builds a schema message whose fields are made by build, which
// gives the vector's offset.
func schemaMessage(build func(*flatbuffers.Builder) flatbuffers.UOffsetT) []byte {
	b := flatbuffers.NewBuilder(0)
	fields := build(b)
	b.StartObject(4)
	b.PrependUOffsetTSlot(1, fields, 0)
	schema := b.EndObject()
	b.StartObject(5)
	b.PrependInt16Slot(0, 4, 0)
	b.PrependByteSlot(1, kindSchema, 0)
	b.PrependUOffsetTSlot(2, schema, 0)
	b.Finish(b.EndObject())
	return frame(b.FinishedBytes(), nil)
}

// tangle makes a schema in which each field has two children, both the same
// next field: 2^depth fields in a few bytes each.
func tangle(depth int) []byte {
	return schemaMessage(func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
		child := structField(b, 0, 0)
		for range depth {
			child = structField(b, child, 2)
		}
		return vector(b, child, 1)
	})
}

// wide makes a schema whose one field stands many times.
func wide(n int) []byte {
	return schemaMessage(func(b *flatbuffers.Builder) flatbuffers.UOffsetT { return vector(b, structField(b, 0, 0), n) })
}

func structField(b *flatbuffers.Builder, child flatbuffers.UOffsetT, times int) flatbuffers.UOffsetT {
	children := vector(b, child, times)
	name := b.CreateString("x")
	b.StartObject(0)
	kind := b.EndObject()
	b.StartObject(7)
	b.PrependUOffsetTSlot(0, name, 0)
	b.PrependByteSlot(2, 13, 0)
	b.PrependUOffsetTSlot(3, kind, 0)
	b.PrependUOffsetTSlot(5, children, 0)
	return b.EndObject()
}

func vector(b *flatbuffers.Builder, item flatbuffers.UOffsetT, times int) flatbuffers.UOffsetT {
	b.StartVector(4, times, 4)
	for range times {
		b.PrependUOffsetT(item)
	}
	return b.EndVector(times)
}

// talkative makes a schema whose metadata names one long text many times.
func talkative() []byte {
	b := flatbuffers.NewBuilder(0)
	text := b.CreateString(strings.Repeat("a", 100<<10))
	b.StartObject(2)
	b.PrependUOffsetTSlot(0, text, 0)
	b.PrependUOffsetTSlot(1, text, 0)
	pair := b.EndObject()
	metadata := vector(b, pair, 10000)
	b.StartObject(4)
	b.PrependUOffsetTSlot(2, metadata, 0)
	schema := b.EndObject()
	b.StartObject(5)
	b.PrependByteSlot(1, kindSchema, 0)
	b.PrependUOffsetTSlot(2, schema, 0)
	b.Finish(b.EndObject())
	return frame(b.FinishedBytes(), nil)
}

// bomb makes a stream that is small and has very many rows of zeros.
func bomb(t testing.TB, rows int, opt ipc.Option) []byte {
	t.Helper()
	f := &foreign{options: []ipc.Option{opt}}
	zeros := make([]byte, rows*8)
	add := func(name string, dt arrow.DataType, buffers ...*memory.Buffer) {
		data := array.NewData(dt, rows, buffers, nil, 0, 0)
		f.fields = append(f.fields, arrow.Field{Name: name, Type: dt})
		f.columns = append(f.columns, array.MakeFromData(data))
	}
	buffer := memory.NewBufferBytes(zeros)
	add("time", arrow.FixedWidthTypes.Timestamp_ns, nil, buffer)
	add("visitor", arrow.PrimitiveTypes.Uint64, nil, buffer)
	add("key", arrow.PrimitiveTypes.Uint64, nil, buffer)
	for _, name := range []string{"market", "service", "location", "kind"} {
		offsets := memory.NewBufferBytes(zeros[:(rows+1)*4])
		add(name, arrow.BinaryTypes.String, nil, offsets, memory.NewBufferBytes(zeros[:8]))
	}
	return f.stream(t)
}

// twisted makes a good stream whose record batch's metadata is changed.
func twisted(t testing.TB, change func(meta []byte)) []byte {
	t.Helper()
	stream := encode(t, someEvents(100))
	at := 0
	for {
		size := int(binary.LittleEndian.Uint32(stream[at+4:]))
		if size == 0 {
			t.Fatal("the stream has no record batch")
		}
		meta := stream[at+8 : at+8+size]
		root := flatbuffers.Table{Bytes: meta, Pos: flatbuffers.GetUOffsetT(meta)}
		if root.GetByteSlot(messageKind, 0) == kindBatch {
			change(meta)
			return stream
		}
		at += 8 + size + int(root.GetInt64Slot(messageBody, 0))
	}
}

// setBuffers sets the offset or length of every buffer of a record batch.
func setBuffers(place int, value int64) func([]byte) {
	return func(meta []byte) {
		root := flatbuffers.Table{Bytes: meta, Pos: flatbuffers.GetUOffsetT(meta)}
		batch, _ := child(&root, messageHeader)
		o := flatbuffers.UOffsetT(batch.Offset(batchBuffers))
		at := batch.Vector(o)
		for range batch.VectorLen(o) {
			binary.LittleEndian.PutUint64(meta[int(at)+place:], uint64(value))
			at += 16
		}
	}
}

// setRows sets how many rows a record batch claims.
func setRows(rows int64) func([]byte) {
	return func(meta []byte) {
		root := flatbuffers.Table{Bytes: meta, Pos: flatbuffers.GetUOffsetT(meta)}
		batch, _ := child(&root, messageHeader)
		o := batch.Offset(batchLength)
		binary.LittleEndian.PutUint64(meta[int(batch.Pos)+int(o):], uint64(rows))
	}
}

// manyValues makes a stream with so many services.
func manyValues(t testing.TB, n int, dt arrow.DataType) []byte {
	f := &foreign{}
	list := make([]string, n)
	numbers := make([]uint64, n)
	times := make([]int64, n)
	for i := range list {
		list[i], times[i] = "s"+strconv.Itoa(i), 1033669325
	}
	f.add("service", dt, textOfAll(list...))
	for _, name := range []string{"market", "location", "kind"} {
		f.add(name, arrow.BinaryTypes.String, func(b array.Builder) {
			for range n {
				if err := b.AppendValueFromString("home"); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	f.add("visitor", arrow.PrimitiveTypes.Uint64, numbersOfAll(numbers...))
	f.add("key", arrow.PrimitiveTypes.Uint64, numbersOfAll(numbers...))
	f.add("time", arrow.FixedWidthTypes.Timestamp_s, timesOfAll(times...))
	return f.stream(t)
}

// malformedStreams is the table of what must be refused: each with the code of
// its error. It seeds the fuzz test.
func malformedStreams(t testing.TB) map[string]struct {
	stream []byte
	code   string
} {
	good := encode(t, someEvents(100))
	type entry = struct {
		stream []byte
		code   string
	}
	with := func(at int, v uint32) []byte {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint32(b[at:], v)
		return b
	}
	return map[string]entry{
		"nothing":             {nil, codeMalformed},
		"a byte":              {[]byte{1}, codeMalformed},
		"an end":              {[]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, codeMalformed},
		"text":                {[]byte("time,until,market\n"), codeMalformed},
		"a file":              {append([]byte("ARROW1\x00\x00"), good...), codeMalformed},
		"half":                {good[:len(good)/2], codeMalformed},
		"cut in a length":     {good[:6], codeMalformed},
		"cut in the schema":   {good[:60], codeMalformed},
		"a schema of 4 GiB":   {with(4, 0xffffffff), codeMalformed},
		"a schema of 2 GiB":   {with(4, 0x7fffffff), codeMalformed},
		"a root far away":     {with(8, 0x7fffffff), codeMalformed},
		"a body cut":          {good[:len(good)-100], codeMalformed},
		"2^40 fields":         {tangle(40), codeLimit},
		"a million fields":    {wide(1e6), codeLimit},
		"a gigabyte of names": {talkative(), codeLimit},
		"5 million rows":      {bomb(t, 5e6, ipc.WithZstd()), codeLimit},
		"a zstd bomb":         {bomb(t, 4e6, ipc.WithZstd()), codeLimit},
		"an lz4 bomb":         {bomb(t, 4e6, ipc.WithLZ4()), codeLimit},
		"2^60 rows":           {twisted(t, setRows(1<<60)), codeLimit},
		"negative rows":       {twisted(t, setRows(-1)), codeLimit},
		"more rows":           {twisted(t, setRows(101)), codeMalformed},
		"buffers far away":    {twisted(t, setBuffers(0, 1<<40)), codeMalformed},
		"negative offsets":    {twisted(t, setBuffers(0, -8)), codeMalformed},
		"endless buffers":     {twisted(t, setBuffers(8, 1<<62)), codeMalformed},
		"negative lengths":    {twisted(t, setBuffers(8, -1)), codeMalformed},
		"short buffers":       {twisted(t, setBuffers(8, 8)), codeMalformed},
		"5,000 services":      {manyValues(t, 5000, arrow.BinaryTypes.String), codeLimit},
		"5,000 in a dictionary": {
			manyValues(t, 5000, dictionaryOf(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String)), codeLimit,
		},
		"an index past the end": {wrongIndex(t, 3), codeMalformed},
		"a negative index":      {wrongIndex(t, -1), codeMalformed},
		"a union":               {unionStream(t), codeMalformed},
		"views":                 {viewStream(t), codeMalformed},
	}
}

func wrongIndex(t testing.TB, index int8) []byte {
	text := dictionaryOf(arrow.PrimitiveTypes.Int8, arrow.BinaryTypes.String)
	f := threeRows(text, arrow.Second)
	for i := range f.fields {
		if f.fields[i].Name == "service" {
			d := f.columns[i].(*array.Dictionary)
			b := array.NewInt8Builder(memory.DefaultAllocator)
			b.AppendValues([]int8{0, index, 0}, nil)
			data := array.NewDataWithDictionary(text, 3, b.NewArray().Data().Buffers(), 0, 0, d.Dictionary().Data().(*array.Data))
			f.columns[i] = array.MakeFromData(data)
		}
	}
	return f.stream(t)
}

func unionStream(t testing.TB) []byte {
	f := threeRows(arrow.BinaryTypes.String, arrow.Second)
	dt := arrow.SparseUnionOf([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int8}}, []arrow.UnionTypeCode{0})
	f.add("u", dt, func(b array.Builder) { b.AppendNulls(3) })
	return f.stream(t)
}

func viewStream(t testing.TB) []byte {
	f := threeRows(arrow.BinaryTypes.String, arrow.Second)
	f.add("v", arrow.BinaryTypes.StringView, textOfAll("a", "b", "c"))
	return f.stream(t)
}

func TestMalformed(t *testing.T) {
	d := NewDecoder()
	good := encode(t, someEvents(10))
	for name, m := range malformedStreams(t) {
		var c collect
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := c.read(d, m.stream, 1<<16)
		runtime.ReadMemStats(&after)
		if !isCode(err, m.code) {
			t.Errorf("%s: read gave %v, not code %s", name, err, m.code)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 4*MaxMemory {
			t.Errorf("%s: reading took %d MiB", name, used>>20)
		}
		var next collect
		if err := next.read(d, good, 100); err != nil || next.batch.Len() != 10 {
			t.Errorf("%s: the decoder is of no more use: %v", name, err)
		}
	}
}

// A stream of very many groups is as fast as any: no step looks through them.
func TestManyGroups(t *testing.T) {
	e := NewEncoder()
	list := someEvents(60000)
	for i := range list {
		list[i].Key = rollcall.KeyID(i)
		e.Add(&list[i])
	}
	stream, err := e.Stream()
	if err != nil {
		t.Fatal(err)
	}
	var c collect
	if err := c.read(NewDecoder(), stream, 1<<16); err != nil {
		t.Fatal(err)
	}
	c.expect(t, list)

	for i := range MaxGroups + 1 {
		list[0].Key = rollcall.KeyID(i)
		e.Add(&list[0])
	}
	if stream, err = e.Stream(); err != nil {
		t.Fatal(err)
	}
	if err := new(collect).read(NewDecoder(), stream, 1<<20); !isCode(err, codeLimit) {
		t.Errorf("a stream of %d groups gave %v", MaxGroups+1, err)
	}
}

// Large dictionaries don't fit the table of combinations.
func TestLargeDictionaries(t *testing.T) {
	list := someEvents(3000)
	for i := range list {
		list[i].Market = rollcall.MarketID("m" + strconv.Itoa(i%60))
		list[i].Service = rollcall.ServiceID("s" + strconv.Itoa(i%2000))
	}
	var c collect
	if err := c.read(NewDecoder(), encode(t, list), 1000); err != nil {
		t.Fatal(err)
	}
	c.expect(t, list)
}

func TestEncoderFull(t *testing.T) {
	e := NewEncoder()
	ev := someEvents(1)[0]
	for i := 0; !e.Full(); i++ {
		ev.Service = rollcall.ServiceID("s" + strconv.Itoa(i))
		e.Add(&ev)
	}
	n := e.Len()
	stream, err := e.Stream()
	if err != nil {
		t.Fatal(err)
	}
	var c collect
	if err := c.read(NewDecoder(), stream, 1<<20); err != nil || c.batch.Len() != n {
		t.Errorf("of a full encoder's %d events %d are read: %v", n, c.batch.Len(), err)
	}
	if e.Full() || e.Len() != 0 {
		t.Error("an encoder is full after its stream was taken")
	}
}

// Random damage must not stop the decoder, nor leave it of no use.
func TestDamage(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	d := NewDecoder()
	events := someEvents(20)
	good := encode(t, events)
	for range 3000 {
		b := bytes.Clone(good)
		for range 1 + rng.IntN(4) {
			b[rng.IntN(len(b))] = byte(rng.Uint32())
		}
		readAnything(t, d, b)
	}
	var c collect
	if err := c.read(d, good, 100); err != nil {
		t.Fatal(err)
	}
	c.expect(t, events)
}

// readAnything reads a stream that may be anything, and checks what must hold
// of any.
func readAnything(t *testing.T, d *Decoder, stream []byte) {
	t.Helper()
	var c collect
	err := c.read(d, stream, 1000)
	if err != nil && !errors.Is(err, rollcall.ErrInvalid) {
		t.Fatalf("the error %v is not of the input", err)
	}
	b := &c.batch
	if len(b.Time) != b.Len() || len(b.Until) != b.Len() || len(b.Visitor) != b.Len() {
		t.Fatalf("the batch has %d, %d, %d and %d rows", b.Len(), len(b.Time), len(b.Until), len(b.Visitor))
	}
	for _, code := range b.Code {
		if int(code) >= len(b.Groups) {
			t.Fatalf("a row has the group %d of %d", code, len(b.Groups))
		}
	}
	if b.Len()+len(c.errs) > MaxRows {
		t.Fatalf("%d rows came", b.Len()+len(c.errs))
	}
	if _, err := d.Read(b, 1, Sink{Code: c.code, Bad: c.bad}); err == nil {
		t.Fatal("an ended stream gives more rows")
	} else if !errors.Is(err, io.EOF) && !errors.Is(err, rollcall.ErrInvalid) {
		t.Fatal(err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, m := range malformedStreams(f) {
		if len(m.stream) < 1<<20 {
			f.Add(m.stream)
		}
	}
	f.Add(encode(f, someEvents(3)))
	for _, text := range []arrow.DataType{arrow.BinaryTypes.String, dictionaryOf(arrow.PrimitiveTypes.Int8, arrow.BinaryTypes.String)} {
		s := threeRows(text, arrow.Second)
		s.options = []ipc.Option{ipc.WithZstd()}
		f.Add(s.stream(f))
	}
	d := NewDecoder()
	f.Fuzz(func(t *testing.T, stream []byte) {
		readAnything(t, d, stream)
	})
}

func FuzzParseRow(f *testing.F) {
	for _, e := range someEvents(3) {
		row := RowOf(&e)
		f.Add(row.JSON())
	}
	f.Add([]byte(`{"time":"x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := ParseRow(body)
		if err != nil {
			if !errors.Is(err, rollcall.ErrInvalid) {
				t.Fatalf("the error %v is not of the input", err)
			}
			return
		}
		row := RowOf(&e)
		if again, err := ParseRow(row.JSON()); err == nil && !again.Time.Equal(e.Time) {
			t.Fatalf("%s is %v, then %v", body, e, again)
		}
	})
}
