package ingest

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"rollcall"
	"rollcall/ingest/jsonline"
	"rollcall/internal/jsondepth"
)

// Lines carries NDJSON, or one JSON array of events (an element a line), to
// the batcher.
func Lines(ctx context.Context, in *Batcher, r io.Reader) error {
	br := begin(r)
	if isArray(br) {
		return elements(ctx, in, br)
	}
	return lines(ctx, in, br)
}

// NDJSON carries one event a line to the batcher. Blank lines are passed over,
// but counted. What was read before a read error is kept; an unfinished last
// line after one is not taken for an event.
func NDJSON(ctx context.Context, in *Batcher, r io.Reader) error {
	return lines(ctx, in, begin(r))
}

// begin passes over the byte order mark that some editors put first.
func begin(r io.Reader) *bufio.Reader {
	const mark = "\xef\xbb\xbf"
	br := bufio.NewReaderSize(r, 64<<10)
	if b, err := br.Peek(len(mark)); err == nil && string(b) == mark {
		_, _ = br.Discard(len(mark)) // what was peeked at is there
	}
	return br
}

func lines(ctx context.Context, in *Batcher, br *bufio.Reader) error {
	for line := 1; ; line++ {
		text, whole, err := readLine(br)
		if err != nil && !errors.Is(err, io.EOF) {
			return errors.Join(fmt.Errorf("line %d: %w", line, err), in.Flush(ctx))
		}
		if failed := takeLine(ctx, in, line, text, whole); failed != nil {
			return failed
		}
		if err != nil {
			return in.Flush(ctx)
		}
		if in.Hopeless() {
			n, err := countLines(br)
			in.RefuseRest(line+1, n)
			return errors.Join(err, in.Flush(ctx))
		}
	}
}

// countLines counts the lines that are left, the last with or without its end.
func countLines(r io.Reader) (n int, err error) {
	last := byte('\n')
	b := make([]byte, 64<<10)
	for {
		read, err := r.Read(b)
		if read > 0 {
			n, last = n+bytes.Count(b[:read], []byte("\n")), b[read-1] //nolint:gosec // read is over 0
		}
		if err == nil {
			continue
		}
		if last != '\n' {
			n++
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return n, err
	}
}

func takeLine(ctx context.Context, in *Batcher, line int, text []byte, whole bool) error {
	if !whole {
		return in.Refuse(ctx, line, &rollcall.Invalid{Field: "line", Reason: "is longer than 1 MiB", Code: "line_too_long"}, text)
	}
	if len(text) == 0 {
		return nil
	}
	return in.Line(ctx, line, text)
}

// readLine gives the next line, trimmed. Of a line over MaxLine it gives the
// beginning, and whole is false.
func readLine(br *bufio.Reader) (text []byte, whole bool, err error) {
	text, err = br.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return bytes.TrimSpace(text), true, err
	}
	const most = MaxLine + len("\r\n")
	long, whole := append([]byte(nil), text...), true
	for errors.Is(err, bufio.ErrBufferFull) {
		text, err = br.ReadSlice('\n')
		if space := most - len(long); len(text) > space {
			text, whole = text[:space], false
		}
		long = append(long, text...)
	}
	long = bytes.TrimSpace(long)
	return long, whole && len(long) <= MaxLine, err
}

// isArray looks past leading space for "[", without taking anything.
func isArray(br *bufio.Reader) bool {
	for n := 1; n <= br.Size(); n++ {
		b, err := br.Peek(n)
		if err != nil {
			return false
		}
		switch b[n-1] {
		case ' ', '\t', '\r', '\n':
			continue
		}
		return b[n-1] == '['
	}
	return false
}

// elements carries a JSON array, an element a line. A fault of the array's own
// syntax ends it, as does an element over maxElement: what follows can't be told
// apart.
func elements(ctx context.Context, in *Batcher, r io.Reader) error {
	source := &jsondepth.Ration{R: r, Left: maxElement, Err: errElement}
	dec := json.NewDecoder(source)
	dec.UseNumber() // one too large for a float, after the end, is text like any other
	line := 0
	var element json.RawMessage
	_, err := dec.Token() // "[": isArray saw it
	for ; err == nil && dec.More(); line++ {
		if err = dec.Decode(&element); err != nil {
			err = cmp.Or(deepIn(dec), err)
			break
		}
		source.Left = maxElement
		if err := takeLine(ctx, in, line+1, element, len(element) <= MaxLine); err != nil {
			return err
		}
		if in.Hopeless() {
			n, err := countElements(io.MultiReader(dec.Buffered(), r))
			in.RefuseRest(line+2, n)
			return errors.Join(err, in.Flush(ctx))
		}
	}
	if err == nil {
		err = jsondepth.EndArray(dec)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("after element %d: %w", line, arrayFault(err)), in.Flush(ctx))
	}
	return in.Flush(ctx)
}

// deepIn is jsonline.ErrDeep where the element that dec could not read is nested very
// deep: one that is only too deep is read, and refused by itself as a line is.
func deepIn(dec *json.Decoder) error {
	if _, err := io.Copy(io.Discard, jsondepth.Reader(dec.Buffered())); err != nil {
		return jsonline.ErrDeep
	}
	return nil
}

// countElements counts what is left of an array behind one of its elements, by
// the commas between them. It does not look for faults.
func countElements(r io.Reader) (n int, err error) {
	depth, text, escaped := 0, false, false
	br := bufio.NewReaderSize(r, 64<<10)
	for {
		c, err := br.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, err
		case escaped:
			escaped = false
		case text:
			escaped, text = c == '\\', c != '"'
		case c == '"':
			text = true
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case c == ',' && depth == 0:
			n++
		}
	}
}

// maxElement bounds what the decoder gathers of one element. One over MaxLine is
// refused by itself, as a line is; beyond this the array ends.
const maxElement = 4 * MaxLine

// errElement says that an element is over maxElement.
var errElement = errors.New("has an element of more than 4 MiB here")

// arrayFault leaves a read error as it is: only the syntax is the sender's.
func arrayFault(err error) error {
	var syntax *json.SyntaxError
	reason := "is broken here; the elements before were taken"
	switch {
	case errors.Is(err, io.EOF), err == io.ErrUnexpectedEOF: // the decoder's own, not wrapped
		reason = "is cut short; the elements before were taken"
	case errors.Is(err, jsonline.ErrDeep):
		reason = "has an element here that is " + jsonline.ErrDeep.Error() + "; the elements before were taken"
	case errors.Is(err, errElement):
		reason = err.Error() + "; the elements before were taken"
	case errors.Is(err, jsondepth.ErrAfter):
		reason = err.Error() + "; its elements were taken"
	case !errors.As(err, &syntax):
		return err
	}
	return &rollcall.Invalid{Field: "array", Reason: reason, Code: "json"}
}
