package ingest

import (
	"bytes"
	"encoding/json"
	"time"

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
	line := Fields{
		Time: stamp(s.Time), Until: stamp(s.Until),
		Market: string(s.Market), Service: string(s.Service),
		Account: s.Account, Panel: string(s.Panel), Panelist: s.Panelist,
		Platform: s.Platform.Stored(), Segment: string(s.Segment), Precision: s.Precision.String(),
		Location: s.Location.String(), Client: s.Client, Evidence: s.Evidence,
		ID: s.ID, Source: s.Source,
	}
	if s.Kind != 0 {
		line.Kind = s.Kind.String()
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(line); err != nil {
		panic("ingest: a struct of strings does not encode: " + err.Error()) // can't happen
	}
	return append(dst, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
