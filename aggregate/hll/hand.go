package hll

// Hand is a few of the rises that are for one large sketch. Very many rises for many
// sketches are dealt to hands first: the hands of more than a hundred sketches fit
// into a near cache, and their registers don't.
type Hand struct {
	rises [handful]Rise
	held  uint32 // less than handful, or it is full
	floor Rise   // a rise to this rank or a lower one changes nothing
}

// handful makes a hand of seven cache lines: an odd number, so that the beginnings of
// many hands are not all in the same few sets of the cache.
const handful = 110

// Idle gives a hand that no rise is for: whatever is dealt to it, it holds nothing.
func Idle() Hand { return Hand{floor: 0xff} }

// Full reports whether the hand must be emptied before more is dealt to it.
func (h *Hand) Full() bool { return h.held == handful }

// Rises are those that the hand holds.
func (h *Hand) Rises() []Rise { return h.rises[:h.held] }

// Empty lets go of what the hand holds, and has it pass over what rises to floor or a
// lower rank.
func (h *Hand) Empty(floor Rise) { h.held, h.floor = 0, floor }

// Deal gives each rise to the hand whose number is at its place, up to one that fills
// its hand, and says how many it gave. No hand is full before. It panics where there
// is no hand of a number. rises are as many as numbers, or more.
func Deal(hands []Hand, numbers []int32, rises []Rise) int {
	rises = rises[:len(numbers)]
	if done := deal(hands, numbers, rises); done > 0 {
		return done
	}
	return dealPlain(hands, numbers, rises)
}
