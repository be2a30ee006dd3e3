package hll

import (
	"math"
	"math/rand/v2"
	"testing"
)

// drawRanks draws the registers' ranks for about n ids by the law of
// Poissonised HyperLogLog: a rank is at most r with probability
// exp(-n / 2^(k+r)).
func drawRanks(r *rand.Rand, k uint8, n float64) ranks {
	var c ranks
	share := math.Log2(n) - float64(k)
	for range 1 << k {
		rank := math.Ceil(share - math.Log2(r.ExpFloat64()))
		c[int(max(0, min(rank, float64(topRank(k)))))]++
	}
	return c
}

// From a handful of ids to a tenth of all hashes there are, the mean of 200
// estimates is within five of its own standard errors.
func TestEstimateIsUnbiased(t *testing.T) {
	const k, trials = MinK, 200
	r := rand.New(rand.NewPCG(1, 2))
	stated := errorFactor / math.Sqrt(1<<k)
	for n := 10.0; n < 2e18; n *= 16 {
		var sum, squares float64
		for range trials {
			c := drawRanks(r, k, n)
			d := estimateRanks(&c, k)/n - 1
			sum += d
			squares += d * d
		}
		mean, rmse := sum/trials, math.Sqrt(squares/trials)
		if math.Abs(mean) > 5*max(stated, math.Sqrt(1/n))/math.Sqrt(trials) {
			t.Errorf("n %.0f: bias %.5f", n, mean)
		}
		if n > 1<<k && rmse > 1.2*stated {
			t.Errorf("n %.0f: RMSE %.5f, stated %.5f", n, rmse, stated)
		}
	}
}

func TestEstimateStatesItsError(t *testing.T) {
	for k := MinK; k <= MaxK; k++ {
		s := sketchOf(k, upTo(1<<k))
		got := s.Estimate()
		if want := 1.0366 / math.Sqrt(float64(int(1)<<k)); got.Exact || math.Abs(got.StdErr-want) > 1e-12 {
			t.Errorf("K %d: %+v, want an error of %v", k, got, want)
		}
	}
}

// The corrections at the ends of their ranges, and sigma against its series
// summed by hand at 1/2: 1/2 + 1/4 + 2/16 + 4/256 + 8/65536 + ...
func TestCorrections(t *testing.T) {
	series := 0.0
	for i, scale := 1, 1.0; i <= 9; i, scale = i+1, scale*2 {
		series += math.Pow(0.5, math.Pow(2, float64(i))) * scale
	}
	cases := []struct {
		name      string
		got, want float64
	}{
		{"sigma(0)", sigma(0), 0},
		{"sigma(1/2)", sigma(0.5), 0.5 + series},
		{"sigma(1)", sigma(1), math.Inf(1)},
		{"tau(0)", tau(0), 0},
		{"tau(1)", tau(1), 0},
	}
	for _, c := range cases {
		if c.got != c.want && math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
}
