package export

import (
	"errors"
	"io"

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
