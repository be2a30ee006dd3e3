package rollcall

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ServiceID names a messaging service in every file and figure: "msn".
type ServiceID string

// Online is the pseudo-service of any internet use: it counts in the active
// universe and nowhere else.
const Online ServiceID = "online"

// These ids are no service's: in a ranking "any" unites all services, and in the
// table of signs "none" is for what several services share.
const (
	AnyService ServiceID = "any"
	NoService  ServiceID = "none"
)

// Service is one line of the catalogue.
type Service struct {
	ID    ServiceID `json:"service"`
	Name  string    `json:"name"`
	Brand string    `json:"brand" required:"false" doc:"services of one brand are united in rows of their own"` // "": of none
	Owner string    `json:"owner" required:"false" doc:"services of one owner are united in rows of their own"` // "": of none

	Census CensusForm `json:"census,omitempty"`
	Epoch  Epoch      `json:"epoch,omitempty"`
	Colour int        `json:"colour,omitempty"` // the slot of its colour in charts, 1 to Colours; 0: none yet
}

// ServiceChange adds a service, or changes one: what is nil stays as it was.
type ServiceChange struct {
	ID    ServiceID `json:"service"`
	Name  string    `json:"name"`
	Brand *string   `json:"brand,omitempty" doc:"services of one brand are united in rows of their own; as it was where absent"`
	Owner *string   `json:"owner,omitempty" doc:"services of one owner are united in rows of their own; as it was where absent"`

	Census *CensusForm `json:"census,omitempty" doc:"exact: sets of accounts beside the sketches; empty: sketches alone; as it was where absent"`
	Epoch  *Epoch      `json:"epoch,omitempty" doc:"none: an account has its pseudonym until the key is rotated; empty: for a year; as it was where absent"`
	Colour int         `json:"colour,omitempty" doc:"the slot of its colour in charts, 1 to 12; as it was where absent"`
}

// Of gives the service that the change makes of what there was; of the zero
// Service, a new one.
func (c ServiceChange) Of(had Service) Service {
	s := had
	s.ID, s.Name = c.ID, c.Name
	set(&s.Brand, c.Brand)
	set(&s.Owner, c.Owner)
	set(&s.Census, c.Census)
	set(&s.Epoch, c.Epoch)
	if c.Colour != 0 {
		s.Colour = c.Colour
	}
	return s
}

func set[T any](to, value *T) {
	if value != nil {
		*to = *value
	}
}

// Colours is how many colours there are for services.
const Colours = 12

// CensusForm is how a service's accounts are counted.
type CensusForm string

// The forms.
const (
	Sketched CensusForm = ""      // by sketches alone
	Exactly  CensusForm = "exact" // by sets of pseudonyms too, without an error
)

// Epoch is how long an account of a service keeps its pseudonym.
type Epoch string

// The epochs.
const (
	Yearly  Epoch = ""     // a local year
	NoEpoch Epoch = "none" // until the master key is rotated
)

// Word is what the command line calls the form.
func (f CensusForm) Word() string { return cmp.Or(string(f), "sketch") }

// Word is what the command line calls the epoch.
func (e Epoch) Word() string { return cmp.Or(string(e), "year") }

// Validate says what is wrong with the catalogue line, if anything.
func (s Service) Validate() error {
	if err := CheckID("service", string(s.ID)); err != nil {
		return err
	}
	if s.Name == "" {
		return &Invalid{Field: "name", Reason: fmt.Sprintf("service %q has no name", s.ID), Code: "name"}
	}
	return errors.Join(CheckLine("name", s.Name), CheckLine("brand", s.Brand), CheckLine("owner", s.Owner), s.checkCensus())
}

func (s Service) checkCensus() error {
	switch {
	case s.Census != Sketched && s.Census != Exactly:
		return &Invalid{Field: "census", Value: string(s.Census), Reason: "is not exact, nor empty for sketches", Code: "census"}
	case s.Epoch != Yearly && s.Epoch != NoEpoch:
		return &Invalid{Field: "epoch", Value: string(s.Epoch), Reason: "is not none, nor empty for a year", Code: "epoch"}
	case s.Colour < 0 || s.Colour > Colours:
		return &Invalid{Field: "colour", Value: fmt.Sprint(s.Colour), Reason: fmt.Sprintf("is not 1 to %d", Colours), Code: "colour"}
	}
	return nil
}

// ValidateNew says what is wrong with a line that somebody adds, if anything. A
// store may have services of reserved ids from before, and opens all the same.
func (s Service) ValidateNew() error {
	if s.ID == AnyService || s.ID == NoService {
		return &Invalid{Field: "service", Value: string(s.ID), Reason: "has a meaning of its own, and is no service's", Code: "service"}
	}
	return s.Validate()
}

// CheckLine refuses a name or a reason that is not one line of text: control
// characters would be lines of another file's format, or move a terminal's
// cursor, and those that turn the direction of text what stands beside it.
func CheckLine(field, text string) error {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, endsLine) {
		return &Invalid{Field: field, Reason: "has a control character, or is not UTF-8", Code: field}
	}
	return nil
}

// endsLine reports whether r is a control character, one of the direction of text,
// or Unicode's end of a line or paragraph.
func endsLine(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// OneLine gives text that CheckLine takes: a space is in the place of each
// control character. It is for what only says where something came from.
func OneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if endsLine(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
}

// CheckID refuses an id that is not 1 to 64 letters, digits, ".", "_" or "-":
// ids stand in file names, URLs and SQL, so their alphabet is small.
func CheckID(field, id string) error {
	if id == "" {
		return &Invalid{Field: field, Reason: "is missing", Code: field + "_missing"}
	}
	if len(id) > 64 {
		return &Invalid{Field: field, Value: id, Reason: "is longer than 64 characters", Code: field}
	}
	for _, c := range []byte(id) {
		if !idByte(c) {
			return &Invalid{Field: field, Value: id, Reason: "has a character other than letters, digits, '.', '_' and '-'", Code: field}
		}
	}
	return nil
}

func idByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}
