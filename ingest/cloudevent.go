package ingest

import (
	"bytes"
	"cmp"

	"rollcall"
)

// ParseCloudEvent reads one CloudEvents 1.0 envelope in structured JSON. The
// event is its data; the envelope's id, source and time serve where the data
// has none. (SDKs write +02:00 as Z, so what depends on the offset must be in
// the data.)
func ParseCloudEvent(b []byte) (Sighting, error) {
	var envelope struct {
		SpecVersion string  `json:"specversion"`
		ID          string  `json:"id"`
		Source      string  `json:"source"`
		Time        string  `json:"time"`
		Data        *Fields `json:"data"`
	}
	if err := unmarshal(bytes.Clone(b), &envelope); err != nil {
		return Sighting{}, &rollcall.Invalid{Field: "line", Reason: "is not a CloudEvent: " + jsonFault(err), Code: "json"}
	}
	if envelope.SpecVersion != "1.0" {
		return Sighting{}, &rollcall.Invalid{Field: "specversion", Reason: "is not 1.0", Code: "specversion"}
	}
	if envelope.Data == nil {
		return Sighting{}, &rollcall.Invalid{Field: "data", Reason: "is missing", Code: "data_missing"}
	}
	f := envelope.Data
	f.ID, f.Source, f.Time = cmp.Or(f.ID, envelope.ID), cmp.Or(f.Source, envelope.Source), cmp.Or(f.Time, envelope.Time)
	return f.Sighting()
}
