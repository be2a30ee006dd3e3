package panel

import "math"

// regression is that of a variable on the margins' indicators, weighted by base
// weights.
type regression struct {
	categories [][]int32 // of each cell: a category of each margin
	inverse    []float64 // (X'DX)+, row-major over all categories
}

// slopes gives the number of slopes: all categories.
func (r *regression) slopes() int { return int(math.Round(math.Sqrt(float64(len(r.inverse))))) }

// regress regresses on the margins' indicators, weighted by base weights: it
// turns a variable's weighted sums by cell into a slope a category.
func (r *regression) regress(cells []float64) []float64 {
	moments := r.byCategory(cells)
	slopes := make([]float64, len(moments))
	for j, y := range moments {
		if y == 0 {
			continue
		}
		for i, x := range r.inverse[j*len(moments) : (j+1)*len(moments)] { // it is symmetric
			slopes[i] += x * y
		}
	}
	return slopes
}

// byCategory adds sums by cell up by category.
func (r *regression) byCategory(cells []float64) []float64 {
	out := make([]float64, r.slopes())
	for c, sum := range cells {
		if sum == 0 {
			continue
		}
		for _, k := range r.categories[c] {
			out[k] += sum
		}
	}
	return out
}

// fit gives the fitted value of each cell's panelists.
func (r *regression) fit(slopes []float64) []float64 {
	out := make([]float64, len(r.categories))
	for c, categories := range r.categories {
		for _, k := range categories {
			out[c] += slopes[k]
		}
	}
	return out
}
