package columnar_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/columnar"
)

// slice is a log in memory.
type slice struct {
	events   []rollcall.Event
	rejected []rollcall.Rejected
}

func (s *slice) Append(_ context.Context, events *rollcall.Batch) error {
	s.events = append(s.events, events.Events()...)
	return nil
}

func (s *slice) Reject(_ context.Context, rejected []rollcall.Rejected) error {
	s.rejected = append(s.rejected, rejected...)
	return nil
}

func converter(tb testing.TB) *ingest.Converter {
	tb.Helper()
	keys, err := ingest.NewKeys(ingest.Master{Secret: bytes.Repeat([]byte("k"), ingest.MasterSize)})
	if err != nil {
		tb.Fatal(err)
	}
	catalogue, err := rollcall.NewCatalogue(
		[]rollcall.Market{{ID: "FR", Name: "France", Zone: "Europe/Paris"}},
		[]rollcall.Service{{ID: "msn", Name: "MSN Messenger"}, {ID: "aim", Name: "AIM"}})
	if err != nil {
		tb.Fatal(err)
	}
	return &ingest.Converter{
		Keys:      keys,
		Catalogue: func() *rollcall.Catalogue { return catalogue },
		Now:       func() time.Time { return time.Date(2002, 11, 1, 0, 0, 0, 0, time.UTC) },
	}
}

// column is one column of a table under test; nil values are null.
type column struct {
	name   string
	as     arrow.DataType
	values []any
}

func text(name string, values ...any) column { return column{name, arrow.BinaryTypes.String, values} }

func dictionary(of arrow.DataType) arrow.DataType {
	return &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: of}
}

// stream writes one record batch as an Arrow IPC stream.
func stream(tb testing.TB, columns []column, options ...ipc.Option) []byte {
	tb.Helper()
	var fields []arrow.Field
	var arrays []arrow.Array
	for _, c := range columns {
		fields = append(fields, arrow.Field{Name: c.name, Type: c.as, Nullable: true})
		b := array.NewBuilder(memory.DefaultAllocator, c.as)
		for _, v := range c.values {
			put(tb, b, v)
		}
		arrays = append(arrays, b.NewArray())
	}
	schema := arrow.NewSchema(fields, nil)
	var out bytes.Buffer
	w := ipc.NewWriter(&out, append(options, ipc.WithSchema(schema))...)
	if err := w.Write(array.NewRecord(schema, arrays, int64(len(columns[0].values)))); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func put(tb testing.TB, b array.Builder, value any) {
	tb.Helper()
	if value == nil {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.StringBuilder:
		b.Append(value.(string))
	case *array.LargeStringBuilder:
		b.Append(value.(string))
	case *array.BinaryBuilder:
		b.AppendString(value.(string))
	case *array.BinaryDictionaryBuilder:
		if err := b.AppendString(value.(string)); err != nil {
			tb.Fatal(err)
		}
	case *array.TimestampBuilder:
		at, err := arrow.TimestampFromTime(value.(time.Time), b.Type().(*arrow.TimestampType).Unit)
		if err != nil {
			tb.Fatal(err)
		}
		b.Append(at)
	case *array.Int64Builder:
		b.Append(value.(int64))
	default:
		tb.Fatalf("no %T in these tests", b)
	}
}

var at = time.Date(2002, 10, 3, 18, 22, 5, 0, time.UTC)

// two rows: one of the census, one of the panel.
func two(unit arrow.TimeUnit, words arrow.DataType) []column {
	stamp := &arrow.TimestampType{Unit: unit, TimeZone: "UTC"}
	return []column{
		{"panelist", words, []any{nil, "P0001"}},
		{"account", words, []any{"someone@hotmail.com", nil}},
		text("colour", "red", "green"),
		{"kind", words, []any{"login", "use"}},
		{"until", stamp, []any{nil, at.Add(time.Hour)}},
		{"market", words, []any{"FR", "FR"}},
		{"panel", words, []any{nil, "nn"}},
		{"location", words, []any{"home", "work"}},
		{"service", words, []any{"msn", "aim"}},
		{"time", stamp, []any{at, at}},
	}
}

// lines are the same two rows.
const lines = `{"time":"2002-10-03T18:22:05Z","market":"FR","service":"msn","location":"home","kind":"login","account":"someone@hotmail.com"}
{"time":"2002-10-03T18:22:05Z","until":"2002-10-03T19:22:05Z","market":"FR","service":"aim","location":"work","kind":"use","panel":"nn","panelist":"P0001"}
`

func take(tb testing.TB, body []byte) (*slice, ingest.Counts, error) {
	tb.Helper()
	log := &slice{}
	in := ingest.NewBatcher(converter(tb), log, "test", false)
	err := new(columnar.Streams).Take(tb.Context(), in, bytes.NewReader(body))
	return log, in.Counts, err
}

func wanted(t *testing.T) []rollcall.Event {
	t.Helper()
	log := &slice{}
	in := ingest.NewBatcher(converter(t), log, "test", false)
	if err := ingest.NDJSON(t.Context(), in, strings.NewReader(lines)); err != nil || len(log.events) != 2 {
		t.Fatal(in.Counts, err)
	}
	return log.events
}

func TestStreamGivesWhatNDJSONGives(t *testing.T) {
	want := wanted(t)
	types := []arrow.DataType{
		arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.Binary,
		dictionary(arrow.BinaryTypes.String), dictionary(arrow.BinaryTypes.Binary),
	}
	for _, unit := range []arrow.TimeUnit{arrow.Second, arrow.Millisecond, arrow.Microsecond, arrow.Nanosecond} {
		for _, words := range types {
			for name, options := range map[string][]ipc.Option{"plain": nil, "lz4": {ipc.WithLZ4()}, "zstd": {ipc.WithZstd()}} {
				log, counts, err := take(t, stream(t, two(unit, words), options...))
				if err != nil || !slices.Equal(log.events, want) || counts.Read != 2 || counts.Accepted != 2 {
					t.Errorf("%v, %v, %s: %v, %v, %v; want %v", unit, words, name, log.events, counts, err, want)
				}
			}
		}
	}
}

func TestStreamReadsTimesAsText(t *testing.T) {
	columns := two(arrow.Second, arrow.BinaryTypes.String)
	for i := range columns {
		switch columns[i].name {
		case "time":
			columns[i] = text("time", "2002-10-03T20:22:05+02:00", "2002-10-03T18:22:05.000Z")
		case "until":
			columns[i] = text("until", nil, "2002-10-03T19:22:05Z")
		}
	}
	log, _, err := take(t, stream(t, columns))
	if err != nil || !slices.Equal(log.events, wanted(t)) {
		t.Fatal(log.events, err)
	}
}

func TestStreamRefusesBadRowsAndKeepsTheOthers(t *testing.T) {
	stamp := &arrow.TimestampType{Unit: arrow.Millisecond}
	body := stream(t, []column{
		{"time", stamp, []any{at, nil, at, at, at, at}},
		{"until", stamp, []any{nil, nil, at.Add(-time.Minute), nil, nil, nil}},
		text("market", "FR", "FR", "FR", "XX", "FR", "FR"),
		text("service", "msn", "msn", "msn", "msn", nil, "msn"),
		text("location", "home", "home", "home", "home", "home", "moon"),
		text("kind", "use", "use", "use", "use", "use", "use"),
		text("account", "a@x", "b@x", "c@x", "d@x", "e@x", "f@x"),
	})
	log, counts, err := take(t, body)
	if err != nil || counts.Read != 6 || counts.Accepted != 1 || len(log.events) != 1 || len(log.rejected) != 5 {
		t.Fatal(counts, err)
	}
	want := []string{
		`2 time: is missing`,
		`3 until "2002-10-03T18:21:05Z": is before time`,
		"4 market: is not known; add it with `rollcall market add`",
		`5 service: is missing`,
		`6 location: is not home, work or elsewhere`,
	}
	for i, r := range log.rejected {
		if got := fmt.Sprint(r.Line, " ", r.Reason); got != want[i] {
			t.Errorf("refused %q; want %q", got, want[i])
		}
	}
	const raw = `{"time":"2002-10-03T18:22:05Z","until":"2002-10-03T18:21:05Z","market":"FR","service":"msn","account":"c@x","kind":"use","location":"home"}`
	if got := string(log.rejected[1].Body); got != raw {
		t.Errorf("kept %s; want %s", got, raw)
	}
	var again ingest.Fields
	if err := json.Unmarshal(log.rejected[3].Body, &again); err != nil || again.Account != "e@x" || again.Service != "" {
		t.Errorf("row 5 reads again as %+v, %v", again, err)
	}
}

// TestRefusedRowsAreBounded: what a dictionary has once is kept with each refused row,
// up to as much as a body of lines could be. The others are counted.
func TestRefusedRowsAreBounded(t *testing.T) {
	const rows, long, most = 100, 1_000_000, 64 << 20
	all := func(value any) []any { return slices.Repeat([]any{value}, rows) }
	body := stream(t, []column{
		{"time", &arrow.TimestampType{Unit: arrow.Millisecond}, all(at)},
		{"market", dictionary(arrow.BinaryTypes.String), all("XX")},
		{"evidence", dictionary(arrow.BinaryTypes.String), all(strings.Repeat("x", long))},
		text("service", all("msn")...), text("location", all("home")...), text("kind", all("use")...), text("account", all("a@x")...),
	})
	log, counts, err := take(t, body)
	const want = most/long + 1
	if err != nil || counts.Refused() != rows || len(log.rejected) != want || counts.Warnings[ingest.WarnNotKept] != rows-want {
		t.Errorf("%d refused, %d kept, %v; want %d kept; %v", counts.Refused(), len(log.rejected), counts.Warnings, want, err)
	}
}

func TestStreamRefusesTables(t *testing.T) {
	whole := stream(t, two(arrow.Second, arrow.BinaryTypes.String))
	without := func(names ...string) []byte {
		return stream(t, slices.DeleteFunc(two(arrow.Second, arrow.BinaryTypes.String), func(c column) bool {
			return slices.Contains(names, c.name)
		}))
	}
	for _, tt := range []struct {
		name, want string
		body       []byte
	}{
		{"nothing", `arrow: `, nil},
		{"text", `arrow: `, []byte(lines)},
		{"half", `arrow: a body of`, whole[:len(whole)-100]},
		{"no market, no kind", `column "market, kind": is missing`, without("market", "kind")},
		{"nobody", `column "account (or panel and panelist)": is missing`, without("account", "panel", "panelist")},
		{"half a panelist", `column "panel and panelist together": is missing`, without("account", "panel")},
		{"twice", `column "market": is there more than once`, stream(t, append(two(arrow.Second, arrow.BinaryTypes.String), text("market", "FR", "FR")))},
		{"a number", `column "id": has the type int64, which is not text`, stream(t, append(two(arrow.Second, arrow.BinaryTypes.String), column{"id", arrow.PrimitiveTypes.Int64, []any{int64(1), int64(2)}}))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log, counts, err := take(t, tt.body)
			if !errors.Is(err, rollcall.ErrInvalid) || !strings.HasPrefix(err.Error(), "after row 0: "+tt.want) {
				t.Errorf("error %v; want %q", err, tt.want)
			}
			if len(log.events)+counts.Read != 0 {
				t.Errorf("took %v", counts)
			}
		})
	}
}

func TestStreamKeepsRowsBeforeAFault(t *testing.T) {
	whole := stream(t, two(arrow.Second, arrow.BinaryTypes.String))
	mark := len(whole) - 8 // of the stream's end
	log, counts, err := take(t, append(slices.Clone(whole[:mark]), "\xff\xff\xff\xff\x7f\x00\x00\x00"...))
	if !errors.Is(err, rollcall.ErrInvalid) || counts.Accepted != 2 || len(log.events) != 2 {
		t.Fatal(counts, err)
	}
	if !strings.HasPrefix(err.Error(), "after row 2: ") {
		t.Error(err)
	}
}

func records(recs ...arrow.Record) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		for _, r := range recs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// batch makes a record of n rows of the panel and the census, one after the other.
func batch(tb testing.TB, n int, evidence string) arrow.Record {
	tb.Helper()
	columns := two(arrow.Millisecond, arrow.BinaryTypes.String)
	columns = append(columns, text("evidence", evidence, nil))
	for i := range columns {
		pair := columns[i].values
		columns[i].values = nil
		for j := range n {
			columns[i].values = append(columns[i].values, pair[j%2])
		}
	}
	r, err := ipc.NewReader(bytes.NewReader(stream(tb, columns)))
	if err != nil || !r.Next() {
		tb.Fatal(err)
	}
	return r.Record()
}

func TestBodiesAreReadAgainWhole(t *testing.T) {
	rec := batch(t, 40000, "seen")
	want := wanted(t)
	var sizes []int
	total := 0
	for body, err := range columnar.Bodies(records(rec, rec, rec, rec)) {
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, body.Rows)
		log, counts, err := take(t, body.Stream)
		if err != nil || counts.Accepted != body.Rows {
			t.Fatal(counts, err)
		}
		for i, e := range log.events {
			if e != want[(total+i)%2] {
				t.Fatalf("row %d is %v", total+i, e)
			}
		}
		total += body.Rows
	}
	if want := []int{65536, 65536, 28928}; !slices.Equal(sizes, want) {
		t.Errorf("bodies of %v rows; want %v", sizes, want)
	}
}

func TestBodiesAreBoundedByTheirText(t *testing.T) {
	rec := batch(t, 100, strings.Repeat("e", 1<<20))
	rows := 0
	for body, err := range columnar.Bodies(records(rec)) {
		if err != nil {
			t.Fatal(err)
		}
		if len(body.Stream) > 6<<20 {
			t.Errorf("a body of %d bytes", len(body.Stream))
		}
		rows += body.Rows
	}
	if rows != 100 {
		t.Errorf("%d rows", rows)
	}
}

func FuzzStream(f *testing.F) {
	for _, words := range []arrow.DataType{arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, dictionary(arrow.BinaryTypes.String)} {
		for _, options := range [][]ipc.Option{nil, {ipc.WithLZ4()}, {ipc.WithZstd()}} {
			whole := stream(f, two(arrow.Second, words), options...)
			f.Add(whole)
			f.Add(whole[:len(whole)/2])
			f.Add(whole[:len(whole)-9])
			for _, at := range []int{4, 12, len(whole) / 3, len(whole) / 2, len(whole) - 40, len(whole) - 200} {
				broken := slices.Clone(whole)
				broken[at] ^= 0xff
				f.Add(broken)
			}
		}
	}
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\x7f"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		log, counts, err := take(t, body)
		if err != nil && !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("error %v is not the sender's", err)
		}
		if counts.Accepted != len(log.events) || counts.Refused() != len(log.rejected) || counts.Read != counts.Accepted+counts.Refused() {
			t.Errorf("%v for %d events and %d refused", counts, len(log.events), len(log.rejected))
		}
	})
}

// nowhere is a log that keeps nothing.
type nowhere struct{}

func (nowhere) Append(context.Context, *rollcall.Batch) error     { return nil }
func (nowhere) Reject(context.Context, []rollcall.Rejected) error { return nil }

func BenchmarkStream(b *testing.B) {
	rec := batch(b, 65536, "seen")
	for body := range columnar.Bodies(records(rec)) {
		d := converter(b)
		b.ReportAllocs()
		b.SetBytes(int64(len(body.Stream)))
		for b.Loop() {
			in := ingest.NewBatcher(d, nowhere{}, "bench", true)
			if err := new(columnar.Streams).Take(b.Context(), in, bytes.NewReader(body.Stream)); err != nil || in.Accepted != body.Rows {
				b.Fatal(in.Counts, err)
			}
		}
		b.ReportMetric(float64(body.Rows*b.N)/b.Elapsed().Seconds(), "rows/s")
		return
	}
}

func BenchmarkBodies(b *testing.B) {
	rec := batch(b, 65536, "seen")
	b.ReportAllocs()
	for b.Loop() {
		for body, err := range columnar.Bodies(records(rec)) {
			if err != nil || body.Rows == 0 {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(65536*b.N)/b.Elapsed().Seconds(), "rows/s")
}
