// Package storetest is what every engine of the store must do. An engine's
// own tests call [Run]; what only one engine promises is tested beside it.
//
// The laws: whatever order deltas come in, however they are split, repeated or
// sent by two mergers at once, the store holds the same facts.
//
// Read storetest.go first: it lists the suite. Then facts.go (what the tests
// store) and merge.go, query.go, documents.go, erase.go and ageing.go, a topic each.
package storetest
