package meter

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"

	"rollcall/ingest"
	"rollcall/ingest/collect/meter/secure"
)

// BenchmarkBulk reads what most of a capture is: long packets of TLS.
func BenchmarkBulk(b *testing.B) {
	var w traffic
	hello := secure.Record(secure.BuildHello("chat.signal.org", nil, false), 4000)
	record := append([]byte{0x17, 3, 3, 0x3F, 0xFA}, make([]byte, 0x3FFA)...)
	for i := range 20 {
		w.tcp(time.Duration(i)*time.Second, time.Duration(i+1)*time.Second, at(somewhere, 443), append(bytes.Clone(hello), bytes.Repeat(record, 20)...))
	}
	read(b, pcap(b, layers.LinkTypeRaw, w.out))
}

// BenchmarkTalk reads what a messenger's capture is: short packets, ten sessions
// a thousand times over.
func BenchmarkTalk(b *testing.B) {
	var all []sent
	packets := recordedPackets(b, oscarRecording)
	for i := range 20 {
		for _, p := range packets {
			all = append(all, sent{p.at.Add(time.Duration(i) * 3 * time.Hour), p.data})
		}
	}
	read(b, pcap(b, layers.LinkTypeEthernet, all))
}

func read(b *testing.B, file []byte) {
	b.Helper()
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	packets := int64(0)
	for b.Loop() {
		stats, err := Read(context.Background(), bytes.NewReader(file), atHome, func(ingest.Sighting) error { return nil })
		if err != nil {
			b.Fatal(err)
		}
		packets += stats.Packets
	}
	b.ReportMetric(float64(packets)/b.Elapsed().Seconds(), "packets/s")
}
