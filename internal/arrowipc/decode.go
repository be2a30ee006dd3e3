package arrowipc

import (
	"errors"
	"fmt"
	"io"

	"rollcall"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
)

// Sink takes what a stream holds beside good rows, and names its groups.
type Sink struct {
	// Code gives the code that rows of the group have in the batch, or why no
	// row of the group can be used. It is called once for each different group
	// of a Read.
	Code func(*rollcall.Group) (uint32, error)
	// Bad takes a row that can't be used, and why. Line is 1 for the first row.
	Bad func(line int, row Row, err error)
}

// Decoder reads streams into batches. It is not safe for concurrent use; its
// memory is used again for each stream.
type Decoder struct {
	arena  arena
	stream *ipc.Reader
	where  places
	cols   columns // of the record batch being read
	at     int     // the next row of cols
	line   int     // rows read of the stream
	rows   int     // rows claimed by the stream's batches so far
	groups groups
}

// NewDecoder makes a decoder.
func NewDecoder() *Decoder {
	return &Decoder{groups: newGroups()}
}

// Open begins a stream. The bytes must not change until the stream has been
// read. Errors are *rollcall.Invalid: the stream can't be used at all.
func (d *Decoder) Open(value []byte) (err error) {
	defer d.end(&err)
	defer recovered(&err)
	d.close()
	stream, err := ipc.NewReaderFromMessageReader(&frames{rest: value}, ipc.WithAllocator(&d.arena))
	if err != nil {
		return invalid(err)
	}
	d.stream = stream
	d.where, err = findColumns(stream.Schema())
	return err
}

func (d *Decoder) close() {
	d.stream, d.cols = nil, columns{}
	d.at, d.line, d.rows = 0, 0, 0
	d.arena.reset()
	d.groups.reset()
}

// end leaves nothing to read after an error.
func (d *Decoder) end(err *error) {
	if *err != nil {
		d.stream, d.cols, d.at = nil, columns{}, 0
	}
}

// Read appends at most limit of the stream's next rows to the batch: good ones
// to its columns, the others go to the sink. It gives the number of rows read,
// and io.EOF with 0 after the last. Any other error is a *rollcall.Invalid that
// ends the stream; rows already appended are good in themselves.
func (d *Decoder) Read(b *rollcall.Batch, limit int, sink Sink) (n int, err error) {
	defer d.end(&err)
	defer recovered(&err)
	d.groups.begin(sink.Code)
	for d.at == d.cols.rows {
		if err := d.nextRecord(); err != nil {
			return 0, err
		}
	}
	n = min(limit, d.cols.rows-d.at)
	if err := d.read(b, d.at, d.at+n, sink); err != nil {
		return 0, err
	}
	d.at += n
	d.line += n
	return n, nil
}

func (d *Decoder) nextRecord() (err error) {
	if d.stream == nil {
		return io.EOF
	}
	if !d.stream.Next() {
		if err := d.stream.Err(); err != nil {
			return invalid(err)
		}
		return io.EOF
	}
	rec := d.stream.Record()
	if d.rows += int(rec.NumRows()); d.rows > MaxRows {
		return beyond("has more than %d rows", MaxRows)
	}
	d.cols, err = d.where.columns(rec)
	d.at = 0
	d.groups.forget()
	return err
}

// read handles rows [from, to) of the record batch: first each text column is
// added to the rows' combinations, then each row is looked up and appended.
func (d *Decoder) read(b *rollcall.Batch, from, to int, sink Sink) error {
	if err := d.groups.combine(&d.cols, from, to); err != nil {
		return err
	}
	c := &d.cols
	for i := from; i < to; i++ {
		g, err := d.groups.find(c, i, i-from)
		if err != nil {
			return err
		}
		if bad := g.err; bad != nil {
			sink.Bad(d.line+i-from+1, d.row(g, i), bad)
			continue
		}
		at, until, bad := c.times(i)
		if bad == nil && c.visitor.valid.null(i) {
			bad = missing("visitor")
		}
		if bad != nil {
			sink.Bad(d.line+i-from+1, d.row(g, i), bad)
			continue
		}
		b.AddRow(g.code, at, until, c.visitor.values[i])
	}
	return nil
}

// row gives row i as the stream has it.
func (d *Decoder) row(g *group, i int) Row {
	r := g.row
	r.Time, r.Until = d.cols.time.text(i), d.cols.until.text(i)
	if !d.cols.visitor.valid.null(i) {
		r.Visitor = fmt.Sprint(d.cols.visitor.values[i])
	}
	if !d.cols.key.valid.null(i) {
		r.Key = rollcall.KeyID(d.cols.key.values[i]).String()
	}
	return r
}

// recovered makes an error of a panic of the Arrow library, or of a limit.
func recovered(err *error) {
	switch p := recover().(type) {
	case nil:
	case *rollcall.Invalid:
		*err = p
	default:
		*err = malformed("is broken: %v", p)
	}
}

// invalid gives an error of the Arrow library the project's form. The library
// keeps only the text of what it recovers from.
func invalid(err error) error {
	if e := new(rollcall.Invalid); errors.As(err, &e) {
		return e
	}
	return malformed("%v", err)
}

func missing(field string) error {
	return &rollcall.Invalid{Field: field, Reason: "is missing", Code: field + "_missing"}
}

// places says which column of a schema is which; -1: none.
type places struct {
	time, until, visitor, key int
	text                      [texts]int
}

func findColumns(s *arrow.Schema) (p places, err error) {
	find := func(name string, required bool, fits func(arrow.DataType) bool) int {
		at := s.FieldIndices(name)
		switch {
		case err != nil:
		case len(at) > 1:
			err = unfit(name, "is there more than once")
		case len(at) == 0 && required:
			err = unfit(name, "is missing")
		case len(at) == 1 && !fits(s.Field(at[0]).Type):
			err = unfit(name, "has the type "+s.Field(at[0]).Type.String())
		}
		if len(at) == 0 {
			return -1
		}
		return at[0]
	}
	p.time = find("time", true, isTimestamp)
	p.until = find("until", false, isTimestamp)
	p.visitor = find("visitor", true, isUint64)
	p.key = find("key", true, isUint64)
	for i, name := range textNames() {
		p.text[i] = find(name, required(i), isText)
	}
	return p, err
}

func unfit(column, reason string) error {
	return &rollcall.Invalid{Field: "column", Value: column, Reason: reason, Code: codeSchema}
}

func isTimestamp(t arrow.DataType) bool { return t.ID() == arrow.TIMESTAMP }

func isUint64(t arrow.DataType) bool { return t.ID() == arrow.UINT64 }

func isText(t arrow.DataType) bool {
	if d, ok := t.(*arrow.DictionaryType); ok {
		t = d.ValueType
	}
	return t.ID() == arrow.STRING || t.ID() == arrow.LARGE_STRING
}

// columns gives the record batch's columns their use.
func (p *places) columns(rec arrow.Record) (c columns, err error) {
	c.rows = int(rec.NumRows())
	c.time = timesOf(rec, p.time)
	c.until = timesOf(rec, p.until)
	c.visitor = numbersOf(rec, p.visitor)
	c.key = numbersOf(rec, p.key)
	for i, name := range textNames() {
		if c.text[i], err = textOf(rec, p.text[i], name); err != nil {
			return c, err
		}
	}
	return c, nil
}

func timesOf(rec arrow.Record, at int) times {
	if at < 0 {
		return times{}
	}
	a := rec.Column(at).(*array.Timestamp)
	t := times{values: arrow.Int64Traits.CastFromBytes(arrow.TimestampTraits.CastToBytes(a.TimestampValues())), valid: validOf(a)}
	t.unit = a.DataType().(*arrow.TimestampType).Unit
	t.scale = int64(t.unit.Multiplier())
	return t
}

func numbersOf(rec arrow.Record, at int) numbers {
	a := rec.Column(at).(*array.Uint64)
	return numbers{values: a.Uint64Values(), valid: validOf(a)}
}
