// Package fold holds a benchmark and no code: Rollcall's whole fold beside
// ClickHouse and DuckDB, over the same rows, in one run.
//
//	go test -bench . ./internal/bench/fold -args -rows=50000000 -chdb=PYTHON
//
// PYTHON is one that has chdb-core 26.9.0 (make bench installs it), ClickHouse's
// newest engine as a library; beside it runs the server that the tests have.
//
// It counts the distinct visitors of every service, location and day. Rollcall
// fills the sketch of minutes beside that of visitors, as it does in service;
// the others count visitors alone. A figure
// of speed is rows a second of processor time, whatever threads used it, so
// that a busy machine and an engine's helpers change it little.
package fold
