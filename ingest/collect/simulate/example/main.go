// Command example writes the files of docs/example: a third of the households
// of the demonstration's panel in October 2002, and accounts that a firm's
// gateway might have seen. Nobody in them exists. The same text comes out each
// time; a test holds docs/example to it.
//
//	go run ./ingest/collect/simulate/example
package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rollcall"
	"rollcall/ingest/collect/simulate"
)

func main() {
	folder := "docs/example"
	if len(os.Args) > 1 {
		folder = os.Args[1]
	}
	if err := write(folder); err != nil {
		fmt.Fprintln(os.Stderr, "example:", err)
		os.Exit(1)
	}
}

// write makes the three files in a folder that is there.
func write(folder string) error {
	d, err := simulate.New(simulate.DefaultSeed)
	if err != nil {
		return err
	}
	month, err := d.Month(rollcall.MonthOf(2002, time.October))
	if err != nil {
		return err
	}
	p, err := recruit(month)
	if err != nil {
		return err
	}
	universe, err := universe(month)
	if err != nil {
		return err
	}
	events, err := compressed(append(p.events(month), accounts()...))
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{"panelists.csv": p.roster, "universe.csv": universe, "events.ndjson.gz": events} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil { //nolint:gosec // files of the repository, which anyone may read
			return err
		}
	}
	return nil
}

func compressed(text []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(text)
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}
