package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall"
)

// Log is where events go, and what was refused. Append returns once the log
// has the events durably, and keeps none of the batch; an error wrapping rollcall.ErrFull means that it has no
// space now.
type Log interface {
	Append(ctx context.Context, events *rollcall.Batch) error
	Reject(ctx context.Context, rejected []rollcall.Rejected) error
}

// Counts says what became of an input.
type Counts struct {
	Read     int            `json:"read"`
	Accepted int            `json:"accepted"`           // the log has them durably
	Rejected map[string]int `json:"rejected"`           // by code
	Warnings map[string]int `json:"warnings,omitempty"` // of what was accepted or refused, by code
	// ToCome are those of Accepted that are of days after today.
	ToCome ToCome `json:"to_come,omitzero"`
	// PassedOver is what was read and says nothing of an audience, by why.
	PassedOver map[string]int `json:"passed_over,omitempty"`
	Errors     []LineError    `json:"errors,omitempty"` // the first maxErrors
}

// Codes of warnings.
const (
	// WarnNoRoster: accepted events of a panel that has no roster (yet). No
	// figure has them until it is loaded.
	WarnNoRoster = "panel_without_roster"
	// WarnNotKept: refused lines that the log of refused ones does not have,
	// as their sender had sent more than it may, or their input has MostKept there.
	WarnNotKept = "rejected_not_kept"
)

// LineError is one refused line, without the line's own text. It is written as
// the fault of a problem is, with the line's number beside.
type LineError struct {
	Line   int    `json:"line"` // from 1
	Field  string `json:"location"`
	Code   string `json:"code"`
	Reason string `json:"message"`
}

const maxErrors = 20

// Refused gives the number of rejected lines.
func (c *Counts) Refused() int {
	total := 0
	for _, n := range c.Rejected {
		total += n
	}
	return total
}

// Add adds what became of a further input whose first line was base+1.
func (c *Counts) Add(o Counts, base int) {
	c.Read += o.Read
	c.Accepted += o.Accepted
	for code, n := range o.Rejected {
		c.count(code, n)
	}
	for code, n := range o.Warnings {
		c.warn(code, n)
	}
	for why, n := range o.PassedOver {
		c.passOver(why, n)
	}
	c.ToCome = c.ToCome.with(o.ToCome)
	for _, e := range o.Errors {
		e.Line += base
		c.note(e)
	}
}

func (c *Counts) count(code string, n int) {
	if c.Rejected == nil {
		c.Rejected = make(map[string]int)
	}
	c.Rejected[code] += n
}

func (c *Counts) warn(code string, n int) {
	if c.Warnings == nil {
		c.Warnings = make(map[string]int)
	}
	c.Warnings[code] += n
}

func (c *Counts) passOver(why string, n int) {
	if c.PassedOver == nil {
		c.PassedOver = make(map[string]int)
	}
	c.PassedOver[why] += n
}

func (c *Counts) note(e LineError) {
	if len(c.Errors) < maxErrors {
		c.Errors = append(c.Errors, e)
	}
}

// Batcher carries one input to the log in batches. It is for one goroutine.
type Batcher struct {
	Counts
	// MayReject says whether one more refused line may go to the log; nil: any
	// may. It is counted in any case.
	MayReject func() bool
	// MostKept is how many bytes of refused lines may go to the log; 0: any. A form
	// that says once what is of many rows would have each row keep it.
	MostKept int
	// Defaults are the sender's own.
	Defaults rollcall.Defaults
	// Numbers are what the input's lines are called where they are refused.
	Numbers Numbers

	converter memo
	log       Log
	source    string
	backfill  bool
	fields    Fields           // the line being read
	parse     parser           // of a line, into fields
	form      string           // of a line: its content type; "": it is not all of the event, and its fields are kept in its place
	events    []rollcall.Event // of one sighting
	rows      *rollcall.Batch  // what is held; nil: nothing
	number    int              // of rows: another is another batch
	took      bool             // Sighting took the last that it was given
	taken     int              // sightings that rows are of
	rejected  []rollcall.Rejected
	bad       int // lines refused
	refused   int // bytes held in rejected
	kept      int // bytes that were in rejected
}

// Bounds of what a Batcher holds before it appends.
const (
	maxEvents  = 16384
	maxRefused = 4 << 20
	// MaxLine is the longest line that is kept whole among the rejected.
	MaxLine = 1 << 20
	// maxBad is the number of refused lines from which an input that is mostly
	// refused is not looked at any more: a body of nothing but "{}" lines costs
	// its sender nothing, and each line a search, a record and its place among
	// the rejected.
	maxBad = 10_000
)

// NewBatcher begins an input; source names it among the rejected.
func NewBatcher(converter *Converter, log Log, source string, backfill bool) *Batcher {
	in := &Batcher{converter: memo{Converter: converter}, log: log, source: rollcall.OneLine(source), backfill: backfill, form: jsonType}
	in.parse = in.fields.parser()
	return in
}

// Sighting takes one sighting of the input's line; raw gives the line as it
// was, should it be refused.
func (in *Batcher) Sighting(ctx context.Context, line int, s *Sighting, raw func() []byte) error {
	err := in.add(s)
	if in.took = err == nil; !in.took {
		return in.RefuseAs(ctx, line, err, raw)
	}
	return in.added(ctx, s.Market, s.Panel)
}

// add adds a sighting's events, or nothing.
func (in *Batcher) add(s *Sighting) error {
	var now time.Time
	if !in.backfill || s.Segment != "" {
		now = in.converter.Now()
	}
	var err error
	if in.events, err = in.converter.append(in.events[:0], s, now, in.backfill); err != nil {
		return err
	}
	if err := in.converter.segments.take(&in.events[0], now); err != nil {
		return err
	}
	if in.rows == nil {
		in.hold()
	}
	for i := range in.events {
		in.rows.Add(&in.events[i])
	}
	return nil
}

// hold begins a batch.
func (in *Batcher) hold() {
	in.rows = in.converter.batch()
	in.number++
}

// added counts a sighting that was taken.
func (in *Batcher) added(ctx context.Context, market rollcall.MarketID, panel rollcall.PanelID) error {
	in.Read++
	in.taken++
	if panel != "" && in.converter.withoutRoster(market, panel) {
		in.warn(WarnNoRoster, 1)
	}
	if in.rows.Len() < maxEvents {
		return nil
	}
	return in.Flush(ctx)
}

// Line takes one line of NDJSON.
func (in *Batcher) Line(ctx context.Context, line int, text []byte) error {
	if err := in.parse(text); err != nil { // an event keeps no part of the text
		in.Read++
		return in.refuse(ctx, line, err, text, cmp.Or(in.form, jsonType))
	}
	return in.take(ctx, line, &in.fields, text)
}

// Take takes one event whose fields were read by another form's reader. Should
// it be refused, its fields are what is kept of it; without its account where it
// can be no event whatever markets and services there are.
func (in *Batcher) Take(ctx context.Context, line int, f *Fields) error {
	return in.take(ctx, line, f, nil)
}

// take is Take for fields of a text, which is kept as it was, but for what the
// sender's defaults have filled in.
func (in *Batcher) take(ctx context.Context, line int, f *Fields, text []byte) error {
	if in.Defaults != (rollcall.Defaults{}) {
		f.Fill(&in.Defaults)
	}
	if done, err := in.again(ctx, f); done {
		return err
	}
	var s Sighting
	err := f.sighting(&s)
	if err == nil {
		if err = in.add(&s); err == nil {
			in.converter.note()
			return in.added(ctx, s.Market, s.Panel)
		}
	} else if text == nil {
		f.Account, f.Panelist = "", ""
	}
	in.Read++
	if text == nil || in.form == "" || in.Defaults != (rollcall.Defaults{}) {
		return in.refuse(ctx, line, err, f.JSON(), jsonType)
	}
	return in.refuse(ctx, line, err, text, in.form)
}

// PassOver takes note of what was read and says nothing of an audience: why.
func (in *Batcher) PassOver(why string) {
	in.Read++
	in.passOver(why, 1)
}

// Refuse takes one line that could not be read at all.
func (in *Batcher) Refuse(ctx context.Context, line int, err error, text []byte) error {
	in.Read++
	return in.refuse(ctx, line, err, text, jsonType)
}

// RefuseAs is Refuse for a line that has yet to be written, if it may be kept.
func (in *Batcher) RefuseAs(ctx context.Context, line int, err error, raw func() []byte) error {
	if in.full() {
		return in.Refuse(ctx, line, err, nil)
	}
	return in.Refuse(ctx, line, err, raw())
}

// full reports whether the input has its most among the rejected.
func (in *Batcher) full() bool { return in.MostKept > 0 && in.kept >= in.MostKept }

// Hopeless reports whether what is left of the input is not worth a look: many
// lines were refused, and more than were not.
func (in *Batcher) Hopeless() bool {
	return in.bad >= maxBad && 2*in.bad > in.Read
}

// RefuseRest refuses the rest of a hopeless input, n lines from line on: they
// are counted, and are one line among the errors.
func (in *Batcher) RefuseRest(line, n int) {
	if n == 0 {
		return
	}
	first := in.Rejected[CodeRest] == 0
	line = in.Numbers.of(line)
	in.Read, in.bad = in.Read+n, in.bad+n
	in.count(CodeRest, n)
	if !first {
		return
	}
	in.Errors = append(in.Errors, LineError{Line: line, Field: "line", Code: CodeRest, Reason: fmt.Sprintf(
		"line: most of the %d lines before were refused, so this one and what comes after it were not looked at", in.Read-n)})
}

// Content types of what is kept.
const (
	jsonType  = "application/json"
	cloudType = "application/cloudevents+json"
)

// CodeRest is of lines that were not looked at: see [Batcher.Hopeless].
const CodeRest = "too_many_rejected"

func (in *Batcher) refuse(ctx context.Context, line int, err error, text []byte, form string) error {
	line = in.Numbers.of(line)
	var invalid *rollcall.Invalid
	if !errors.As(err, &invalid) {
		return fmt.Errorf("line %d: %w", line, err)
	}
	in.bad++
	in.count(invalid.Code, 1)
	in.note(LineError{Line: line, Field: invalid.Field, Code: invalid.Code, Reason: invalid.Error()})
	if in.full() || in.MayReject != nil && !in.MayReject() {
		in.warn(WarnNotKept, 1)
		return nil
	}
	in.rejected = append(in.rejected, rollcall.Rejected{
		Time: in.converter.Now(), Source: in.source, Line: line, Code: invalid.Code,
		Reason: invalid.Error(), Type: form, Backfill: in.backfill, Body: append([]byte(nil), text[:min(len(text), MaxLine)]...),
	})
	in.refused += len(text)
	in.kept += len(text)
	if in.refused < maxRefused && len(in.rejected) < maxEvents {
		return nil
	}
	return in.Flush(ctx)
}

// Flush appends what is held. After it returns nil the log has it.
func (in *Batcher) Flush(ctx context.Context) error {
	if len(in.rejected) > 0 {
		if err := in.log.Reject(ctx, in.rejected); err != nil {
			return fmt.Errorf("append rejected events: %w", err)
		}
		in.rejected, in.refused = in.rejected[:0], 0
	}
	if in.rows == nil {
		return nil
	}
	if err := in.log.Append(ctx, in.rows); err != nil {
		return fmt.Errorf("append events: %w", err)
	}
	if in.backfill { // else none is taken
		in.ToCome = in.ToCome.with(in.converter.toCome(in.rows))
	}
	in.converter.batches.Put(in.rows)
	in.Accepted += in.taken
	in.rows, in.taken = nil, 0
	return nil
}
