package main

import (
	"io"
	"testing"
	"time"

	"rollcall"
)

// BenchmarkDecode reads single events, as they come one a record.
func BenchmarkDecode(b *testing.B) {
	d := newDeployment(&engine{Data: b.TempDir()}, newLogger(io.Discard, false))
	if err := d.start(b.Context(), parts{}); err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	if err := d.registry.AddMarket(b.Context(), rollcall.Market{ID: "FR", Zone: "Europe/Paris", Name: "France"}); err != nil {
		b.Fatal(err)
	}
	lines := seededEvents(1, 1000)
	decode := decoder(d.converter(), d.registry.check)
	b.ReportAllocs()
	var events []rollcall.Event
	for i := 0; b.Loop(); i++ {
		var err error
		if events, err = decode(events[:0], []byte(lines[i%1000]), "application/json", time.Now(), true); err != nil {
			b.Fatal(err)
		}
	}
}
