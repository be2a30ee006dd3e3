package hll

import "math"

// Estimate is how many distinct ids a sketch has seen.
type Estimate struct {
	Count  float64 // distinct ids
	Exact  bool    // the count is exact, not an estimate
	StdErr float64 // relative standard error of Count; 0 when exact
}

// errorFactor is the relative standard error of an estimate times the square
// root of the number of registers.
const errorFactor = 1.0366

// Estimate counts the distinct ids added. It is exact while the sketch holds
// fewer than 2^(K-5) of them. After that it is the improved raw estimator of
// Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog
// sketches", arXiv:1702.01284, algorithm 6: unbiased from nothing to 2^60
// without tables or switches. StdErr is 1.0366/sqrt(2^K), the error at large
// counts; below about 10 * 2^K the true error is less. The directory
// experiment measures both.
func (s *Sketch) Estimate() Estimate {
	if !s.Large() {
		return Estimate{Count: float64(s.keys.len()), Exact: true}
	}
	c := countRanks(s.regs)
	return Estimate{
		Count:  estimateRanks(&c, s.k),
		StdErr: errorFactor / math.Sqrt(float64(len(s.regs))),
	}
}

// estimateRanks is the improved raw estimate from the number of registers of
// each rank. Products are rounded before they are added, so that a machine
// with fused multiply-add gives the same bits.
func estimateRanks(c *ranks, k uint8) float64 { return estimateOf(c, float64(uint64(1)<<k), k) }

// estimateOf is the estimate from m registers of a sketch of k, as if there were
// no others.
func estimateOf(c *ranks, m float64, k uint8) float64 {
	top := topRank(k)
	z := float64(m * tau(1-float64(c[top])/m))
	for r := top - 1; r >= 1; r-- {
		z = 0.5 * (z + float64(c[r]))
	}
	z += float64(m * sigma(float64(c[0])/m))
	return m * m / (2 * math.Ln2 * z)
}

// sigma is x + the sum over i >= 1 of x^(2^i) * 2^(i-1): the correction for the
// share x of registers that are still 0 (Ertl, equation 22). sigma(1) is
// infinite.
func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	sum, scale := x, 1.0
	for {
		x *= x
		before := sum
		sum += float64(x * scale)
		if sum == before {
			return sum
		}
		scale *= 2
	}
}

// tau is (1 - x - the sum over i >= 1 of (1 - x^(2^-i))^2 * 2^-i) / 3: the
// correction for the share 1-x of registers at the highest rank (Ertl,
// equation 29).
func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	sum, scale := 1-x, 1.0
	for {
		x = math.Sqrt(x)
		scale *= 0.5
		before := sum
		sum -= float64((1 - x) * (1 - x) * scale)
		if sum == before {
			return sum / 3
		}
	}
}

// StdErr gives the relative standard error of a dense sketch of precision k.
func StdErr(k int) float64 { return errorFactor / math.Sqrt(float64(uint64(1)<<k)) }
