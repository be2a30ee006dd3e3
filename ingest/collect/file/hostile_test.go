package file_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
	flatbuffers "github.com/google/flatbuffers/go"

	"rollcall"
	"rollcall/ingest/collect/file"
)

// tangled is an Arrow schema of which each field has two children, both the
// same next one: 2^depth fields in a few bytes each, as a stream in base64.
func tangled(depth int) string {
	b := flatbuffers.NewBuilder(0)
	vector := func(item flatbuffers.UOffsetT, times int) flatbuffers.UOffsetT {
		b.StartVector(4, times, 4)
		for range times {
			b.PrependUOffsetT(item)
		}
		return b.EndVector(times)
	}
	field := func(child flatbuffers.UOffsetT, times int) flatbuffers.UOffsetT {
		children, name := vector(child, times), b.CreateString("x")
		b.StartObject(0)
		kind := b.EndObject()
		b.StartObject(7)
		b.PrependUOffsetTSlot(0, name, 0)
		b.PrependByteSlot(2, 13, 0) // a struct
		b.PrependUOffsetTSlot(3, kind, 0)
		b.PrependUOffsetTSlot(5, children, 0)
		return b.EndObject()
	}
	child := field(0, 0)
	for range depth {
		child = field(child, 2)
	}
	fields := vector(child, 1)
	b.StartObject(4)
	b.PrependUOffsetTSlot(1, fields, 0)
	schema := b.EndObject()
	b.StartObject(5)
	b.PrependInt16Slot(0, 4, 0)
	b.PrependByteSlot(1, 1, 0) // a schema
	b.PrependUOffsetTSlot(2, schema, 0)
	b.Finish(b.EndObject())
	meta := b.FinishedBytes()
	for len(meta)%8 != 0 {
		meta = append(meta, 0)
	}
	head := binary.LittleEndian.AppendUint32([]byte{255, 255, 255, 255}, uint32(len(meta)))
	return base64.StdEncoding.EncodeToString(append(head, meta...))
}

// parquetWith makes a Parquet file of n events.
func parquetWith(tb testing.TB, n int, metadata string, options ...parquet.WriterProperty) []byte {
	tb.Helper()
	var b bytes.Buffer
	said := arrow.NewMetadata([]string{"ARROW:schema"}, []string{metadata})
	rec := table(tb, arrow.BinaryTypes.String, n)
	w, err := pqarrow.NewFileWriter(arrow.NewSchema(rec.Schema().Fields(), &said), &b, parquet.NewWriterProperties(options...), pqarrow.DefaultWriterProps())
	if err != nil {
		tb.Fatal(err)
	}
	write(tb, w, rec)
	return b.Bytes()
}

// footed is a Parquet file that is nothing but a footer.
func footed(footer ...byte) []byte {
	b := append([]byte("PAR1"), footer...)
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(footer))), "PAR1"...)
}

// read reads a file whole, and gives the memory that it took in all and how
// many rows it has.
func read(tb testing.TB, path string, content []byte) (taken uint64, rows int, err error) {
	tb.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		tb.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for part, failed := range file.Parts(tb.Context(), path, nil) {
		rows += part.Rows
		err = failed
	}
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, rows, err
}

// TestHostileTables: a small file takes memory for what it has, whatever it
// claims.
func TestHostileTables(t *testing.T) {
	const schema2 = 0x29 // field 2, the schema: a list
	strings9 := func(n ...byte) []byte { return append([]byte{schema2}, n...) }
	delta := parquetWith(t, 100, "", parquet.WithDictionaryDefault(false), parquet.WithEncodingFor("account", parquet.Encodings.DeltaLengthByteArray), parquet.WithCompression(0), parquet.WithStats(false))
	head := []byte{0x80, 1, 4, 100} // blocks of 128, 4 miniblocks, 100 values
	if !bytes.Contains(delta, head) {
		t.Fatal("no head of a delta encoding in the file")
	}
	claims := bytes.ReplaceAll(delta, head, []byte{0x80, 1, 4, 0x7f})
	dictionary := parquetWith(t, 100, "", parquet.WithCompression(0), parquet.WithStats(false))
	codes := []byte{7, 13<<1 | 1} // of 7 bits, 13 times 8
	if !bytes.Contains(dictionary, codes) {
		t.Fatal("no codes of a dictionary in the file")
	}
	wide := bytes.ReplaceAll(dictionary, codes, []byte{32, 13<<1 | 1})
	run := bytes.ReplaceAll(dictionary, codes, []byte{32, 100 << 1})
	for _, tt := range []struct {
		name, file string
		content    []byte
		rows       int
		want       string // of the error; "": none
	}{
		{"a tangled Arrow schema", "a.parquet", parquetWith(t, 100, tangled(18)), 100, ""},
		{"delta lengths", "a.parquet", delta, 100, ""},
		{"delta lengths that claim more", "a.parquet", claims, 0, "delta encoded values"},
		{"wide codes of a dictionary", "a.parquet", wide, 0, "column account: has a page with the code"},
		{"codes of 60 bits", "a.parquet", bytes.ReplaceAll(dictionary, codes, []byte{60, 13<<1 | 1}), 0, "codes of a dictionary of 60 bits"},
		{"a run of a wide code", "a.parquet", run, 0, "column account: has a page with the code"},
		{"delta texts", "a.parquet", parquetWith(t, 100, "", parquet.WithDictionaryDefault(false), parquet.WithEncodingFor("account", parquet.Encodings.DeltaByteArray)), 0, "DELTA_BYTE_ARRAY"},
		{"a schema of 100 million elements", "a.parquet", footed(strings9(0xfc, 0x80, 0xc2, 0xd7, 0x2f)...), 0, "is cut short or broken"},
		{"a group of a billion children", "a.parquet", footed(schema2, 0x1c, 0x55, 0x80, 0xa8, 0xd6, 0xb9, 0x07, 0, 0), 0, "1000000000 children"},
		{"fewer than no children", "a.parquet", footed(schema2, 0x1c, 0x55, 0x01, 0, 0), 0, "-1 children"},
		{"nested for ever", "a.parquet", footed(bytes.Repeat([]byte{0x1c}, 1<<20)...), 0, "nested more than"},
		{"lists for ever", "a.parquet", footed(bytes.Repeat([]byte{0x19}, 1<<20)...), 0, "nested more than"},
		{"a text of 4 GB", "a.parquet", footed(0x18, 0xff, 0xff, 0xff, 0xff, 0x0f), 0, "cut short or broken"},
		{"an Arrow body of 1 GiB", "a.arrow", claimed(t), 0, "cut short"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			taken, rows, err := read(t, filepath.Join(t.TempDir(), tt.file), tt.content)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !errors.Is(err, rollcall.ErrInvalid)) {
				t.Errorf("error %v; want %q", err, tt.want)
			}
			if rows != tt.rows || taken > 64<<20 {
				t.Errorf("%d bytes, %d rows, took %d MiB", len(tt.content), rows, taken>>20)
			}
		})
	}
}

// claimed is an Arrow stream whose first record batch says that its body is 1
// GiB long.
func claimed(tb testing.TB) []byte {
	tb.Helper()
	stream := arrowStream(tb, arrow.BinaryTypes.String, 3)
	at := 8 + int(binary.LittleEndian.Uint32(stream[4:])) // behind the schema
	meta := stream[at+8:]
	root := flatbuffers.Table{Bytes: meta, Pos: flatbuffers.GetUOffsetT(meta)}
	if !root.MutateInt64Slot(10, 1<<30) {
		tb.Fatal("the record batch has no length of its body")
	}
	return stream
}

// TestSoakHostileTables breaks Parquet and Arrow files for as long as the soak
// says, and reads them: no panic, no error but the file's, and no more memory
// than the bounds say.
func TestSoakHostileTables(t *testing.T) {
	text := os.Getenv("ROLLCALL_SOAK")
	if text == "" {
		t.Skip("only in a soak: set ROLLCALL_SOAK")
	}
	long, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 30))
	var seeds [][2]string
	add := func(name string, content []byte) { seeds = append(seeds, [2]string{name, string(content)}) }
	for _, words := range []arrow.DataType{arrow.BinaryTypes.String, dictionary()} {
		add("a.arrow", arrowStream(t, words, 20))
		add("a.arrow", arrowFile(t, words, 20))
		add("a.parquet", parquetFile(t, words, 20, 7))
	}
	for _, encoding := range []parquet.Encoding{parquet.Encodings.DeltaLengthByteArray, parquet.Encodings.Plain} {
		add("a.parquet", parquetWith(t, 20, "", parquet.WithDictionaryDefault(false), parquet.WithEncodingFor("account", encoding), parquet.WithDataPageVersion(parquet.DataPageV2)))
	}
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(1, 2))
	most, files, slowest := uint64(0), 0, time.Duration(0)
	for end := time.Now().Add(long); time.Now().Before(end); files++ {
		seed := seeds[random.IntN(len(seeds))]
		content := broken(random, []byte(seed[1]))
		begin := time.Now()
		taken, _, err := read(t, filepath.Join(dir, seed[0]), content)
		slowest = max(slowest, time.Since(begin))
		if err != nil && !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%v of %x", err, content)
		}
		if most = max(most, taken); taken > 3<<30 {
			t.Errorf("%d bytes took %d MiB: %x", len(content), taken>>20, content)
		}
	}
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	t.Logf("%d files; one took %d MiB at most and one %v, the process %d MiB", files, most>>20, slowest, now.Sys>>20)
	if now.Sys > 4<<30 {
		t.Errorf("the process took %d MiB", now.Sys>>20)
	}
}

// broken changes some bytes of a file: any, or to what claims much.
func broken(r *rand.Rand, b []byte) []byte {
	for range 1 + r.IntN(4) {
		at := r.IntN(len(b))
		if r.IntN(2) == 0 { // near the end, where a footer is
			at = len(b) - 1 - r.IntN(min(len(b), 600))
		}
		switch r.IntN(5) {
		case 0:
			b[at] = byte(r.IntN(256))
		case 1:
			b[at] ^= 1 << r.IntN(8)
		case 2:
			for i := at; i < min(at+1+r.IntN(5), len(b)); i++ {
				b[i] = 0xff
			}
		case 3:
			b = append(b[:at:at], b[min(at+1+r.IntN(8), len(b)):]...)
		case 4:
			b = append(b[:at:at], append(bytes.Repeat(b[at:at+1], 1+r.IntN(5)), b[at:]...)...)
		}
		if len(b) == 0 {
			return []byte{0}
		}
	}
	return b
}
