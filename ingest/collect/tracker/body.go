package tracker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/segmentio/encoding/json"

	"rollcall"
	"rollcall/ingest"
	"rollcall/internal/jsondepth"
)

// Bounds of a body: what the trackers themselves send is far below. Segment's
// clients send 500 kB at most, and PostHog's halve a body that is too long.
const (
	MaxBody = 4 << 20
	MaxCall = 64 << 10 // bytes of one call
	MaxSize = 10_000   // calls of a body
)

// ErrSize says that a body has more than MaxSize calls. Nothing of it was taken.
var ErrSize = errors.New("the batch has more than " + strconv.Itoa(MaxSize) + " events; send it in pieces")

// Form is a tracker's API.
type Form int

// The forms.
const (
	Calls Form = iota // Segment's: a batch
	Call              // one call of it
	PostHog
)

// Request is what a body was sent with.
type Request struct {
	Form     Form
	Type     string                               // of a Call that names none
	Past     bool                                 // history: its times are right
	Sent     string                               // when, by the sender's clock, where the body doesn't say
	Received time.Time                            // by ours
	Platform func(agent string) rollcall.Platform // of a user agent
}

// Body is a tracker's, read but for its calls.
type Body struct {
	Key   string // that came in it; "": none
	Past  bool   // it is history: its times are right, and of any age
	calls []json.RawMessage
	sent  time.Time // zero: not told
}

// Parse reads a body, which its calls share. The error is an Invalid, or ErrSize.
func (r *Request) Parse(text []byte) (*Body, error) {
	if err := jsondepth.Check(text); err != nil {
		return nil, err
	}
	if r.Form == Call {
		return &Body{calls: []json.RawMessage{text}, Past: r.Past}, nil
	}
	var envelope struct {
		Batch      []json.RawMessage `json:"batch"`
		SentAt     json.RawMessage   `json:"sentAt"`
		SentAtToo  json.RawMessage   `json:"sent_at"`
		Key        json.RawMessage   `json:"api_key"`
		Historical json.RawMessage   `json:"historical_migration"`
	}
	if err := parse(text, &envelope); err != nil {
		return nil, &rollcall.Invalid{Field: "body", Reason: "is not a JSON object with a batch", Code: "json"}
	}
	if envelope.Batch == nil && r.Form == PostHog { // one, by its older route
		envelope.Batch = []json.RawMessage{text}
	}
	if envelope.Batch == nil {
		return nil, &rollcall.Invalid{Field: "batch", Reason: "is missing", Code: "batch_missing"}
	}
	if len(envelope.Batch) > MaxSize {
		return nil, ErrSize
	}
	b := &Body{calls: envelope.Batch, Past: r.Past || string(envelope.Historical) == "true"}
	b.Key = lenient(envelope.Key)
	for _, sent := range []string{lenient(envelope.SentAt), lenient(envelope.SentAtToo), r.Sent} {
		if at, err := ingest.ParseTime("sentAt", sent); err == nil {
			b.sent = at
			break
		}
	}
	return b, nil
}

// parse reads all of text, sharing its memory. Names are matched in their case.
func parse(text []byte, v any) error {
	rest, err := json.Parse(text, v, json.DontCopyString|json.DontCopyRawMessage|json.DontMatchCaseInsensitiveStructFields)
	if err == nil && len(bytes.TrimSpace(rest)) > 0 {
		return errors.New("text after the object")
	}
	return err
}

// Take carries the body's calls to the batcher, each a line. Those that say
// nothing of an audience are passed over, and counted by why.
func (r *Request) Take(ctx context.Context, in *ingest.Batcher, b *Body) error {
	for i, text := range b.calls {
		if in.Hopeless() {
			in.RefuseRest(i+1, len(b.calls)-i)
			break
		}
		if err := r.take(ctx, in, b, i+1, text); err != nil {
			return err
		}
	}
	return in.Flush(ctx)
}

func (r *Request) take(ctx context.Context, in *ingest.Batcher, b *Body, line int, text []byte) error {
	if len(text) > MaxCall {
		return in.Refuse(ctx, line, &rollcall.Invalid{Field: "line", Reason: fmt.Sprintf("is longer than %d KiB", MaxCall>>10), Code: "line_too_long"}, unkept())
	}
	if !utf8.Valid(text) { // the parser puts U+FFFD, and makes one of two accounts
		return in.Refuse(ctx, line, &rollcall.Invalid{Field: "line", Reason: "is not UTF-8 text; write it in UTF-8", Code: "json"}, unkept())
	}
	if !isObject(text) {
		return in.Refuse(ctx, line, notCall(nil), unkept())
	}
	read := r.fields
	if r.Form == PostHog {
		read = r.capture
	}
	f, why, err := read(text, b)
	switch {
	case err != nil:
		return in.Refuse(ctx, line, err, unkept())
	case why != "":
		in.PassOver(why)
		return nil
	}
	if f.Kind == "" && in.Defaults.Kind == "" {
		f.Kind = rollcall.Use.String()
	}
	if f.Location == "" && in.Defaults.Location == "" { // an application knows no home or work
		f.Location = rollcall.Elsewhere.String()
	}
	return in.Take(ctx, line, &f)
}

// unkept stands for a call that was refused before it was an event: it has traits
// in it, and whatever else its application says of people.
func unkept() []byte { return []byte("{}") }
