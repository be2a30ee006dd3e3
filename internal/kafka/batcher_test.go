package kafka

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/arrowipc"
	"rollcall/internal/test/bombtest"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/segmentio/kafka-go"
)

// packed makes a stream of n like events that compresses to very little, as
// one record batch for each of the parts. Change is called for each row.
func packed(t *testing.T, parts, n int, change func(i int, e *rollcall.Event)) []byte {
	t.Helper()
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(arrowipc.Schema()), ipc.WithZstd())
	for part := range parts {
		b := array.NewRecordBuilder(memory.DefaultAllocator, arrowipc.Schema())
		for i := range n {
			e := events(0, 1)[0]
			if change != nil {
				change(part*n+i, &e)
			}
			addRow(t, b, &e)
		}
		if err := w.Write(b.NewRecord()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func addRow(t *testing.T, b *array.RecordBuilder, e *rollcall.Event) {
	b.Field(0).(*array.TimestampBuilder).Append(arrow.Timestamp(e.Time.UnixNano()))
	b.Field(1).AppendNull()
	for i, s := range []string{string(e.Market), string(e.Service), e.Location.String(), e.Kind.String()} {
		if err := b.Field(2 + i).(*array.BinaryDictionaryBuilder).AppendString(s); err != nil {
			t.Fatal(err)
		}
	}
	for i := 6; i < 10; i++ {
		b.Field(i).AppendNull() // panel, platform, segment, precision
	}
	b.Field(10).(*array.Uint64Builder).Append(uint64(e.Visitor))
	b.Field(11).(*array.Uint64Builder).Append(uint64(e.Key))
}

func testBatcher(t *testing.T) *batcher {
	s := &Source{opt: SourceOptions{Options: options(t)}, free: make(chan *rollcall.Batch, 1)}
	return newBatcher(s, 3)
}

func message(value []byte, contentType string) *kafka.Message {
	return &kafka.Message{
		Offset: 7, Value: value, Time: now(),
		Headers: []kafka.Header{{Key: headerType, Value: []byte(contentType)}},
	}
}

// A small record may hold very many rows: they come in several batches.
func TestLargeRecordIsSplit(t *testing.T) {
	in := testBatcher(t)
	const n = batchRows*2 + 10
	value := packed(t, 1, n, func(i int, e *rollcall.Event) { e.Visitor = rollcall.Visitor(i) })
	var sizes []int
	total := 0
	for more := in.open(message(value, arrowipc.ContentType)); more; {
		more = in.read()
		b := in.batch
		if more {
			b = in.give()
		}
		sizes = append(sizes, b.Len())
		for i := range b.Len() {
			if b.Visitor[i] != uint64(total) || b.Event(i).Group != events(0, 1)[0].Group {
				t.Fatalf("row %d is %v", total, b.Event(i))
			}
			total++
		}
	}
	if !slices.Equal(sizes, []int{batchRows, batchRows, 10}) || len(in.rejects) > 0 {
		t.Errorf("%d rows came as %v, with %d rejects", n, sizes, len(in.rejects))
	}
}

// Where a stream breaks off, nothing of it is used if nothing was handed on,
// and all of it is kept.
func TestBrokenStreamIsRefusedWhole(t *testing.T) {
	value := packed(t, 2, 1000, nil)
	value = value[:len(value)-200]
	in := testBatcher(t)
	in.batch.Add(&events(5, 1)[0])
	for more := in.open(message(value, arrowipc.ContentType)); more; more = in.read() {
	}
	if in.batch.Len() != 1 || in.batch.Visitor[0] != 5 {
		t.Errorf("the batch has %d rows after a broken stream", in.batch.Len())
	}
	if len(in.rejects) != 1 || !bytes.Equal(in.rejects[0].Body, value) || in.rejects[0].Source != "3@7" {
		t.Errorf("a broken stream left %d rejects", len(in.rejects))
	}
}

// Very many bad rows in a small record become one reject, and good rows stay.
func TestManyBadRowsAreKeptAsOneRecord(t *testing.T) {
	value := packed(t, 2, rowRejects, func(i int, e *rollcall.Event) {
		if i%2 == 0 || i > rowRejects {
			e.Time = now().Add(time.Hour)
		}
	})
	in := testBatcher(t)
	in.open(message([]byte("before"), "text/plain"))
	for more := in.open(message(value, arrowipc.ContentType)); more; more = in.read() {
	}
	if in.batch.Len() != rowRejects/2 {
		t.Errorf("%d good rows stayed", in.batch.Len())
	}
	if len(in.rejects) != 2 || !bytes.Equal(in.rejects[1].Body, value) || in.rejects[1].Code != "future" {
		t.Errorf("%d rejects were kept", len(in.rejects))
	}
	if want := len("before") + len(value); in.bytes != want {
		t.Errorf("the rejects have %d bytes, counted as %d", want, in.bytes)
	}
}

// The comparison that spares most rows a check must agree with it.
func TestTimeChecksAgree(t *testing.T) {
	day := 24 * time.Hour
	const none = -2 // no until
	for _, backfill := range []bool{false, true} {
		for _, at := range []time.Duration{-rollcall.MaxAge - 1, -rollcall.MaxAge, -day, 0, rollcall.MaxAhead, rollcall.MaxAhead + 1, rollcall.MaxAheadDay, rollcall.MaxAheadDay + 1, 300 * 365 * day} {
			for _, length := range []time.Duration{none, -1, 0, 1, time.Minute, rollcall.MaxEvent, rollcall.MaxEvent + 1} {
				e := events(1, 1)[0]
				e.Panel = ""
				e.Time = now().Add(at)
				if length != none {
					e.Until = e.Time.Add(length)
				}
				for _, e.Precision = range []rollcall.Precision{rollcall.ToMinute, rollcall.ToDay} {
					requireSameVerdict(t, e, backfill)
				}
			}
		}
	}
}

// requireSameVerdict reads an event as a row, and holds what becomes of it to
// what an event's own checks say.
func requireSameVerdict(t *testing.T, e rollcall.Event, backfill bool) {
	t.Helper()
	m := message(encoded(t, e), arrowipc.ContentType)
	if backfill {
		m.Headers = append(m.Headers, kafka.Header{Key: headerBackfill, Value: []byte("1")})
	}
	in := testBatcher(t)
	for more := in.open(m); more; more = in.read() {
	}
	want := e.Validate()
	if want == nil && !backfill {
		want = e.Age(m.Time)
	}
	if (want == nil) != (in.batch.Len() == 1) || (want == nil) != (len(in.rejects) == 0) {
		t.Errorf("time %v, until %v, precision %q, backfill %v: %d rows, %d rejects; its own checks say %v",
			e.Time, e.Until, e.Precision, backfill, in.batch.Len(), len(in.rejects), want)
	}
}

func encoded(t testing.TB, list ...rollcall.Event) []byte {
	t.Helper()
	enc := arrowipc.NewEncoder()
	for i := range list {
		enc.Add(&list[i])
	}
	b, err := enc.Stream()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHeaders(t *testing.T) {
	m := message(nil, "Application/JSON; charset=utf-8")
	m.Headers = append(m.Headers, kafka.Header{Key: headerBackfill, Value: []byte("1")}, kafka.Header{Key: "other"})
	if kind, backfill, resent := headersOf(m); kind != "application/json" || !backfill || resent {
		t.Errorf("the headers say %q, backfill %v, resent %v", kind, backfill, resent)
	}
	if kind, backfill, resent := headersOf(&kafka.Message{}); kind != "" || backfill || resent {
		t.Errorf("no headers say %q, backfill %v, resent %v", kind, backfill, resent)
	}
}

// What the events' ages are judged by must be a time.
func TestRecordsTimestamp(t *testing.T) {
	value := encoded(t, events(1, 1)...)
	for reason, at := range map[string]time.Time{
		"record: the record has no timestamp":        {},
		`record's timestamp "54711-07-15T00:00:00Z"`: time.Date(54711, 7, 15, 0, 0, 0, 0, time.UTC),   // microseconds taken for milliseconds
		`record's timestamp "1970-01-12T17:46:40Z"`:  time.Date(1970, 1, 12, 17, 46, 40, 0, time.UTC), // seconds
	} {
		for _, kind := range []string{arrowipc.ContentType, "application/json"} {
			m := message(value, kind)
			m.Time = at
			b := testBatcher(t)
			for more := b.open(m); more; more = b.read() {
			}
			if b.batch.Len() != 0 || len(b.rejects) != 1 || b.rejects[0].Code != "timestamp" || !strings.Contains(b.rejects[0].Reason, reason) {
				t.Errorf("%s, of %v: %d rows, rejects %+v", kind, at, b.batch.Len(), b.rejects)
			}
		}
	}
}

func BenchmarkBatcher(b *testing.B) {
	s := &Source{opt: SourceOptions{Options: Options{Now: now}}, free: make(chan *rollcall.Batch, 1)}
	in := newBatcher(s, 0)
	list := events(0, 6000)
	m := message(encoded(b, list...), arrowipc.ContentType)
	b.SetBytes(int64(len(m.Value)))
	b.ReportAllocs()
	for b.Loop() {
		for more := in.open(m); more; more = in.read() {
		}
		if in.batch.Len() != len(list) {
			b.Fatal(in.batch.Len())
		}
		in.drop()
	}
	b.ReportMetric(float64(len(list)*b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

// BenchmarkSingles takes records of one event each, from a batch's bytes on.
func BenchmarkSingles(b *testing.B) {
	const many = 5000
	value := `{"time":"2002-10-03T18:22:05Z","market":"FR","service":"msn","location":"home","kind":"use","account":"someone.12345@example.org"}`
	raw := bombtest.Batch(0, many, bytes.Repeat(headed(value, headerType, jsonType), many))
	list := events(0, 1)
	s := &Source{opt: SourceOptions{Options: Options{Now: now}, Decode: func(to []rollcall.Event, _ []byte, _ string, _ time.Time, _ bool) ([]rollcall.Event, error) {
		return append(to, list...), nil
	}}, free: make(chan *rollcall.Batch, 1)}
	in := newBatcher(s, 0)
	b.ReportAllocs()
	for b.Loop() {
		head, err := cutBatch(raw)
		if err != nil {
			b.Fatal(err)
		}
		records, err := head.open(new(codecs))
		if err != nil {
			b.Fatal(err)
		}
		for m := range records.each(0) {
			m.Time = now()
			in.open(&m)
		}
		if in.batch.Len() != many {
			b.Fatal(in.batch.Len(), in.rejects[0].Reason)
		}
		in.drop()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(many*b.N), "ns/record")
}
