package jsonline

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// string reads a string: its text, what is escaped in it written out. What has no
// escapes shares the object's memory.
func (o *Object) string() string {
	if o.bad != nil || o.next() != '"' {
		o.bad = ErrSyntax
		return ""
	}
	o.at++
	rest := o.text[o.at:]
	if n := ordinary(rest); n < len(rest) && rest[n] == '"' {
		o.at += n + 1
		return shared(rest[:n])
	}
	return o.rare()
}

// rare reads on in a string, from its first sign, that is more than ordinary signs.
func (o *Object) rare() string {
	for from := o.at; ; {
		o.at += ordinary(o.text[o.at:])
		switch c := o.next(); {
		case c == '"':
			text := shared(o.text[from:o.at])
			o.at++
			if !utf8.ValidString(text) {
				o.blame(NotUTF8)
			}
			return text
		case c >= utf8.RuneSelf:
			o.at++
		case c == '\\':
			return o.escaped(from)
		default: // a control character, or the end
			o.bad = ErrSyntax
			return ""
		}
	}
}

// ordinary gives how many bytes from the first on are neither a quote, a
// backslash, a control character nor of a sign beyond ASCII: eight at a time,
// found by arithmetic that sets the highest bit of each byte that is. (Behind the
// first such byte of a word its bits may be wrong, and aren't looked at.)
func ordinary(b []byte) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	at := 0
	for ; at+8 <= len(b); at += 8 {
		word := binary.LittleEndian.Uint64(b[at:])
		quote := (word ^ 2*ones) - 0x21*ones // the quote is 0x22: its second bit turned, it is below 0x21 as controls are
		slash := (word ^ '\\'*ones) - ones
		if found := (quote&^(word^2*ones) | slash&^(word^'\\'*ones) | word) & high; found != 0 {
			return at + bits.TrailingZeros64(found)/8
		}
	}
	for ; at < len(b); at++ {
		if c := b[at]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			break
		}
	}
	return at
}

// shared is the bytes as a string that shares their memory.
func shared(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // Read's promise: a field is part of the text
}

// escaped reads on in a string that begins at from and has come to its first
// backslash.
func (o *Object) escaped(from int) string {
	text := make([]byte, 0, o.at-from+utf8.UTFMax+16)
	for {
		text = append(text, o.text[from:o.at]...)
		switch c := o.next(); {
		case c == '"':
			o.at++
			if !utf8.Valid(text) {
				o.blame(NotUTF8)
			}
			return shared(text)
		case c == '\\':
			o.at++
			text = o.escape(text)
		case c < ' ':
			o.bad = ErrSyntax
		}
		if o.bad != nil {
			return ""
		}
		from = o.at
		for o.at < len(o.text) {
			if o.at += ordinary(o.text[o.at:]); o.next() < utf8.RuneSelf {
				break
			}
			o.at++
		}
	}
}

// escape reads what stands behind a backslash.
func (o *Object) escape(text []byte) []byte {
	c := o.next()
	if c == 0 {
		o.bad = ErrSyntax
		return text
	}
	o.at++
	switch c {
	case '"', '\\', '/':
		return append(text, c)
	case 'b':
		return append(text, '\b')
	case 'f':
		return append(text, '\f')
	case 'n':
		return append(text, '\n')
	case 'r':
		return append(text, '\r')
	case 't':
		return append(text, '\t')
	case 'u':
		return utf8.AppendRune(text, o.unicode())
	}
	o.bad = ErrSyntax
	return text
}

// unicode reads the number of a sign, or the two of a sign beyond the first 65,536.
// Half of such a pair is no sign, and a Fault.
func (o *Object) unicode() rune {
	first, ok := o.hex(o.at)
	if !ok {
		o.bad = ErrSyntax
		return 0
	}
	o.at += 4
	if !utf16.IsSurrogate(first) {
		return first
	}
	if rest := o.text[o.at:]; len(rest) >= 2 && rest[0] == '\\' && rest[1] == 'u' {
		if second, ok := o.hex(o.at + 2); ok {
			if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
				o.at += 6
				return r
			}
		}
	}
	o.blame(HalfSign)
	return utf8.RuneError
}

// hex reads the four digits at a place.
func (o *Object) hex(at int) (r rune, ok bool) {
	if len(o.text) < at+4 {
		return 0, false
	}
	for _, c := range o.text[at : at+4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
