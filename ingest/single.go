package ingest

import (
	"time"

	"rollcall"
)

// Single reads events that come one by one, and makes of each what Converter.Append
// makes of its sighting. It is for one goroutine.
type Single struct {
	memo     memo
	fields   Fields
	object   parser // into fields
	cloud    parser // of a CloudEvent
	sighting Sighting
}

// Single makes a reader of single events.
func (c *Converter) Single() *Single {
	s := &Single{memo: memo{Converter: c}}
	s.object, s.cloud = s.fields.parser(), s.fields.cloudEvent().parse
	return s
}

// Read reads one event object, or one CloudEvent. What it gives is good until the
// next Read, and holds parts of the text.
func (r *Single) Read(text []byte, cloudEvent bool) (*Sighting, error) {
	parse := r.object
	if cloudEvent {
		parse = r.cloud
	}
	if err := parse(text); err != nil {
		return nil, err
	}
	return &r.sighting, r.fields.sighting(&r.sighting)
}

// Append is Converter.Append.
func (r *Single) Append(to []rollcall.Event, s *Sighting, record time.Time, backfill bool) ([]rollcall.Event, error) {
	return r.memo.append(to, s, record, backfill)
}
