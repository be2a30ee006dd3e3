// Package clickhouse is the store on ClickHouse, for any number of aggregators
// and readers: sketches and sets of minutes are united by the engine itself.
//
// The tables are those of schemas/clickhouse, on one server, on shards, or on
// replicated shards. A write is on the server's disk when it returns. A flush
// is several inserts: one that fails may have stored a part of itself, and is
// completed by sending it again, since all of it is unions.
//
// Read store.go first (what a store is and how it opens), then form.go and
// migrate.go (the tables), object.go (documents by their hash), merge.go with
// cell.go and diary.go (a flush, and reading it back) and query.go. market.go,
// service.go, panel.go, target.go, exclusion.go (with the audit log) and
// publication.go (with the deliveries) hold a noun each; erase.go, ageing.go and dump.go remove and hand over; dial.go,
// pulse.go and failure.go speak with the server.
package clickhouse
