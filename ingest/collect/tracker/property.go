package tracker

import (
	"bytes"
	"cmp"
	"errors"
	"strings"
	"unicode"

	"github.com/segmentio/encoding/json"

	"rollcall"
	"rollcall/ingest"
)

// words are the properties by which an application says what an event is. Those of
// an object called rollcall stand for them all, where an application has other uses
// for such names.
type words struct {
	Market   json.RawMessage `json:"market"`
	Service  json.RawMessage `json:"service"`
	Location json.RawMessage `json:"location"`
	Place    json.RawMessage `json:"place"` // the location, as some applications call it
	Kind     json.RawMessage `json:"kind"`
	Segment  json.RawMessage `json:"segment"`
	Platform json.RawMessage `json:"platform"`
	Until    json.RawMessage `json:"until"`
}

// say reads the properties of an event of this name into f. Some clients send an
// empty array for no properties. The error is an Invalid.
func say(f *ingest.Fields, properties json.RawMessage, name string) error {
	if !isObject(properties) {
		properties = json.RawMessage("{}")
	}
	var p struct {
		words
		Own *words `json:"rollcall"`
	}
	if err := parse(properties, &p); err != nil {
		return &rollcall.Invalid{Field: cmp.Or(mistyped(err), "properties"), Reason: "is not an object", Code: "json"}
	}
	w := &p.words
	if p.Own != nil {
		w = p.Own
	}
	r := reading{}
	f.Market, f.Service = r.text("market", w.Market), r.text("service", w.Service)
	f.Location = cmp.Or(r.text("location", w.Location), r.text("place", w.Place))
	f.Kind, f.Segment = r.text("kind", w.Kind), r.text("segment", w.Segment)
	f.Platform, f.Until = r.text("platform", w.Platform), r.text("until", w.Until)
	if known, ok := devices[strings.ToLower(f.Platform)]; ok {
		f.Platform = known.String()
	}
	if kind, ok := ingest.KindOfName(name); ok && f.Kind == "" {
		f.Kind = kind.String()
	}
	return r.err
}

// reading reads texts up to the first that is none.
type reading struct{ err error }

// text reads a property that must be text, or be absent.
func (r *reading) text(field string, raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	var s string
	if raw[0] != '"' || parse(raw, &s) != nil {
		r.err = cmp.Or(r.err, error(&rollcall.Invalid{Field: field, Reason: "is not text", Code: "json"}))
	}
	return s
}

// lenient reads text; what is none is "".
func lenient(raw json.RawMessage) string {
	var s string
	if len(raw) < 2 || raw[0] != '"' || parse(raw, &s) != nil {
		return ""
	}
	return s
}

// account reads an account: text, or a number, as some servers send it. Blank is
// none. The error is an Invalid.
func account(field string, raw json.RawMessage) (string, error) {
	r := reading{}
	var n json.Number
	if len(raw) > 0 && (raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9') && parse(raw, &n) == nil {
		return n.String(), nil
	}
	who := r.text(field, raw)
	if strings.TrimSpace(who) == "" {
		who = ""
	}
	return who, r.err
}

func isObject(raw json.RawMessage) bool {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	return len(raw) > 0 && raw[0] == '{'
}

// mistyped names the field whose type a decoder did not expect; "" where its
// complaint is another.
func mistyped(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return wrong.Field
	}
	return ""
}

// happened says of an event's name that it is of what was done to the account, and
// not by it.
func happened(name string) bool {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) })
	if len(words) == 0 {
		return false
	}
	switch last := strings.ToLower(words[len(words)-1]); last {
	case "received", "delivered", "bounced":
		return true
	}
	return false
}
