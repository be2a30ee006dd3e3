package gunzip_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"

	"rollcall/internal/gunzip"
	"rollcall/internal/test/packtest"
)

// TestReader: the members' texts are read as one, and what ends them is told.
func TestReader(t *testing.T) {
	one, two := packtest.Gzip(t, []byte("some text, ")), packtest.Gzip(t, []byte("and more"))
	none := packtest.Gzip(t, nil)
	both := slices.Concat(one, none, two)
	behind := new(gunzip.Behind)
	for _, tt := range []struct {
		name, packed, text string
		err                error
	}{
		{"one member", string(one), "some text, ", nil},
		{"three", string(both), "some text, and more", nil},
		{"an empty one", string(none), "", nil},
		{"cut in a member", string(both[:len(both)-9]), "some text, and more", io.ErrUnexpectedEOF},
		{"cut in a head", string(one) + string(two[:6]), "some text, ", io.ErrUnexpectedEOF},
		{"cut after a head's first byte", string(one) + "\x1f", "some text, ", io.ErrUnexpectedEOF},
		{"a byte behind", string(both) + "x", "some text, and more", behind},
		{"text behind", string(both) + strings.Repeat("text\n", 5000), "some text, and more", behind},
		{"zeros behind", string(both) + string(make([]byte, 512)), "some text, and more", behind},
		{"a member that unpacks to other text", string(one[:len(one)-8]) + "12345678", "some text, ", gzip.ErrChecksum},
		{"no bytes", "", "", io.EOF},
		{"other text", "some text that is not packed", "", gzip.ErrHeader},
	} {
		for how, reader := range map[string]func(io.Reader) io.Reader{
			"at once":       func(r io.Reader) io.Reader { return r },
			"a byte a time": iotest.OneByteReader,
		} {
			t.Run(tt.name+", "+how, func(t *testing.T) {
				text, err := unpack(reader(strings.NewReader(tt.packed)))
				at := new(gunzip.Behind)
				switch {
				case text != tt.text:
					t.Errorf("unpacked %q, want %q", text, tt.text)
				case tt.err != behind && !errors.Is(err, tt.err):
					t.Errorf("ended in %v, want %v", err, tt.err)
				case tt.err == behind && (!errors.As(err, &at) || at.At != int64(len(both))):
					t.Errorf("ended in %v, want the bytes from %d on", err, len(both))
				}
			})
		}
	}
}

func unpack(r io.Reader) (string, error) {
	z, err := gunzip.NewReader(r)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(z)
	return string(text), err
}
