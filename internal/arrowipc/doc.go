// Package arrowipc writes and reads events as Arrow IPC streams, the values of
// the log's messages. The format is specified in docs/formats/events.md; this
// comment is its short form.
//
// A stream holds one schema, then dictionaries and record batches. Columns are
// found by name, in any order; others are ignored.
//
//	time     timestamp, UTC     s, ms, us or ns; required
//	until    timestamp, UTC     null or absent: one minute
//	market   string             utf8, large_utf8 or a dictionary of them
//	service  string
//	location string             home, work or elsewhere
//	kind     string             login, presence, use, logout or login_failed
//	panel    string             null, empty or absent: the census
//	platform string             computer, phone, tablet, web, other; null, empty or absent: none
//	segment  string             an id; null, empty or absent: none
//	precision string            day: no minute is known; null, empty or absent: minute
//	visitor  uint64             the keyed pseudonym
//	key      uint64             names the key that made it
//
// The schema's metadata has its version, rollcall.events: 2 with platform,
// segment and precision, 1 without; a stream whose events have none of the three
// is of version 1, and one without metadata is read by its columns.
//
// A stream may come from anyone, so nothing in it is believed: sizes are
// checked before memory is taken, and a panic of the Arrow library is an error
// of the stream.
package arrowipc

import (
	"fmt"

	"rollcall"

	"github.com/apache/arrow/go/v15/arrow"
)

// ContentType names the format in a record's content-type header.
const ContentType = "application/vnd.apache.arrow.stream"

// Limits of one stream. What passes them is refused with an error.
const (
	MaxMemory = 64 << 20 // bytes allocated, decompressed bodies included
	MaxRows   = 4 << 20
	MaxGroups = 1 << 16 // different groups of events
	maxValues = 4096    // different values of one string column
	maxFields = 128     // of the schema, children included
	maxDepth  = 8       // of nested columns
	maxText   = 1 << 20 // bytes of names and metadata in the schema
)

// Codes of the errors that refuse a whole stream.
const (
	codeMalformed = "arrow"
	codeSchema    = "arrow_schema"
	codeLimit     = "arrow_limit"
)

func malformed(format string, args ...any) error {
	return &rollcall.Invalid{Field: "arrow", Reason: fmt.Sprintf(format, args...), Code: codeMalformed}
}

func beyond(format string, args ...any) error {
	return &rollcall.Invalid{Field: "arrow", Reason: fmt.Sprintf(format, args...), Code: codeLimit}
}

// The string columns, in the order that their values are combined.
const (
	market = iota
	service
	location
	kind
	panel
	platform
	segment
	precision
	texts // how many
)

// required reports whether a text column must be there.
func required(i int) bool { return i < panel }

// textNames gives the string columns' names.
func textNames() [texts]string {
	return [texts]string{market: "market", service: "service", location: "location", kind: "kind", panel: "panel", platform: "platform", segment: "segment", precision: "precision"}
}

// Schema gives the schema that Encoder writes: version 2.
func Schema() *arrow.Schema { return schema("2", texts) }

// schema gives the one of a version, with its first so many text columns.
func schema(version string, columns int) *arrow.Schema {
	utc := &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}
	fields := []arrow.Field{{Name: "time", Type: utc}, {Name: "until", Type: utc, Nullable: true}}
	for i, name := range textNames() {
		if i == columns {
			break
		}
		fields = append(fields, arrow.Field{Name: name, Type: textType(), Nullable: !required(i)})
	}
	fields = append(fields,
		arrow.Field{Name: "visitor", Type: arrow.PrimitiveTypes.Uint64},
		arrow.Field{Name: "key", Type: arrow.PrimitiveTypes.Uint64})
	meta := arrow.NewMetadata([]string{"rollcall.events"}, []string{version})
	return arrow.NewSchema(fields, &meta)
}

func textType() *arrow.DictionaryType {
	return &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int16, ValueType: arrow.BinaryTypes.String}
}
