// Package fold holds a benchmark and no code: Rollcall's whole fold beside
// ClickHouse and DuckDB, over the same rows, in one run.
//
//	go test -bench . ./internal/bench/fold -args -rows=50000000
//
// It counts the distinct visitors of every service, location and day. Rollcall
// fills the sketch of minutes beside that of visitors, as it does in service;
// the others count visitors alone. A figure
// of speed is rows a second of processor time, whatever threads used it, so
// that a busy machine and an engine's helpers change it little.
package fold
