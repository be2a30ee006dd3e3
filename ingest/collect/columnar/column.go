package columnar

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unsafe"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"rollcall/ingest"
)

// texts is a column of text: row i's, empty where it is null.
type texts interface{ at(i int) string }

// blank is a column that is absent, or all null.
type blank struct{}

func (blank) at(int) string { return "" }

// valid is a column's bitmap; nil bits: no nulls.
type valid struct {
	bits   []byte
	offset int
}

// validOf refuses a bitmap that ends before the rows do.
func validOf(a arrow.Array) (valid, error) {
	v := valid{bits: a.NullBitmapBytes(), offset: a.Data().Offset()}
	if len(v.bits) > 0 && len(v.bits)*8 < v.offset+a.Len() {
		return v, errBitmap
	}
	return v, nil
}

func (v *valid) null(i int) bool {
	if len(v.bits) == 0 {
		return false
	}
	i += v.offset
	return v.bits[i/8]>>(i%8)&1 == 0
}

var (
	errBitmap  = errors.New("has a bitmap shorter than its rows")
	errOffsets = errors.New("has offsets outside of its text")
	errIndex   = errors.New("has indices outside of its dictionary")
)

// plain is a column whose rows have their own text.
type plain struct {
	valid
	value func(i int) string
}

func (c *plain) at(i int) string {
	if c.null(i) {
		return ""
	}
	return c.value(i)
}

// plainOf checks the offsets that value will follow: row i's text lies between
// offsets i and i+1 of the array's third buffer.
func plainOf[O int32 | int64](a arrow.Array, offsets []O, value func(i int) string) (texts, error) {
	v, err := validOf(a)
	if err != nil {
		return nil, err
	}
	last, size := O(0), O(0)
	if text := a.Data().Buffers()[2]; text != nil {
		size = O(text.Len())
	}
	if len(offsets) != a.Len()+1 {
		return nil, errOffsets
	}
	for _, o := range offsets {
		if o < last || o > size {
			return nil, errOffsets
		}
		last = o
	}
	return &plain{v, value}, nil
}

// coded is a column of a dictionary: row i's text is the name of its code.
type coded struct {
	codes []int32 // -1: null
	names ingest.Names
}

func (c *coded) at(i int) string {
	if c.codes[i] < 0 {
		return ""
	}
	return c.names.At(int(c.codes[i]))
}

// words gives how many texts there are.
func (c *coded) words() int { return c.names.Len() }

// namesOf gives the texts of a dictionary, which has been looked at; those of the
// common kind where they are.
func namesOf(a arrow.Array, words texts) ingest.Names {
	if whole, ok := a.(*array.String); ok && whole.NullN() == 0 && a.Len() > 0 {
		var text []byte
		if b := a.Data().Buffers()[2]; b != nil {
			text = b.Bytes()
		}
		return ingest.Names{
			Text: unsafe.String(unsafe.SliceData(text), len(text)), //nolint:gosec // its texts share the record's memory, as a table's do
			Ends: whole.ValueOffsets(),
		}
	}
	var text strings.Builder
	ends := make([]int32, 1, a.Len()+1)
	for i := range a.Len() {
		text.WriteString(words.at(i))
		ends = append(ends, int32(text.Len()))
	}
	return ingest.Names{Text: text.String(), Ends: ends}
}

func codedOf(a *array.Dictionary, memory *spare) (texts, error) {
	values, err := textsOf(a.Dictionary(), memory)
	if err != nil {
		return nil, err
	}
	c := &coded{names: namesOf(a.Dictionary(), values)}
	v, err := validOf(a)
	if err != nil {
		return nil, err
	}
	switch codes := a.Indices().(type) {
	case *array.Int8:
		c.codes, err = codesOf(codes.Int8Values(), memory.codes(a.Len()), c.words(), &v)
	case *array.Int16:
		c.codes, err = codesOf(codes.Int16Values(), memory.codes(a.Len()), c.words(), &v)
	case *array.Int32:
		c.codes, err = codesOf(codes.Int32Values(), memory.codes(a.Len()), c.words(), &v)
	default:
		codes64 := make([]int64, a.Len())
		for i := range codes64 {
			if !v.null(i) {
				codes64[i] = int64(a.GetValueIndex(i))
			}
		}
		c.codes, err = codesOf(codes64, memory.codes(a.Len()), c.words(), &v)
	}
	return c, err
}

// spare is memory for codes, which the columns of one table take after those of
// another that is not used any more.
type spare struct {
	pieces [][]int32
	taken  int
}

// begin takes everything back.
func (s *spare) begin() { s.taken = 0 }

// size gives the bytes of all of it.
func (s *spare) size() (size int) {
	for _, p := range s.pieces {
		size += arrow.Int32SizeBytes * cap(p)
	}
	return size
}

// codes gives memory for n codes, which are not cleared.
func (s *spare) codes(n int) []int32 {
	if s.taken == len(s.pieces) {
		s.pieces = append(s.pieces, nil)
	}
	p := &s.pieces[s.taken]
	s.taken++
	if cap(*p) < n {
		*p = make([]int32, n)
	}
	return (*p)[:n]
}

// codesOf gives rows' codes, after looking at each: it is of one of the words, or
// of a row that has none.
func codesOf[T int8 | int16 | int32 | int64](from []T, codes []int32, words int, v *valid) ([]int32, error) {
	if len(from) != len(codes) {
		return nil, errIndex
	}
	for i, code := range from {
		switch {
		case len(v.bits) > 0 && v.null(i):
			codes[i] = -1
		case uint64(code) >= uint64(words):
			return nil, errIndex
		default:
			codes[i] = int32(code)
		}
	}
	return codes, nil
}

// textsOf gives an array's texts, after looking at every offset of it.
func textsOf(a arrow.Array, memory *spare) (texts, error) {
	if a.Len() == 0 {
		return blank{}, nil
	}
	switch a := a.(type) {
	case *array.Null:
		return blank{}, nil
	case *array.String:
		return plainOf(a, a.ValueOffsets(), a.Value)
	case *array.Binary:
		return plainOf(a, a.ValueOffsets(), a.ValueString)
	case *array.LargeString:
		return plainOf(a, a.ValueOffsets(), a.Value)
	case *array.LargeBinary:
		return plainOf(a, a.ValueOffsets(), a.ValueString)
	case *array.Dictionary:
		return codedOf(a, memory)
	}
	return nil, fmt.Errorf("has the type %s, which is not text", a.DataType())
}

// instants is a column of timestamps.
type instants struct {
	valid
	values []arrow.Timestamp
	unit   arrow.TimeUnit
}

func instantsOf(a *array.Timestamp) (*instants, error) {
	v, err := validOf(a)
	if err != nil {
		return nil, err
	}
	if len(a.TimestampValues()) != a.Len() {
		return nil, errOffsets
	}
	return &instants{v, a.TimestampValues(), a.DataType().(*arrow.TimestampType).Unit}, nil
}

// at gives row i's time in UTC, and whether it has one.
func (c *instants) at(i int) (time.Time, bool) {
	if c.null(i) {
		return time.Time{}, false
	}
	v := int64(c.values[i])
	switch c.unit {
	case arrow.Second:
		return time.Unix(v, 0).UTC(), true
	case arrow.Millisecond:
		return time.UnixMilli(v).UTC(), true
	case arrow.Microsecond:
		return time.UnixMicro(v).UTC(), true
	}
	return time.Unix(0, v).UTC(), true
}
