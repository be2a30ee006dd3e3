package ingest

import (
	"bytes"
	"cmp"
	"errors"
	"strings"
	"time"

	"rollcall"
	"rollcall/ingest/jsonline"
)

// Fields is an event as its source wrote it, in schemas/event.schema.json's
// names, and a sighting as --dry-run prints it, in this order. What is empty is
// absent.
type Fields struct {
	Time     string `json:"time,omitempty"`
	Until    string `json:"until,omitempty"`
	Market   string `json:"market,omitempty"`
	Service  string `json:"service,omitempty"`
	Account  string `json:"account,omitempty"`
	Panel    string `json:"panel,omitempty"`
	Panelist string `json:"panelist,omitempty"`
	Kind     string `json:"kind,omitempty"`
	Location string `json:"location,omitempty"`

	Platform  string `json:"platform,omitempty"`
	Segment   string `json:"segment,omitempty"`
	Precision string `json:"precision,omitempty"`

	Client   string `json:"client,omitempty"`
	Evidence string `json:"evidence,omitempty"`
	ID       string `json:"id,omitempty"`
	Source   string `json:"source,omitempty"`
}

// ParseJSON reads one event object. The error is an Invalid that names the
// field; fields that Rollcall does not know are passed over.
func ParseJSON(b []byte) (Sighting, error) {
	var f Fields
	if err := f.parser()(bytes.Clone(b)); err != nil { // one copy, not one a field
		return Sighting{}, err
	}
	return f.Sighting()
}

// parser reads a text into the fields that it was made for, which then hold parts
// of the text itself. The error is an Invalid.
type parser func(text []byte) error

// parser is that of one event object. It is for one goroutine.
func (f *Fields) parser() parser {
	object := f.object()
	return func(text []byte) error {
		*f = Fields{}
		if err := object.Read(text); err != nil {
			return &rollcall.Invalid{Field: "line", Reason: "is not a JSON event: " + err.Error(), Code: "json"}
		}
		return nil
	}
}

// object is the reader of the fields, and of more.
func (f *Fields) object(more ...jsonline.Field) *jsonline.Object {
	return jsonline.NewObject(append(more,
		jsonline.Field{Name: "time", To: &f.Time},
		jsonline.Field{Name: "until", To: &f.Until},
		jsonline.Field{Name: "market", To: &f.Market},
		jsonline.Field{Name: "service", To: &f.Service},
		jsonline.Field{Name: "account", To: &f.Account},
		jsonline.Field{Name: "panel", To: &f.Panel},
		jsonline.Field{Name: "panelist", To: &f.Panelist},
		jsonline.Field{Name: "kind", To: &f.Kind},
		jsonline.Field{Name: "location", To: &f.Location},
		jsonline.Field{Name: "platform", To: &f.Platform},
		jsonline.Field{Name: "segment", To: &f.Segment},
		jsonline.Field{Name: "precision", To: &f.Precision},
		jsonline.Field{Name: "client", To: &f.Client},
		jsonline.Field{Name: "evidence", To: &f.Evidence},
		jsonline.Field{Name: "id", To: &f.ID},
		jsonline.Field{Name: "source", To: &f.Source},
	)...)
}

// Fill puts a sender's defaults where the fields say nothing. A segment and a
// platform go with an account alone.
func (f *Fields) Fill(d *rollcall.Defaults) {
	f.Market = cmp.Or(f.Market, string(d.Market))
	f.Service = cmp.Or(f.Service, string(d.Service))
	f.Location = cmp.Or(f.Location, d.Location)
	f.Kind = cmp.Or(f.Kind, d.Kind)
	if f.Panel == "" && f.Panelist == "" {
		f.Segment = cmp.Or(f.Segment, string(d.Segment))
		f.Platform = cmp.Or(f.Platform, d.Platform)
	}
}

// JSON writes the fields as NDJSON has them.
func (f *Fields) JSON() []byte {
	line := object("{")
	line.text("time", f.Time)
	line.text("until", f.Until)
	line.text("market", f.Market)
	line.text("service", f.Service)
	line.who("account", f.Account)
	line.text("panel", f.Panel)
	line.who("panelist", f.Panelist)
	line.text("kind", f.Kind)
	line.text("location", f.Location)
	line.text("platform", f.Platform)
	line.text("segment", f.Segment)
	line.text("precision", f.Precision)
	line.text("client", f.Client)
	line.text("evidence", f.Evidence)
	line.text("id", f.ID)
	line.text("source", f.Source)
	return append(line, '}')
}

// Sighting reads the fields. The error is an Invalid that names the field.
func (f *Fields) Sighting() (s Sighting, err error) {
	err = f.sighting(&s)
	return s, err
}

func (f *Fields) sighting(s *Sighting) error {
	at, err := ParseTime("time", f.Time)
	if err != nil {
		return err
	}
	var until time.Time
	if f.Until != "" {
		if until, err = ParseTime("until", f.Until); err != nil {
			return err
		}
	}
	return f.at(s, at, until)
}

// At is Sighting for a source that has the times as times; Time and Until are
// not read.
func (f *Fields) At(at, until time.Time) (s Sighting, err error) {
	err = f.at(&s, at, until)
	return s, err
}

func (f *Fields) at(s *Sighting, at, until time.Time) (err error) {
	*s = Sighting{
		ID: f.ID, Source: f.Source, Time: at, Until: until,
		Market: rollcall.MarketID(f.Market), Service: rollcall.ServiceID(f.Service),
		Panel: rollcall.PanelID(f.Panel), Panelist: f.Panelist, Account: f.Account,
		Client: f.Client, Evidence: f.Evidence,
	}
	if s.Location, err = required("location", f.Location, rollcall.ParseLocation); err != nil {
		return unquoted(err)
	}
	if s.Kind, err = required("kind", f.Kind, rollcall.ParseKind); err != nil {
		return unquoted(err)
	}
	return unquoted(f.census(s))
}

// census reads what goes with an account alone.
func (f *Fields) census(s *Sighting) (err error) {
	if s.Platform, err = rollcall.ParsePlatform(f.Platform); err != nil {
		return err
	}
	if s.Segment, err = rollcall.ParseSegment(f.Segment); err != nil {
		return err
	}
	s.Precision, err = rollcall.ParsePrecision(f.Precision)
	return err
}

// unquoted is an Invalid without the value that was given: an account that was
// put into the wrong field must not come out in a reason. A time is what was
// read, and not what was written.
func unquoted(err error) error {
	if err == nil {
		return nil // nearly always; errors.As would take memory to say so
	}
	var invalid *rollcall.Invalid
	if !errors.As(err, &invalid) || invalid.Value == "" || invalid.Field == "time" || invalid.Field == "until" {
		return err
	}
	bare := *invalid
	bare.Value = ""
	return &bare
}

func required[T any](field, value string, parse func(string) (T, error)) (T, error) {
	if value == "" {
		var none T
		return none, &rollcall.Invalid{Field: field, Reason: "is missing", Code: field + "_missing"}
	}
	return parse(value)
}

// ParseTime reads a field's RFC 3339 time, to UTC. The error is an Invalid.
func ParseTime(field, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, &rollcall.Invalid{Field: field, Reason: "is missing", Code: field + "_missing"}
	}
	if t, ok := commonTime(value); ok {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		t, err = parseRare(&value)
	}
	noSuchDate := rollcall.IsNoSuchDate(err)
	switch {
	case err != nil && !noSuchDate || !strict(value):
		return time.Time{}, &rollcall.Invalid{Field: field, Reason: "is not an RFC 3339 time such as 2002-10-03T18:22:05Z", Code: field}
	case noSuchDate:
		return time.Time{}, &rollcall.Invalid{Field: field, Value: value[:len(time.DateOnly)], Reason: rollcall.NoSuchDate, Code: field}
	}
	return t.UTC(), nil
}

// commonTime reads a time in the form that nearly all have, 2002-10-03T18:22:05Z,
// eight signs at a time. ok is false of any other, which may be a time all the same.
func commonTime(s string) (t time.Time, ok bool) {
	if len(s) != len("2002-10-03T18:22:05Z") {
		return t, false
	}
	date, ok1 := pairs(eightOf(s), eightOf("0000-00-"), eightOf("9999-99-"))
	minutes, ok2 := pairs(eightOf(s[8:]), eightOf("00T00:00"), eightOf("99T99:99"))
	seconds, ok3 := pairs(eightOf(s[12:]), eightOf("0:00:00Z"), eightOf("9:99:99Z"))
	if !ok1 || !ok2 || !ok3 {
		return t, false
	}
	year, month := int(date&0xff)*100+int(date>>16&0xff), int(date>>40&0xff)
	day, hour, minute, second := int(minutes&0xff), int(minutes>>24&0xff), int(minutes>>48&0xff), int(seconds>>40&0xff)
	if year == 0 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	if day > 28 && day > rollcall.MonthOf(year, time.Month(month)).Days() {
		return t, false
	}
	return time.Unix(secondsOf(year, month, day)+int64(hour*3600+minute*60+second), 0).UTC(), true
}

// pairs gives for each of eight signs the number of two digits that begins with it,
// the first one's lowest; ok is false if one is below its least or above its most.
func pairs(signs, least, most uint64) (numbers uint64, ok bool) {
	const high = 0x8080808080808080 // is left of each sign from which no more was taken than it is
	digits := signs - least
	return digits*10 + digits>>8, signs&high == 0 && ((signs|high)-least)&((most|high)-signs)&high == high
}

// secondsOf gives a date's first second since 1970, from the year 1 on: by years
// that begin in March, so that the day that some have is their last.
func secondsOf(year, month, day int) int64 {
	if month <= 2 {
		year, month = year-1, month+12
	}
	const before = 719_468 // days from March of the year 0 to 1970
	days := 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - before
	return int64(days) * (24 * 60 * 60)
}

// parseRare reads what RFC 3339 allows and time.Parse does not: "t" and "z" in
// lower case, and a leap second, 23:59:60 UTC on a month's last day, which is
// in the minute 23:59. value becomes what was parsed.
func parseRare(value *string) (time.Time, error) {
	const second = len("2002-10-03T18:22:")
	*value = strings.NewReplacer("t", "T", "z", "Z").Replace(*value)
	leap := len(*value) > second+2 && (*value)[second:second+2] == "60"
	if leap {
		*value = (*value)[:second] + "59" + (*value)[second+2:]
	}
	t, err := time.Parse(time.RFC3339Nano, *value)
	if u := t.UTC(); err == nil && leap && (u.Hour() != 23 || u.Minute() != 59 || u.AddDate(0, 0, 1).Day() != 1) {
		return t, errors.New("not a leap second")
	}
	return t, err
}

// strict refuses what time.Parse lets pass beside RFC 3339: an hour of one
// digit, a comma before the fraction, an offset of 24 hours or 60 minutes.
func strict(s string) bool {
	const whole, offset = len("2002-10-03T18:22:05"), len("+02:00")
	if s[whole-len(":22:05")] != ':' || s[whole] == ',' {
		return false
	}
	if s[len(s)-1] == 'Z' {
		return true
	}
	zone := s[len(s)-offset:]
	return zone[1:3] <= "23" && zone[4:] <= "59"
}
