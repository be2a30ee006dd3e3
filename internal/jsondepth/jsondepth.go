// Package jsondepth bounds how deep JSON from outside is nested, and how much is
// read of one element of it, before any parser looks at it: parsers call
// themselves for each level, so two million brackets in two kilobytes of gzip end
// a process. Brackets are counted outside of strings, whatever else the text is;
// the parser says whether it is JSON at all.
package jsondepth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"rollcall"
)

// Most is how many levels of arrays and objects may be open at once. No
// document that Rollcall reads has more than a handful.
const Most = 64

// errDeep is the refusal of text that is nested deeper.
func errDeep() error {
	return &rollcall.Invalid{Field: "json", Reason: "is nested more than " + strconv.Itoa(Most) + " levels deep", Code: "json_depth"}
}

// Check refuses text nested deeper than Most, with a *rollcall.Invalid.
func Check(text []byte) error {
	if bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) <= Most {
		return nil // most lines: two counts are much quicker than a look at each byte
	}
	var s scanner
	return s.scan(text)
}

// Unmarshal reads text that Check does not refuse, as encoding/json does.
func Unmarshal(text []byte, v any) error {
	if err := Check(text); err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

// Reader reads one document and ends with Check's refusal where it becomes too
// deep: what comes after is never read.
func Reader(r io.Reader) io.Reader { return &reader{r: r} }

type reader struct {
	r       io.Reader
	scanner scanner
	err     error
}

// Read reads on, up to a level too many.
func (d *reader) Read(b []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.r.Read(b)
	if d.err = d.scanner.scan(b[:n]); d.err != nil {
		return 0, d.err
	}
	return n, err
}

// scanner is where a text has come to.
type scanner struct {
	depth   int
	text    bool // inside a string
	escaped bool // behind a backslash in it
}

func (s *scanner) scan(b []byte) error {
	for _, c := range b {
		switch {
		case s.escaped:
			s.escaped = false
		case s.text:
			s.escaped, s.text = c == '\\', c != '"'
		case c == '"':
			s.text = true
		case c == '[' || c == '{':
			if s.depth++; s.depth > Most {
				return errDeep()
			}
		case c == ']' || c == '}':
			s.depth = max(0, s.depth-1)
		}
	}
	return nil
}

// Ration gives a decoder so many bytes, and then an error: what one element of a
// document may take. Who reads the document refills it for each element.
type Ration struct {
	R    io.Reader
	Left int
	Err  error // what it ends with where nothing is left
}

// Read reads on while something is left.
func (a *Ration) Read(b []byte) (int, error) {
	if a.Left <= 0 {
		return 0, a.Err
	}
	n, err := a.R.Read(b[:min(len(b), a.Left)])
	a.Left -= n
	return n, err
}

// ErrAfter says that more follows an array than blanks.
var ErrAfter = errors.New("has text after its end")

// EndArray reads the "]" of an array whose elements were read, and gives ErrAfter
// where anything is behind it, JSON or not. The decoder uses Number: a number may be
// too large for a float.
func EndArray(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return err
	}
	var syntax *json.SyntaxError
	switch _, err := d.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil && !errors.As(err, &syntax):
		return err
	}
	return ErrAfter
}
