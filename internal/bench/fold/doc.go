// Package fold holds a benchmark and no code: Rollcall's whole fold beside
// ClickHouse and DuckDB, over the same rows, in one run.
//
//	go test -bench . ./internal/bench/fold -args -rows=50000000 -chdb=PYTHON
//
// PYTHON is one that has chdb-core 26.9.0 (make bench installs it), ClickHouse's
// newest engine as a library; beside it runs the server that the tests have.
//
// It counts the distinct visitors of every service, location and day, alone or with
// the pairs of visitor and minute beside, which Rollcall counts of rows that tell a
// minute. A figure of speed is rows a second of processor time, whatever threads
// used it, so that a busy machine and an engine's helpers change it little. What
// does the same work is compared round by round: rows in memory, or a Parquet file;
// visitors alone, or both sketches.
package fold
