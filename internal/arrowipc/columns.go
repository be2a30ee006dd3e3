package arrowipc

import (
	"strconv"
	"time"

	"rollcall"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// columns are those of one record batch. The arrays behind them may lie about
// their nulls, so only the bitmaps are asked.
type columns struct {
	rows         int
	time, until  times
	visitor, key numbers
	text         [texts]text
}

// times gives row i's times in Unix nanoseconds; until 0: none.
func (c *columns) times(i int) (at, until int64, err error) {
	if c.time.valid.null(i) {
		return 0, 0, missing("time")
	}
	at, ok := c.time.nano(i)
	if !ok {
		return 0, 0, outside("time", c.time.text(i))
	}
	if c.until.values == nil || c.until.valid.null(i) {
		return at, 0, nil
	}
	until, ok = c.until.nano(i)
	if !ok {
		return 0, 0, outside("until", c.until.text(i))
	}
	if until == 0 {
		until = 1 // 1970 exactly would read as none; a nanosecond later it is refused as it should be
	}
	return at, until, nil
}

func outside(field, value string) error {
	return &rollcall.Invalid{Field: field, Value: value, Reason: "is outside the years 1990 to 2199", Code: field}
}

// valid is a column's bitmap, from the row that it starts at; nil: no nulls.
type valid struct {
	bits   []byte
	offset int
}

func validOf(a arrow.Array) valid {
	return valid{bits: a.NullBitmapBytes(), offset: a.Data().Offset()}
}

func (v *valid) null(i int) bool {
	if len(v.bits) == 0 {
		return false
	}
	i += v.offset
	return v.bits[i/8]>>(i%8)&1 == 0
}

// times is a timestamp column.
type times struct {
	values []int64
	valid  valid
	unit   arrow.TimeUnit
	scale  int64 // nanoseconds of one unit
}

// nano gives the row's time in Unix nanoseconds, where it has them.
func (t *times) nano(i int) (int64, bool) {
	v := t.values[i]
	n := v * t.scale
	return n, t.scale == 1 || n/t.scale == v
}

// text writes the row's time, also one too far for nanoseconds.
func (t *times) text(i int) string {
	if t.values == nil || t.valid.null(i) {
		return ""
	}
	if n, ok := t.nano(i); ok {
		return time.Unix(0, n).UTC().Format(time.RFC3339Nano)
	}
	return strconv.FormatInt(t.values[i], 10) + t.unit.String()
}

// numbers is a uint64 column.
type numbers struct {
	values []uint64
	valid  valid
}

// text is a string column: row i's value is values[index(i)], where index is
// an integer array, or is row i's own where there is no dictionary.
type text struct {
	name   string
	index  arrow.Array // nil: no column
	values stringArray // of the dictionary, or of the rows
	plain  bool        // values are the rows' own
	valid  valid       // of the rows
	known  valid       // of the dictionary's values
}

// stringArray is what String and LargeString arrays have in common.
type stringArray interface {
	Len() int
	Value(int) string
}

func textOf(rec arrow.Record, at int, name string) (text, error) {
	if at < 0 {
		return text{name: name}, nil
	}
	a := rec.Column(at)
	d, ok := a.(*array.Dictionary)
	if !ok {
		return text{name: name, index: a, values: a.(stringArray), plain: true, valid: validOf(a)}, nil
	}
	values := d.Dictionary()
	if values.Len() > maxValues {
		return text{}, tooMany(name)
	}
	return text{
		name: name, index: d.Indices(), values: values.(stringArray),
		valid: validOf(d.Indices()), known: validOf(values),
	}, nil
}

func tooMany(name string) error {
	return beyond("has more than %d different values of %s", maxValues, name)
}
