package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"rollcall"
)

// Sighting is what a collector saw, before the account is made a pseudonym. The raw account never leaves ingest.
type Sighting struct {
	ID       string // the source's own id, optional
	Source   string // the collector or file, optional
	Time     time.Time
	Until    time.Time // zero: one minute
	Market   rollcall.MarketID
	Service  rollcall.ServiceID
	Location rollcall.Location
	Kind     rollcall.Kind
	Panel    rollcall.PanelID // with Panelist, or both empty
	Panelist string
	Account  string // empty with a panelist

	// With an account alone.
	Platform  rollcall.Platform
	Segment   rollcall.SegmentID
	Precision rollcall.Precision

	Client   string
	Evidence string // what was seen on the wire, in a few words; never content
}

// AppendJSON appends the sighting as one JSON object with no line end, as
// --dry-run prints it: times in RFC 3339, UTC, nanoseconds kept; empty fields
// left out. It is the only form in which a raw account is ever written.
func (s Sighting) AppendJSON(dst []byte) []byte {
	line := object(append(dst, '{'))
	line.time("time", s.Time)
	line.time("until", s.Until)
	line.text("market", string(s.Market))
	line.text("service", string(s.Service))
	line.who("account", s.Account)
	line.text("panel", string(s.Panel))
	line.who("panelist", s.Panelist)
	if s.Kind != 0 {
		line.text("kind", s.Kind.String())
	}
	line.text("location", s.Location.String())
	line.text("platform", s.Platform.Stored())
	line.text("segment", string(s.Segment))
	line.text("precision", s.Precision.String())
	line.text("client", s.Client)
	line.text("evidence", s.Evidence)
	line.text("id", s.ID)
	line.text("source", s.Source)
	return append(line, '}')
}

// object is a JSON object that is being written, in the order of Fields.
type object []byte

func (o *object) time(name string, t time.Time) {
	if t.IsZero() {
		return
	}
	o.name(name)
	*o = append(t.UTC().AppendFormat(append(*o, '"'), time.RFC3339Nano), '"')
}

// text adds a field, unless it is empty.
func (o *object) text(name, value string) {
	if value == "" {
		return
	}
	o.name(name)
	if strings.ContainsFunc(value, escaped) {
		*o = appendEscaped(*o, value)
		return
	}
	*o = append(append(append(*o, '"'), value...), '"')
}

func (o *object) name(name string) {
	if (*o)[len(*o)-1] != '{' {
		*o = append(*o, ',')
	}
	*o = append(append(append(*o, '"'), name...), '"', ':')
}

// who adds an account or a panelist. Bytes that are not UTF-8 stay as they are: an
// encoder writes one sign for any of them, and a name that was refused for them
// would be valid when it is read again, and one with others.
func (o *object) who(name, value string) {
	if utf8.ValidString(value) {
		o.text(name, value)
		return
	}
	o.name(name)
	*o = append(*o, '"')
	for _, c := range []byte(value) {
		switch {
		case c < ' ':
			*o = fmt.Appendf(*o, `\u%04x`, c)
		case c == '"' || c == '\\':
			*o = append(*o, '\\', c)
		default:
			*o = append(*o, c)
		}
	}
	*o = append(*o, '"')
}

// escaped reports whether a character is not always itself in JSON.
func escaped(r rune) bool { return r < ' ' || r >= utf8.RuneSelf || r == '"' || r == '\\' }

func appendEscaped(dst []byte, value string) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		panic("ingest: a string does not encode: " + err.Error()) // can't happen
	}
	return append(dst, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}
