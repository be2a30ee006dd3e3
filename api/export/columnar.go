package export

import (
	"errors"
	"io"

	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
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
