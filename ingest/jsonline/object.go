package jsonline

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"rollcall/internal/jsondepth"
)

// Errors of a text that is no such object. What is wrong with one field is a Fault.
var (
	ErrSyntax = errors.New("bad syntax")
	ErrAfter  = errors.New("text after the object")
	ErrDeep   = fmt.Errorf("nested more than %d levels deep", jsondepth.Most)
)

// Fault says what is wrong with a field, in an object that is one otherwise.
type Fault struct {
	Field  string // its name; "": a field that is not looked for, or a name
	Reason string // one of the constants
}

// Reasons of a Fault.
const (
	NotText   = "is not text"
	NotObject = "is not an object"
	NotUTF8   = "is not UTF-8 text; write it in UTF-8"
	HalfSign  = `has half of a sign, such as \ud83d alone; write its other half too`
	Twice     = "is there twice; leave one out"
	Case      = "is there in another case; write its name as it is here"
)

// Error names the field.
func (f Fault) Error() string {
	if f.Field == "" {
		return "a name, or a field that is not known, " + f.Reason
	}
	return fmt.Sprintf("field %q %s", f.Field, f.Reason)
}

// Field is a field that is looked for, and where its text goes. One that has an
// Object is an object, whose own fields that reads; its text is then all of it.
type Field struct {
	Name   string
	To     *string
	Object *Object
}

// Object reads objects of the same fields, one after the other. It is for one
// goroutine.
type Object struct {
	fields []Field
	leads  []string // of each field its name as most write it, up to its value
	opens  []string // and up to the text that is its value
	after  []int    // of each field that which came behind it last time, and at the end that which came first

	text  []byte
	at    int
	depth int    // of the object itself: 1, or more inside another
	seen  uint64 // a bit for each field that was there
	now   int    // the field being read; -1: none that is looked for
	fault Fault  // the first
	bad   error
}

// NewObject makes a reader of these fields, 64 at most.
func NewObject(fields ...Field) *Object {
	o := &Object{fields: fields, after: make([]int, len(fields)+1)}
	for _, f := range fields {
		o.leads, o.opens = append(o.leads, `"`+f.Name+`":`), append(o.opens, `"`+f.Name+`":"`)
	}
	return o
}

// Read reads all of text. A field that is absent or null is left as it was. What it
// puts into the fields shares text's memory. It looks at every byte once: what can't
// be an object is ErrSyntax, whatever else is wrong with it, but for depth, which is
// looked at before all. Of an object the first Fault is given.
func (o *Object) Read(text []byte) error {
	o.begin(text, 0, 1)
	o.space()
	switch {
	case o.next() == '{':
		o.object()
	case !o.word("null"):
		o.bad = ErrSyntax
	}
	err := o.verdict()
	o.text = nil
	return err
}

// begin is where an object is read from, and how deep that is.
func (o *Object) begin(text []byte, at, depth int) {
	o.text, o.at, o.depth, o.seen, o.now, o.fault, o.bad = text, at, depth, 0, -1, Fault{}, nil
}

// verdict says what is wrong with what was read.
func (o *Object) verdict() error {
	rest := o.text[o.at:]
	if o.bad == nil && o.fault.Reason == "" && (len(rest) == 0 || len(bytes.TrimSpace(rest)) == 0) {
		return nil
	}
	switch {
	case jsondepth.Check(o.text) != nil:
		return ErrDeep
	case o.bad != nil:
		return o.bad
	case o.fault.Reason != "":
		return o.fault
	}
	return ErrAfter
}

// blame takes note of the first thing that is wrong, with the field that is being
// read.
func (o *Object) blame(reason string) {
	name := ""
	if o.now >= 0 {
		name = o.fields[o.now].Name
	}
	o.accept(Fault{Field: name, Reason: reason})
}

func (o *Object) accept(f Fault) {
	if o.fault.Reason == "" {
		o.fault = f
	}
}

// object reads the fields.
func (o *Object) object() {
	o.at++ // the bracket
	if o.space(); o.next() == '}' {
		o.at++
		return
	}
	for last := len(o.fields); o.bad == nil; {
		var ended bool
		if last, ended = o.usual(last); !ended {
			last = o.field(last)
		}
		if o.end('}') {
			return
		}
	}
}

// field reads one field, whatever its form, and gives its place; last where nobody
// looks for it.
func (o *Object) field(last int) int {
	o.now = o.name(last)
	switch {
	case o.bad != nil:
	case o.now < 0:
		o.pass(o.depth)
	default:
		o.after[last], last = o.now, o.now
		o.value()
	}
	return last
}

// usual reads fields as long as they are what field finds most of the time: that
// which came next the last time too, its text of ordinary signs, a comma and the
// next, with no space. It gives the place of the last one that was read, and whether
// its comma is yet to be read; else a field is, and field reads whatever it is.
func (o *Object) usual(last int) (place int, ended bool) {
	rest := o.text[o.at:]
	for {
		next := o.after[last]
		if next >= len(o.opens) || o.seen>>(next&63)&1 != 0 {
			break
		}
		open := o.opens[next]
		if len(rest) < len(open) || string(rest[:len(open)]) != open {
			break
		}
		value := rest[len(open):]
		n := ordinary(value)
		if n >= len(value) || value[n] != '"' || o.fields[next].Object != nil {
			break
		}
		*o.fields[next].To = shared(value[:n])
		o.seen |= 1 << (next & 63)
		last, rest = next, value[n+1:]
		if ended = len(rest) < 2 || rest[0] != ',' || rest[1] != '"'; ended {
			break
		}
		rest = rest[1:]
	}
	o.at = len(o.text) - len(rest)
	return last, ended
}

// name reads a field's name and the colon, and gives its place; -1 where nobody
// looks for it. Fields mostly come in the order in which they came the last time:
// then the name is compared, and not read.
func (o *Object) name(last int) int {
	if likely := o.after[last]; likely < len(o.leads) && o.word(o.leads[likely]) {
		o.space()
		return likely
	}
	o.now = -1
	name := o.string()
	o.colon()
	for i := range o.fields {
		if o.fields[i].Name == name {
			return i
		}
	}
	for i := range o.fields {
		if strings.EqualFold(o.fields[i].Name, name) {
			o.accept(Fault{Field: o.fields[i].Name, Reason: Case})
		}
	}
	return -1
}

// colon passes over the sign behind a name, and the space around it.
func (o *Object) colon() {
	o.space()
	if o.next() != ':' {
		o.bad = ErrSyntax
		return
	}
	o.at++
	o.space()
}

// value reads the value of the field that is being read.
func (o *Object) value() {
	f, bit := &o.fields[o.now], uint64(1)<<(o.now&63)
	if o.seen&bit != 0 {
		o.blame(Twice)
	}
	o.seen |= bit
	switch c := o.next(); {
	case c == '"' && f.Object == nil:
		*f.To = o.string()
	case c == '{' && f.Object != nil:
		from := o.at
		o.inside(f.Object)
		*f.To = shared(o.text[from:o.at])
	case o.word("null"):
	default:
		o.blame(f.mistyped())
		o.pass(o.depth)
	}
}

// mistyped is the reason against a value of another kind.
func (f *Field) mistyped() string {
	if f.Object != nil {
		return NotObject
	}
	return NotText
}

// inside reads an object in this one by its own reader.
func (o *Object) inside(in *Object) {
	in.begin(o.text, o.at, o.depth+1)
	in.object()
	in.text = nil
	o.at, o.bad = in.at, in.bad
	if in.fault.Reason != "" {
		o.accept(in.fault)
	}
}

// end passes over what stands behind a value: a comma, or the end of its object or
// array, which it reports.
func (o *Object) end(bracket byte) bool {
	if rest := o.text[o.at:]; len(rest) > 1 && rest[0] == ',' && rest[1] == '"' && o.bad == nil {
		o.at++ // nearly always, and no space
		return false
	}
	o.space()
	switch c := o.next(); {
	case o.bad != nil:
	case c == bracket:
		o.at++
		return true
	case c == ',':
		o.at++
		o.space()
	default:
		o.bad = ErrSyntax
	}
	return false
}

// next gives the next byte; 0, which no JSON has, at the end.
func (o *Object) next() byte {
	if o.at < len(o.text) {
		return o.text[o.at]
	}
	return 0
}

// space passes over JSON's own space.
func (o *Object) space() {
	for o.at < len(o.text) && o.text[o.at] <= ' ' {
		switch o.text[o.at] {
		case ' ', '\t', '\r', '\n':
			o.at++
		default:
			return
		}
	}
}

// word passes over the word, if it is what comes next.
func (o *Object) word(w string) bool {
	if rest := o.text[o.at:]; len(rest) < len(w) || string(rest[:len(w)]) != w {
		return false
	}
	o.at += len(w)
	return true
}
