package ingest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"rollcall"
	"rollcall/ingest/jsonline"
)

// Envelope is what a CloudEvent 1.0 says beside its data. The event is the data:
// id, source and time serve where the data has none, and the type where it has no
// kind. (SDKs write +02:00 as Z, so what depends on the offset must be in the data.)
type Envelope struct {
	SpecVersion string
	ID          string
	Source      string
	Type        string
	Time        string
}

// cloudEvent reads CloudEvents into the fields that it was made for. It is for one
// goroutine.
type cloudEvent struct {
	fields      *Fields
	whole, data *jsonline.Object

	envelope Envelope
	text     string // the data as it stands; "": there is none
	base64   string // it, in place of text
	place    string // in it: some agents call the location so
}

// cloudEvent makes a reader of CloudEvents.
func (f *Fields) cloudEvent() *cloudEvent {
	c := &cloudEvent{fields: f}
	c.data = f.object(jsonline.Field{Name: "place", To: &c.place})
	c.whole = jsonline.NewObject(
		jsonline.Field{Name: "specversion", To: &c.envelope.SpecVersion},
		jsonline.Field{Name: "id", To: &c.envelope.ID},
		jsonline.Field{Name: "source", To: &c.envelope.Source},
		jsonline.Field{Name: "type", To: &c.envelope.Type},
		jsonline.Field{Name: "time", To: &c.envelope.Time},
		jsonline.Field{Name: "data", To: &c.text, Object: c.data},
		jsonline.Field{Name: "data_base64", To: &c.base64},
	)
	return c
}

// ParseCloudEvent reads one CloudEvent in structured JSON.
func ParseCloudEvent(b []byte) (Sighting, error) {
	var f Fields
	if err := f.cloudEvent().parse(bytes.Clone(b)); err != nil {
		return Sighting{}, err
	}
	return f.Sighting()
}

// parse is the parser of structured CloudEvents.
func (c *cloudEvent) parse(text []byte) error {
	c.reset(Envelope{})
	if err := c.whole.Read(text); err != nil {
		return &rollcall.Invalid{Field: "line", Reason: "is not a CloudEvent: " + err.Error(), Code: "json"}
	}
	switch {
	case c.text != "":
		return c.complete()
	case c.base64 != "":
		return c.parseBase64()
	case c.envelope.SpecVersion == "1.0":
		return &rollcall.Invalid{Field: "data", Reason: "is missing", Code: "data_missing"}
	}
	return c.complete() // the version is what is wrong
}

func (c *cloudEvent) reset(e Envelope) {
	*c.fields, c.envelope, c.text, c.base64, c.place = Fields{}, e, "", "", ""
}

// parseBase64 reads data that is written in base 64.
func (c *cloudEvent) parseBase64() error {
	text, err := base64.StdEncoding.DecodeString(c.base64)
	if err != nil {
		return &rollcall.Invalid{Field: "data_base64", Reason: "is not base 64", Code: "json"}
	}
	return c.parseData(text)
}

// parseApart is the parser of the data of CloudEvents whose envelope came apart.
func (c *cloudEvent) parseApart(e *Envelope, text []byte) error {
	c.reset(*e)
	return c.parseData(text)
}

// parseData reads data that stands by itself.
func (c *cloudEvent) parseData(text []byte) error {
	if err := c.data.Read(text); err != nil {
		return &rollcall.Invalid{Field: "data", Reason: "is not a JSON event: " + err.Error(), Code: "json"}
	}
	return c.complete()
}

// complete completes the data's fields by the envelope's.
func (c *cloudEvent) complete() error {
	f, e := c.fields, &c.envelope
	if e.SpecVersion != "1.0" {
		return &rollcall.Invalid{Field: "specversion", Reason: "is not 1.0", Code: "specversion"}
	}
	f.ID, f.Source, f.Time = cmp.Or(f.ID, e.ID), cmp.Or(f.Source, e.Source), cmp.Or(f.Time, e.Time)
	f.Location = cmp.Or(f.Location, c.place)
	if f.Kind == "" {
		if kind, ok := KindOfName(e.Type); ok {
			f.Kind = kind.String()
		}
	}
	return nil
}

// CloudEvent carries one CloudEvent to the batcher: in structured JSON, or, where
// the envelope came apart from it, its data.
func CloudEvent(ctx context.Context, in *Batcher, r io.Reader, apart *Envelope) error {
	reader := in.fields.cloudEvent()
	in.parse, in.form = reader.parse, cloudType
	if apart != nil {
		in.form = ""
		in.parse = func(text []byte) error { return reader.parseApart(apart, text) }
	}
	text, err := io.ReadAll(io.LimitReader(r, MaxLine+1))
	if err != nil {
		return fmt.Errorf("the event: %w", err)
	}
	return errors.Join(takeLine(ctx, in, 1, text, len(text) <= MaxLine), in.Flush(ctx))
}

// CloudEvents carries a batch of CloudEvents, a JSON array, to the batcher, an
// element a line.
func CloudEvents(ctx context.Context, in *Batcher, r io.Reader) error {
	in.parse, in.form = in.fields.cloudEvent().parse, cloudType
	br := begin(r)
	if !isArray(br) {
		_, err := io.Copy(io.Discard, br)
		return cmp.Or(err, error(&rollcall.Invalid{Field: "array", Reason: "is no JSON array of CloudEvents", Code: "json"}))
	}
	return elements(ctx, in, br)
}
