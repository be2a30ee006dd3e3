package ingest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"rollcall"
)

// Envelope is what a CloudEvent 1.0 says beside its data. The event is the data:
// id, source and time serve where the data has none, and the type where it has no
// kind. (SDKs write +02:00 as Z, so what depends on the offset must be in the data.)
type Envelope struct {
	SpecVersion string `json:"specversion"`
	ID          string `json:"id"`
	Source      string `json:"source"`
	Type        string `json:"type"`
	Time        string `json:"time"`
}

// data is a CloudEvent's. Some agents call the location a place.
type data struct {
	Fields
	Place string `json:"place"`
}

// fields are those of the data, completed.
func (e *Envelope) fields(d *data) (Fields, error) {
	if e.SpecVersion != "1.0" {
		return Fields{}, &rollcall.Invalid{Field: "specversion", Reason: "is not 1.0", Code: "specversion"}
	}
	f := d.Fields
	f.ID, f.Source, f.Time = cmp.Or(f.ID, e.ID), cmp.Or(f.Source, e.Source), cmp.Or(f.Time, e.Time)
	f.Location = cmp.Or(f.Location, d.Place)
	if kind, ok := KindOfName(e.Type); ok && f.Kind == "" {
		f.Kind = kind.String()
	}
	return f, nil
}

// ParseCloudEvent reads one CloudEvent in structured JSON.
func ParseCloudEvent(b []byte) (Sighting, error) {
	var f Fields
	if err := f.parseEnvelope(bytes.Clone(b)); err != nil {
		return Sighting{}, err
	}
	return f.Sighting()
}

// parseEnvelope is the parser of structured CloudEvents.
func (f *Fields) parseEnvelope(text []byte) (err error) {
	var whole struct {
		Envelope
		Data   *data  `json:"data"`
		Base64 []byte `json:"data_base64"`
	}
	if err := unmarshal(text, &whole); err != nil {
		return &rollcall.Invalid{Field: "line", Reason: "is not a CloudEvent: " + jsonFault(err), Code: "json"}
	}
	if whole.Data == nil && len(whole.Base64) > 0 {
		*f, err = whole.parseData(whole.Base64)
		return err
	}
	if whole.Data == nil && whole.SpecVersion == "1.0" {
		return &rollcall.Invalid{Field: "data", Reason: "is missing", Code: "data_missing"}
	}
	if whole.Data == nil {
		whole.Data = new(data) // the version is what is wrong
	}
	*f, err = whole.fields(whole.Data)
	return err
}

// parseData reads data that stands by itself.
func (e *Envelope) parseData(text []byte) (Fields, error) {
	var d data
	if err := unmarshal(text, &d); err != nil {
		return Fields{}, &rollcall.Invalid{Field: "data", Reason: "is not a JSON event: " + jsonFault(err), Code: "json"}
	}
	return e.fields(&d)
}

// CloudEvent carries one CloudEvent to the batcher: in structured JSON, or, where
// the envelope came apart from it, its data.
func CloudEvent(ctx context.Context, in *Batcher, r io.Reader, apart *Envelope) error {
	in.parse = in.fields.parseEnvelope
	if apart != nil {
		in.parse = func(text []byte) (err error) {
			in.fields, err = apart.parseData(text)
			return err
		}
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
	in.parse = in.fields.parseEnvelope
	br := begin(r)
	if !isArray(br) {
		_, err := io.Copy(io.Discard, br)
		return cmp.Or(err, error(&rollcall.Invalid{Field: "array", Reason: "is no JSON array of CloudEvents", Code: "json"}))
	}
	return elements(ctx, in, br)
}
