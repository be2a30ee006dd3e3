package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
)

// TestWrongNumberOfRows: a row group whose number of rows is not its columns' own is a
// fault, in both ways of reading. The library takes the group for shorter or for empty.
func TestWrongNumberOfRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wrong.parquet")
	tried := 0
	for _, from := range writers(t) {
		whole, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		for at := range whole {
			if !bytes.HasPrefix(whole[at:], []byte{0xb4, 1}) { // 90, as Thrift's compact protocol has it
				continue
			}
			for rows, as := range map[int64][]byte{-88: {0xaf, 1}, 50: {0xe4, 0}} {
				if err := os.WriteFile(path, append(append(bytes.Clone(whole[:at]), as...), whole[at+2:]...), 0o600); err != nil {
					t.Fatal(err)
				}
				if rowsOf(t, path) != rows {
					continue // another number was 90
				}
				tried++
				asCodes, _ := coded(t, path)
				for _, o := range []outcome{wanted(t, path), asCodes} {
					if o.err == nil || len(o.rows) > 0 || !strings.HasPrefix(o.err.Error(), "row group 0: ") {
						t.Errorf("%s with %d rows: %d rows, error %v", from, rows, len(o.rows), o.err)
					}
				}
			}
		}
	}
	if tried < 40 {
		t.Errorf("%d files were tried", tried)
	}
}

// claimFewer writes the file with 50 for each 90 in its footer.
func claimFewer(t *testing.T, path string, whole []byte) {
	t.Helper()
	end := len(whole) - 8
	footer := end - int(binary.LittleEndian.Uint32(whole[end:]))
	fewer := bytes.ReplaceAll(whole[footer:end], []byte{0xb4, 1}, []byte{0xe4, 0})
	if err := os.WriteFile(path, slices.Concat(whole[:footer], fewer, whole[end:]), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestMoreRowsInThePages: so is a footer that says fewer rows everywhere than the pages
// have.
func TestMoreRowsInThePages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wrong.parquet")
	tried := 0
	for _, from := range writers(t) {
		whole, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		claimFewer(t, path, whole)
		if rowsOf(t, path) != 50 {
			continue // it has several groups
		}
		tried++
		asCodes, _ := coded(t, path)
		for _, o := range []outcome{wanted(t, path), asCodes} {
			if o.err == nil || len(o.rows) > 0 {
				t.Errorf("%s: %d rows, error %v", from, len(o.rows), o.err)
			}
		}
	}
	if tried < 20 {
		t.Errorf("%d files were tried", tried)
	}
}

// TestWholePagesUnclaimed: so is one that says fewer where whole pages at a column's end
// make the difference.
func TestWholePagesUnclaimed(t *testing.T) {
	var b bytes.Buffer
	fields := []arrow.Field{{Name: "time", Type: arrow.FixedWidthTypes.Timestamp_us}}
	for _, name := range []string{"market", "service", "location", "kind", "account"} {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String})
	}
	columns := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	for i := range 90 {
		columns.Field(0).(*array.TimestampBuilder).Append(arrow.Timestamp(i))
		for c, text := range []string{"FR", "msn", "home", "use", fmt.Sprintf("a%d", i)} {
			columns.Field(c + 1).(*array.StringBuilder).Append(text)
		}
	}
	rec := columns.NewRecord()
	w, err := pqarrow.NewFileWriter(rec.Schema(), &b, parquet.NewWriterProperties(
		parquet.WithDictionaryDefault(false), parquet.WithDataPageSize(1), parquet.WithBatchSize(10), parquet.WithCompression(compress.Codecs.Uncompressed)), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(rec), w.Close()); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	path := filepath.Join(t.TempDir(), "wrong.parquet")
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if asCodes, _ := coded(t, path); asCodes.err != nil || len(asCodes.rows) != 90 {
		t.Fatalf("as it was written: %d rows, %v", len(asCodes.rows), asCodes.err)
	}
	claimFewer(t, path, whole)
	if rowsOf(t, path) != 50 {
		t.Fatalf("%d rows are claimed", rowsOf(t, path))
	}
	asCodes, _ := coded(t, path)
	for _, o := range []outcome{wanted(t, path), asCodes} {
		if o.err == nil || len(o.rows) > 0 || !strings.Contains(o.err.Error(), "has more pages than the 50 values that it says") {
			t.Errorf("%d rows, error %v", len(o.rows), o.err)
		}
	}
}

// rowsOf gives how many rows a file's first row group says that it has; 0: the file
// can't be opened.
func rowsOf(t *testing.T, path string) int64 {
	t.Helper()
	s, err := open(path, func(int64, int64) {})
	if err != nil {
		return 0
	}
	defer s.close()
	r, err := openParquet(s)
	if err != nil || r.file.NumRowGroups() == 0 {
		return 0
	}
	return r.file.MetaData().RowGroup(0).NumRows()
}

// TestLevelsCutShort: a page that has no levels for some of its rows is a fault, in both
// ways of reading. The library takes what it read before for those.
func TestLevelsCutShort(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wrong.parquet")
	for _, from := range []string{"snappy", "dictionaries", "nulls", "large"} {
		whole, err := os.ReadFile("testdata/parquet/" + from + ".parquet")
		if err != nil {
			t.Fatal(err)
		}
		levels := []byte{3, 0, 0, 0, 0xb4, 1, 1, 2} // three bytes: 90 times a 1; codes of two bits behind
		if bytes.Count(whole, levels) == 0 {
			t.Fatalf("%s has no such levels", from)
		}
		for name, as := range map[string][]byte{"run without its number": {0xb4, 0x99, 1}, "packed run without most of its bytes": {0x19, 0xff, 0xff}, "fewer": {0xb2, 1, 1}} {
			forged := bytes.Replace(whole, levels, slices.Concat(levels[:4], as, levels[7:]), 1)
			if err := os.WriteFile(path, forged, 0o600); err != nil {
				t.Fatal(err)
			}
			asCodes, _ := coded(t, path)
			for _, o := range []outcome{wanted(t, path), asCodes} {
				if o.err == nil || len(o.rows) > 0 || !strings.Contains(o.err.Error(), "has a page that is cut short") {
					t.Errorf("%s, %s: %d rows, error %v", from, name, len(o.rows), o.err)
				}
			}
		}
	}
}
