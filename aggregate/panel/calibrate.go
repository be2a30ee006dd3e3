package panel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"rollcall"
)

// Input is a number from outside that a margin of users is made of. The same
// input in several months is one number: its error is in all of them at once.
type Input struct {
	Name string  // which number it is
	RSE  float64 // its relative standard error; 0: it is exact
}

// Users is a margin of the users of something whose number is known from
// outside: Count by Divisor. The others are the rest of the universe.
type Users struct {
	Name    string  // of the margin
	At      []int32 // who of the roster are users, ascending
	Persons float64 // the universe's users
	Count   Input
	Divisor Input
}

// FewUsers is how many panelists a margin of users needs on each side: of fewer
// the weights would be a few persons' own.
const FewUsers = 30

// The categories of a margin of users.
const (
	usersCategory = iota
	othersCategory
)

// addUsers adds the margins of users; it has found the universe.
func (b *framer) addUsers(list []Users) {
	for i := range list {
		u := &list[i]
		a := &axis{name: u.Name, index: map[string]int32{}, users: u}
		a.add("1", -1, u.Persons)
		a.add("0", -1, b.frame.universe-u.Persons)
		b.frame.axes = append(b.frame.axes, a)
		if b.frame.universe > 0 && !(u.Persons < b.frame.universe) {
			b.fault(a, -1, "population", persons(u.Persons), "is not under the universe of "+persons(b.frame.universe)+": the users would be more than there are persons")
		}
	}
}

// codeUsers codes every panelist on axis k, of users, and refuses one of which
// there are few on a side.
func (b *framer) codeUsers(k int, a *axis) {
	m, next := len(b.frame.axes), a.users.At
	for i := range b.roster.Panelists {
		code := int32(othersCategory)
		if len(next) > 0 && int(next[0]) == i {
			code, next = usersCategory, next[1:]
		}
		a.panelists[code]++
		b.frame.codes[i*m+k] = code
	}
	for c, who := range []string{"users", "others"} {
		if n := a.panelists[c]; n < FewUsers && a.targets[c] > 0 {
			b.fault(a, -1, "category", a.categories[c], fmt.Sprintf("has %d panelists: the panel can't be calibrated to fewer than %d %s", n, FewUsers, who))
		}
	}
}

// outside is what weights owe to inputs from outside the panel.
type outside struct {
	inputs []Input
	pulls  [][]float64 // of each input: by cell, the change of each weight, as a part of it, where the input doubles
}

// pull finds how the weights follow each input: raked anew to one user more and
// one other less, a total changes by the slope, of users against others, of its
// variable's regression on the margins by the final weights.
func (w *Weights) pull() (o outside) {
	if !slices.ContainsFunc(w.frame.axes, func(a *axis) bool { return a.users != nil }) {
		return o
	}
	inverse, n := w.inverted(func(s *sums) float64 { return s.final }), w.slopes()
	for k, a := range w.frame.axes {
		if a.users == nil {
			continue
		}
		one := make([]float64, len(w.categories))
		for c, categories := range w.categories {
			for _, i := range categories {
				row := inverse[int(i)*n+w.starts[k]:]
				one[c] += a.users.Persons * (row[usersCategory] - row[othersCategory])
			}
		}
		o.take(a.users.Count, 1, one, 0, len(one))
		o.take(a.users.Divisor, -1, one, 0, len(one))
	}
	return o
}

// take adds what an input does to some of all cells.
func (o *outside) take(in Input, sign float64, pull []float64, first, all int) {
	k := slices.Index(o.inputs, in)
	if k < 0 {
		k = len(o.inputs)
		o.inputs, o.pulls = append(o.inputs, in), append(o.pulls, make([]float64, all))
	}
	for c, x := range pull {
		o.pulls[k][first+c] += sign * x
	}
}

// united joins what months owe, cell after cell: the same input is one.
func united(months []*Weights) (o outside) {
	all, first := 0, 0
	for _, w := range months {
		all += len(w.categories)
	}
	for _, w := range months {
		for k, in := range w.inputs {
			o.take(in, 1, w.pulls[k], first, all)
		}
		first += len(w.categories)
	}
	return o
}

// pulled gives how far each input moves a linear combination, where it doubles.
func (o *outside) pulled(parts []Part) []float64 {
	out := make([]float64, len(o.inputs))
	for _, p := range parts {
		for k, x := range p.Term.pulled {
			out[k] += p.Factor * x
		}
	}
	return out
}

// covary gives what the inputs' errors add to the covariance of two figures: a
// and b are how far each input moves them.
func (o *outside) covary(a, b []float64) (sum float64) {
	for k, in := range o.inputs {
		sum += in.RSE * in.RSE * a[k] * b[k]
	}
	return sum
}

// deviates draws, for each input and each of n replicates, how many of its
// standard errors it is off. They have a mean of 0 and a mean square of 1, so
// that the replicates know its error without one of their own.
func (o *outside) deviates(n int, seed uint64) [][]float64 {
	rng := rand.New(rand.NewPCG(seed, 0)) // replicates have the streams from 1
	out := make([][]float64, len(o.inputs))
	for k := range out {
		e, sum, square := make([]float64, n), 0.0, 0.0
		for b := range e {
			e[b] = rng.NormFloat64()
			sum += e[b]
		}
		for b := range e {
			e[b] -= sum / float64(n)
			square += e[b] * e[b]
		}
		for b := range e {
			e[b] /= math.Sqrt(square / float64(n))
		}
		out[k] = e
	}
	return out
}

// shifted gives the frame with other numbers of users: each input off by so
// many of its standard errors.
func (f *frame) shifted(off func(Input) float64) (*frame, error) {
	out := *f
	out.axes = slices.Clone(f.axes)
	for k, a := range f.axes {
		if a.users == nil {
			continue
		}
		own, u := *a, a.users
		target := u.Persons * (1 + u.Count.RSE*off(u.Count) - u.Divisor.RSE*off(u.Divisor))
		if !(target > 0 && target < f.universe) {
			return nil, &rollcall.Invalid{
				Field: "margin " + a.name + ", category", Value: "1", Code: "calibrated_target",
				Reason: fmt.Sprintf("may have %s persons by its error, which is not between 0 and the universe of %s", persons(target), persons(f.universe)),
			}
		}
		own.targets = []float64{target, f.universe - target}
		out.axes[k] = &own
	}
	return &out, nil
}
