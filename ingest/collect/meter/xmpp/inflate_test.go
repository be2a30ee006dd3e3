package xmpp

import (
	"bytes"
	"compress/zlib"
	"math/rand/v2"
	"testing"
)

// What is flushed piece by piece is unpacked, however the bytes arrive; four
// bytes in it that look like a flush change nothing.
func TestInflate(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	var packed, plain bytes.Buffer
	w := zlib.NewWriter(&packed)
	for range 300 {
		piece := make([]byte, dice.IntN(400))
		for i := range piece {
			piece[i] = []byte{0, 0xFF, 'a', byte(dice.Uint32())}[dice.IntN(4)]
		}
		piece = append(piece, flushed...)
		plain.Write(piece)
		if _, err := w.Write(piece); err != nil || w.Flush() != nil {
			t.Fatal(err)
		}
	}
	for _, size := range []int{1, 7, 1500, packed.Len()} {
		z, got := new(inflater), []byte(nil)
		for b := packed.Bytes(); len(b) > 0; {
			n := min(size, len(b))
			out, err := z.feed(b[:n])
			if err != nil {
				t.Fatal(err)
			}
			got, b = append(got, out...), b[n:]
		}
		if !bytes.Equal(got, plain.Bytes()) {
			t.Errorf("in parts of %d: %d bytes, want %d", size, len(got), plain.Len())
		}
	}
}

// A bomb is refused before it is unpacked whole.
func TestInflateIsBounded(t *testing.T) {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	if _, err := w.Write(make([]byte, 10*unpackedMost)); err != nil || w.Flush() != nil {
		t.Fatal(err)
	}
	if out, err := new(inflater).feed(packed.Bytes()); err == nil || len(out) > unpackedMost {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}

func FuzzInflate(f *testing.F) {
	f.Add([]byte("x\x9c\xb2\xb1\x01\x00\x00\x00\xff\xff"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		z := new(inflater)
		_, _ = z.feed(b)
		_, _ = z.feed(b)
	})
}
