//go:build linux

package fold

import (
	"os"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/schema"
)

// writer writes row groups to a file as most writers do by themselves: with
// snappy, and with dictionaries where values come again.
type writer struct {
	tb   testing.TB
	file *file.Writer
}

func newWriter(tb testing.TB, path string) *writer {
	tb.Helper()
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	field := func(name string, logical schema.LogicalType, physical parquet.Type) schema.Node {
		return schema.Must(schema.NewPrimitiveNodeLogical(name, parquet.Repetitions.Required, logical, physical, 0, -1))
	}
	root := schema.MustGroup(schema.NewGroupNode("rows", parquet.Repetitions.Required, schema.FieldList{
		field("visitor", schema.NewIntLogicalType(64, false), parquet.Types.Int64),
		field("service", schema.NewIntLogicalType(8, false), parquet.Types.Int32),
		field("location", schema.NewIntLogicalType(8, false), parquet.Types.Int32),
		field("day", schema.DateLogicalType{}, parquet.Types.Int32),
	}, -1))
	return &writer{tb: tb, file: file.NewParquetWriter(f, root, file.WithWriterProps(parquet.NewWriterProperties(
		parquet.WithCompression(compress.Codecs.Snappy), parquet.WithDictionaryFor("visitor", false))))}
}

// write writes a row group.
func (w *writer) write(c *chunk) {
	w.tb.Helper()
	rows := w.file.AppendRowGroup()
	w.column(rows, func(out file.ColumnChunkWriter) error {
		_, err := out.(*file.Int64ColumnChunkWriter).WriteBatch(signed(c.visitor), nil, nil)
		return err
	})
	for _, values := range [][]int32{widened(c.service), widened(c.location), c.day} {
		w.column(rows, func(out file.ColumnChunkWriter) error {
			_, err := out.(*file.Int32ColumnChunkWriter).WriteBatch(values, nil, nil)
			return err
		})
	}
	if err := rows.Close(); err != nil {
		w.tb.Fatal(err)
	}
}

func (w *writer) column(rows file.SerialRowGroupWriter, write func(file.ColumnChunkWriter) error) {
	w.tb.Helper()
	out, err := rows.NextColumn()
	if err != nil {
		w.tb.Fatal(err)
	}
	if err := write(out); err != nil {
		w.tb.Fatal(err)
	}
	if err := out.Close(); err != nil {
		w.tb.Fatal(err)
	}
}

// close ends the file.
func (w *writer) close() {
	w.tb.Helper()
	if err := w.file.Close(); err != nil {
		w.tb.Fatal(err)
	}
}

// signed is the same memory, as Parquet's type for it.
func signed(values []uint64) []int64 {
	return arrow.Int64Traits.CastFromBytes(arrow.Uint64Traits.CastToBytes(values))
}

func widened(values []uint8) []int32 {
	wide := make([]int32, len(values))
	for i, v := range values {
		wide[i] = int32(v)
	}
	return wide
}

// chunks are a row group's columns, read by their own types: no Arrow arrays
// come in between.
type chunks struct {
	visitor                *file.Int64ColumnChunkReader
	service, location, day *file.Int32ColumnChunkReader
}

func openChunks(rows *file.RowGroupReader) (c chunks, err error) {
	if c.visitor, err = chunkOf[*file.Int64ColumnChunkReader](rows, 0); err != nil {
		return c, err
	}
	for i, to := range []**file.Int32ColumnChunkReader{&c.service, &c.location, &c.day} {
		if *to, err = chunkOf[*file.Int32ColumnChunkReader](rows, i+1); err != nil {
			return c, err
		}
	}
	return c, nil
}

func chunkOf[T file.ColumnChunkReader](rows *file.RowGroupReader, column int) (T, error) {
	r, err := rows.Column(column)
	if err != nil {
		var none T
		return none, err
	}
	return r.(T), nil
}

// page is as many rows of each column as are read at once.
type page struct {
	visitor                [recordRows]uint64
	service, location, day [recordRows]int32
}

// read fills the page and gives its rows; 0: there are no more.
func (c *chunks) read(p *page) (int, error) {
	_, n, err := c.visitor.ReadBatch(recordRows, signed(p.visitor[:]), nil, nil)
	if err != nil {
		return 0, err
	}
	for _, column := range []struct {
		from *file.Int32ColumnChunkReader
		to   []int32
	}{{c.service, p.service[:n]}, {c.location, p.location[:n]}, {c.day, p.day[:n]}} {
		if _, _, err := column.from.ReadBatch(int64(n), column.to, nil, nil); err != nil {
			return 0, err
		}
	}
	return n, nil
}
