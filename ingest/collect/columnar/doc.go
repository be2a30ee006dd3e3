// Package columnar reads sightings from Arrow tables. A table's columns are
// the fields of an event in NDJSON (schemas/event.schema.json), found by name
// in any order; others are passed over.
//
//	time, until    timestamp of any unit, or RFC 3339 text
//	all others     text: utf8, large_utf8, binary, or a dictionary of them
//
// Null is absent, as is an empty text. A timestamp without a zone is UTC.
// Required are the columns time, market, service, location and kind, and
// account or panel and panelist (or all three: each row has one or the other).
//
// Bodies and Draft make what Stream reads: Bodies of records, Draft of columns
// whose texts are codes already.
package columnar

// ContentType names an Arrow IPC stream.
const ContentType = "application/vnd.apache.arrow.stream"

// The columns, in the order that Bodies writes them.
const (
	columnTime = iota
	columnUntil
	columnMarket
	columnService
	columnLocation
	columnKind
	columnPanel
	columnPanelist
	columnAccount
	columnID
	columnSource
	columnClient
	columnEvidence
	columnPlatform
	columnSegment
	columnPrecision
	columns // how many
)

// Names gives the columns' names, in the order that Bodies writes them.
func Names() []string {
	return []string{
		columnTime: "time", columnUntil: "until", columnMarket: "market", columnService: "service",
		columnLocation: "location", columnKind: "kind", columnPanel: "panel", columnPanelist: "panelist",
		columnAccount: "account", columnID: "id", columnSource: "source", columnClient: "client", columnEvidence: "evidence",
		columnPlatform: "platform", columnSegment: "segment", columnPrecision: "precision",
	}
}
