package server

import (
	"testing"
	"time"

	"rollcall"
)

// BenchmarkDecode reads single events, as they come one a record.
func BenchmarkDecode(b *testing.B) {
	p := newProcess(&Engine{Data: b.TempDir()}, quiet())
	if err := p.start(b.Context(), parts{}); err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	for _, m := range []rollcall.Market{{ID: "FR", Zone: "Europe/Paris", Name: "France"}, {ID: "US", Zone: "America/New_York", Name: "The States"}} {
		if _, err := changeableOf(p).AddMarket(b.Context(), m, false); err != nil {
			b.Fatal(err)
		}
	}
	lines := analystEvents()
	decode := decoder(p.converter(), p.catalogue.check)
	b.ReportAllocs()
	var events []rollcall.Event
	for i := 0; b.Loop(); i++ {
		var err error
		if events, err = decode(events[:0], []byte(lines[i%len(lines)]), "application/json", time.Now(), true); err != nil {
			b.Fatal(err)
		}
	}
}
