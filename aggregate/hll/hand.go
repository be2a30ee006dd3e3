package hll

// Hands are a few of the rises that are for each of many large sketches. Very many
// rises for many sketches are dealt to hands first: the hands of more than a hundred
// sketches fit into a near cache, and their registers don't.
type Hands struct {
	hands []hand
	rises []Rise // of each, spread of them
}

// hand says what a hand holds. What it holds lies elsewhere, so that a cache line
// has this of several.
type hand struct {
	at    uint32 // where the next rise is put
	floor Rise   // a rise to this rank or a lower one changes nothing
}

// A hand's rises begin not at the first of its spread but behind, so that the place
// for the next is a multiple of spread where the hand is full, and only there.
const (
	spread  = 256
	handful = spread - 16
)

// Len gives the number of hands.
func (h *Hands) Len() int { return len(h.hands) }

// Add makes a hand that is idle: whatever is dealt to it, it holds nothing.
func (h *Hands) Add() {
	h.hands, h.rises = append(h.hands, hand{}), append(h.rises, make([]Rise, spread)...)
	h.Empty(h.Len()-1, 0xff)
}

// first gives where hand i begins.
func first(i int) int { return (i+1)*spread - handful }

// Full reports whether hand i must be emptied before more is dealt to it.
func (h *Hands) Full(i int) bool { return h.hands[i].at%spread == 0 }

// Rises are those that hand i holds.
func (h *Hands) Rises(i int) []Rise { return h.rises[first(i):h.hands[i].at] }

// Empty lets go of what hand i holds, and has it pass over what rises to floor or a
// lower rank.
func (h *Hands) Empty(i int, floor Rise) { h.hands[i] = hand{at: uint32(first(i)), floor: floor} }

// Deal gives each rise to the hand whose number is at its place, up to one that fills
// its hand, and says how many it gave. No hand is full before. It panics where there
// is no hand of a number. rises are as many as numbers, or more.
func (h *Hands) Deal(numbers []int32, rises []Rise) int {
	rises = rises[:len(numbers)]
	if done := deal(h, numbers, rises); done > 0 {
		return done
	}
	return dealPlain(h, numbers, rises)
}
