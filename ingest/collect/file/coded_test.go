package file

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"rollcall"
	"rollcall/ingest/collect/columnar"
)

// outcome is what a Parquet file comes to: its rows, and the fault behind them.
type outcome struct {
	rows []string
	err  error
}

// wanted are a file's rows as the library gives them.
func wanted(tb testing.TB, path string) outcome {
	tb.Helper()
	return of(tb, path, func(r *rows) iter.Seq2[columnar.Body, error] { return columnar.Bodies(r.records()) })
}

// coded are a file's rows as the product reads them; as codes says whether as codes.
func coded(tb testing.TB, path string) (o outcome, asCodes bool) {
	tb.Helper()
	o = of(tb, path, func(r *rows) iter.Seq2[columnar.Body, error] {
		var fields []arrow.Field
		if fields, asCodes = r.codable(); asCodes {
			return r.coded(fields)
		}
		return columnar.Bodies(r.records())
	})
	return o, asCodes
}

func of(tb testing.TB, path string, bodies func(*rows) iter.Seq2[columnar.Body, error]) (o outcome) {
	tb.Helper()
	s, err := open(path, func(int64, int64) {})
	if err != nil {
		tb.Fatal(err)
	}
	defer s.close()
	r, err := openParquet(s)
	if err != nil {
		return outcome{err: err}
	}
	for body, err := range bodies(r) {
		if err != nil {
			o.err = err
			break
		}
		o.rows = append(o.rows, written(tb, body)...)
	}
	return o
}

// written gives each row of a body as text: what is null is not there.
func written(tb testing.TB, body columnar.Body) (rows []string) {
	tb.Helper()
	stream, err := ipc.NewReader(bytes.NewReader(body.Stream))
	if err != nil {
		tb.Fatal(err)
	}
	for stream.Next() {
		rec := stream.Record()
		for i := range int(rec.NumRows()) {
			var row strings.Builder
			for c, field := range rec.Schema().Fields() {
				if a := rec.Column(c); !a.IsNull(i) {
					fmt.Fprintf(&row, "%s=%q ", field.Name, value(a, i))
				}
			}
			rows = append(rows, row.String())
		}
	}
	if stream.Err() != nil || len(rows) != body.Rows {
		tb.Fatal(len(rows), body.Rows, stream.Err())
	}
	return rows
}

func value(a arrow.Array, i int) string {
	switch a := a.(type) {
	case *array.Dictionary:
		return a.Dictionary().(*array.String).Value(a.GetValueIndex(i))
	case *array.String:
		return a.Value(i)
	case *array.Timestamp:
		return fmt.Sprint(int64(a.Value(i)), a.DataType())
	}
	return a.ValueStr(i)
}

// requireSame holds a file's rows to the library's. Of a broken one there may be
// more rows before the same fault: the library gives whole batches.
func requireSame(tb testing.TB, path string) (asCodes bool) {
	tb.Helper()
	want := wanted(tb, path)
	got, asCodes := coded(tb, path)
	if fmt.Sprint(got.err) != fmt.Sprint(want.err) {
		tb.Fatalf("%d rows, error %v; want %d and %v", len(got.rows), got.err, len(want.rows), want.err)
	}
	if got.err != nil && !errors.Is(got.err, rollcall.ErrInvalid) {
		tb.Fatal(got.err)
	}
	if len(got.rows) != len(want.rows) && (want.err == nil || len(got.rows) < len(want.rows)) {
		tb.Fatalf("%d rows; want %d, error %v", len(got.rows), len(want.rows), want.err)
	}
	for i, row := range want.rows {
		if got.rows[i] != row {
			tb.Fatalf("row %d is %s; want %s", i+1, got.rows[i], row)
		}
	}
	return asCodes
}

// writers are the files that testdata/write.py has pyarrow, DuckDB and ClickHouse write.
func writers(tb testing.TB) []string {
	tb.Helper()
	paths, err := filepath.Glob("testdata/parquet/*.parquet")
	if err != nil || len(paths) < 28 {
		tb.Fatal(paths, err)
	}
	return paths
}

// TestCodedAsTheLibrary reads what others write, both ways.
func TestCodedAsTheLibrary(t *testing.T) {
	library := []string{"int96", "lists", "numbers", "nulls"}
	faults := map[string]string{"delta-texts": "the encoding DELTA_BYTE_ARRAY", "lists": "as a list or a struct", "lz4": "the compression LZ4_RAW, which is not read", "numbers": "has the type int64, which is not text", "split-times": "the encoding BYTE_STREAM_SPLIT"}
	for _, path := range writers(t) {
		name := strings.TrimSuffix(filepath.Base(path), ".parquet")
		t.Run(name, func(t *testing.T) {
			if asCodes := requireSame(t, path); asCodes == slices.Contains(library, name) {
				t.Errorf("read as codes: %v", asCodes)
			}
			got, _ := coded(t, path)
			if want := faults[name]; want == "" && got.err != nil || want != "" && !strings.Contains(fmt.Sprint(got.err), want) {
				t.Errorf("error %v; want %q", got.err, want)
			}
			if want := map[string]int{"empty": 0, "required": 68, "delta-texts": 0, "lists": 0, "lz4": 0, "numbers": 0, "split-times": 0}; len(got.rows) != 90 {
				if n, ok := want[name]; !ok || len(got.rows) != n {
					t.Errorf("%d rows", len(got.rows))
				}
			}
		})
	}
}

// TestCodedWithoutTheLibrary says which files no row is left to the library of.
func TestCodedWithoutTheLibrary(t *testing.T) {
	library := []string{"deltas", "delta-texts", "duckdb-2", "lz4", "int96", "numbers", "nulls", "split-times"}
	for _, path := range writers(t) {
		name := strings.TrimSuffix(filepath.Base(path), ".parquet")
		s, err := open(path, func(int64, int64) {})
		if err != nil {
			t.Fatal(err)
		}
		r, err := openParquet(s)
		if name == "lists" { // refused, whoever reads it
			s.close()
			continue
		}
		if err != nil {
			t.Fatal(name, err)
		}
		all := true
		if fields, ok := r.codable(); ok {
			g := &codedRows{rows: r, draft: columnar.NewDraft(fields), yield: func(columnar.Body, error) bool { return true }}
			for group := range r.file.NumRowGroups() {
				_, err := g.group(group)
				all = all && err == nil
			}
		} else {
			all = false
		}
		if all == slices.Contains(library, name) {
			t.Errorf("%s: without the library: %v", name, all)
		}
		s.close()
	}
}

// TestCodedOfLongTexts has rows of so much text that few are in a body, or that
// they are left to the library.
func TestCodedOfLongTexts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long.parquet")
	for _, tt := range []struct{ rows, length int }{{9000, 300}, {2500, 2000}, {2, 5 << 20}} {
		for _, coded := range []bool{true, false} {
			if err := os.WriteFile(path, longTexts(t, tt.rows, tt.length, coded), 0o600); err != nil {
				t.Fatal(err)
			}
			requireSame(t, path)
			for part, err := range Parts(t.Context(), path, nil) {
				if err != nil {
					t.Fatal(err)
				}
				if len(part.Body) > max(9<<20, 2*tt.length) {
					t.Errorf("%v: a body of %d bytes", tt, len(part.Body))
				}
			}
		}
	}
}

// longTexts is a file of events with an evidence and a client of some length, each
// another one.
func longTexts(tb testing.TB, rows, length int, coded bool) []byte {
	tb.Helper()
	names := []string{"time", "market", "service", "location", "kind", "account", "evidence", "client"}
	return textFile(tb, names, rows, func(i int) []string {
		text := fmt.Sprintf("%0*d", length, i)
		return []string{"2002-10-03T18:22:05Z", "FR", "msn", "home", "use", "ann", text, text}
	}, parquet.WithDictionaryDefault(coded), parquet.WithDictionaryPageSizeLimit(64<<20))
}

// textFile is a file of columns of texts.
func textFile(tb testing.TB, names []string, rows int, row func(i int) []string, options ...parquet.WriterProperty) []byte {
	tb.Helper()
	var fields []arrow.Field
	for _, name := range names {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String})
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i := range rows {
		for c, value := range row(i) {
			b.Field(c).(*array.StringBuilder).Append(value)
		}
	}
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &out, parquet.NewWriterProperties(options...), pqarrow.DefaultWriterProps())
	if err != nil {
		tb.Fatal(err)
	}
	if err := errors.Join(w.Write(b.NewRecord()), w.Close()); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// TestColumnsTwice has a name stand twice, where one reader would take the first and
// another the last.
func TestColumnsTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "twice.parquet")
	names := []string{"account", "time", "market", "service", "location", "kind", "account", "market"}
	content := textFile(t, names, 10, func(i int) []string {
		return []string{"ann", "2002-10-03T18:22:05Z", "FR", "msn", "home", "use", fmt.Sprint("bob", i), "XX"}
	})
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	got, _ := coded(t, path)
	const want = "has the column market more than once; leave one out"
	if got.err == nil || got.err.Error() != want || len(got.rows) > 0 {
		t.Errorf("%d rows, error %v; want %s", len(got.rows), got.err, want)
	}
}

// TestCodedOfCodesBeyond has a code that the dictionary does not have.
func TestCodedOfCodesBeyond(t *testing.T) {
	path := filepath.Join(t.TempDir(), "beyond.parquet")
	names := []string{"time", "market", "service", "location", "kind", "account"}
	content := textFile(t, names, 100, func(i int) []string {
		return []string{"2002-10-03T18:22:05Z", "FR", "msn", "home", "use", fmt.Sprint("ann", i)}
	}, parquet.WithStats(false))
	codes := []byte{7, 13<<1 | 1, 0x80} // of 7 bits, 13 times 8
	if !bytes.Contains(content, codes) {
		t.Fatal("no codes of a dictionary in the file")
	}
	content = bytes.ReplaceAll(content, codes, []byte{7, 13<<1 | 1, 0xff})
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	requireSame(t, path)
	if got, _ := coded(t, path); got.err == nil || len(got.rows) > 0 {
		t.Errorf("%d rows, error %v", len(got.rows), got.err)
	}
}

// brokenFile changes some bytes of a file, or cuts some out.
func brokenFile(random *rand.Rand, b []byte) []byte {
	b = bytes.Clone(b)
	for range 1 + random.IntN(3) {
		at := random.IntN(len(b))
		switch random.IntN(4) {
		case 0:
			b[at] = byte(random.IntN(256))
		case 1:
			b[at] ^= 1 << random.IntN(8)
		case 2:
			b[at] = 0xff
		case 3:
			b = slices.Delete(b, at, min(len(b), at+1+random.IntN(4)))
		}
		if len(b) == 0 {
			return []byte{0}
		}
	}
	return b
}

// TestCodedOfBrokenFiles holds what is made of broken files to the library.
func TestCodedOfBrokenFiles(t *testing.T) {
	random := rand.New(rand.NewPCG(2002, 10))
	path := filepath.Join(t.TempDir(), "broken.parquet")
	for _, from := range writers(t) {
		whole, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			content := brokenFile(random, whole)
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if requireSame(t, path); t.Failed() {
				t.Fatalf("%s: %x", from, content)
			}
		}
	}
}

// FuzzCoded holds what is made of any file to the library.
func FuzzCoded(f *testing.F) {
	for _, path := range writers(f) {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "fuzzed.parquet")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		requireSame(t, path)
	})
}
