// Package ingest takes what collectors saw into the log: a sighting's account
// becomes a keyed pseudonym, the event is validated, and it is appended; what
// is not valid goes whole to the rejected log with its reason. The raw account
// never leaves this package.
//
// Read sighting.go first (what a collector saw), then account.go and
// pseudonym.go (who that is), convert.go (sighting to event) with memo.go (what is
// the same of many), batch.go (events to the log, and the counts), json.go with
// cloudevent.go (one event's text), and ndjson.go (many of them).
package ingest
