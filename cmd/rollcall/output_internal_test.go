package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestWritePipe: what is no file is written to, and nothing takes its place.
func TestWritePipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(path, os.O_RDWR, 0) // whoever writes finds a reader
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	const text = "service\n"
	if err := writeFile(path, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		t.Fatalf("the pipe is %v, %v", info.Mode(), err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(pipe, got); err != nil || string(got) != text {
		t.Errorf("%q, %v", got, err)
	}
}
