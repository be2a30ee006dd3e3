package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExample: docs/example is what this program writes.
func TestExample(t *testing.T) {
	const committed = "../../../../docs/example"
	made := t.TempDir()
	if err := write(made); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"panelists.csv", "universe.csv", "events.ndjson.gz"} {
		if !bytes.Equal(read(t, filepath.Join(committed, name)), read(t, filepath.Join(made, name))) {
			t.Errorf("%s is another: go run ./ingest/collect/simulate/example", name)
		}
	}
}

// read gives a file's text: the compressor may write other bytes in another
// version of Go.
func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(path, ".gz") {
		return text
	}
	r, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if text, err = io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	return text
}
