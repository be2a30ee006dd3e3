package hll

// Z95 is the normal quantile of a 95 % interval: a sketch has no degrees of freedom.
const Z95 = 1.959963984540054

// Interval gives the estimate's 95 % interval, in ids: the normal one of its
// relative standard error, from 0 up; the count itself where that is exact.
func (e Estimate) Interval() (low, high float64) {
	half := Z95 * e.StdErr * e.Count
	return max(0, e.Count-half), e.Count + half
}
