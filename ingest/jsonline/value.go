package jsonline

import "rollcall/internal/jsondepth"

// pass passes over a value of any kind, inside so many arrays and objects.
func (o *Object) pass(depth int) {
	if o.bad != nil {
		return
	}
	switch c := o.next(); {
	case c == '"':
		o.string()
	case c == '{' || c == '[':
		o.nested(depth + 1)
	case c == '-' || '0' <= c && c <= '9':
		o.number()
	case o.word("null"), o.word("true"), o.word("false"):
	default:
		o.bad = ErrSyntax
	}
}

// nested passes over an object or an array. It is called by itself for every
// level, so there is a most of them.
func (o *Object) nested(depth int) {
	if depth > jsondepth.Most {
		o.bad = ErrDeep
		return
	}
	object := o.next() == '{'
	o.at++
	o.space()
	bracket := byte(']')
	if object {
		bracket = '}'
	}
	if o.next() == bracket {
		o.at++
		return
	}
	for o.bad == nil {
		if object {
			o.string()
			o.colon()
		}
		o.pass(depth)
		if o.end(bracket) {
			return
		}
	}
}

// number passes over a number: no digits before a leading zero, and some behind a
// point or an exponent.
func (o *Object) number() {
	if o.next() == '-' {
		o.at++
	}
	if o.next() == '0' {
		o.at++
	} else {
		o.digits()
	}
	if o.next() == '.' {
		o.at++
		o.digits()
	}
	if c := o.next(); c == 'e' || c == 'E' {
		o.at++
		if c := o.next(); c == '+' || c == '-' {
			o.at++
		}
		o.digits()
	}
}

// digits passes over one digit or more.
func (o *Object) digits() {
	from := o.at
	for c := o.next(); '0' <= c && c <= '9'; c = o.next() {
		o.at++
	}
	if o.at == from {
		o.bad = ErrSyntax
	}
}
