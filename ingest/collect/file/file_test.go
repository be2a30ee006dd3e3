package file_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/columnar"
	"rollcall/ingest/collect/file"
	"rollcall/internal/test/packtest"
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
		[]rollcall.Service{{ID: "msn", Name: "MSN Messenger"}})
	if err != nil {
		tb.Fatal(err)
	}
	return &ingest.Converter{
		Keys:      keys,
		Catalogue: func() *rollcall.Catalogue { return catalogue },
		Now:       func() time.Time { return time.Date(2002, 11, 1, 0, 0, 0, 0, time.UTC) },
	}
}

// loaded is what a file's parts come to when the collector has taken them.
type loaded struct {
	slice
	ingest.Counts
	parts []file.Part
	err   error
}

func load(tb testing.TB, path string) *loaded {
	tb.Helper()
	l := &loaded{}
	d := converter(tb)
	var tables columnar.Streams
	for part, err := range file.Parts(tb.Context(), path, nil) {
		if err != nil {
			l.err = err
			break
		}
		l.parts = append(l.parts, part)
		in := ingest.NewBatcher(d, &l.slice, "file", true)
		take := ingest.NDJSON
		if part.Type == columnar.ContentType {
			take = tables.Take
		}
		if err := take(tb.Context(), in, bytes.NewReader(part.Body)); err != nil {
			tb.Fatal(err)
		}
		l.Add(in.Counts, part.Base)
	}
	base := 0
	for i, p := range l.parts {
		if p.Base != base {
			tb.Errorf("part %d begins after %d, not after %d", i, p.Base, base)
		}
		base += p.Rows
	}
	return l
}

func save(tb testing.TB, name string, content []byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

func line(i int) string {
	return fmt.Sprintf(`{"time":"2002-10-03T18:%02d:05Z","market":"FR","service":"msn","location":"home","kind":"use","account":"someone.%d@hotmail.com"}`, i%60, i)
}

func lines(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintln(&b, line(i))
	}
	return b.Bytes()
}

// schema is the events' as a table; words is the type of its texts.
func schema(words arrow.DataType) *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{
		{Name: "colour", Type: arrow.PrimitiveTypes.Int64},
		{Name: "time", Type: arrow.FixedWidthTypes.Timestamp_us},
		{Name: "market", Type: words}, {Name: "service", Type: words},
		{Name: "location", Type: words}, {Name: "kind", Type: words},
		{Name: "account", Type: words, Nullable: true},
	}, nil)
}

// table is the same events as lines(n).
func table(tb testing.TB, words arrow.DataType, n int) arrow.Record {
	tb.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema(words))
	for i := range n {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		at, err := arrow.TimestampFromTime(time.Date(2002, 10, 3, 18, i%60, 5, 0, time.UTC), arrow.Microsecond)
		if err != nil {
			tb.Fatal(err)
		}
		b.Field(1).(*array.TimestampBuilder).Append(at)
		for c, text := range []string{"FR", "msn", "home", "use", fmt.Sprintf("someone.%d@hotmail.com", i)} {
			if err := b.Field(c + 2).AppendValueFromString(text); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return b.NewRecord()
}

type recordWriter interface {
	Write(arrow.Record) error
	Close() error
}

func write(tb testing.TB, w recordWriter, recs ...arrow.Record) {
	tb.Helper()
	for _, r := range recs {
		if err := w.Write(r); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
}

func arrowStream(tb testing.TB, words arrow.DataType, n int) []byte {
	tb.Helper()
	var b bytes.Buffer
	rec := table(tb, words, n)
	write(tb, ipc.NewWriter(&b, ipc.WithSchema(rec.Schema()), ipc.WithZstd()), rec.NewSlice(0, int64(n/2)), rec.NewSlice(int64(n/2), int64(n)))
	return b.Bytes()
}

// arrowFile is Arrow's file format.
func arrowFile(tb testing.TB, words arrow.DataType, n int) []byte {
	tb.Helper()
	f, err := os.Create(filepath.Join(tb.TempDir(), "f"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	rec := table(tb, words, n)
	w, err := ipc.NewFileWriter(f, ipc.WithSchema(rec.Schema()), ipc.WithLZ4())
	if err != nil {
		tb.Fatal(err)
	}
	write(tb, w, rec)
	b, err := os.ReadFile(f.Name())
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// parquetFile says in its metadata that its texts were of the type words, as
// writers do: a reader who believes it gets dictionaries.
func parquetFile(tb testing.TB, words arrow.DataType, n int, group int64) []byte {
	tb.Helper()
	var stored, b bytes.Buffer
	write(tb, ipc.NewWriter(&stored, ipc.WithSchema(schema(words))))
	said := arrow.NewMetadata([]string{"ARROW:schema"}, []string{base64.StdEncoding.EncodeToString(stored.Bytes())})
	rec := table(tb, arrow.BinaryTypes.String, n)
	w, err := pqarrow.NewFileWriter(arrow.NewSchema(rec.Schema().Fields(), &said), &b,
		parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(group), parquet.WithDictionaryDefault(true)),
		pqarrow.DefaultWriterProps())
	if err != nil {
		tb.Fatal(err)
	}
	write(tb, w, rec)
	return b.Bytes()
}

func dictionary() arrow.DataType {
	return &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
}

// formats makes n events in every format, by the file's name.
func formats(tb testing.TB) map[string]func(n int) []byte {
	elements := func(n int) []byte {
		return []byte("[" + strings.ReplaceAll(strings.TrimSpace(string(lines(n))), "\n", ",\n") + "]\n")
	}
	made := map[string]func(n int) []byte{
		"e.ndjson": lines, "e.jsonl": lines, "e.json": lines, "E.NDJSON": lines,
		"e.ndjson.gz":  func(n int) []byte { return packtest.Gzip(tb, lines(n)) },
		"e.ndjson.zst": func(n int) []byte { return packtest.Zstd(tb, lines(n)) },
		"two.jsonl.gz": func(n int) []byte {
			return append(packtest.Gzip(tb, lines(n)[:99]), packtest.Gzip(tb, lines(n)[99:])...)
		},
		"array.json":    elements,
		"array.json.gz": func(n int) []byte { return packtest.Gzip(tb, elements(n)) },
	}
	for i, words := range []arrow.DataType{arrow.BinaryTypes.String, dictionary()} {
		stream := func(n int) []byte { return arrowStream(tb, words, n) }
		made[fmt.Sprintf("%d.arrows", i)] = stream
		made[fmt.Sprintf("%d.arrow", i)] = stream
		made[fmt.Sprintf("%d.arrow.gz", i)] = func(n int) []byte { return packtest.Gzip(tb, stream(n)) }
		made[fmt.Sprintf("%d.arrow.zst", i)] = func(n int) []byte { return packtest.Zstd(tb, stream(n)) }
		made[fmt.Sprintf("file%d.arrow", i)] = func(n int) []byte { return arrowFile(tb, words, n) }
		made[fmt.Sprintf("%d.parquet", i)] = func(n int) []byte { return parquetFile(tb, words, n, 1<<20) }
		made[fmt.Sprintf("groups%d.parquet", i)] = func(n int) []byte { return parquetFile(tb, words, n, int64(n/3)) }
	}
	return made
}

// TestPartsOfEveryFormat loads the same events from every format.
func TestPartsOfEveryFormat(t *testing.T) {
	const few, many = 2000, 70001 // many: more than a body of rows, more than a chunk of lines
	want := load(t, save(t, "e.ndjson", lines(many)))
	if want.err != nil || want.Accepted != many || len(want.parts) < 2 {
		t.Fatal(want.Counts, len(want.parts), want.err)
	}
	for name, made := range formats(t) {
		n := few
		switch name {
		case "e.ndjson.gz", "array.json", "1.arrow.zst", "1.parquet":
			n = many
		}
		t.Run(name, func(t *testing.T) {
			got := load(t, save(t, name, made(n)))
			if got.err != nil || got.Read != n || !slices.Equal(got.events, want.events[:n]) {
				t.Fatal(got.Counts, got.err)
			}
			for i, p := range got.parts {
				if len(p.Body) > 9<<20 {
					t.Errorf("part %d has %d bytes", i, len(p.Body))
				}
			}
		})
	}
}

func TestPartsKeepWhatIsBeforeAFault(t *testing.T) {
	const n = 40000
	text := lines(n)
	gz, zst, stream := packtest.Gzip(t, text), packtest.Zstd(t, text), arrowStream(t, arrow.BinaryTypes.String, n)
	wrongSum := bytes.Clone(gz)
	wrongSum[len(gz)-5] ^= 0xff
	pq := parquetFile(t, arrow.BinaryTypes.String, n, 20000)
	for _, tt := range []struct {
		name, want string
		content    []byte
	}{
		{"cut.ndjson.gz", "gzip is cut short", gz[:len(gz)*3/4]},
		{"sum.ndjson.gz", "gzip is cut short", gz[:len(gz)-4]},
		{"cut.ndjson.zst", "zstd is cut short", zst[:len(zst)*3/4]},
		{"sum2.ndjson.gz", "gzip is broken: ", wrongSum},
		{"tail.ndjson.gz", "after line 40000: has other bytes after the end of its gzip", append(bytes.Clone(gz), "tail of ten"...)},
		{"cut.arrow", "is cut short, or is not Arrow", stream[:len(stream)*3/4]},
		{"cut.arrow.gz", "gzip is cut short", packtest.Gzip(t, stream)[:len(stream)/2]},
		{"array.json", "the JSON array is cut short", append([]byte("["), bytes.ReplaceAll(text, []byte("\n"), []byte(",\n"))...)},
		{"array2.json", "the JSON array is broken here", append([]byte("["), bytes.ReplaceAll(text, []byte("\n"), []byte(",\n}"))[:]...)},
		{"deep.json", "has an element nested more than 64 levels deep", append([]byte("["), bytes.ReplaceAll(append(text[:len(text):len(text)], strings.Repeat("[", 1<<20)...), []byte("\n"), []byte(",\n"))...)},
		{"group.parquet", "row group 0: is not readable as Parquet: its footer, or the head of a page, is cut short or broken", append(bytes.Repeat([]byte{0xff}, len(pq)/2), pq[len(pq)/2:]...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := save(t, tt.name, tt.content)
			got := load(t, path)
			if !errors.Is(got.err, rollcall.ErrInvalid) || !strings.HasPrefix(got.err.Error(), path+": ") || !strings.Contains(got.err.Error(), tt.want) {
				t.Fatalf("error %v; want %q", got.err, tt.want)
			}
			if strings.Contains(got.err.Error(), "\n") {
				t.Errorf("error %q has several lines", got.err)
			}
			if got.Read != got.Accepted || got.Accepted > n {
				t.Errorf("%v: a piece of a line was taken for an event", got.Counts)
			}
			where := fmt.Sprintf(" line %d: ", got.Read+1)
			if strings.Contains(tt.name, ".ndjson") && !strings.HasPrefix(tt.want, "after") && !strings.Contains(got.err.Error(), where) {
				t.Errorf("error %v; want%s", got.err, where)
			}
			if strings.HasSuffix(tt.name, ".ndjson.gz") && got.Accepted == 0 {
				t.Error("nothing before the fault was kept")
			}
		})
	}
}

// inside is a Parquet file whose accounts are fields of a struct.
func inside(tb testing.TB) []byte {
	tb.Helper()
	rec := table(tb, arrow.BinaryTypes.String, 3)
	fields, columns := slices.Clone(rec.Schema().Fields()), slices.Clone(rec.Columns())
	at := rec.Schema().FieldIndices("account")[0]
	account, err := array.NewStructArray(columns[at:at+1], []string{"name"})
	if err != nil {
		tb.Fatal(err)
	}
	fields[at].Type, columns[at] = account.DataType(), account
	var b bytes.Buffer
	s := arrow.NewSchema(fields, nil)
	w, err := pqarrow.NewFileWriter(s, &b, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
	if err != nil {
		tb.Fatal(err)
	}
	write(tb, w, array.NewRecord(s, columns, 3))
	return b.Bytes()
}

func TestPartsRefuseFiles(t *testing.T) {
	noMarket := func() []byte {
		var b bytes.Buffer
		rec := table(t, arrow.BinaryTypes.String, 3)
		s := arrow.NewSchema(append(rec.Schema().Fields()[:2:2], rec.Schema().Fields()[3:6]...), nil)
		w, err := pqarrow.NewFileWriter(s, &b, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
		if err != nil {
			t.Fatal(err)
		}
		write(t, w, array.NewRecord(s, append(rec.Columns()[:2:2], rec.Columns()[3:6]...), 3))
		return b.Bytes()
	}()
	for _, tt := range []struct {
		name, want string
		content    []byte
	}{
		{"inside.parquet", "has the column account as a list or a struct, and not as text", inside(t)},
		{"e.csv", "ends in none of .ndjson, .jsonl, .json, .arrow, .arrows (each also .gz or .zst) and .parquet", nil},
		{"e.parquet.gz", "is Parquet inside .gz, which is not read; unpack it first", nil},
		{"e.ndjson.gz", "is not gzip here", lines(3)},
		{"empty.ndjson.gz", "is empty", nil},
		{"e.ndjson.zst", "line 1: is not zstd here", lines(3)},
		{"utf16.ndjson", "is UTF-16: save it as UTF-8", []byte("\xff\xfe{\x00\n\x00")},
		{"utf16.json", "is UTF-16: save it as UTF-8", []byte("\xfe\xff\x00[")},
		{"e.parquet", "is not readable as Parquet: ", lines(3)},
		{"empty.parquet", "is empty", nil},
		{"market.parquet", "has no column market, account (or panel and panelist)", noMarket},
		{"e.arrow", "is not readable as Arrow: ", lines(3)},
		{"empty.arrow", "is empty", nil},
		{"p.arrow", "is not readable as Arrow: ", noMarket},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := save(t, tt.name, tt.content)
			got := load(t, path)
			if !errors.Is(got.err, rollcall.ErrInvalid) || !strings.HasPrefix(got.err.Error(), path+": ") || !strings.Contains(got.err.Error(), tt.want) {
				t.Errorf("error %v; want %q", got.err, tt.want)
			}
			if len(got.parts) > 0 {
				t.Errorf("%d parts", len(got.parts))
			}
		})
	}
	absent := filepath.Join(t.TempDir(), "absent.ndjson")
	if got := load(t, absent); !errors.Is(got.err, os.ErrNotExist) && got.err.Error() != absent+": no such file or directory" {
		t.Error(got.err)
	}
}

func TestLinesOfAllLengths(t *testing.T) {
	long := func(n int) string { return `{"evidence":"` + strings.Repeat("e", n) + `"}` }
	text := strings.Join([]string{
		"\ufeff" + line(1), "", "[1,2]", line(2) + "\r", long(ingest.MaxLine), long(9 << 20), line(3), long(5 << 20), "not JSON", line(4),
	}, "\n")
	for _, end := range []string{"", "\n"} {
		got := load(t, save(t, "e.ndjson", []byte(text+end)))
		if got.err != nil || got.Accepted != 4 || got.Read != 9 {
			t.Fatal(got.Counts, got.err)
		}
		var bad []int
		for _, e := range got.Errors {
			bad = append(bad, e.Line)
		}
		if fmt.Sprint(bad) != "[3 5 6 8 9]" || got.Rejected["line_too_long"] != 3 {
			t.Errorf("refused lines %v, %v", bad, got.Rejected)
		}
	}
}

func TestLongElement(t *testing.T) {
	path := save(t, "e.json", []byte(`[`+line(1)+`,{"evidence":"`+strings.Repeat("e", 20<<20)+`"}]`))
	got := load(t, path)
	if got.err == nil || got.err.Error() != path+": after element 1: has an element longer than 1 MiB" || got.Accepted != 1 {
		t.Error(got.Counts, got.err)
	}
}

func TestPartsStop(t *testing.T) {
	for _, name := range []string{"e.ndjson", "e.parquet"} {
		content := lines(70000)
		if name == "e.parquet" {
			content = parquetFile(t, arrow.BinaryTypes.String, 140000, 70000)
		}
		path := save(t, name, content)
		ctx, cancel := context.WithCancel(t.Context())
		parts := 0
		for _, err := range file.Parts(ctx, path, nil) {
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				break
			}
			parts++
			cancel()
		}
		cancel()
		if parts != 1 {
			t.Errorf("%s: %d parts after the cancel", name, parts)
		}
		for range file.Parts(t.Context(), path, nil) {
			break // must not panic: an iterator may be left
		}
	}
}

func TestProgressReachesTheEnd(t *testing.T) {
	content := packtest.Gzip(t, lines(70000))
	var seen []int64
	for _, err := range file.Parts(t.Context(), save(t, "e.ndjson.gz", content), func(read, total int64) {
		if total != int64(len(content)) || read > total {
			t.Errorf("%d of %d", read, total)
		}
		seen = append(seen, read)
	}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) < 3 || seen[len(seen)-1] != int64(len(content)) || seen[0] == 0 || seen[0] >= seen[len(seen)-1] {
		t.Errorf("progress %v of %d", seen, len(content))
	}
}

func FuzzParts(f *testing.F) {
	text := append(lines(2), "[\n{\n\n\xff"...)
	stream := arrowStream(f, arrow.BinaryTypes.String, 3)
	pq := parquetFile(f, dictionary(), 3, 100)
	f.Add("a.ndjson", text)
	f.Add("a.ndjson.gz", packtest.Gzip(f, text)[:60])
	f.Add("a.json", []byte(`[{"a":1},2,[3]]]`))
	f.Add("a.json", []byte(`[4]44E+644`))
	f.Add("a.arrow", stream)
	f.Add("a.arrow", stream[:len(stream)/2])
	f.Add("a.arrow", arrowFile(f, dictionary(), 3))
	f.Add("a.parquet", pq)
	f.Add("a.parquet", append([]byte("PAR1\xff\xff"), pq[len(pq)/2:]...))
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		if strings.ContainsAny(name, "/\x00") || len(name) > 40 {
			return
		}
		for part, err := range file.Parts(t.Context(), save(t, "f"+name, content), nil) {
			if err == nil && part.Rows == 0 {
				t.Error("an empty part")
			}
			if err != nil && !errors.Is(err, rollcall.ErrInvalid) {
				t.Error(err)
			}
		}
	})
}

func BenchmarkParts(b *testing.B) {
	const n = 200000
	for _, c := range []struct {
		name    string
		content []byte
	}{
		{"e.ndjson", lines(n)},
		{"e.ndjson.gz", packtest.Gzip(b, lines(n))},
		{"e.ndjson.zst", packtest.Zstd(b, lines(n))},
		{"e.arrow", arrowFile(b, dictionary(), n)},
		{"e.parquet", parquetFile(b, arrow.BinaryTypes.String, n, 100000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			path := save(b, c.name, c.content)
			b.ReportAllocs()
			b.SetBytes(int64(len(c.content)))
			for b.Loop() {
				rows := 0
				for part, err := range file.Parts(b.Context(), path, nil) {
					if err != nil {
						b.Fatal(err)
					}
					rows += part.Rows
				}
				if rows != n {
					b.Fatal(rows)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
