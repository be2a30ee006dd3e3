//go:build linux

package fold

import (
	"math/bits"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"golang.org/x/sys/unix"

	"rollcall"
)

// What the rows are of: 144 groups of very different sizes.
const (
	services  = 4
	locations = 3
	days      = 12
	groups    = services * locations * days
)

const (
	rowGroup   = 1 << 20 // rows of a Parquet row group
	recordRows = 1 << 14 // rows of an Arrow batch
)

// firstDay is the rows' first.
func firstDay() rollcall.Day { return rollcall.DayOf(2002, 10, 1) }

// input is the rows, in a file and in memory, in no order: a row's group says
// nothing of the next one's.
type input struct {
	rows     int
	path     string // of the Parquet file
	records  []arrow.Record
	distinct [groups]int // the truth: visitors of each group
}

// chunk is the rows of one row group.
type chunk struct {
	visitor           []uint64
	service, location []uint8
	day               []int32 // since 1970
}

// draws makes rows: visitors at random from a tenth as many as there are rows,
// services by their shares of 2001, most people at home.
type draws struct {
	random   *rand.PCG
	visitors int
	service  [64]uint8
	location [64]uint8
	seen     [groups][]uint64 // a bit each
}

func newDraws(visitors int) *draws {
	d := &draws{random: rand.NewPCG(2002, 10), visitors: visitors}
	share(d.service[:], 20, 19, 15, 10)
	share(d.location[:], 38, 19, 7)
	for i := range d.seen {
		d.seen[i] = make([]uint64, visitors/64+1)
	}
	return d
}

func share(table []uint8, shares ...int) {
	for value, n := range shares {
		for range n {
			table[0], table = uint8(value), table[1:]
		}
	}
}

// fill draws every row of the chunk.
func (d *draws) fill(c *chunk) {
	for i := range c.visitor {
		who, what := d.random.Uint64(), d.random.Uint64()
		n := int(who >> 32 * uint64(d.visitors) >> 32)
		s, l, day := d.service[what&63], d.location[what>>6&63], int(what>>12&0xffff*days>>16)
		c.visitor[i], c.service[i], c.location[i], c.day[i] = pseudonym(n), s, l, int32(int(firstDay())+day)
		d.seen[groupOf(s, l, day)][n/64] |= 1 << (n % 64)
	}
}

func groupOf(service, location uint8, day int) int {
	return (int(service)*locations+int(location))*days + day
}

// pseudonym gives visitor n 64 bits without a pattern, each its own: the steps
// of SplitMix64 (Steele, Lea and Flood, 2014).
func pseudonym(n int) uint64 {
	x := uint64(n+1) * 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// newInput makes the rows and writes their file.
func newInput(tb testing.TB, rows int) *input {
	tb.Helper()
	in := &input{rows: rows, path: filepath.Join(tb.TempDir(), "rows.parquet")}
	d := newDraws(max(1, rows/10))
	w := newWriter(tb, in.path)
	for left := rows; left > 0; left -= rowGroup {
		c := newChunk(tb, min(left, rowGroup))
		d.fill(c)
		w.write(c)
		in.add(c)
	}
	w.close()
	for g, seen := range d.seen {
		for _, word := range seen {
			in.distinct[g] += bits.OnesCount64(word)
		}
	}
	return in
}

// newChunk makes a chunk outside of Go's heap, so that the collector works as
// in a process that does not hold the rows.
func newChunk(tb testing.TB, rows int) *chunk {
	tb.Helper()
	slab, err := unix.Mmap(-1, 0, 14*rows, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		tb.Fatal(err)
	}
	return &chunk{
		visitor: arrow.Uint64Traits.CastFromBytes(slab[:8*rows]), day: arrow.Int32Traits.CastFromBytes(slab[8*rows : 12*rows]),
		service: slab[12*rows : 13*rows], location: slab[13*rows:],
	}
}

// add puts the chunk among the batches in memory, which use its own.
func (in *input) add(c *chunk) {
	n := len(c.visitor)
	whole := array.NewRecord(arrow.NewSchema([]arrow.Field{
		{Name: "visitor", Type: arrow.PrimitiveTypes.Uint64}, {Name: "service", Type: arrow.PrimitiveTypes.Uint8},
		{Name: "location", Type: arrow.PrimitiveTypes.Uint8}, {Name: "day", Type: arrow.FixedWidthTypes.Date32},
	}, nil), []arrow.Array{
		column(arrow.PrimitiveTypes.Uint64, arrow.Uint64Traits.CastToBytes(c.visitor), n),
		column(arrow.PrimitiveTypes.Uint8, c.service, n),
		column(arrow.PrimitiveTypes.Uint8, c.location, n),
		column(arrow.FixedWidthTypes.Date32, arrow.Int32Traits.CastToBytes(c.day), n),
	}, int64(n))
	for from := 0; from < n; from += recordRows {
		in.records = append(in.records, whole.NewSlice(int64(from), int64(min(n, from+recordRows))))
	}
}

func column(t arrow.DataType, values []byte, rows int) arrow.Array {
	return array.MakeFromData(array.NewData(t, rows, []*memory.Buffer{nil, memory.NewBufferBytes(values)}, nil, 0, 0))
}
