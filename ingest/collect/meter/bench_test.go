//go:build unix

package meter

import (
	"bytes"
	"context"
	"syscall"
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

// read tells beside the time that passed what a second of a core's own work reads,
// which other programs on the machine don't change.
func read(b *testing.B, file []byte) {
	b.Helper()
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	packets, before := int64(0), worked(b)
	for b.Loop() {
		stats, err := Read(context.Background(), bytes.NewReader(file), atHome, func(ingest.Sighting) error { return nil })
		if err != nil {
			b.Fatal(err)
		}
		packets += stats.Packets
	}
	core := (worked(b) - before).Seconds()
	b.ReportMetric(float64(packets)/core, "packets/core-s")
	b.ReportMetric(float64(len(file))*float64(b.N)/core/1e6, "MB/core-s")
}

// worked is how long the process has worked, in its own code and in the kernel's
// for it.
func worked(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
