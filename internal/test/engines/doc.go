// Package engines runs a real Apache Kafka and a real ClickHouse for tests:
// each in a process of its own on loopback, in the test's temporary folder,
// which a test may kill, pause and start again. "make engines" fetches them.
//
// Read engines.go first (which engines there are, and what is missing), then
// process.go (one server's life), then an engine a file.
package engines
