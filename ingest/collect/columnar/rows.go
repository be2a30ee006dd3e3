package columnar

import (
	"context"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"rollcall/ingest"
)

// rows takes the rows of a table whose columns are codes, where the same codes
// have been taken before: what goes for one of the market, service, location and
// so on then goes for the next, and what an account's pseudonym is.
type rows struct {
	table   *table
	account *coded
	mixed   []*coded          // the columns that together are a group
	few     bool              // groups: their codes mixed, and one more, are their number
	numbers map[uint64]uint32 // of other groups, by their codes mixed
	alike   ingest.Alike      // of the table's rows, as many as window, from one on
	from    int
}

const (
	// maxDirect is how many groups are found by their codes, and maxGroups how many
	// are remembered of others.
	maxDirect = 1 << 14
	maxGroups = 1 << 12
	// window is how many rows are numbered at once: what is read of them then is in a
	// near cache still.
	window = 1 << 12
)

// of begins another table with the memory of the one before, and gives nil for one
// whose rows are to be looked at one by one.
func (r *rows) of(t *table) *rows {
	account, ok := t.texts[columnAccount].(*coded)
	if !ok || t.times[columnTime] == nil || t.texts[columnUntil] != (blank{}) {
		return nil
	}
	r.table, r.account, r.mixed = t, account, r.mixed[:0]
	product := uint64(1)
	for _, column := range []int{
		columnMarket, columnService, columnLocation, columnKind, columnPanel, columnPanelist,
		columnPlatform, columnSegment, columnPrecision,
	} {
		switch of := t.texts[column].(type) {
		case blank:
			continue
		case *coded:
			r.mixed = append(r.mixed, of)
			product *= uint64(of.words() + 1)
		default:
			return nil
		}
		if product > 1<<40 {
			return nil
		}
	}
	r.few = product <= maxDirect
	r.begin(int(product))
	return r
}

// begin makes space for so many groups, if they are few.
func (r *rows) begin(groups int) {
	a := &r.alike
	r.from, a.Group, a.Unit = 0, a.Group[:0], r.table.times[columnTime].second()
	a.Accounts.Renew(r.account.names, r.table.rows)
	clear(a.Groups)
	clear(r.numbers)
	if r.few {
		a.Groups = slices.Grow(a.Groups[:0], groups+1)[:groups+1]
		return
	}
	if r.numbers == nil {
		r.numbers = make(map[uint64]uint32)
	}
	a.Groups = append(a.Groups[:0], nil)
}

// forget lets go of the table, whose memory is the stream's.
func (r *rows) forget() {
	clear(r.mixed)
	r.table, r.account, r.alike.Account = nil, nil, nil
	r.alike.Accounts.Renew(ingest.Names{}, 0)
}

// take takes rows from row i on, as many as are like others, and says how many.
func (r *rows) take(ctx context.Context, in *ingest.Batcher, i int) (int, error) {
	if i-r.from >= len(r.alike.Group) {
		r.open(i)
	}
	return in.Rows(ctx, &r.alike, i-r.from)
}

// remember takes note of the group of row i, which was taken by itself.
func (r *rows) remember(in *ingest.Batcher, i int) {
	number := r.alike.Group[i-r.from]
	if number == 0 {
		return
	}
	if group := in.KnownGroup(&r.alike, r.alike.Groups[number]); group != nil {
		r.alike.Groups[number] = group
	}
}

// open numbers the groups of the rows from row i on. Number 0 has a row that is to
// be looked at by itself.
func (r *rows) open(i int) {
	n := min(window, r.table.rows-i)
	at, until := r.table.times[columnTime], r.table.times[columnUntil]
	r.from = i
	r.alike.Group = append(r.alike.Group[:0], make([]uint32, n)...)
	r.alike.Account, r.alike.Time = r.account.codes[i:i+n], r.alike.Time[:0]
	for _, v := range at.values[i : i+n] {
		r.alike.Time = append(r.alike.Time, int64(v))
	}
	if r.few {
		r.mix(r.alike.Group)
	} else {
		for row := range r.alike.Group {
			r.alike.Group[row] = r.number(i + row)
		}
	}
	if until != nil {
		r.alike.Until = append(r.alike.Until[:0], make([]int64, n)...)
	} else {
		r.alike.Until = nil
	}
	if len(at.bits) == 0 && until == nil {
		return
	}
	for row := range r.alike.Group {
		if at.null(i+row) || until != nil && !until.nano(i+row, &r.alike.Until[row]) {
			r.alike.Group[row] = 0
		}
	}
}

// mix numbers groups by their codes.
func (r *rows) mix(to []uint32) {
	for _, of := range r.mixed {
		base := uint32(of.words() + 1)
		for row, code := range of.codes[r.from : r.from+len(to)] {
			to[row] = to[row]*base + uint32(code+1)
		}
	}
	for row := range to {
		to[row]++
	}
}

// number gives the number of the group that row i has, of very many.
func (r *rows) number(i int) uint32 {
	mixed := uint64(0)
	for _, of := range r.mixed {
		mixed = mixed*uint64(of.words()+1) + uint64(of.codes[i]+1)
	}
	number, ok := r.numbers[mixed]
	if !ok && len(r.numbers) < maxGroups {
		number = uint32(len(r.alike.Groups))
		r.numbers[mixed] = number
		r.alike.Groups = append(r.alike.Groups, nil)
	}
	return number
}

// second gives how many of the column's unit a second has.
func (c *instants) second() int64 {
	switch c.unit {
	case arrow.Second:
		return 1
	case arrow.Millisecond:
		return 1e3
	case arrow.Microsecond:
		return 1e6
	}
	return 1e9
}

// nano gives row i's time in Unix nanoseconds, 0 where it has none; false: it can't.
func (c *instants) nano(i int, to *int64) bool {
	if c.null(i) {
		return true
	}
	scale := 1e9 / c.second()
	*to = int64(c.values[i]) * scale
	return *to != 0 && *to/scale == int64(c.values[i])
}
