package panel

import (
	"math/bits"
	"sync"
)

// members are the panelists of an estimator, the clusters that they are in, and
// what two variables have in common among them.
type members struct {
	people []person
	*design
	cells    int       // that the margins make
	scratchs sync.Pool // of *scratch
}

// scratch is memory for one estimate, all 0 between estimates.
type scratch struct {
	base, cross []float64 // by cell
	cluster     []float64
	seen        []bool  // by cluster
	touched     []int32 // clusters
}

func (m *members) scratch() *scratch {
	if s, ok := m.scratchs.Get().(*scratch); ok {
		return s
	}
	s := &scratch{base: make([]float64, m.cells), cross: make([]float64, m.cells)}
	if !m.alone() {
		s.cluster, s.seen = make([]float64, m.clusters()), make([]bool, m.clusters())
	}
	return s
}

// release gives scratch memory back, cleared.
func (m *members) release(s *scratch) {
	clear(s.base)
	clear(s.cross)
	for _, c := range s.touched {
		s.cluster[c], s.seen[c] = 0, false
	}
	s.touched = s.touched[:0]
	m.scratchs.Put(s)
}

// add adds up a variable's weighted values by cluster.
func (m *members) add(s *scratch, v Variable) {
	for k, i := range v.At {
		c := m.cluster[i]
		if !s.seen[c] {
			s.seen[c] = true
			s.touched = append(s.touched, c)
		}
		s.cluster[c] += m.people[i].final * v.value(k)
	}
}

// product gives the sum over clusters of factor*z_a*z_b, from that of
// factor*u_a*u_b.
func product(a, b *Term, overlap float64) float64 {
	return overlap + dot(a.through, b.slopes) - dot(a.slopes, b.cross) - dot(b.slopes, a.cross)
}

// overlap gives the sum over clusters of factor*u_a*u_b.
func (m *members) overlap(a, b *Term) float64 {
	switch {
	case a == b:
		return a.size
	case m.alone():
		return m.inCommon(a, b)
	}
	return m.shared(a, b).factored
}

// overlaps is what two variables have in common, cluster by cluster.
type overlaps struct {
	factored float64 // the sum of factor*u_a*u_b
	plain    float64 // of u_a*u_b
}

// shared gives what two variables have in common where panelists share clusters.
func (m *members) shared(a, b *Term) overlaps {
	if len(a.At) > len(b.At) {
		a, b = b, a
	}
	s := m.scratch()
	defer m.release(s)
	m.add(s, a.Variable)
	var out overlaps
	for k, i := range b.At {
		p := &m.people[i]
		product := p.final * b.value(k) * s.cluster[m.cluster[i]]
		out.plain += product
		out.factored += p.factor * product
	}
	return out
}

// inCommon gives the sum of factor*w*w*y_a*y_b over the panelists.
func (m *members) inCommon(a, b *Term) float64 {
	if len(a.At) > len(b.At) {
		a, b = b, a
	}
	b.once.Do(func() { b.index(len(m.people)) })
	if a.Values == nil && b.bits != nil && len(a.At) > len(b.bits) {
		a.once.Do(func() { a.index(len(m.people)) })
		return m.common(a.bits, b.bits)
	}
	var total float64
	for k, i := range a.At {
		if y := b.at(i); y != 0 {
			p := &m.people[i]
			total += p.factor * p.final * p.final * a.value(k) * y
		}
	}
	return total
}

// common gives the sum of factor*w*w over those whose bit is in both.
func (m *members) common(a, b []uint64) float64 {
	var total float64
	for i, x := range a {
		for x &= b[i]; x != 0; x &= x - 1 {
			p := &m.people[i*64+bits.TrailingZeros64(x)]
			total += p.factor * p.final * p.final
		}
	}
	return total
}
