package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"rollcall/ingest"
	"rollcall/internal/jsondepth"
)

// chunk is about the length of a body of lines.
const chunk = 4 << 20

// lines cuts NDJSON, or a JSON array in a .json file, which becomes NDJSON.
func (s *source) lines(r io.Reader) iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		c := &cutter{r: r, yield: yield}
		c.fill()
		if bytes.HasPrefix(c.rest, []byte("\xff\xfe")) || bytes.HasPrefix(c.rest, []byte("\xfe\xff")) {
			yield(Part{}, fault("is UTF-16: save it as UTF-8"))
			return
		}
		if s.format == ".json" && isArray(c.rest) {
			c.elements()
			return
		}
		for c.cut() {
		}
	}
}

// isArray reports whether text begins as a JSON array.
func isArray(text []byte) bool {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	return bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("["))
}

type cutter struct {
	r     io.Reader
	err   error  // that ended r
	rest  []byte // read and not yet yielded
	base  int    // lines yielded
	yield func(Part, error) bool
}

// fill reads until a chunk is there or the text ends.
func (c *cutter) fill() {
	if c.err != nil {
		return
	}
	have := len(c.rest)
	text := append(make([]byte, 0, chunk), c.rest...)[:chunk]
	n, err := io.ReadFull(c.r, text[have:])
	if err == io.ErrUnexpectedEOF { // ReadFull's own: a packing's is a fault
		err = io.EOF
	}
	c.rest, c.err = text[:have+n], err
}

// cut yields the whole lines that are there; false at the end.
func (c *cutter) cut() bool {
	c.fill()
	end := bytes.LastIndexByte(c.rest, '\n') + 1
	switch {
	case c.ended(): // the last line may lack its end
		end = len(c.rest)
	case c.err == nil && end == 0:
		return c.long()
	}
	if end > 0 && !c.part(c.rest[:end]) {
		return false
	}
	c.rest = c.rest[end:]
	switch {
	case c.err != nil && c.ended() && c.err != io.EOF:
		c.yield(Part{}, fmt.Errorf("after line %d: %w", c.base, c.err))
	case c.err != nil && c.err != io.EOF:
		c.yield(Part{}, fmt.Errorf("line %d: %w", c.base+1, c.err))
	}
	return c.err == nil
}

// ended reports whether the text was read up to its end, whatever follows it.
func (c *cutter) ended() bool {
	var behind after
	return c.err == io.EOF || errors.As(c.err, &behind) // nothing wraps the end here
}

func (c *cutter) part(text []byte) bool {
	rows := bytes.Count(text, []byte("\n"))
	if text[len(text)-1] != '\n' {
		rows++
	}
	ok := c.yield(Part{Type: NDJSON, Body: text, Base: c.base, Rows: rows}, nil)
	c.base += rows
	return ok
}

// long yields the beginning of a line that fills a whole chunk, for the
// collector to refuse, and passes over the rest of it.
func (c *cutter) long() bool {
	begin := bytes.Clone(c.rest[:ingest.MaxLine+1])
	end := -1
	for end < 0 && c.err == nil {
		c.rest = nil
		c.fill()
		end = bytes.IndexByte(c.rest, '\n')
	}
	if end < 0 && !c.ended() {
		c.rest = nil
		return c.cut()
	}
	if !c.part(append(begin, '\n')) {
		return false
	}
	if end < 0 {
		c.rest = nil
		return c.cut()
	}
	c.rest = c.rest[end+1:]
	return true
}

// elements yields the elements of a JSON array, one a line.
func (c *cutter) elements() {
	allowed := &jsondepth.Ration{R: c.r, Err: errElement}
	dec := json.NewDecoder(io.MultiReader(bytes.NewReader(bytes.TrimPrefix(c.rest, []byte("\xef\xbb\xbf"))), ended{c, allowed}))
	dec.UseNumber() // one too large for a float, after the end, is text like any other
	var body bytes.Buffer
	_, err := dec.Token()
	for err == nil && dec.More() {
		allowed.Left = ingest.MaxLine + chunk
		var element json.RawMessage
		if err = dec.Decode(&element); err != nil {
			if _, deep := io.Copy(io.Discard, jsondepth.Reader(dec.Buffered())); deep != nil {
				err = errDeep
			}
			break
		}
		err = json.Compact(&body, element)
		body.WriteByte('\n')
		if body.Len() >= chunk && !c.part(bytes.Clone(body.Bytes())) {
			return
		} else if body.Len() >= chunk {
			body.Reset()
		}
	}
	if err == nil {
		err = jsondepth.EndArray(dec)
	}
	if body.Len() > 0 && !c.part(body.Bytes()) || err == nil {
		return
	}
	c.yield(Part{}, fmt.Errorf("after element %d: %w", c.base, arrayFault(err)))
}

// ended gives how reading ended before, or reads on.
type ended struct {
	c *cutter
	r io.Reader
}

// Read reads on.
func (e ended) Read(b []byte) (int, error) {
	if e.c.err != nil {
		return 0, e.c.err
	}
	return e.r.Read(b)
}

const (
	errElement = fault("has an element longer than 1 MiB")
	errDeep    = fault("has an element nested more than 64 levels deep")
)

func arrayFault(err error) error {
	var syntax *json.SyntaxError
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return damage("the JSON array is cut short")
	case errors.As(err, &syntax):
		return fault("the JSON array is broken here")
	case errors.Is(err, jsondepth.ErrAfter):
		return fault(err.Error())
	}
	return err
}
