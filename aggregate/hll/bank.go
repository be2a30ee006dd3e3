package hll

// Bank is many large sketches that very many rises are for, each sketch by a number.
// Their registers together are larger than a near cache, and which of them a rise is
// for is known well before: so the processor is told to fetch those of coming rises
// while it raises others, and hardly waits for one.
type Bank struct {
	sketches []*Sketch // all of one k
	first    []*byte   // the first register of each
	sums     []uint32  // of the ranks of each, when it was last marked
	idle     *Sketch   // what is for nobody goes here
}

// ahead is how many rises later those are whose registers are fetched: enough to come
// from memory, and few enough to stay in the nearest cache.
const ahead = 64

// NewBank makes an empty bank for sketches of 2^k registers. It panics as [New] does.
func NewBank(k int) *Bank {
	idle := New(k)
	idle.toLarge()
	return &Bank{idle: idle}
}

// Add adds a large sketch of the bank's k, which must stay large while the bank is used,
// under the next number, from 0 on; nil: one that is idle, and nobody's. It panics where
// the sketch is another.
func (b *Bank) Add(s *Sketch) {
	if s == nil {
		s = b.idle
	}
	if len(s.regs) != len(b.idle.regs) {
		panic("hll.Bank: the sketch is small, or of another K")
	}
	b.sketches = append(b.sketches, s)
	b.first = append(b.first, &s.regs[0])
	b.sums = append(b.sums, sumRegisters(s.regs))
}

// Raise brings each rise, of the bank's k, to the sketch whose number is at its place.
// It panics where there is no sketch of a number, or no register. rises are as many as
// numbers, or more. Whether a sketch has changed is not known before [Bank.Mark].
func (b *Bank) Raise(numbers []int32, rises []Rise) {
	rises = rises[:len(numbers)]
	done := raiseEach(b, numbers, rises)
	raiseEachPlain(b, numbers[done:], rises[done:])
}

// Mark has each sketch that has changed know that it is dirty. A register that rises
// raises their sum.
func (b *Bank) Mark() {
	for i, s := range b.sketches {
		if sum := sumRegisters(s.regs); sum != b.sums[i] {
			s.dirty, b.sums[i] = true, sum
		}
	}
}
