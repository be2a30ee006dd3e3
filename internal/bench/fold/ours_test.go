//go:build linux

package fold

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/file"

	"rollcall"
	"rollcall/aggregate"
	"rollcall/aggregate/hll"
)

// loom brings rows to a fold as the batches that it takes.
type loom struct {
	fold  *aggregate.Fold
	batch rollcall.Batch
	zero  [recordRows]int64
}

// newLoom makes a fold of both sketches of a cell (rollcall.ToMinute), or, of
// rows that tell only the day, of visitors alone (rollcall.ToDay).
func newLoom(p rollcall.Precision) *loom {
	utc := func(id rollcall.MarketID) (*rollcall.Calendar, error) {
		return rollcall.Market{ID: id, Name: "all", Zone: "UTC"}.Calendar()
	}
	l := &loom{fold: aggregate.NewFold(hll.DefaultK, utc, nil)}
	l.batch = rollcall.Batch{Code: make([]uint32, recordRows), Time: make([]int64, recordRows)}
	for s := range services {
		for at := range locations {
			l.batch.Groups = append(l.batch.Groups, rollcall.Group{
				Market: "all", Service: serviceIDs()[s], Location: rollcall.Home << at, Kind: rollcall.Presence, Key: 1, Precision: p,
			})
		}
	}
	return l
}

func serviceIDs() [services]rollcall.ServiceID {
	return [...]rollcall.ServiceID{"msn", "aim", "icq", "yahoo"}
}

// fromRecords folds the Arrow batches that are in memory.
func fromRecords(in *input, p rollcall.Precision) ([]float64, error) {
	l := newLoom(p)
	for _, r := range in.records {
		days := arrow.Int32Traits.CastFromBytes(arrow.Date32Traits.CastToBytes(r.Column(3).(*array.Date32).Date32Values()))
		visitors := r.Column(0).(*array.Uint64).Uint64Values()
		if err := add(l, visitors, r.Column(1).(*array.Uint8).Uint8Values(), r.Column(2).(*array.Uint8).Uint8Values(), days); err != nil {
			return nil, err
		}
	}
	return l.counts()
}

// fromParquet folds the file.
func fromParquet(in *input, precision rollcall.Precision) ([]float64, error) {
	props := parquet.NewReaderProperties(memory.DefaultAllocator)
	props.BufferedStreamEnabled, props.BufferSize = true, 64<<10 // or each column of a row group is read whole
	f, err := file.OpenParquetFile(in.path, false, file.WithReadProps(props))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l, p := newLoom(precision), new(page)
	for i := range f.NumRowGroups() {
		if err := l.rowGroup(f.RowGroup(i), p); err != nil {
			return nil, err
		}
	}
	return l.counts()
}

func (l *loom) rowGroup(rows *file.RowGroupReader, p *page) error {
	c, err := openChunks(rows)
	if err != nil {
		return err
	}
	for {
		n, err := c.read(p)
		if n == 0 || err != nil {
			return err
		}
		if err := add(l, p.visitor[:n], p.service[:n], p.location[:n], p.day[:n]); err != nil {
			return err
		}
	}
}

// add folds rows, whose places among services and locations make their codes.
func add[T uint8 | int32](l *loom, visitors []uint64, service, location []T, day []int32) error {
	const nano = 24 * 60 * 60 * 1e9
	n := len(visitors)
	code, time := l.batch.Code[:n], l.batch.Time[:n]
	location = location[:n]
	day = day[:n]
	for i, s := range service[:n] {
		code[i] = uint32(s)*locations + uint32(location[i])
		time[i] = int64(day[i]) * nano
	}
	l.batch.Visitor, l.batch.Until, l.batch.Code, l.batch.Time = visitors, l.zero[:n], code, time
	return l.fold.Add(&l.batch)
}

// counts reads the estimates out of the states that a flush would store.
func (l *loom) counts() ([]float64, error) {
	counts, s := make([]float64, groups), hll.New(hll.DefaultK)
	for key, state := range l.fold.Deltas().Cells {
		if err := s.Decode(state.Visitors); err != nil {
			return nil, err
		}
		counts[l.groupOf(key)] = s.Estimate().Count
	}
	return counts, nil
}

func (l *loom) groupOf(key rollcall.Cell) int {
	for code, g := range l.batch.Groups {
		if g.Service == key.Service && g.Location == key.Location {
			return code*days + int(key.Day-firstDay())
		}
	}
	return -1
}
