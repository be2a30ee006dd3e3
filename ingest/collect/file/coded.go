package file

import (
	"encoding/binary"
	"fmt"
	"iter"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/parquet"
	parquetfile "github.com/apache/arrow/go/v15/parquet/file"

	"rollcall/ingest/collect/columnar"
)

// chunkRows is how many rows are read from each column in turn.
const chunkRows = 1 << 12

// coded gives the file's bodies as columnar.Bodies gives those of its records,
// for fewer of the processor's steps: a column whose pages have codes of a
// dictionary stays codes, and each of its texts is looked at once. What is
// unusual in a row group, or broken, is left to the library from that row on: so
// that the library alone says what is wrong with a file.
func (r *rows) coded(fields []arrow.Field) iter.Seq2[columnar.Body, error] {
	return func(yield func(columnar.Body, error) bool) {
		g := &codedRows{rows: r, draft: columnar.NewDraft(fields), yield: yield}
		for group := range r.file.NumRowGroups() {
			done, err := g.group(group)
			if err != nil && !(g.flush() && g.others(group, done)) || g.over {
				return
			}
		}
		g.flush()
	}
}

// codable gives the columns as fields, if all of them can be read as codes: they
// are of texts, or of times in 64 bits, and no row has more than one of each.
func (r *rows) codable() (fields []arrow.Field, ok bool) {
	for _, leaf := range r.columns {
		of := r.file.MetaData().Schema.Column(leaf)
		at, err := r.arrow.Manifest.GetFieldIndices([]int{leaf})
		if err != nil || len(at) != 1 || of.MaxRepetitionLevel() != 0 || of.MaxDefinitionLevel() > 1 {
			return nil, false
		}
		field := r.arrow.Manifest.Fields[at[0]].Field
		switch field.Type.ID() {
		case arrow.STRING, arrow.BINARY:
			ok = of.PhysicalType() == parquet.Types.ByteArray
		case arrow.TIMESTAMP:
			ok = of.PhysicalType() == parquet.Types.Int64 && (field.Name == "time" || field.Name == "until")
		default:
			ok = false
		}
		if !ok {
			return nil, false
		}
		fields = append(fields, *field)
	}
	return fields, true
}

// codedRows is a file whose rows are read as codes.
type codedRows struct {
	*rows
	draft *columnar.Draft
	yield func(columnar.Body, error) bool
	over  bool // no more is wanted
}

// group reads a row group's rows, and says how many: all where there is no error.
func (g *codedRows) group(group int) (done int64, err error) {
	columns, err := g.open(group)
	all := g.file.MetaData().RowGroup(group).NumRows()
	for err == nil && done < all {
		n := int(min(chunkRows, all-done, int64(g.draft.Left())))
		if n == 0 {
			if !g.flush() {
				return done, nil
			}
			continue
		}
		if err = read(columns, n); err == nil {
			g.draft.Added(n)
			done += int64(n)
		}
	}
	return done, err
}

// open begins a row group's columns.
func (g *codedRows) open(group int) (columns []*codedColumn, err error) {
	defer recovered(&err, "Parquet")
	for i, leaf := range g.columns {
		if _, err := g.checkColumn(group, leaf); err != nil {
			return nil, err
		}
		g.memory.renew()
		pages, err := g.file.RowGroup(group).GetColumnPageReader(leaf)
		if err != nil {
			return nil, parquetFault(err)
		}
		of := g.file.MetaData().Schema.Column(leaf)
		columns = append(columns, &codedColumn{
			pages: pages, memory: g.memory, optional: of.MaxDefinitionLevel() == 1,
			stamps: of.PhysicalType() == parquet.Types.Int64, draft: g.draft, to: g.draft.Columns[i],
		})
	}
	return columns, nil
}

// read reads the next n rows of each column.
func read(columns []*codedColumn, n int) (err error) {
	defer recovered(&err, "Parquet")
	for _, c := range columns {
		if !c.read(n) {
			return errUncoded
		}
	}
	return nil
}

// errUncoded says that the library is to read on. Nobody sees it.
const errUncoded = fault("is not read as codes")

// flush yields the rows that were read, if any; false: stop.
func (g *codedRows) flush() bool {
	body, ok, err := g.draft.Body()
	g.over = (ok || err != nil) && !g.yield(body, err) || err != nil
	return !g.over
}

// others has the library read a row group's rows from one on; false: stop.
func (g *codedRows) others(group int, from int64) bool {
	for body, err := range columnar.Bodies(func(yield func(arrow.Record, error) bool) { g.rows.group(group, from, yield) }) {
		if !g.yield(body, err) || err != nil {
			return false
		}
	}
	return true
}

// codedColumn is a column of a row group, of texts or of times.
type codedColumn struct {
	pages    parquetfile.PageReader
	memory   *limited
	optional bool // rows may have nothing
	stamps   bool
	draft    *columnar.Draft
	to       *columnar.DraftColumn

	// The page.
	left   int    // rows that were not read
	levels hybrid // of an optional column: 1 where a row has something
	codes  hybrid // where values is nil
	values []byte // plain

	// The dictionary.
	has     bool
	words   []byte
	ends    []int // of the words; the first is 0
	known   []int32
	of      int // the draft that known is of
	moments []int64

	level []int32 // of the rows that are read at once
}

// unknown is the code of a word that the draft does not have yet.
const unknown = -2

// read reads the next n rows into the draft.
func (c *codedColumn) read(n int) bool {
	if c.of != c.draft.Number {
		c.forget()
	}
	for n > 0 {
		if c.left == 0 && !c.page() {
			return false
		}
		m := min(n, c.left)
		if !c.some(m) {
			return false
		}
		n, c.left = n-m, c.left-m
	}
	return true
}

// forget lets go of the codes of another draft.
func (c *codedColumn) forget() {
	c.of = c.draft.Number
	for i := range c.known {
		c.known[i] = unknown
	}
}

// some reads n rows of the page.
func (c *codedColumn) some(n int) bool {
	has := n
	full := !c.optional || c.levels.skip(n, 1)
	if !full {
		c.level = append(c.level[:0], make([]int32, n)...)
		if !c.levels.read(c.level) {
			return false
		}
		has = 0
		for _, level := range c.level {
			if level != 0 && level != 1 {
				return false
			}
			has += int(level)
		}
	}
	if c.stamps {
		return c.times(n, has, full)
	}
	from := len(c.to.Codes)
	c.to.Codes = append(c.to.Codes, make([]int32, n)...)
	to := c.to.Codes[from:]
	if !c.texts(to[:has]) {
		return false
	}
	if !full {
		spread(to, c.level, has, columnar.Null)
	}
	return true
}

// spread moves the first values of a run of rows to the rows that have one, from
// the last row on.
func spread[T int32 | int64](to []T, level []int32, has int, none T) {
	for row := len(to) - 1; row >= 0; row-- {
		if level[row] == 0 {
			to[row] = none
			continue
		}
		has--
		to[row] = to[has]
	}
}

// texts reads as many codes of texts as there is space for.
func (c *codedColumn) texts(to []int32) bool {
	if c.values != nil {
		return c.plainTexts(to)
	}
	if !c.codes.read(to) {
		return false
	}
	for i, word := range to {
		if uint(word) >= uint(len(c.known)) {
			return false
		}
		code := c.known[word]
		if code == unknown {
			text := c.words[c.ends[word]+lengthSize : c.ends[word+1]]
			if !c.to.Takes(len(text)) {
				return false
			}
			code = c.to.Word(text)
			c.known[word] = code
		}
		to[i] = code
	}
	return true
}

// plainTexts reads texts that stand in the page themselves.
func (c *codedColumn) plainTexts(to []int32) bool {
	values := c.values // which the collector of garbage need not hear of at each text
	for i := range to {
		size, ok := textSize(values)
		if !ok || !c.to.Takes(size) {
			return false
		}
		to[i] = c.to.Word(values[lengthSize : lengthSize+size])
		values = values[lengthSize+size:]
	}
	c.values = values
	return true
}

// lengthSize is of the length before a text: uint32 LE.
const lengthSize = 4

// textSize gives the length of the text that values begin with.
func textSize(values []byte) (int, bool) {
	if len(values) < lengthSize {
		return 0, false
	}
	size := int(binary.LittleEndian.Uint32(values))
	return size, size <= len(values)-lengthSize
}

// times reads n rows of times, of which some have one.
func (c *codedColumn) times(n, has int, full bool) bool {
	from := len(c.to.Times)
	c.to.Times = append(c.to.Times, make([]int64, n)...)
	to := c.to.Times[from:]
	if !c.instants(to[:has]) {
		return false
	}
	if full {
		return true
	}
	spread(to, c.level, has, 0)
	for row, level := range c.level {
		if level == 0 {
			c.to.Empty = append(c.to.Empty, int32(from+row))
		}
	}
	return true
}

// instants reads as many times as there is space for.
func (c *codedColumn) instants(to []int64) bool {
	const size = 8
	if c.values != nil {
		if len(c.values) < size*len(to) {
			return false
		}
		for i := range to {
			to[i] = int64(binary.LittleEndian.Uint64(c.values[size*i:]))
		}
		c.values = c.values[size*len(to):]
		return true
	}
	c.known = append(c.known[:0], make([]int32, len(to))...)
	if !c.codes.read(c.known) {
		return false
	}
	for i, at := range c.known {
		if uint(at) >= uint(len(c.moments)) {
			return false
		}
		to[i] = c.moments[at]
	}
	return true
}

// page begins the next data page, and reads the dictionary where it comes by.
func (c *codedColumn) page() bool {
	for {
		c.memory.renew()
		if !c.pages.Next() {
			return false
		}
		switch p := c.pages.Page().(type) {
		case *parquetfile.DictionaryPage:
			if !c.dictionary(p) {
				return false
			}
		default:
			return c.data(p)
		}
	}
}

// data begins a data page.
func (c *codedColumn) data(p parquetfile.Page) bool {
	levels, values, err := parts(p, c.optional)
	if err != nil {
		return false
	}
	c.left, c.levels = int(p.NumValues()), hybrid{rest: levels, width: 1}
	switch parquet.Encoding(p.Encoding()) {
	case parquet.Encodings.Plain:
		c.values = values[:len(values):len(values)]
		return true
	case parquet.Encodings.PlainDict, parquet.Encodings.RLEDict:
		if c.values = nil; !c.has {
			return false
		}
		if len(values) == 0 { // no row has anything
			c.codes = hybrid{}
			return true
		}
		c.codes = hybrid{rest: values[1:], width: uint(values[0])}
		return c.codes.width <= maxWidth
	}
	return false
}

// parts gives a data page's levels, of a column that may be empty, and values.
func parts(p parquetfile.Page, optional bool) (levels, values []byte, err error) {
	data := p.Data()
	if data == nil {
		data = []byte{}
	}
	switch p := p.(type) {
	case *parquetfile.DataPageV2:
		from := int64(p.RepetitionLevelByteLen())
		to := from + int64(p.DefinitionLevelByteLen())
		if from < 0 || to < from || to > int64(len(data)) {
			return nil, nil, errPage
		}
		return data[from:to], data[to:], nil
	case *parquetfile.DataPageV1:
		if !optional {
			return nil, data, nil
		}
		size, ok := textSize(data)
		if !ok || p.DefinitionLevelEncoding() != parquet.Encodings.RLE {
			return nil, nil, errPage
		}
		return data[lengthSize : lengthSize+size], data[lengthSize+size:], nil
	}
	return nil, nil, fmt.Errorf("%w: a page of the type %v", errPage, p.Type())
}

// dictionary reads the only dictionary that a column has in a row group. Its
// bytes are the page's, and copied.
func (c *codedColumn) dictionary(p *parquetfile.DictionaryPage) bool {
	plain := parquet.Encoding(p.Encoding())
	if c.has || plain != parquet.Encodings.Plain && plain != parquet.Encodings.PlainDict {
		return false
	}
	c.has = true
	n, data := int(p.NumValues()), p.Data()
	if c.stamps {
		c.moments = make([]int64, min(n, len(data)/8))
		for i := range c.moments {
			c.moments[i] = int64(binary.LittleEndian.Uint64(data[8*i:]))
		}
		return len(c.moments) == n
	}
	if n > len(data)/lengthSize {
		return false
	}
	c.words, c.ends, c.known = append([]byte(nil), data...), make([]int, 1, n+1), make([]int32, n)
	for at := 0; len(c.ends) <= n; {
		size, ok := textSize(c.words[at:])
		if !ok {
			return false
		}
		at += lengthSize + size
		c.ends = append(c.ends, at)
	}
	c.forget()
	return true
}
