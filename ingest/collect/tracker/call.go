package tracker

import (
	"cmp"
	"strings"

	"github.com/segmentio/encoding/json"

	"rollcall"
	"rollcall/ingest"
)

// Why a call is passed over; the types of calls that say nothing of an audience
// are further reasons.
const (
	// Anonymous: there is no account. An anonymousId is a browser's or a device's:
	// one person has several, and an account besides once they sign in, so a unique
	// audience can't count them.
	Anonymous = "anonymous"
	// Received: it happened to the account, and is nothing that they did.
	Received = "received"
)

// call is one of Segment's API. What may be anything is raw.
type call struct {
	Type              string          `json:"type"`
	Event             json.RawMessage `json:"event"`
	UserID            json.RawMessage `json:"userId"`
	MessageID         json.RawMessage `json:"messageId"`
	Timestamp         string          `json:"timestamp"`
	OriginalTimestamp string          `json:"originalTimestamp"`
	SentAt            json.RawMessage `json:"sentAt"`
	ReceivedAt        json.RawMessage `json:"receivedAt"`
	Properties        json.RawMessage `json:"properties"`
	Context           json.RawMessage `json:"context"`
}

// notCall says what is wrong with text that is no call, without any of it.
func notCall(err error) error {
	if field := mistyped(err); field != "" {
		return &rollcall.Invalid{Field: field, Reason: "is not text", Code: "json"}
	}
	return &rollcall.Invalid{Field: "line", Reason: "is not a JSON object", Code: "json"}
}

// fields makes a call an event's fields, or says why it is passed over. The error
// is an Invalid.
func (r *Request) fields(text []byte, b *Body) (f ingest.Fields, why string, err error) {
	var c call
	if err := parse(text, &c); err != nil {
		return f, "", notCall(err)
	}
	name := ""
	switch kind := strings.ToLower(cmp.Or(c.Type, r.Type)); kind {
	case "identify", "group", "alias": // who somebody is: a server may say so of people who aren't there
		return f, kind, nil
	case "page", "screen":
	case "track":
		name = lenient(c.Event)
	case "":
		return f, "", &rollcall.Invalid{Field: "type", Reason: "is missing", Code: "type_missing"}
	default:
		return f, "", &rollcall.Invalid{Field: "type", Reason: "is not track, page, screen, identify, group or alias", Code: "type"}
	}
	if f.Account, err = account("userId", c.UserID); err != nil {
		return f, "", err
	}
	if f.Account == "" {
		return f, Anonymous, nil
	}
	if happened(name) {
		return f, Received, nil
	}
	f.ID = lenient(c.MessageID)
	if err := say(&f, c.Properties, name); err != nil {
		return f, "", err
	}
	r.device(&f, c.Context)
	return f, "", r.when(&f, b, c.clock())
}
