package hll

// Hands are a few of the rises that are for each of many large sketches. Very many
// rises for many sketches are dealt to hands first: the hands of more than a hundred
// sketches fit into a near cache, and their registers don't.
type Hands struct {
	hands []hand
	rises [][handful]Rise // of each
}

// hand says what a hand holds. What it holds lies elsewhere, so that a cache line
// has this of several.
type hand struct {
	held  uint32 // less than handful, or it is full
	floor Rise   // a rise to this rank or a lower one changes nothing
}

// handful makes a hand of seven cache lines: an odd number, so that the beginnings of
// many hands are not all in the same few sets of the cache.
const handful = 112

// Len gives the number of hands.
func (h *Hands) Len() int { return len(h.hands) }

// Add makes a hand that is idle: whatever is dealt to it, it holds nothing.
func (h *Hands) Add() {
	h.hands, h.rises = append(h.hands, hand{floor: 0xff}), append(h.rises, [handful]Rise{})
}

// Full reports whether hand i must be emptied before more is dealt to it.
func (h *Hands) Full(i int) bool { return h.hands[i].held == handful }

// Rises are those that hand i holds.
func (h *Hands) Rises(i int) []Rise { return h.rises[i][:h.hands[i].held] }

// Empty lets go of what hand i holds, and has it pass over what rises to floor or a
// lower rank.
func (h *Hands) Empty(i int, floor Rise) { h.hands[i] = hand{floor: floor} }

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
