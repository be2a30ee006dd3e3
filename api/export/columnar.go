package export

import (
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
	"github.com/apache/arrow/go/v15/parquet/schema"

	"rollcall"
)

// writeParquet writes one row group, compressed by Snappy (the library makes a zstd
// encoder for each page: 600 MB for a ranking of 9 rows), with the record's
// schema and the report's meta among the file's key-values.
func writeParquet(w io.Writer, f *flat) error {
	how := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithCreatedBy("rollcall"))
	out, err := pqarrow.NewFileWriter(f.record.Schema(), noClose{w}, how, pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		return err
	}
	return errors.Join(out.Write(f.record), out.Close())
}

// noClose keeps the Parquet writer from closing what is not its own.
type noClose struct{ io.Writer }

// writeArrow writes an Arrow IPC file (Feather, version 2), uncompressed, so that
// it can be mapped. The library wants to seek; it only ever asks where it is.
func writeArrow(w io.Writer, f *flat) error {
	out, err := ipc.NewFileWriter(&place{w: w}, ipc.WithSchema(f.record.Schema()))
	if err != nil {
		return err
	}
	return errors.Join(out.Write(f.record), out.Close())
}

// place counts the bytes written and can't go back.
type place struct {
	w  io.Writer
	at int64
}

func (p *place) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.at += int64(n)
	return n, err
}

func (p *place) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekCurrent {
		return 0, errors.New("an Arrow file is written from its beginning to its end")
	}
	return p.at, nil
}

// WriteWide writes a wide table as Parquet, its key-values as the file's
// own: one row group, a column after the other, each made when its turn
// comes and let go of then. The bytes are those of the table alone.
func WriteWide(w io.Writer, t *rollcall.Wide) error {
	nodes := make(schema.FieldList, len(t.Columns))
	for i, c := range t.Columns {
		node, err := wideNode(c)
		if err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
		nodes[i] = node
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, nodes, -1)
	if err != nil {
		return err
	}
	how := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithCreatedBy("rollcall"))
	to := &untilFault{w: w}
	out := file.NewParquetWriter(to, root, file.WithWriterProps(how))
	for _, f := range t.KeyValues {
		if err := out.AppendKeyValueMetadata(f.Name, f.Value); err != nil {
			return err
		}
	}
	group := out.AppendRowGroup()
	for _, c := range t.Columns {
		if err := writeWideColumn(group, c, t.Rows); err != nil || to.err != nil {
			return fmt.Errorf("column %s: %w", c.Name, errors.Join(err, to.err))
		}
	}
	err = errors.Join(group.Close(), out.Close())
	return errors.Join(err, to.err)
}

// untilFault writes until that fails, which it takes note of: the Parquet writer
// panics where it can't write its first bytes.
type untilFault struct {
	w   io.Writer
	err error
}

func (u *untilFault) Write(b []byte) (int, error) {
	if u.err == nil {
		_, u.err = u.w.Write(b)
	}
	return len(b), nil
}

func wideNode(c rollcall.WideColumn) (schema.Node, error) {
	switch {
	case c.Texts != nil:
		return schema.NewPrimitiveNodeLogical(c.Name, parquet.Repetitions.Required, schema.StringLogicalType{}, parquet.Types.ByteArray, 0, -1)
	case c.Counts != nil:
		return schema.NewPrimitiveNode(c.Name, parquet.Repetitions.Required, parquet.Types.Int64, -1, 0)
	}
	return schema.NewPrimitiveNode(c.Name, parquet.Repetitions.Required, parquet.Types.Double, -1, 0)
}

func writeWideColumn(group file.SerialRowGroupWriter, c rollcall.WideColumn, rows int) error {
	column, err := group.NextColumn()
	if err != nil {
		return err
	}
	written, err := int64(0), error(nil)
	switch out := column.(type) {
	case *file.ByteArrayColumnChunkWriter:
		texts := c.Texts()
		values := make([]parquet.ByteArray, len(texts))
		for i, text := range texts {
			values[i] = parquet.ByteArray(text)
		}
		written, err = out.WriteBatch(values, nil, nil)
	case *file.Int64ColumnChunkWriter:
		written, err = out.WriteBatch(c.Counts(), nil, nil)
	case *file.Float64ColumnChunkWriter:
		written, err = out.WriteBatch(c.Numbers(), nil, nil)
	}
	if err == nil && written != int64(rows) {
		err = fmt.Errorf("has %d values for %d rows", written, rows)
	}
	return errors.Join(err, column.Close())
}
