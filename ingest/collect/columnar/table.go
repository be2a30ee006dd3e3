package columnar

import (
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"rollcall"
	"rollcall/ingest"
)

// table is one record batch, whose columns have been checked: no row of it can
// panic. Its texts share the record's memory.
type table struct {
	rows  int
	texts [columns]texts // of the times only those that are text
	times [columns]*instants

	defaults *rollcall.Defaults // of what its rows don't say
}

// tableOf binds a record's columns, of a sender with defaults. The error is an
// Invalid that names the column. It uses the memory of the table before.
func tableOf(rec arrow.Record, defaults *rollcall.Defaults, memory *spare) (t *table, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &rollcall.Invalid{Field: "arrow", Reason: fmt.Sprintf("is broken: %v", p), Code: "arrow"}
		}
	}()
	if err := checkRequired(rec.Schema(), defaults); err != nil {
		return nil, err
	}
	memory.begin()
	t = &table{rows: int(rec.NumRows()), defaults: defaults}
	for at, name := range Names() {
		if err := t.bind(rec, at, name, memory); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *table) bind(rec arrow.Record, at int, name string, memory *spare) (err error) {
	t.texts[at] = blank{}
	found := rec.Schema().FieldIndices(name)
	if len(found) == 0 {
		return nil
	}
	a := rec.Column(found[0])
	if a.Len() != t.rows {
		return unfit(name, fmt.Sprintf("has %d rows of %d", a.Len(), t.rows))
	}
	if stamps, ok := a.(*array.Timestamp); ok && (at == columnTime || at == columnUntil) {
		t.times[at], err = instantsOf(stamps)
	} else {
		t.texts[at], err = textsOf(a, memory)
	}
	if err != nil {
		return unfit(name, err.Error())
	}
	return nil
}

// checkRequired names each required column that a schema lacks, and refuses one
// that stands twice.
func checkRequired(s *arrow.Schema, defaults *rollcall.Defaults) error {
	for _, name := range Names() {
		if len(s.FieldIndices(name)) > 1 {
			return unfit(name, "is there more than once")
		}
	}
	given := map[string]bool{"market": defaults.Market != "", "service": defaults.Service != "", "location": defaults.Location != "", "kind": defaults.Kind != ""}
	if missing := Missing(func(name string) bool { return given[name] || s.HasField(name) }); len(missing) > 0 {
		return unfit(strings.Join(missing, ", "), "is missing")
	}
	return nil
}

// Missing gives the required columns that a table lacks; has says what it has.
func Missing(has func(name string) bool) []string {
	var missing []string
	for _, name := range []string{"time", "market", "service", "location", "kind"} {
		if !has(name) {
			missing = append(missing, name)
		}
	}
	if has("account") || has("panel") && has("panelist") {
		return missing
	}
	if has("panel") || has("panelist") {
		return append(missing, "panel and panelist together")
	}
	return append(missing, "account (or panel and panelist)")
}

func unfit(column, reason string) error {
	return &rollcall.Invalid{Field: "column", Value: column, Reason: reason, Code: "arrow_schema"}
}

// sighting reads row i; f holds its fields.
func (t *table) sighting(i int, f *ingest.Fields) (s ingest.Sighting, err error) {
	t.fields(i, f)
	f.Fill(t.defaults)
	at, err := t.time(columnTime, "time", i, f.Time)
	if err != nil {
		return s, err
	}
	if at.IsZero() {
		_, err = ingest.ParseTime("time", "")
		return s, err
	}
	until, err := t.time(columnUntil, "until", i, f.Until)
	if err != nil {
		return s, err
	}
	return f.At(at, until)
}

// time gives a row's time; zero where it has none.
func (t *table) time(column int, name string, i int, text string) (time.Time, error) {
	if t.times[column] != nil {
		at, _ := t.times[column].at(i)
		return at, nil
	}
	if text == "" {
		return time.Time{}, nil
	}
	return ingest.ParseTime(name, text)
}

// fields gives row i's texts; a time that is a timestamp stays empty.
func (t *table) fields(i int, f *ingest.Fields) {
	f.Time, f.Until = t.texts[columnTime].at(i), t.texts[columnUntil].at(i)
	f.Market, f.Service = t.texts[columnMarket].at(i), t.texts[columnService].at(i)
	f.Location, f.Kind = t.texts[columnLocation].at(i), t.texts[columnKind].at(i)
	f.Panel, f.Panelist = t.texts[columnPanel].at(i), t.texts[columnPanelist].at(i)
	f.Account, f.ID = t.texts[columnAccount].at(i), t.texts[columnID].at(i)
	f.Source, f.Client = t.texts[columnSource].at(i), t.texts[columnClient].at(i)
	f.Evidence, f.Platform = t.texts[columnEvidence].at(i), t.texts[columnPlatform].at(i)
	f.Segment, f.Precision = t.texts[columnSegment].at(i), t.texts[columnPrecision].at(i)
}

// written is row i as NDJSON has it, times included.
func (t *table) written(i int) ingest.Fields {
	var f ingest.Fields
	t.fields(i, &f)
	f.Fill(t.defaults)
	for column, field := range map[int]*string{columnTime: &f.Time, columnUntil: &f.Until} {
		if t.times[column] == nil {
			continue
		}
		if at, ok := t.times[column].at(i); ok {
			*field = at.Format(time.RFC3339Nano)
		}
	}
	return f
}
