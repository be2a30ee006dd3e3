package inflate

import (
	"container/list"
	"errors"
)

// Why a stream can't be unpacked further.
var (
	ErrCorrupt = errors.New("deflate: bytes that are none")
	ErrBomb    = errors.New("deflate: too much of too few bytes")
	ErrFull    = errors.New("deflate: too many streams at a time")
)

// WindowMost is the longest window: how far back a stream may refer.
const WindowMost = 32 << 10

// ratio is how many bytes a packed one may become in the long run. Stanzas and
// lists of them become ten to thirty.
const ratio = 64

// tables is about what a stream holds beside its window.
const tables = 2 << 10

// lentMost is how many bytes all streams of a budget may unpack to beyond 64 for
// each packed one: a stream that no longer needs them gives them back, a bomb does
// not. Without it many small bombs would cost a thousand bytes of work for each of
// theirs, since each stream, and each message of some, begins anew.
const lentMost = 256 << 20

// Budget bounds what many streams hold together, and what they unpack to; nil
// bounds nothing. It is not safe for concurrent use.
type Budget struct {
	held, most int
	lent       int        // bytes, by the streams' spare
	holding    *list.List // the *Stream that hold any, the one that was fed last at the back
	refused    map[error]int64
}

// NewBudget makes a budget of so many bytes that are held.
func NewBudget(most int) *Budget {
	return &Budget{most: most, holding: list.New(), refused: make(map[error]int64)}
}

// Refused is how many streams could not be unpacked further, by [ErrCorrupt],
// [ErrBomb] and [ErrFull].
func (b *Budget) Refused() map[error]int64 { return b.refused }

// Held is how many bytes its streams hold.
func (b *Budget) Held() int { return b.held }

// take counts n bytes more for a stream. Where there are not so many, those that were
// not fed for longest are given up; false where that is not enough.
func (b *Budget) take(n int, s *Stream) bool {
	if b == nil {
		return true
	}
	for e := b.holding.Front(); e != nil && n > b.most-b.held; {
		idle := e.Value.(*Stream)
		if e = e.Next(); idle.to == nil { // not the one that is being fed, or whose text has another in it
			if idle.err == nil { // else it is counted
				b.refused[ErrFull]++
			}
			idle.Release()
		}
	}
	if n > b.most-b.held {
		return false
	}
	if b.held += n; s.place == nil {
		s.place = b.holding.PushBack(s)
	}
	return true
}

// fed notes that a stream is.
func (b *Budget) fed(s *Stream) {
	if s.place != nil {
		b.holding.MoveToBack(s.place)
	}
}

// release takes back what a stream holds, and what it borrowed and has left.
func (b *Budget) release(s *Stream) {
	if b == nil {
		return
	}
	if s.place != nil {
		b.holding.Remove(s.place)
	}
	b.held -= s.held
	b.lent -= min(s.lent, max(s.spare, 0))
}

// step is where in a block a stream is.
type step uint8

const (
	atBlock   step = iota // before its header
	atSize                // of bytes that are not packed
	inBytes               // in those
	atCounts              // before the table of codes
	atLengths             // in the lengths of the lengths' code
	inLengths             // in the lengths
	inCodes
)

// lend gives up to n bytes of what may be unpacked.
func (b *Budget) lend(n int) int {
	if b == nil {
		return n
	}
	n = min(n, lentMost-b.lent)
	b.lent += n
	return n
}

// Stream unpacks one direction.
type Stream struct {
	window int
	spare  int // what may still be unpacked
	lent   int // of it, by the budget
	more   int // what the budget may lend yet
	budget *Budget
	held   int           // of the budget
	place  *list.Element // among its streams; nil where nothing is held
	to     func([]byte) error

	hold  uint64 // bits that are not read yet, the next one lowest
	have  int    // how many they are
	step  step
	last  bool // of its stream, by the block's header
	ended bool // a last block is over
	left  int  // of the bytes that are not packed

	literal, distance code
	fixed             bool   // they are those that need no table
	counts            [3]int // of the codes of literals, of distances, of lengths
	lengths           [literals + distances]uint8
	filled            int // of lengths
	err               error
	past              []byte // what was unpacked, the window at its end
	given             int    // of past, how much was given out
}

// New makes a stream that refers back at most so many bytes, and unpacks to 64
// bytes for each packed one, and to as many more as are spare and the budget has,
// before it is refused. What it holds is of the budget until Release, which the
// budget itself does of a stream that was idle for long where others need it.
func New(window, spare int, budget *Budget) *Stream {
	return &Stream{window: min(max(window, 1), WindowMost), more: spare, budget: budget}
}

// Release lets go of what the stream holds; it can't be fed any more. Feed's own
// to must not call it.
func (s *Stream) Release() {
	if s != nil {
		s.budget.release(s)
		s.held, s.lent, s.place, s.past, s.given, s.err = 0, 0, nil, nil, 0, ErrFull
	}
}

// Feed takes the next bytes and gives what they complete to to, which keeps
// none of it. After an error every further one is the same.
func (s *Stream) Feed(data []byte, to func([]byte) error) error {
	s.to = to
	s.budget.fed(s)
	for s.err == nil {
		for s.have <= 56 && len(data) > 0 {
			s.hold |= uint64(data[0]) << s.have
			s.have += 8
			data = data[1:]
		}
		if !s.advance() && len(data) == 0 {
			break
		}
	}
	if err := s.give(); s.err == nil {
		s.err = err
	}
	s.to = nil
	return s.err
}

// Aligned reports whether the stream stands between two blocks, with no bit
// left over.
func (s *Stream) Aligned() bool { return s.err == nil && s.step == atBlock && s.have == 0 }

// Ended reports whether a block that was the last of its stream is over.
func (s *Stream) Ended() bool { return s.ended }

// advance goes a step on; false where the bits are too few.
func (s *Stream) advance() bool {
	switch s.step {
	case atBlock:
		return s.header()
	case atSize:
		return s.size()
	case inBytes:
		return s.bytes()
	case atCounts:
		return s.table()
	case atLengths:
		return s.lengthOfLengths()
	case inLengths:
		return s.length()
	}
	return s.symbol()
}

// fail gives the stream up.
func (s *Stream) fail(err error) bool {
	if s.err = err; s.budget != nil {
		s.budget.refused[err]++
	}
	return false
}

// take removes the lowest bits.
func (s *Stream) take(bits int) int {
	v := int(s.hold & (1<<bits - 1))
	s.hold >>= bits
	s.have -= bits
	s.spare += ratio / 8 * bits
	return v
}

// header reads a block's.
func (s *Stream) header() bool {
	if s.have < 3 {
		return false
	}
	s.last = s.take(1) == 1
	switch s.take(2) {
	case 0:
		s.take(s.have & 7)
		s.step = atSize
	case 1:
		if !s.fixed { // a block of ten bits may be empty
			fixed(&s.literal, &s.distance)
		}
		s.fixed, s.step = true, inCodes
	case 2:
		s.step = atCounts
	default:
		return s.fail(ErrCorrupt)
	}
	return true
}

// size reads how many bytes follow that are not packed.
func (s *Stream) size() bool {
	if s.have < 32 {
		return false
	}
	n := s.take(16)
	if s.take(16) != n^0xFFFF {
		return s.fail(ErrCorrupt)
	}
	s.left, s.step = n, inBytes
	return true
}

// bytes reads those.
func (s *Stream) bytes() bool {
	for ; s.left > 0 && s.have >= 8; s.left-- {
		if !s.put(byte(s.take(8))) {
			return false
		}
	}
	if s.left > 0 {
		return false
	}
	s.over()
	return true
}

// over ends a block. What stands behind a stream's last one begins with a byte.
func (s *Stream) over() {
	s.step = atBlock
	if s.last {
		s.take(s.have & 7)
		s.ended = true
	}
}

// table reads how long a block's table of codes is.
func (s *Stream) table() bool {
	if s.have < 14 {
		return false
	}
	s.counts = [3]int{257 + s.take(5), 1 + s.take(5), 4 + s.take(4)}
	if s.counts[0] > literals || s.counts[1] > distances {
		return s.fail(ErrCorrupt)
	}
	s.lengths, s.filled, s.step, s.fixed = [literals + distances]uint8{}, 0, atLengths, false
	return true
}

// lengthOfLengths reads one, in an order that has the rarer ones last.
func (s *Stream) lengthOfLengths() bool {
	const order = "\x10\x11\x12\x00\x08\x07\x09\x06\x0a\x05\x0b\x04\x0c\x03\x0d\x02\x0e\x01\x0f"
	if s.have < 3 {
		return false
	}
	s.lengths[order[s.filled]] = uint8(s.take(3))
	if s.filled++; s.filled < s.counts[2] {
		return true
	}
	if !s.literal.set(s.lengths[:len(order)]) {
		return s.fail(ErrCorrupt)
	}
	s.lengths, s.filled, s.step = [literals + distances]uint8{}, 0, inLengths
	return true
}

// length reads a code's length, or how often one is repeated.
func (s *Stream) length() bool {
	symbol, bits := s.literal.read(s.hold, s.have)
	extra, least, value := 0, 1, uint8(symbol)
	switch symbol {
	case 16:
		if extra, least = 2, 3; s.filled > 0 {
			value = s.lengths[s.filled-1]
		}
	case 17:
		extra, least, value = 3, 3, 0
	case 18:
		extra, least, value = 7, 11, 0
	}
	switch {
	case bits < 0 || symbol == 16 && s.filled == 0:
		return s.fail(ErrCorrupt)
	case bits == 0 || s.have < bits+extra:
		return false
	}
	s.take(bits)
	n, whole := least+s.take(extra), s.counts[0]+s.counts[1]
	if s.filled+n > whole {
		return s.fail(ErrCorrupt)
	}
	for range n {
		s.lengths[s.filled] = value
		s.filled++
	}
	if s.filled < whole {
		return true
	}
	s.step = inCodes
	if !s.literal.set(s.lengths[:s.counts[0]]) || !s.distance.set(s.lengths[s.counts[0]:whole]) {
		return s.fail(ErrCorrupt)
	}
	return true
}

// symbol reads a byte, or what is copied from before, or a block's end.
func (s *Stream) symbol() bool {
	symbol, bits := s.literal.read(s.hold, s.have)
	switch {
	case bits < 0 || symbol >= literals:
		return s.fail(ErrCorrupt)
	case bits == 0:
		return false
	case symbol < 256:
		s.take(bits)
		return s.put(byte(symbol))
	case symbol == 256:
		s.take(bits)
		s.over()
		return true
	}
	return s.repeat(symbol, bits)
}

// repeat copies from before, once all that says what is there: 48 bits at most.
func (s *Stream) repeat(symbol, bits int) bool {
	n, extra := lengthOf(symbol)
	far, more := s.distance.read(s.hold>>(bits+extra), s.have-bits-extra)
	if more < 0 || far >= distances {
		return s.fail(ErrCorrupt)
	}
	back, further := distanceOf(far)
	if more == 0 || s.have < bits+extra+more+further {
		return false
	}
	s.take(bits)
	n += s.take(extra)
	s.take(more)
	back += s.take(further)
	if back > min(len(s.past), s.window) {
		return s.fail(ErrCorrupt)
	}
	return s.copied(n, back)
}

// copied adds n bytes that stand so far back, and may be some of those added.
func (s *Stream) copied(n, back int) bool {
	for n > 0 {
		if s.spare == 0 && !s.borrow() || len(s.past) == cap(s.past) && !s.grow() {
			return false
		}
		from := len(s.past) - back
		some := min(n, back, s.spare, cap(s.past)-len(s.past))
		s.past = append(s.past, s.past[from:from+some]...)
		n, s.spare = n-some, s.spare-some
		if some == back && 2*back <= s.window {
			back *= 2 // the same stands there
		}
	}
	return true
}

// put adds a byte.
func (s *Stream) put(b byte) bool {
	if s.spare == 0 && !s.borrow() || len(s.past) == cap(s.past) && !s.grow() {
		return false
	}
	s.past = append(s.past, b)
	s.spare--
	return true
}

// borrow has the budget lend what may be unpacked.
func (s *Stream) borrow() bool {
	n := s.budget.lend(min(s.more, lentAtOnce))
	if n == 0 {
		return s.fail(ErrBomb)
	}
	s.spare, s.lent, s.more = s.spare+n, s.lent+n, s.more-n
	return true
}

// lentAtOnce is how many bytes a stream borrows.
const lentAtOnce = 1 << 10

// grow makes space for a byte more: more of it, or by letting go of what is out
// of the window.
func (s *Stream) grow() bool {
	most := s.window + s.window/2 + 1
	if len(s.past) < most {
		larger := min(most, max(64, 2*cap(s.past)))
		more := tables + larger - s.held
		if !s.budget.take(more, s) {
			return s.fail(ErrFull)
		}
		s.held += more
		past := make([]byte, len(s.past), larger)
		copy(past, s.past)
		s.past = past
		return true
	}
	if s.err = s.give(); s.err != nil { // to's
		return false
	}
	s.past = append(s.past[:0], s.past[len(s.past)-s.window:]...)
	s.given = len(s.past)
	return true
}

// give hands out what was not yet.
func (s *Stream) give() error {
	b := s.past[s.given:]
	s.given = len(s.past)
	if len(b) == 0 {
		return nil
	}
	return s.to(b)
}
