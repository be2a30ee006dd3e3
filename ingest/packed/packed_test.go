package packed

import (
	"testing"

	"github.com/klauspost/compress/zstd"
)

// together gives its text with the error that follows it, as a decoder does that had both
// ready when it was asked.
type together struct {
	text string
	err  error
}

// Read gives both.
func (r together) Read(p []byte) (int, error) { return copy(p, r.text), r.err }

// TestBehindInOneRead: bytes behind the end of a .zst are told as such, whenever the
// decoder comes upon them; of a file that begins so, that it isn't one.
func TestBehindInOneRead(t *testing.T) {
	p := make([]byte, 64)
	n, err := (&unpacked{Reader: together{"a,d\n", zstd.ErrMagicMismatch}}).Read(p)
	if string(p[:n]) != "a,d\n" || !Ended(err) {
		t.Errorf("%q with %v; want the text, and that it was read up to its end", p[:n], err)
	}
	if n, err = (&unpacked{Reader: together{"", zstd.ErrMagicMismatch}}).Read(p); n != 0 || err == nil || Ended(err) {
		t.Errorf("%d bytes with %v; want that it is not zstd", n, err)
	}
}
