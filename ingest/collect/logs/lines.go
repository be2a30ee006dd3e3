package logs

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxLine is the longest line that is read; a longer one is refused alone.
const maxLine = 1 << 20

// Line is one line of a log, without its end. Its text is valid until the next.
type Line struct {
	Text []byte
	No   int
	Long bool // over maxLine: Text is its beginning
}

// lines cuts a stream into lines. A last line without an end stays where it is
// until it has one.
type lines struct {
	r    *bufio.Reader
	no   int
	at   int64  // the offset after the last whole line
	part []byte // of a line that has no end yet
	size int64  // of the part, however much of it is remembered
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 256<<10)} }

// next gives the next line; io.EOF: none is whole.
func (l *lines) next() (Line, error) {
	for {
		part, err := l.r.ReadSlice('\n')
		l.size += int64(len(part))
		part = part[:min(len(part), maxLine-len(l.part))]
		if err == nil && len(l.part) == 0 { // the usual case: nothing is copied
			return l.whole(part), nil
		}
		l.part = append(l.part, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil:
			return Line{}, err
		default:
			return l.whole(l.part), nil
		}
	}
}

func (l *lines) whole(text []byte) Line {
	l.no++
	l.at += l.size
	line := Line{No: l.no, Text: trim(text), Long: l.size > maxLine}
	l.part, l.size = l.part[:0], 0
	return line
}

func trim(text []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
}

// rest gives a last line that will have no end any more.
func (l *lines) rest() (Line, bool) {
	if l.size == 0 {
		return Line{}, false
	}
	return l.whole(l.part), true
}

// again goes on in another stream, at the last whole line's end.
func (l *lines) again(r io.Reader) {
	l.r.Reset(r)
	l.part, l.size = l.part[:0], 0
}
