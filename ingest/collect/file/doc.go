// Package file cuts files of events into bodies for POST /v1/events: NDJSON
// and JSON into runs of whole lines, Parquet and Arrow into Arrow IPC streams.
// Memory is bounded whatever the file's length.
//
// Read file.go first (a file's form and packing), then lines.go (text), arrow.go
// and parquet.go (tables), coded.go and hybrid.go (Parquet's columns as codes, by
// which most files are read), and what stands before the library that reads the
// others: footer.go, pages.go and memory.go.
package file
