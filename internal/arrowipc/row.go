package arrowipc

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"rollcall"
	"rollcall/internal/jsondepth"
)

// RowType is the content type of a row that was refused: what Row.JSON writes.
const RowType = "application/vnd.rollcall.row+json"

// Row is one event as the stream has it, not yet understood. It is what goes
// to the rejected topic, so it keeps everything, right or wrong.
type Row struct {
	Time     string `json:"time,omitempty"` // RFC 3339; empty: null
	Until    string `json:"until,omitempty"`
	Market   string `json:"market,omitempty"`
	Service  string `json:"service,omitempty"`
	Location string `json:"location,omitempty"`
	Kind     string `json:"kind,omitempty"`
	Panel    string `json:"panel,omitempty"`

	Platform  string `json:"platform,omitempty"`
	Segment   string `json:"segment,omitempty"`
	Precision string `json:"precision,omitempty"`

	Visitor string `json:"visitor,omitempty"` // decimal; empty: null
	Key     string `json:"key,omitempty"`     // 16 hexadecimal digits; empty: null
}

// RowOf writes an event as a row.
func RowOf(e *rollcall.Event) Row {
	r := Row{
		Time: e.Time.UTC().Format(time.RFC3339Nano), Market: string(e.Market), Service: string(e.Service),
		Location: e.Location.String(), Kind: e.Kind.String(), Panel: string(e.Panel),
		Platform: e.Platform.Stored(), Segment: string(e.Segment), Precision: e.Precision.String(),
		Visitor: strconv.FormatUint(uint64(e.Visitor), 10), Key: e.Key.String(),
	}
	if !e.Until.IsZero() {
		r.Until = e.Until.UTC().Format(time.RFC3339Nano)
	}
	return r
}

// JSON writes the row as one JSON object.
func (r *Row) JSON() []byte {
	b, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("a struct of strings always has a JSON form: %v", err))
	}
	return b
}

// ParseRow reads what JSON wrote. The event is not validated beyond its form:
// errors are *rollcall.Invalid.
func ParseRow(body []byte) (e rollcall.Event, err error) {
	var r Row
	if err := jsondepth.Check(body); err != nil {
		return e, err
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return e, &rollcall.Invalid{Field: "row", Reason: "is not a JSON object of a row: " + err.Error(), Code: "json"}
	}
	if e.Group, err = r.group(); err != nil {
		return e, err
	}
	if e.Key, err = rollcall.ParseKeyID(r.Key); err != nil {
		return e, err
	}
	visitor, err := strconv.ParseUint(r.Visitor, 10, 64)
	if err != nil {
		return e, &rollcall.Invalid{Field: "visitor", Value: r.Visitor, Reason: "is not a 64-bit number", Code: "visitor"}
	}
	e.Visitor = rollcall.Visitor(visitor)
	if e.Time, err = parseTime("time", r.Time); err != nil || r.Until == "" {
		return e, err
	}
	e.Until, err = parseTime("until", r.Until)
	return e, err
}

// group reads all of a group but its key, which is a number and not a name.
func (r *Row) group() (g rollcall.Group, err error) {
	g = rollcall.Group{Market: rollcall.MarketID(r.Market), Service: rollcall.ServiceID(r.Service), Panel: rollcall.PanelID(r.Panel)}
	if g.Location, err = rollcall.ParseLocation(r.Location); err != nil {
		return g, err
	}
	if g.Kind, err = rollcall.ParseKind(r.Kind); err != nil {
		return g, err
	}
	if g.Platform, err = rollcall.ParsePlatform(r.Platform); err != nil {
		return g, err
	}
	if g.Segment, err = rollcall.ParseSegment(r.Segment); err != nil {
		return g, err
	}
	g.Precision, err = rollcall.ParsePrecision(r.Precision)
	return g, err
}

func parseTime(field, s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return t, &rollcall.Invalid{Field: field, Value: s, Reason: "is not an RFC 3339 time", Code: field}
	}
	return t, nil
}
