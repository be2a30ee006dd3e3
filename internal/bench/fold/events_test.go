//go:build linux

package fold

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"rollcall"
	"rollcall/aggregate"
	"rollcall/aggregate/hll"
	"rollcall/ingest"
	"rollcall/ingest/collect/columnar"
	"rollcall/ingest/collect/file"
)

// eventRows is how many rows a file of events has here: one row group, as
// pyarrow would write it.
const eventRows = 1 << 20

// BenchmarkEvents measures how a Parquet file of events, whose accounts are
// texts, comes to columns under pseudonyms, and on to the cells, by processor
// time on all threads. With few accounts a page's dictionary has them all; with
// many, most pages have the texts themselves.
//
//	bodies      the file's rows as the bodies that are posted
//	columns     and these as batches under pseudonyms
//	cells       and these folded
//	ClickHouse  the same cells, by the newest one (-chdb)
func BenchmarkEvents(b *testing.B) {
	peer := start(b, *newest, "chdb", chdbScript)
	for _, accounts := range []int{20_000, 400_000} {
		path := eventsFile(b, accounts)
		own := process(os.Getpid())
		of := func(stage string, in process, run func(*testing.B)) {
			b.Run(fmt.Sprintf("%s/accounts=%d", stage, accounts), func(b *testing.B) { perRow(b, in, run) })
		}
		of("bodies", own, func(b *testing.B) { take(b, path, nil) })
		of("columns", own, func(b *testing.B) { take(b, path, nowhere{}) })
		of("cells", own, func(b *testing.B) { take(b, path, newFolding()) })
		if peer == nil {
			continue
		}
		in := process(peer.cmd.Process.Pid)
		of("ClickHouse", in, func(b *testing.B) { peer.cells(b, path, eventVisitors) })
		of("ClickHouse, both sketches", in, func(b *testing.B) { peer.cells(b, path, eventVisitors, eventMinutes) })
	}
}

// perRow reports the processor time that a process takes for a row.
func perRow(b *testing.B, in process, run func(*testing.B)) {
	run(b) // the first pays for caches
	before, err := in.cpu()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		run(b)
	}
	after, err := in.cpu()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(after-before)/float64(b.N*eventRows), "cpu-ns/row")
}

// What a cell has of its accounts, in ClickHouse's words: pseudonyms by a hash
// with a key, and their minutes.
const (
	eventVisitors = "uniqCombined64(14)(who)"
	eventMinutes  = "uniqCombined64(14)(intHash64(who) + toUInt64(toUnixTimestamp(time)) DIV 60 * 11400714819323198485)"
)

// cells has ClickHouse make the cells of a file; what they come to in all stands
// where a script's counts do.
func (s *script) cells(b *testing.B, path string, sketches ...string) {
	b.Helper()
	const (
		row   = "SELECT *, sipHash64Keyed((toUInt64(17), toUInt64(10)), account) AS who, toDate(time, 'Europe/Paris') AS day FROM file('%s', Parquet)"
		cell  = "SELECT %s AS c FROM (" + row + ") GROUP BY market, service, location, kind, day"
		total = "SELECT 0, 0, %d, toUInt64(sum(%s)) FROM (" + cell + ") SETTINGS max_threads = 1"
	)
	counts, err := s.ask(fmt.Sprintf(total, int(firstDay()), "c.1", "tuple("+strings.Join(sketches, ", ")+")", path))
	if err != nil || counts[0] == 0 {
		b.Fatal(counts, err)
	}
}

// take reads the file once; a nil log: no further than to its bodies.
func take(b *testing.B, path string, to ingest.Log) {
	b.Helper()
	rows, accepted := 0, 0
	converter := eventConverter(b)
	var tables columnar.Streams
	for part, err := range file.Parts(b.Context(), path, nil) {
		if err != nil {
			b.Fatal(err)
		}
		rows += part.Rows
		if to == nil {
			continue
		}
		in := ingest.NewBatcher(converter, to, "bench", true)
		if err := tables.Take(b.Context(), in, bytes.NewReader(part.Body)); err != nil {
			b.Fatal(err)
		}
		accepted += in.Accepted
	}
	if rows != eventRows || to != nil && accepted != eventRows {
		b.Fatalf("%d rows, %d accepted", rows, accepted)
	}
}

// nowhere is a log that holds on to nothing.
type nowhere struct{}

func (nowhere) Append(context.Context, *rollcall.Batch) error     { return nil }
func (nowhere) Reject(context.Context, []rollcall.Rejected) error { return nil }

// folding is a log whose events are folded at once.
type folding struct {
	nowhere
	fold *aggregate.Fold
}

func newFolding() folding {
	calendar := func(id rollcall.MarketID) (*rollcall.Calendar, error) {
		return rollcall.Market{ID: id, Name: "France", Zone: "Europe/Paris"}.Calendar()
	}
	return folding{fold: aggregate.NewFold(hll.DefaultK, calendar, nil)}
}

func (f folding) Append(_ context.Context, events *rollcall.Batch) error { return f.fold.Add(events) }

func eventConverter(tb testing.TB) *ingest.Converter {
	tb.Helper()
	keys, err := ingest.NewKeys(ingest.Master{Secret: bytes.Repeat([]byte("k"), ingest.MasterSize)})
	if err != nil {
		tb.Fatal(err)
	}
	var known []rollcall.Service
	for _, id := range serviceIDs() {
		known = append(known, rollcall.Service{ID: id, Name: string(id)})
	}
	catalogue, err := rollcall.NewCatalogue([]rollcall.Market{{ID: "FR", Name: "France", Zone: "Europe/Paris"}}, known)
	if err != nil {
		tb.Fatal(err)
	}
	return &ingest.Converter{Keys: keys, Catalogue: func() *rollcall.Catalogue { return catalogue }, Now: time.Now}
}

// eventsFile writes a file as most writers do by themselves: snappy, dictionaries
// while they are small, every column optional. Its rows are in no order.
func eventsFile(tb testing.TB, accounts int) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "events.parquet")
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	fields := []arrow.Field{{Name: "time", Type: arrow.FixedWidthTypes.Timestamp_ms, Nullable: true}}
	for _, name := range []string{"market", "service", "location", "kind", "account"} {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	w, err := pqarrow.NewFileWriter(schema, f, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy)), pqarrow.DefaultWriterProps())
	if err != nil {
		tb.Fatal(err)
	}
	rec := eventRecord(schema, accounts)
	if err := w.Write(rec); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return path
}

func eventRecord(schema *arrow.Schema, accounts int) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	text := func(column int, value string) { b.Field(column).(*array.StringBuilder).Append(value) }
	random := rand.New(rand.NewPCG(2002, 10))
	first := time.Date(2002, 10, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	for range eventRows {
		b.Field(0).(*array.TimestampBuilder).Append(arrow.Timestamp(first + random.Int64N(days*24*60*60*1000)))
		text(1, "FR")
		text(2, string(serviceIDs()[random.IntN(services)]))
		text(3, [...]string{"home", "work", "elsewhere"}[random.IntN(locations)])
		text(4, [...]string{"presence", "use"}[random.IntN(2)])
		text(5, fmt.Sprintf("someone.%d@example.org", random.IntN(accounts)))
	}
	return b.NewRecord()
}
