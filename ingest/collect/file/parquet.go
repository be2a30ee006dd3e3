package file

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	parquetfile "github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"rollcall/ingest/collect/columnar"
)

// batchRows is how many rows are decoded at once.
const batchRows = 1 << 14

// parquet gives the file's bodies: read as codes where that can be done, and
// else by the library.
func (s *source) parquet() iter.Seq2[columnar.Body, error] {
	return func(yield func(columnar.Body, error) bool) {
		r, err := openParquet(s)
		if err != nil {
			yield(columnar.Body{}, err)
			return
		}
		if fields, ok := r.codable(); ok {
			r.coded(fields)(yield)
			return
		}
		columnar.Bodies(r.records())(yield)
	}
}

// records reads the file's row groups, of which it decodes only the columns
// that events have.
func (r *rows) records() records {
	return func(yield func(arrow.Record, error) bool) {
		for group := range r.file.NumRowGroups() {
			if !r.group(group, 0, yield) {
				return
			}
		}
	}
}

// rows is an open Parquet file. The readers of its columns are used one by one
// and not through GetRecordReader: that reads columns in goroutines, where a
// panic over a broken file could not be caught.
type rows struct {
	source  *source
	memory  *limited
	file    *parquetfile.Reader
	arrow   *pqarrow.FileReader
	columns []int // leaves
	leaves  map[int]bool
}

func openParquet(s *source) (r *rows, err error) {
	defer recovered(&err, "Parquet")
	if err := checkFooter(s, s.size); err != nil {
		return nil, err
	}
	r = &rows{source: s, memory: newLimited(maxPiece), leaves: make(map[int]bool)}
	props := parquet.NewReaderProperties(r.memory)
	props.BufferedStreamEnabled = true // or each column of a row group is read whole
	if r.file, err = parquetfile.NewParquetReader(s, parquetfile.WithReadProps(props)); err != nil {
		return nil, parquetFault(err)
	}
	// Without the Arrow schema that a writer may have left in the metadata: by
	// that one, text comes as dictionaries, which arrow/go v15 does not always
	// read whole, and a schema of some bytes may unfold into very many columns.
	r.file.MetaData().FileMetaData.KeyValueMetadata = nil
	r.arrow, err = pqarrow.NewFileReader(r.file, pqarrow.ArrowReadProperties{BatchSize: batchRows}, r.memory)
	if err != nil {
		return nil, parquetFault(err)
	}
	return r, r.choose()
}

// choose finds the columns. One that is there twice is refused, as in JSON and Arrow,
// and so is one that has columns of its own: it would be passed over, and the rows
// refused as if it were not there.
func (r *rows) choose() (err error) {
	schema := r.file.MetaData().Schema
	root := schema.Root()
	for _, name := range columnar.Names() {
		found := 0
		for i := range root.NumFields() {
			if root.Field(i).Name() == name {
				found++
			}
		}
		at := schema.ColumnIndexByName(name)
		switch {
		case found > 1:
			return fault("has the column " + name + " more than once; leave one out")
		case found == 1 && at < 0:
			return fault("has the column " + name + " as a list or a struct, and not as text")
		case at >= 0:
			r.columns, r.leaves[at] = append(r.columns, at), true
		}
	}
	has := func(name string) bool { return schema.ColumnIndexByName(name) >= 0 }
	if missing := columnar.Missing(has); len(missing) > 0 {
		return fault("has no column " + strings.Join(missing, ", "))
	}
	return nil
}

// group yields one row group's rows from one on; false: stop.
func (r *rows) group(group int, from int64, yield func(arrow.Record, error) bool) bool {
	readers, schema, err := r.readers(group)
	left := r.file.MetaData().RowGroup(group).NumRows()
	for err == nil && left > 0 {
		var rec arrow.Record
		rec, err = r.batch(readers, schema, min(left, batchRows))
		if err != nil {
			break
		}
		n := rec.NumRows()
		left -= n
		ok := from >= n || yield(rec.NewSlice(from, n), nil)
		from = max(0, from-n)
		rec.Release()
		if !ok {
			return false
		}
	}
	if err != nil {
		yield(nil, fmt.Errorf("row group %d: %w", group, err))
		return false
	}
	return true
}

func (r *rows) readers(group int) (readers []*pqarrow.ColumnReader, schema *arrow.Schema, err error) {
	defer recovered(&err, "Parquet")
	var fields []arrow.Field
	for _, leaf := range r.columns {
		claims, err := r.checkColumn(group, leaf)
		if err == nil && claims {
			err = r.checkValues(group, leaf)
		}
		if err != nil {
			return nil, nil, err
		}
		at, err := r.arrow.Manifest.GetFieldIndices([]int{leaf})
		if err != nil {
			return nil, nil, parquetFault(err)
		}
		reader, err := r.arrow.GetFieldReader(context.Background(), at[0], r.leaves, []int{group})
		if err != nil {
			return nil, nil, parquetFault(err)
		}
		readers, fields = append(readers, reader), append(fields, *reader.Field())
	}
	return readers, arrow.NewSchema(fields, nil), nil
}

// batch reads the next n rows of every column. A column that has fewer is an
// error: the library ends some without one.
func (r *rows) batch(readers []*pqarrow.ColumnReader, schema *arrow.Schema, n int64) (rec arrow.Record, err error) {
	defer recovered(&err, "Parquet")
	r.memory.renew()
	columns := make([]arrow.Array, len(readers))
	for i, reader := range readers {
		chunks, err := reader.NextBatch(n)
		if err != nil {
			return nil, parquetFault(err)
		}
		if int64(chunks.Len()) != n {
			return nil, fault(fmt.Sprintf("column %s ends after %d of %d rows", schema.Field(i).Name, chunks.Len(), n))
		}
		if columns[i], err = whole(chunks.Chunks(), r.memory); err != nil {
			return nil, parquetFault(err)
		}
	}
	return array.NewRecord(schema, columns, n), nil
}

func whole(chunks []arrow.Array, mem memory.Allocator) (arrow.Array, error) {
	if len(chunks) == 1 {
		return chunks[0], nil
	}
	return array.Concatenate(chunks, mem)
}

func parquetFault(err error) error {
	return fault("is not readable as Parquet: " + strings.ReplaceAll(err.Error(), "\n", "; "))
}
