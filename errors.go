package rollcall

import (
	"errors"
	"strings"
)

// The kinds of failure that a caller may tell apart with errors.Is. Every
// other error is a fault of the machine or of Rollcall itself.
var (
	// ErrInvalid: the input is wrong, and the message says where.
	ErrInvalid = errors.New("invalid")
	// ErrNotFound: what was asked for is not there.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the state of the system forbids it (a folder in use, a version taken).
	ErrConflict = errors.New("conflict")
	// ErrFull: a bounded buffer is full; the same call may succeed later.
	ErrFull = errors.New("full")
	// ErrAway: the store, or the log, does not answer now; the same call may
	// succeed later.
	ErrAway = errors.New("away")
	// ErrIncoherent: figures, or a publication and its facts, contradict each
	// other, and the message says which and how.
	ErrIncoherent = errors.New("incoherent")
	// ErrNotClosed: the month has no publication yet.
	ErrNotClosed = errors.New("not closed")
	// ErrWithdrawn: the version was published wrong, and must not be used.
	ErrWithdrawn = errors.New("withdrawn")
	// ErrAgedOut: the facts were removed because of their age.
	ErrAgedOut = errors.New("aged out")
)

// Invalid is ErrInvalid with the field at fault, what was given and why it
// can't be used. Its text is one plain line.
type Invalid struct {
	Field  string // as the user writes it, such as "until"
	Value  string // as given; cut to a readable length
	Reason string // a short clause, such as "is before time"
	Code   string // a stable word for counting, such as "until_before_time"
}

// Error gives "field "value": reason".
func (e *Invalid) Error() string {
	if e.Value == "" {
		return e.Field + ": " + e.Reason
	}
	return e.Field + " " + quote(e.Value) + ": " + e.Reason
}

// Is reports that an Invalid is an ErrInvalid.
func (e *Invalid) Is(target error) bool { return target == ErrInvalid }

// Unknown is ErrNotFound with the name that is not known, those nearest to it
// and where it was looked for. Its text is one plain line.
type Unknown struct {
	Kind   string   // what it should name, such as "market"
	Name   string   // as given
	Where  string   // a short clause, such as "in FR"; "": anywhere
	Near   []string // known names, the nearest first; empty: there is none at all
	Advice string   // what to do where there is none, such as "add it with `rollcall market add`"
}

// Error gives "market "FX": is not known; the nearest is FR".
func (e *Unknown) Error() string {
	text := e.Kind + " " + quote(e.Name) + ": is not known"
	if e.Where != "" {
		text += " " + e.Where
	}
	switch {
	case len(e.Near) > 1:
		return text + "; the nearest are " + strings.Join(e.Near, ", ")
	case len(e.Near) == 1:
		return text + "; the nearest is " + e.Near[0]
	case e.Advice != "":
		return text + "; " + e.Advice
	}
	return text
}

// Is reports that an Unknown is an ErrNotFound.
func (e *Unknown) Is(target error) bool { return target == ErrNotFound }
