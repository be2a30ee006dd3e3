package main

import (
	"math/rand/v2"
	"time"
)

// task is one line of the table.
type task struct {
	name, unit string
	setup      func(newSketch func() sketch) (work, error)
}

// work is what is timed of one peer. A figure that is no time has no act, and
// its units are the figure.
type work struct {
	act    func() error
	units  int          // of work in one act
	before func() error // untimed, before each act; nil for nothing
}

// The numbers of ids of a sketch that is sparse, and of one that is dense.
const (
	few  = 400
	many = 1_000_000
)

// liveCells are the dense sketches over which the ids of "insert, many cells"
// are spread at random.
const liveCells = 8192

var tasks = [...]task{
	{"insert, sparse", "ns/id", insertSparse},
	{"insert, dense", "ns/id", insertDense},
	{"insert, dense batch", "ns/id", insertBatch},
	{"insert, 8,192 dense cells", "ns/id", insertCells},
	{"merge, sparse", "ns", func(n func() sketch) (work, error) { return mergeOf(n, few) }},
	{"merge, dense, again", "ns", func(n func() sketch) (work, error) { return mergeOf(n, many) }},
	{"merge, dense, anew", "ns", mergeAnew},
	{"estimate, sparse", "ns", func(n func() sketch) (work, error) { return estimateOf(n, few) }},
	{"estimate, dense", "ns", func(n func() sketch) (work, error) { return estimateOf(n, many) }},
	{"encode, sparse", "ns", func(n func() sketch) (work, error) { return encodeOf(n, few) }},
	{"encode, dense", "ns", func(n func() sketch) (work, error) { return encodeOf(n, many) }},
	{"decode, sparse", "ns", func(n func() sketch) (work, error) { return decodeOf(n, few) }},
	{"decode, dense", "ns", func(n func() sketch) (work, error) { return decodeOf(n, many) }},
	{"encoded, sparse", "bytes", func(n func() sketch) (work, error) { return bytesOf(n, few) }},
	{"encoded, dense", "bytes", func(n func() sketch) (work, error) { return bytesOf(n, many) }},
}

// measure gives the task's figure for one peer: nanoseconds a unit, or bytes.
func (t task) measure(p peer, round time.Duration) (float64, error) {
	w, err := t.setup(p.make)
	if err != nil || w.act == nil {
		return float64(w.units), err
	}
	best := 0.0
	for range 7 {
		ns, err := w.timed(round)
		if err != nil {
			return 0, err
		}
		if best == 0 || ns < best {
			best = ns
		}
	}
	return best / float64(w.units), nil
}

// timed repeats the act for a round and gives the nanoseconds of one.
func (w work) timed(round time.Duration) (float64, error) {
	var spent time.Duration
	times := 0
	for reps := 1; spent < round; reps *= 2 {
		if w.before != nil {
			reps = 1
			if err := w.before(); err != nil {
				return 0, err
			}
		}
		start := time.Now()
		for range reps {
			if err := w.act(); err != nil {
				return 0, err
			}
		}
		spent += time.Since(start)
		times += reps
	}
	return float64(spent.Nanoseconds()) / float64(times), nil
}

// randomIDs gives n ids, the same for every peer.
func randomIDs(n int, seed uint64) []uint64 {
	r := rand.NewPCG(seed, 0)
	ids := make([]uint64, n)
	for i := range ids {
		ids[i] = r.Uint64()
	}
	return ids
}

// holding gives a sketch of n ids.
func holding(newSketch func() sketch, n int, seed uint64) sketch {
	s := newSketch()
	s.addAll(randomIDs(n, seed))
	s.count() // a peer that buffers folds its buffer in
	return s
}

func insertSparse(newSketch func() sketch) (work, error) {
	ids := randomIDs(few, 1)
	return work{act: func() error {
		s := newSketch()
		for _, id := range ids {
			s.add(id)
		}
		return nil
	}, units: few}, nil
}

func insertDense(newSketch func() sketch) (work, error) {
	s, ids := holding(newSketch, many, 1), randomIDs(8192, 2)
	return work{act: func() error {
		for _, id := range ids {
			s.add(id)
		}
		return nil
	}, units: len(ids)}, nil
}

func insertBatch(newSketch func() sketch) (work, error) {
	s, ids := holding(newSketch, many, 1), randomIDs(8192, 2)
	return work{act: func() error {
		s.addAll(ids)
		return nil
	}, units: len(ids)}, nil
}

func insertCells(newSketch func() sketch) (work, error) {
	b, err := holding(newSketch, many, 1).encode()
	if err != nil {
		return work{}, err
	}
	cells := make([]sketch, liveCells)
	for i := range cells {
		if cells[i], err = newSketch().decode(b); err != nil {
			return work{}, err
		}
	}
	ids := randomIDs(1<<20, 2)
	return work{act: func() error {
		for i, id := range ids {
			cells[ids[len(ids)-1-i]%liveCells].add(id)
		}
		return nil
	}, units: len(ids)}, nil
}

func mergeOf(newSketch func() sketch, n int) (work, error) {
	s, o := holding(newSketch, n, 1), holding(newSketch, n, 2)
	if n == few { // the union would no longer be sparse
		o = holding(newSketch, n, 1)
	}
	return work{act: func() error { return s.merge(o) }, units: 1}, nil
}

// mergeAnew merges sketches that haven't been merged before: a third of the
// registers rise.
func mergeAnew(newSketch func() sketch) (work, error) {
	s, o := holding(newSketch, many, 1), holding(newSketch, many, 2)
	b, err := s.encode()
	if err != nil {
		return work{}, err
	}
	var into [64]sketch
	return work{
		units: len(into),
		before: func() (err error) {
			for i := range into {
				if into[i], err = s.decode(b); err != nil {
					return err
				}
			}
			return nil
		},
		act: func() error {
			for _, s := range into {
				if err := s.merge(o); err != nil {
					return err
				}
			}
			return nil
		},
	}, nil
}

func estimateOf(newSketch func() sketch, n int) (work, error) {
	s := holding(newSketch, n, 1)
	return work{act: func() error {
		s.count()
		return nil
	}, units: 1}, nil
}

func encodeOf(newSketch func() sketch, n int) (work, error) {
	s := holding(newSketch, n, 1)
	return work{act: func() error {
		_, err := s.encode()
		return err
	}, units: 1}, nil
}

func decodeOf(newSketch func() sketch, n int) (work, error) {
	s := holding(newSketch, n, 1)
	b, err := s.encode()
	return work{act: func() error {
		_, err := s.decode(b)
		return err
	}, units: 1}, err
}

func bytesOf(newSketch func() sketch, n int) (work, error) {
	b, err := holding(newSketch, n, 1).encode()
	return work{units: len(b)}, err
}
