// Package ingest takes what collectors saw into the log: a sighting's account
// becomes a keyed pseudonym, the event is validated, and it is appended; what
// is not valid goes whole to the rejected log with its reason. The raw account
// never leaves this package.
package ingest
