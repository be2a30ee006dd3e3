package inflate

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
)

// plenty is more than any test unpacks.
const plenty = 1 << 40

// unpacked feeds a stream in parts of a size.
func unpacked(s *Stream, packed []byte, size int) (out []byte, err error) {
	for part := range slices.Chunk(packed, size) {
		err = s.Feed(part, func(b []byte) error {
			out = append(out, b...)
			return nil
		})
		if err != nil {
			break
		}
	}
	return out, err
}

// pieces gives bytes of every kind of block.
func pieces(dice *rand.Rand) (list [][]byte) {
	for range 200 {
		piece := make([]byte, dice.IntN(3000))
		for i := range piece {
			piece[i] = []byte{0, 0xFF, 'a', byte(dice.Uint32())}[dice.IntN(1+dice.IntN(4))]
		}
		list = append(list, piece)
	}
	return list
}

// What another packer makes is unpacked, at every level, with everything that
// was flushed out at once.
func TestStream(t *testing.T) {
	for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
		var packed bytes.Buffer
		w, err := flate.NewWriter(&packed, level)
		if err != nil {
			t.Fatal(err)
		}
		budget := NewBudget(plenty)
		s := New(WindowMost, plenty, budget)
		for i, piece := range pieces(rand.New(rand.NewPCG(1, 2))) {
			packed.Reset()
			if _, err := w.Write(piece); err != nil || w.Flush() != nil {
				t.Fatal(err)
			}
			if got, err := unpacked(s, packed.Bytes(), 1+i*i); err != nil || !bytes.Equal(got, piece) {
				t.Fatalf("level %d, piece %d: %d bytes, want %d: %v", level, i, len(got), len(piece), err)
			}
		}
		if budget.Held() > 3*WindowMost/2+1+tables {
			t.Errorf("level %d: %d bytes are held", level, budget.Held())
		}
		if s.Release(); budget.Held() != 0 {
			t.Errorf("level %d: %d bytes are held at the end", level, budget.Held())
		}
	}
}

// What zlib makes of "<presence/>" with its several ways to flush: RFC 1951's
// final block, an empty block without bytes, and one of a code (partial flush).
func TestFlushes(t *testing.T) {
	for name, packed := range map[string]string{
		"finish":  "\xb3\x29\x28\x4a\x2d\x4e\xcd\x4b\x4e\xd5\xb7\x03\x00",
		"sync":    "\xb2\x29\x28\x4a\x2d\x4e\xcd\x4b\x4e\xd5\xb7\x03\x00\x00\x00\xff\xff",
		"partial": "\xb2\x29\x28\x4a\x2d\x4e\xcd\x4b\x4e\xd5\xb7\x03\x08",
		"none":    "\xb2\x29\x28\x4a\x2d\x4e\xcd\x4b\x4e\xd5\xb7\x03",
	} {
		for _, size := range []int{1, 100} {
			s := New(WindowMost, plenty, nil)
			if got, err := unpacked(s, []byte(packed), size); err != nil || string(got) != "<presence/>" || s.Ended() != (name == "finish") {
				t.Errorf("%s: got %q, %v", name, got, err)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	var bomb bytes.Buffer
	w, _ := flate.NewWriter(&bomb, flate.BestCompression)
	if _, err := w.Write(make([]byte, 4<<20)); err != nil || w.Flush() != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		packed string
		window int
		want   error
	}{
		"a kind of block that is none":        {"\x06", WindowMost, ErrCorrupt},
		"a size that its check denies":        {"\x00\x01\x00\x00\x00", WindowMost, ErrCorrupt},
		"a distance before the beginning":     {"\x02\x02", WindowMost, ErrCorrupt},
		"a distance beyond the window":        {"\x4b\x4c\x4a\x04\xc2\x64\x18\x02\x41\x00", 2, ErrCorrupt},
		"too many codes of literals":          {"\xfc\x00\x00", WindowMost, ErrCorrupt},
		"codes' lengths that are no code":     {"\x04\xc0\xff\xff\xff\xff\xff\xff\xff", WindowMost, ErrCorrupt},
		"much more than the bytes are likely": {bomb.String(), WindowMost, ErrBomb},
	} {
		s := New(test.window, 1<<20, nil)
		got, err := unpacked(s, []byte(test.packed), 1500)
		if !errors.Is(err, test.want) || len(got) > 2<<20 || s.Aligned() {
			t.Errorf("%s: %d bytes, %v, want %v", name, len(got), err, test.want)
		}
		if again := s.Feed([]byte{0}, nil); !errors.Is(again, test.want) {
			t.Errorf("%s: fed again: %v", name, again)
		}
	}
}

// What many streams hold together is bounded: those that were idle for longest make
// space for others, and the one whose text another is fed with does not.
func TestBudget(t *testing.T) {
	const most, many = 1 << 20, 100
	text, packed, nothing := packedOf(t, []byte("<presence/>")), packedOf(t, make([]byte, 64<<10)), func([]byte) error { return nil }
	budget := NewBudget(most)
	busy, outer := New(WindowMost, 1<<20, budget), New(WindowMost, 1<<20, budget)
	if err := busy.Feed(packed, nothing); err != nil {
		t.Fatal(err)
	}
	broken := New(WindowMost, 1<<20, budget)
	if broken.Feed(packed, nothing) != nil || broken.Feed([]byte{7}, nothing) == nil {
		t.Fatal("a block of no kind was taken")
	}
	var all []*Stream
	if err := outer.Feed(packed, func([]byte) error {
		for range many / 2 {
			s := New(WindowMost, 1<<20, budget)
			if all = append(all, s); s.Feed(packed, nothing) != nil || busy.Feed(text, nothing) != nil || budget.Held() > most {
				return fmt.Errorf("stream %d: %v, %v, %d bytes are held", len(all), s.err, busy.err, budget.Held())
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	idle := 0
	for i, s := range all {
		switch err := s.Feed(nil, nothing); {
		case errors.Is(err, ErrFull) && idle == i:
			idle++
		case err != nil:
			t.Errorf("stream %d of %d, after %d that were let go: %v", i, len(all), idle, err)
		}
		s.Release()
	}
	if n := budget.Refused()[ErrFull]; idle < many/2 || idle == len(all) || n != int64(idle) {
		t.Errorf("%d of %d were let go, %d are counted", idle, len(all), n)
	}
	busy.Release()
	outer.Release()
	broken.Release()
	if budget.Held() != 0 || budget.holding.Len() != 0 {
		t.Errorf("%d bytes, %d streams at the end", budget.Held(), budget.holding.Len())
	}
	if err := New(WindowMost, 1<<20, NewBudget(100)).Feed(packed, nothing); !errors.Is(err, ErrFull) {
		t.Errorf("100 bytes hold it: %v", err)
	}
}

// What many streams unpack to beyond 64 bytes for each of theirs is bounded; what
// ordinary ones borrow they give back, and after bombs they go on.
func TestLent(t *testing.T) {
	text, bomb := packedOf(t, []byte("<presence/>")), packedOf(t, make([]byte, 1<<20))
	budget, out := NewBudget(plenty), 0
	feed := func(packed []byte) error {
		s := New(WindowMost, 1<<20, budget)
		defer s.Release()
		return s.Feed(packed, func(b []byte) error {
			out += len(b)
			return nil
		})
	}
	for range 1000 {
		if err := feed(text); err != nil || budget.lent != 0 {
			t.Fatalf("%d bytes are lent, %v", budget.lent, err)
		}
	}
	refused, packed := 0, 0
	for out = 0; refused < 100; packed += len(bomb) {
		switch err := feed(bomb); {
		case errors.Is(err, ErrBomb):
			refused++
		case err != nil:
			t.Fatal(err)
		}
		if most := lentMost + ratio*(packed+len(bomb)); out > most {
			t.Fatalf("%d bytes became %d, want %d at most", packed, out, most)
		}
	}
	if err := feed(text); err != nil {
		t.Errorf("after bombs: %v", err)
	}
}

// packedOf gives what is flushed out of a packer.
// TestLoanGivenBack: what a stream borrowed and has left is the budget's again when the
// stream is let go.
func TestLoanGivenBack(t *testing.T) {
	budget := NewBudget(1 << 20)
	s := New(WindowMost, 1<<20, budget)
	for _, plain := range [][]byte{make([]byte, 8<<10), []byte("what is not packed much brings more than it takes, so that the loan isn't needed any more; " +
		"The Quick Brown Fox Jumps 0123456789 Over 9876543210 The Lazy Dog")} {
		if err := s.Feed(packedOf(t, plain), func([]byte) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	borrowed, left := budget.lent, s.spare
	if s.Release(); borrowed == 0 || left == 0 || budget.lent != max(0, borrowed-left) {
		t.Errorf("of %d bytes %d were left, %d are lent at the end", borrowed, left, budget.lent)
	}
}

func packedOf(t *testing.T, plain []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil || w.Flush() != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// FuzzStream holds that the same comes out however the bytes are cut, and the
// same as from Go's own reader.
func FuzzStream(f *testing.F) {
	f.Add([]byte("\xb2\x29\x28\x4a\x2d\x4e\xcd\x4b\x4e\xd5\xb7\x03\x00\x00\x00\xff\xff"), uint8(2))
	f.Add([]byte("\x4b\x4c\x4a\x04\xc2\x64\x18\x02\x41\x00"), uint8(0))
	for _, piece := range pieces(rand.New(rand.NewPCG(3, 4)))[:20] {
		var packed bytes.Buffer
		w, _ := flate.NewWriter(&packed, flate.DefaultCompression)
		_, _ = w.Write(piece)
		_ = w.Close()
		f.Add(packed.Bytes(), uint8(len(piece)))
	}
	f.Fuzz(func(t *testing.T, packed []byte, size uint8) {
		atOnce, err := unpacked(New(WindowMost, 1<<20, nil), packed, max(len(packed), 1))
		inParts, errInParts := unpacked(New(WindowMost, 1<<20, nil), packed, 1+int(size))
		if !bytes.Equal(atOnce, inParts) || !errors.Is(errInParts, err) {
			t.Fatalf("at once %q, %v\nin parts %q, %v", atOnce, err, inParts, errInParts)
		}
		if errors.Is(err, ErrBomb) {
			return
		}
		got, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
		var corrupt flate.CorruptInputError // how much comes before differs
		if !errors.As(err, &corrupt) && !bytes.HasPrefix(atOnce, got) {
			t.Fatalf("got %q, Go's reader %q, %v", atOnce, got, err)
		}
	})
}

func BenchmarkStream(b *testing.B) {
	text := bytes.Repeat([]byte("<message to='bob@jab.example' type='chat'><body>How are you?</body></message><presence/>"), 1000)
	dice := rand.New(rand.NewPCG(1, 2))
	for i := range text {
		if dice.IntN(9) == 0 {
			text[i] = byte(' ' + dice.IntN(90))
		}
	}
	for name, plain := range map[string][]byte{"text": text, "bomb": make([]byte, 1<<20)} {
		var packed bytes.Buffer
		w, _ := flate.NewWriter(&packed, flate.DefaultCompression)
		_, _ = w.Write(plain)
		_ = w.Close()
		b.Run(name, func(b *testing.B) { unpacking(b, packed.Bytes(), len(plain)) })
	}
	blocks := bytes.Repeat([]byte{0x02, 0x08, 0x20, 0x80, 0x00}, 1000) // empty ones, of ten bits
	b.Run("empty blocks", func(b *testing.B) { unpacking(b, blocks, len(blocks)) })
}

func unpacking(b *testing.B, packed []byte, size int) {
	b.SetBytes(int64(size))
	for b.Loop() {
		_ = New(WindowMost, plenty, nil).Feed(packed, func([]byte) error { return nil })
	}
}
