package panel

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"rollcall"
)

// Weights is a roster weighed to its universe, with all that estimates need.
// It never changes, and is safe for concurrent use. Panelists are known by
// their position in the roster.
type Weights struct {
	*Estimator
	frame      *frame
	trim       rollcall.Trim
	ids        []rollcall.Visitor
	units      []unit
	cellCodes  []int32 // post-stratification cell by axis, row-major
	cellSums   []sums
	starts     []int // of each axis's categories among all of them
	iterations int
}

// sums is what a cell's panelists add up to.
type sums struct {
	base, final, square float64 // of base weights, of final weights and of their squares
	n                   int32
}

// group puts the panelists in their cells, which are numbered as they appear.
func (w *Weights) group(base []float64, cells []int32) {
	m := len(w.frame.axes)
	for i := range w.people {
		p := &w.people[i]
		p.base, p.cell = base[i], cells[i]
		if int(p.cell) == len(w.cellSums) {
			w.cellSums = append(w.cellSums, sums{})
			w.cellCodes = append(w.cellCodes, w.frame.codes[i*m:(i+1)*m]...)
		}
		w.cellSums[p.cell].base += p.base
		w.cellSums[p.cell].n++
	}
}

// cells finds the combinations of categories that panelists have.
func (f *frame) cells(n int) []int32 {
	out, m := make([]int32, n), len(f.axes)
	for k := range m {
		cells := map[uint64]int32{}
		for i := range out {
			key := uint64(out[i])<<32 | uint64(f.codes[i*m+k])
			cell, ok := cells[key]
			if !ok {
				cell = int32(len(cells))
				cells[key] = cell
			}
			out[i] = cell
		}
	}
	return out
}

// finish spreads the raked weights, of cells or of panelists, and factors the
// regression on the margins.
func (w *Weights) finish(raked []float64) {
	for i := range w.people {
		p := &w.people[i]
		cell := &w.cellSums[p.cell]
		if w.trim.On() {
			p.final = raked[i]
		} else {
			p.final = raked[p.cell] * p.base / cell.base
		}
		cell.final += p.final
		cell.square += p.final * p.final
	}
	w.index()
	inverse := w.inverted(func(s *sums) float64 { return s.base })
	w.regression.inverse = inverse
	w.outside = w.pull()
	w.prepare(newDesign(w.units, nil), inverse)
}

// inverted computes the pseudo-inverse of the margins' Gram matrix under the
// base or the final weights. It is rank-deficient by nature: every margin adds up to the
// same constant. It is scaled to a unit diagonal first, so that one cut-off
// serves categories of all sizes.
func (w *Weights) inverted(weight func(*sums) float64) []float64 {
	gram := w.gram(weight)
	p := gram.SymmetricDim()
	scale := make([]float64, p)
	for i := range scale {
		if d := gram.At(i, i); d > 0 {
			scale[i] = 1 / math.Sqrt(d)
		}
	}
	for i := range p {
		for j := i; j < p; j++ {
			gram.SetSym(i, j, gram.At(i, j)*scale[i]*scale[j])
		}
	}
	inverse := pseudoInverse(gram)
	for i := range p {
		for j := range p {
			inverse[i*p+j] *= scale[i] * scale[j]
		}
	}
	return inverse
}

// index numbers the categories of all margins, and gives each cell's.
func (w *Weights) index() {
	at := 0
	for _, a := range w.frame.axes {
		w.starts = append(w.starts, at)
		at += len(a.categories)
	}
	m := len(w.starts)
	w.categories = make([][]int32, len(w.cellSums))
	for c := range w.cellSums {
		for k, code := range w.cellCodes[c*m : (c+1)*m] {
			w.categories[c] = append(w.categories[c], int32(w.starts[k])+code)
		}
	}
}

// gram gives X'DX over all categories.
func (w *Weights) gram(weight func(*sums) float64) *mat.SymDense {
	last := len(w.starts) - 1
	gram := mat.NewSymDense(w.starts[last]+len(w.frame.axes[last].categories), nil)
	for c, categories := range w.categories {
		x := weight(&w.cellSums[c])
		for k, i := range categories {
			for _, j := range categories[k:] {
				gram.SetSym(int(i), int(j), gram.At(int(i), int(j))+x)
			}
		}
	}
	return gram
}

// pseudoInverse inverts a symmetric matrix on the space where it is not 0.
func pseudoInverse(a *mat.SymDense) []float64 {
	var eigen mat.EigenSym
	if !eigen.Factorize(a, true) {
		panic("panel: the eigenvalues of a finite symmetric matrix were not found")
	}
	values := eigen.Values(nil)
	var vectors, scaled, inverse mat.Dense
	eigen.VectorsTo(&vectors)
	cut := slices.Max(values) * 1e-11
	scaled.Apply(func(_, j int, v float64) float64 {
		if values[j] <= cut {
			return 0
		}
		return v / values[j]
	}, &vectors)
	inverse.Mul(&scaled, vectors.T())
	return inverse.RawMatrix().Data
}

// Subset rakes some of the roster, from their base weights to the same
// population and with the same trim: those in tab in other months too, say.
// Positions must ascend; panelist at[i] of w is panelist i of the result. It
// refuses as Rake does, but for a stratum left with one cluster, which is
// centred on the mean of all clusters.
func (w *Weights) Subset(at []int32) (*Weights, error) {
	m := len(w.frame.axes)
	f := &frame{universe: w.frame.universe, notes: w.frame.notes, codes: make([]int32, 0, len(at)*m)}
	p := &people{base: make([]float64, len(at)), ids: make([]rollcall.Visitor, len(at)), units: make([]unit, len(at))}
	cells, number, next := make([]int32, len(at)), make([]int32, len(w.cellSums)), int32(0)
	for i, person := range at {
		cell := w.people[person].cell
		if number[cell] == 0 {
			next++
			number[cell] = next
		}
		p.base[i], p.ids[i], p.units[i], cells[i] = w.people[person].base, w.ids[person], w.units[person], number[cell]-1
		f.codes = append(f.codes, w.frame.codes[int(person)*m:int(person+1)*m]...)
	}
	b := &framer{frame: f}
	for k, a := range w.frame.axes {
		part := *a
		part.panelists = make([]int, len(a.categories))
		for i := range at {
			part.panelists[f.codes[i*m+k]]++
		}
		f.axes = append(f.axes, &part)
		b.checkCategories(&part)
	}
	if len(b.list) > 0 {
		return nil, refuse(b.list)
	}
	return weigh(f, cells, p, w.trim)
}
