// Package embedded is a Kafka-protocol broker in this process, for a machine
// without a Kafka: franz-go's kfake on disk, which is made for tests, behind
// guard rails. docs/decisions/0004-embedded-broker.md says which and why.
//
// Read the files in this order: broker (start and stop), listener (how this
// process reaches it), marker, damage and groups (what a start can rely on, and
// mends), limit (what waits at the bound), trim and trimrejected (what is
// removed), log (what kfake tells).
package embedded
