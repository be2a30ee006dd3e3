package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"rollcall/ingest/packed"
	"rollcall/internal/jsondepth"
)

// json reads an object a line, or objects that are laid out over several lines.
func (s *source) json(yield func(*row) error) error {
	if back := s.lines.back; len(back) > 0 && string(bytes.TrimSpace(back[len(back)-1].text)) == "{" {
		return s.pretty(yield)
	}
	for {
		at, err := s.lines.next()
		if err != nil || at.text == nil {
			return err
		}
		if len(bytes.TrimSpace(at.text)) == 0 {
			continue
		}
		if err := yield(s.object(at)); err != nil {
			return err
		}
	}
}

// beginsArray reports whether the file is one array, which may stand in one line.
func (l *lines) beginsArray() bool {
	start, _ := l.r.Peek(512) // what a short file has less is an error of no interest
	start = bytes.TrimSpace(bytes.TrimPrefix(start, []byte(mark)))
	return len(start) > 0 && start[0] == '['
}

// array reads one array of objects; they are counted as lines are elsewhere.
func (s *source) array(yield func(*row) error) error {
	if start, _ := s.lines.r.Peek(len(mark)); string(start) == mark {
		_, _ = s.lines.r.Discard(len(mark)) // what was peeked at is there
	}
	allowed := &jsondepth.Ration{R: s.lines.r, Left: maxElement, Err: errElement}
	d := json.NewDecoder(allowed)
	d.UseNumber() // one too large for a float, after the end, is text like any other
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("is no JSON array: %w", err)
	}
	if err := s.elements(d, allowed, yield); err != nil {
		return err
	}
	if err := jsondepth.EndArray(d); err != nil {
		return arrayFault(err, "the array", "is broken here; the elements before were read")
	}
	return nil
}

// elements reads values up to an array's end, or the file's.
func (s *source) elements(d *json.Decoder, allowed *jsondepth.Ration, yield func(*row) error) error {
	for n := 1; d.More(); n++ {
		var element json.RawMessage
		if err := d.Decode(&element); err != nil {
			return arrayFault(err, fmt.Sprintf("element %d", n), "is not JSON, and so neither is the rest; the elements before were read")
		}
		allowed.Left = maxElement
		row := s.object(line{text: element, no: n, long: len(element) > maxLine})
		row.element = true
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

// pretty reads objects one after the other that are laid out over several lines, the
// first of which is put back; they are counted as lines are elsewhere.
func (s *source) pretty(yield func(*row) error) error {
	s.lines.back = nil
	allowed := &jsondepth.Ration{R: io.MultiReader(strings.NewReader("{\n"), s.lines.r), Left: maxElement, Err: errElement}
	d := json.NewDecoder(allowed)
	err := s.elements(d, allowed, yield)
	if err == errCut { // nothing wraps it
		return packed.Damage("its last object is cut short; those before were read: fetch or copy the file again")
	}
	if err != nil {
		return err
	}
	var syntax *json.SyntaxError
	switch _, err := d.Token(); {
	case err == io.EOF: // nothing wraps the end here
		return nil
	case err == nil, errors.As(err, &syntax):
		return packed.Damage("has a bracket too many; the objects before were read")
	default:
		return arrayFault(err, "what stands behind the last object", "")
	}
}

// errCut is of an array that ends before its end.
const errCut = packed.Damage("the array is cut short; the elements before were read: fetch or copy the file again")

// arrayFault says what is wrong with an array at a place, where it is not JSON.
func arrayFault(err error, where, wrong string) error {
	var (
		cut    packed.Damage
		syntax *json.SyntaxError
	)
	switch {
	case errors.As(err, &cut):
		return cut
	case errors.Is(err, errElement):
		return packed.Damage(where + ": " + err.Error())
	case errors.Is(err, io.EOF), err == io.ErrUnexpectedEOF: // the decoder's own, not wrapped
		return errCut
	case errors.Is(err, jsondepth.ErrAfter):
		return packed.Damage(where + " " + err.Error() + "; its elements were read")
	case errors.As(err, &syntax):
		return packed.Damage(where + " " + wrong)
	}
	return err
}

// maxElement is how much is read for one element of an array. One that is longer
// than a line may be is refused alone up to here; a file of a megabyte could
// unpack to one of gigabytes.
const maxElement = 4 * maxLine

var errElement = errors.New("is longer than 4 MiB, and the rest can't be told from it")

func (s *source) object(at line) *row {
	r := &row{line: at.no}
	var members map[string]json.RawMessage
	switch {
	case at.long:
		r.fault = "the object is longer than 1 MiB"
	case jsondepth.Unmarshal(at.text, &members) != nil || members == nil:
		r.fault = "is not a JSON object"
	default:
		r.Values, r.Members = s.fresh(), members
		for name, raw := range members {
			if !s.reads[name] {
				continue
			}
			v, err := decode(raw)
			if err != nil {
				r.fault = "is not a JSON object"
			}
			r.Values[name] = v
		}
	}
	return r
}

// decode reads a value of JSON. Whole numbers stay exact, and MongoDB's wrapped
// values ({"$date": ...}, {"$numberLong": ...}) are what they wrap.
func decode(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return unwrap(v), nil
}

func unwrap(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case []any:
		for i := range v {
			v[i] = unwrap(v[i])
		}
	case map[string]any:
		for name, inside := range v {
			v[name] = unwrap(inside)
		}
		if len(v) == 1 {
			return wrapped(v)
		}
	}
	return v
}

func wrapped(v map[string]any) any {
	for _, name := range []string{"$date", "$oid"} {
		if inside, ok := v[name]; ok {
			return inside
		}
	}
	for _, name := range []string{"$numberLong", "$numberInt", "$numberDouble"} {
		inside, ok := v[name].(string)
		if !ok {
			continue
		}
		if n, err := strconv.ParseInt(inside, 10, 64); err == nil {
			return n
		}
		if f, err := strconv.ParseFloat(inside, 64); err == nil {
			return f
		}
	}
	return v
}
