package ingest

import (
	"fmt"
	"time"

	"github.com/segmentio/encoding/json"

	"rollcall"
)

// object is an event as CONTRACT's NDJSON has it. Pointers tell what is absent
// from what is empty only where it matters.
type object struct {
	ID       string `json:"id"`
	Source   string `json:"source"`
	Time     string `json:"time"`
	Until    string `json:"until"`
	Market   string `json:"market"`
	Service  string `json:"service"`
	Location string `json:"location"`
	Kind     string `json:"kind"`
	Panel    string `json:"panel"`
	Panelist string `json:"panelist"`
	Account  string `json:"account"`
	Client   string `json:"client"`
	Evidence string `json:"evidence"`
}

// ParseJSON reads one event object. The error is an Invalid that names the
// field; fields that Rollcall does not know are passed over.
func ParseJSON(b []byte) (Sighting, error) {
	var o object
	if err := json.Unmarshal(b, &o); err != nil {
		return Sighting{}, &rollcall.Invalid{Field: "line", Reason: "is not a JSON event: " + jsonFault(err), Code: "json"}
	}
	return o.sighting()
}

func (o *object) sighting() (s Sighting, err error) {
	s = Sighting{
		ID: o.ID, Source: o.Source,
		Market: rollcall.MarketID(o.Market), Service: rollcall.ServiceID(o.Service),
		Panel: rollcall.PanelID(o.Panel), Panelist: o.Panelist, Account: o.Account,
		Client: o.Client, Evidence: o.Evidence,
	}
	if s.Time, err = parseTime("time", o.Time); err != nil {
		return s, err
	}
	if o.Until != "" {
		if s.Until, err = parseTime("until", o.Until); err != nil {
			return s, err
		}
	}
	if s.Location, err = required("location", o.Location, rollcall.ParseLocation); err != nil {
		return s, err
	}
	s.Kind, err = required("kind", o.Kind, rollcall.ParseKind)
	return s, err
}

func required[T any](field, value string, parse func(string) (T, error)) (T, error) {
	if value == "" {
		var none T
		return none, &rollcall.Invalid{Field: field, Reason: "is missing", Code: field + "_missing"}
	}
	return parse(value)
}

func parseTime(field, value string) (time.Time, error) {
	return required(field, value, func(s string) (time.Time, error) {
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return t, &rollcall.Invalid{Field: field, Value: s, Reason: "is not an RFC 3339 time such as 2002-10-03T18:22:05Z", Code: field}
		}
		return t.UTC(), nil
	})
}

// jsonFault is the decoder's complaint without the text that it met, which may
// hold an account.
func jsonFault(err error) string {
	switch e := err.(type) {
	case *json.SyntaxError:
		return "bad syntax"
	case *json.UnmarshalTypeError:
		return fmt.Sprintf("field %q is not text", e.Field)
	}
	return "bad syntax"
}
