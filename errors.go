package rollcall

import "errors"

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
	// ErrIncoherent: figures, or a publication and its facts, contradict each
	// other, and the message says which and how.
	ErrIncoherent = errors.New("incoherent")
	// ErrNotClosed: the month has no publication yet.
	ErrNotClosed = errors.New("not closed")
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
