package hll

import "math"

// Overlap is what two sketches hold in common and apart.
type Overlap struct{ Both, OnlyA, OnlyB Difference }

// Difference is a number of ids that is a sum and difference of estimates.
type Difference struct {
	Count float64 // distinct ids, 0 or more
	SE    float64 // its standard error, in ids; 0 when exact
	Exact bool
}

// OverlapOf compares two sketches by inclusion and exclusion with
// their union: both = a + b - union, only a = union - b. One of a higher K is
// taken as of the lower.
//
// The estimates of the three are far from independent: the union's registers
// are the other two's. So the standard error is found by deleting one register
// at a time, in all three at once, and estimating from the others: (m-1)/m times
// the sum of the squared deviations of those m figures from their mean, the
// jackknife's variance. A figure depends on the deleted registers' ranks alone.
// The variance so found is that of ids that fall into the registers at random,
// their number too: so the figure itself, the variance of a Poisson number, is
// taken off.
func OverlapOf(a, b *Sketch) (o Overlap) {
	k := min(a.K(), b.K())
	a, b, union := unionOf(k, a), unionOf(k, b), unionOf(k, a, b)
	without := [...]deletion{deletionsOf(a), deletionsOf(b), deletionsOf(union)}
	pairs := pairsOf(a, b)
	for _, d := range []struct {
		into *Difference
		sign [3]float64 // of a, b and the union
	}{
		{&o.Both, [...]float64{1, 1, -1}}, {&o.OnlyA, [...]float64{0, -1, 1}}, {&o.OnlyB, [...]float64{-1, 0, 1}},
	} {
		*d.into = difference(d.sign, &without, pairs)
	}
	return o
}

// unionOf gives a new sketch of all that some sketches of k or more hold.
func unionOf(k int, of ...*Sketch) *Sketch {
	union := New(k)
	for _, s := range of {
		if err := union.Merge(s); err != nil {
			panic("hll: " + err.Error()) // a sketch that neither New nor Decode made
		}
	}
	return union
}

// deletion is a sketch's estimate from all registers, and from all but one of a
// rank.
type deletion struct {
	all     float64
	without [len(ranks{})]float64
	exact   bool
}

func deletionsOf(s *Sketch) (d deletion) {
	e := s.Estimate()
	d.all, d.exact = e.Count, e.Exact
	if e.Exact {
		for r := range d.without {
			d.without[r] = e.Count
		}
		return d
	}
	c := countRanks(s.regs)
	m := float64(len(s.regs))
	for r, n := range c {
		if n > 0 {
			less := c
			less[r]--
			d.without[r] = m / (m - 1) * estimateOf(&less, m-1, s.k)
		}
	}
	return d
}

// rankPairs is how many registers have each pair of ranks.
type rankPairs [len(ranks{})][len(ranks{})]uint32

// pairsOf counts pairs of registers; those of a set are 0.
func pairsOf(a, b *Sketch) *rankPairs {
	var pairs rankPairs
	ra, rb := registersOf(a), registersOf(b)
	for i, rank := range ra {
		pairs[rank&63][rb[i]&63]++
	}
	return &pairs
}

// registersOf gives the registers that a sketch has, or would have if it were
// large.
func registersOf(s *Sketch) []byte {
	if s.Large() {
		return s.regs
	}
	large := Sketch{k: s.k}
	large.setRegisters()
	clear(large.regs)
	large.mergeKeys(&s.keys)
	return large.regs
}

// difference gives one combination of the estimates, and its standard error.
func difference(sign [3]float64, of *[3]deletion, pairs *rankPairs) (d Difference) {
	value := 0.0
	d.Exact = true
	for i, s := range sign {
		value += s * of[i].all
		d.Exact = d.Exact && (s == 0 || of[i].exact)
	}
	d.Count = max(0, value)
	if d.Exact {
		return d
	}
	var m, sum, squares float64
	for ra := range pairs {
		for rb, n := range pairs[ra] {
			if n == 0 {
				continue
			}
			one := sign[0]*of[0].without[ra] + sign[1]*of[1].without[rb] + sign[2]*of[2].without[max(ra, rb)] - value
			m += float64(n)
			sum += float64(n) * one
			squares += float64(n) * one * one
		}
	}
	variance := (m - 1) / m * (squares - sum*sum/m)
	d.SE = math.Sqrt(max(0, variance-d.Count))
	return d
}
