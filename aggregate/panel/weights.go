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
	frame      *frame
	trim       rollcall.Trim
	ids        []rollcall.Visitor
	people     []person
	cellCodes  []int32 // post-stratification cell by axis, row-major
	cellSums   []sums
	iterations int

	starts  []int     // of each axis's categories among all of them
	inverse []float64 // (X'DX)+, row-major over all categories
	slopes  int       // the number of all categories
}

// person is one panelist's part in a figure.
type person struct {
	base, final float64
	cell        int32
}

// sums is what a cell's panelists add up to.
type sums struct {
	base, final, square float64 // of base weights, of final weights and of their squares
	n                   int32
}

func (w *Weights) cells() int { return len(w.cellSums) }

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
	w.factor()
}

// factor computes the pseudo-inverse of the margins' Gram matrix under the base
// weights. It is rank-deficient by nature: every margin adds up to the same
// constant. It is scaled to a unit diagonal first, so that one cut-off serves
// categories of all sizes.
func (w *Weights) factor() {
	gram := w.gram()
	p := w.slopes
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
	w.inverse = pseudoInverse(gram)
	for i := range p {
		for j := range p {
			w.inverse[i*p+j] *= scale[i] * scale[j]
		}
	}
}

// gram gives X'DX over all categories.
func (w *Weights) gram() *mat.SymDense {
	for _, a := range w.frame.axes {
		w.starts = append(w.starts, w.slopes)
		w.slopes += len(a.categories)
	}
	gram, m := mat.NewSymDense(w.slopes, nil), len(w.starts)
	for c, cell := range w.cellSums {
		codes := w.cellCodes[c*m : (c+1)*m]
		for k := range codes {
			for l := k; l < m; l++ {
				i, j := w.starts[k]+int(codes[k]), w.starts[l]+int(codes[l])
				gram.SetSym(i, j, gram.At(i, j)+cell.base)
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

// Len gives the number of panelists, n of every variance.
func (w *Weights) Len() int { return len(w.people) }

// kish gives the effective sample size.
func (w *Weights) kish() float64 {
	var sum, square float64
	for _, cell := range w.cellSums {
		sum += cell.final
		square += cell.square
	}
	return sum * sum / square
}

// Universe gives U, the population that the weights add up to.
func (w *Weights) Universe() float64 { return w.frame.universe }

// Final gives the final weights, persons per panelist, in the roster's order.
func (w *Weights) Final() []float64 {
	out := make([]float64, len(w.people))
	for i, p := range w.people {
		out[i] = p.final
	}
	return out
}

// Subset rakes some of the roster, from their base weights to the same
// population and with the same trim: those in tab in other months too, say.
// Positions must ascend; panelist at[i] of w is panelist i of the result. It
// refuses as Rake does.
func (w *Weights) Subset(at []int32) (*Weights, error) {
	m := len(w.frame.axes)
	f := &frame{universe: w.frame.universe, notes: w.frame.notes, codes: make([]int32, 0, len(at)*m)}
	base, ids := make([]float64, len(at)), make([]rollcall.Visitor, len(at))
	cells, number, next := make([]int32, len(at)), none(w.cells()), int32(0)
	for i, person := range at {
		p := &w.people[person]
		if number[p.cell] < 0 {
			number[p.cell] = next
			next++
		}
		base[i], ids[i], cells[i] = p.base, w.ids[person], number[p.cell]
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
	return weigh(f, cells, base, ids, w.trim)
}
