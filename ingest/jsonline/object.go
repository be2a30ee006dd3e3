package jsonline

import (
	"bytes"
	"errors"
	"fmt"

	"rollcall/internal/jsondepth"
)

// Errors of a text that is no such object. A field that is no text is a Mistyped.
var (
	ErrSyntax = errors.New("bad syntax")
	ErrAfter  = errors.New("text after the object")
	ErrDeep   = fmt.Errorf("nested more than %d levels deep", jsondepth.Most)
)

// Mistyped says that the field of this name is neither text nor null.
type Mistyped string

// Error names the field.
func (m Mistyped) Error() string { return fmt.Sprintf("field %q is not text", string(m)) }

// Field is a field that is looked for, and where its text goes.
type Field struct {
	Name string
	To   *string
}

// Object reads objects of the same fields, one after the other. It is for one
// goroutine.
type Object struct {
	fields []Field
	after  []int // of each field that which came behind it last time, and at the end that which came first

	text     []byte
	at       int
	mistyped string // the first field that was no text
	bad      error
}

// NewObject makes a reader of these fields.
func NewObject(fields ...Field) *Object {
	return &Object{fields: fields, after: make([]int, len(fields)+1)}
}

// Read reads all of text. A field that is absent or null is left as it was; of one
// that is there twice the last stands. What it puts into the fields shares text's
// memory. It looks at every byte once: what can't be an object is ErrSyntax,
// whatever else is wrong with it, but for depth, which is looked at before all.
func (o *Object) Read(text []byte) error {
	o.text, o.at, o.mistyped, o.bad = text, 0, "", nil
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

// verdict says what is wrong with what was read.
func (o *Object) verdict() error {
	rest := o.text[o.at:]
	if o.bad == nil && o.mistyped == "" && (len(rest) == 0 || len(bytes.TrimSpace(rest)) == 0) {
		return nil
	}
	switch {
	case jsondepth.Check(o.text) != nil:
		return ErrDeep
	case o.bad != nil:
		return o.bad
	case o.mistyped != "":
		return Mistyped(o.mistyped)
	}
	return ErrAfter
}

// object reads the fields.
func (o *Object) object() {
	o.at++ // the bracket
	if o.space(); o.next() == '}' {
		o.at++
		return
	}
	for last := len(o.fields); o.bad == nil; {
		field := o.name(last)
		o.colon()
		if field < 0 {
			o.pass(1)
		} else {
			o.after[last], last = field, field
			o.value(field)
		}
		if o.end('}') {
			return
		}
	}
}

// name reads a field's name and gives its place; -1 where nobody looks for it.
// Fields mostly come in the order in which they came the last time: then the name
// is compared, and not read.
func (o *Object) name(last int) int {
	likely := o.after[last]
	if likely < len(o.fields) {
		name := o.fields[likely].Name
		if rest := o.text[o.at:]; len(rest) > len(name)+1 && rest[0] == '"' && rest[len(name)+1] == '"' && string(rest[1:len(name)+1]) == name {
			o.at += len(name) + 2
			return likely
		}
	}
	name := o.string()
	for i := range o.fields {
		if o.fields[i].Name == name {
			return i
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

// value reads the value of a field that is looked for.
func (o *Object) value(field int) {
	switch {
	case o.next() == '"':
		*o.fields[field].To = o.string()
	case o.word("null"):
	default:
		if o.mistyped == "" {
			o.mistyped = o.fields[field].Name
		}
		o.pass(1)
	}
}

// end passes over what stands behind a value: a comma, or the end of its object or
// array, which it reports.
func (o *Object) end(bracket byte) bool {
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
