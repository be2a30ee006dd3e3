package report

import "rollcall"

// cell is a printed number that is a sum over atoms: groups of persons that no
// printed number divides.
type cell struct {
	atoms  []atom
	value  float64
	class  int  // which cells to give up first: the lowest
	fixed  bool // never withheld here
	open   bool // not protected, where it is withheld by its own persons
	status rollcall.Status
}

// atom is a group of persons, and how often a cell counts each of them.
type atom struct {
	index int
	times int
}

// protect withholds further cells, as Suppressed, until no sum or difference
// of the printed ones gives a withheld one: a withheld cell must not be in the
// linear span of the printed cells. Of the printed cells that give one away,
// the smallest of the lowest class is withheld; a fixed one never is, being
// printed elsewhere.
func protect(cells []*cell) {
	for {
		s := newSpan(cells)
		changed := false
		for _, c := range cells {
			if !c.status.Withheld() || c.open || len(c.atoms) == 0 {
				continue
			}
			if victim := s.victim(c); victim != nil {
				victim.status = rollcall.Suppressed
				changed = true
			}
		}
		if !changed {
			return
		}
	}
}

// prime is the modulus of the elimination: exact, and large enough that a rank
// over the rationals is the same but by a freak.
const prime = 1<<31 - 1

// span is the linear span of the printed cells: cells of one atom, taken off
// every other, and a basis of what is left, each row with the combination of
// cells that it is made of. No row has anything at the pivots of those before.
type span struct {
	units map[int]*cell // by atom
	rows  []*cell       // printed cells of several atoms
	at    map[int]int   // unknown atom to column
	basis []vector
	work  vector // derivation's
}

// vector is a row of the basis: its part over unknown atoms, and the factors
// of the cells that it is made of.
type vector struct {
	over    []uint64
	factors []uint64
	pivot   int
}

func newSpan(cells []*cell) *span {
	s := &span{units: map[int]*cell{}, at: map[int]int{}}
	for _, c := range cells {
		if c.status.Withheld() || len(c.atoms) == 0 {
			continue
		}
		if len(c.atoms) == 1 {
			s.units[c.atoms[0].index] = c
		} else {
			s.rows = append(s.rows, c)
		}
	}
	for _, c := range cells {
		for _, a := range c.atoms {
			if s.units[a.index] == nil {
				if _, ok := s.at[a.index]; !ok {
					s.at[a.index] = len(s.at)
				}
			}
		}
	}
	for i, c := range s.rows {
		v := s.vector()
		s.lay(&v, c)
		v.factors[i] = 1
		s.insert(v)
	}
	s.work = s.vector()
	return s
}

func (s *span) vector() vector {
	return vector{over: make([]uint64, len(s.at)), factors: make([]uint64, len(s.rows)), pivot: -1}
}

// lay puts a cell in a vector of nothing.
func (s *span) lay(v *vector, c *cell) {
	for _, a := range c.atoms {
		if column, ok := s.at[a.index]; ok {
			v.over[column] = residue(a.times)
		}
	}
}

// insert adds a row to the basis, if it is not in its span already.
func (s *span) insert(v vector) {
	s.reduce(&v)
	for column, x := range v.over {
		if x == 0 {
			continue
		}
		v.scale(inverse(x))
		v.pivot = column
		s.basis = append(s.basis, v)
		return
	}
}

// reduce takes the basis off a vector.
func (s *span) reduce(v *vector) {
	for i := range s.basis {
		b := &s.basis[i]
		v.subtract(b, v.over[b.pivot])
	}
}

func (v *vector) subtract(b *vector, times uint64) {
	if times == 0 {
		return
	}
	minus := prime - times
	for i, x := range b.over {
		if x != 0 {
			v.over[i] = (v.over[i] + minus*x) % prime
		}
	}
	for i, x := range b.factors {
		if x != 0 {
			v.factors[i] = (v.factors[i] + minus*x) % prime
		}
	}
}

func (v *vector) scale(by uint64) {
	for i := range v.over {
		v.over[i] = v.over[i] * by % prime
	}
	for i := range v.factors {
		v.factors[i] = v.factors[i] * by % prime
	}
}

// residue gives a whole number modulo prime.
func residue(times int) uint64 { return uint64((times + prime) % prime) }

// inverse gives 1/x by Fermat: x^(prime-2).
func inverse(x uint64) uint64 {
	out := uint64(1)
	for e := uint64(prime - 2); e > 0; e >>= 1 {
		if e&1 == 1 {
			out = out * x % prime
		}
		x = x * x % prime
	}
	return out
}

// victim finds the cell to withhold so that a withheld one can't be computed
// the way it can now; nil where it can't be computed, where that way is cut
// already, or where nothing may be withheld.
func (s *span) victim(c *cell) *cell {
	var best *cell
	for _, p := range s.derivation(c) {
		if p.status.Withheld() {
			return nil
		}
		if p.fixed {
			continue
		}
		if best == nil || p.class < best.class || p.class == best.class && p.value < best.value {
			best = p
		}
	}
	return best
}

// derivation gives the printed cells whose sums and differences make c; none
// where there is no such.
func (s *span) derivation(c *cell) []*cell {
	v := &s.work
	clear(v.over)
	clear(v.factors)
	s.lay(v, c)
	s.reduce(v)
	for _, x := range v.over {
		if x != 0 {
			return nil
		}
	}
	var out []*cell
	rest := map[int]uint64{}
	for _, a := range c.atoms {
		rest[a.index] = residue(a.times)
	}
	for i, x := range v.factors {
		if x == 0 {
			continue
		}
		out = append(out, s.rows[i])
		for _, a := range s.rows[i].atoms {
			rest[a.index] = (rest[a.index] + x*residue(a.times)) % prime
		}
	}
	for at, x := range rest {
		if x != 0 && s.units[at] != nil {
			out = append(out, s.units[at])
		}
	}
	return out
}
