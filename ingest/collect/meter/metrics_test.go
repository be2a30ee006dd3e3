package meter

import (
	"bytes"
	"testing"

	"github.com/gopacket/gopacket/layers"
	"github.com/prometheus/client_golang/prometheus"

	"rollcall"
)

// The metrics are the counts as they stand at the end, and every kind of what
// was not read is there from 0.
func TestMetrics(t *testing.T) {
	packets := recordedPackets(t, xmppRecording)
	packets = append(packets, sent{packets[len(packets)-1].at, make([]byte, 60)}) // carries no IP
	registry := prometheus.NewRegistry()
	install := Install{Market: "FR", Location: rollcall.Home, Watch: NewMetrics(registry).Watch}
	_, stats, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, packets)), install)
	if err != nil {
		t.Fatal(err)
	}
	got := values(t, registry)
	for _, c := range append(stats.losses(), Count{streamsGivenUp, "", 0}) {
		if n, there := got["rollcall_meter_unread_total "+c.Name]; !there || n != c.N {
			t.Errorf("%s: %d, there %t; the reading counts %d", c.Name, n, there, c.N)
		}
	}
	if got["rollcall_meter_unread_total not_ip"] != 1 || got["rollcall_meter_packets_total"] != int64(len(packets)) ||
		got["rollcall_meter_bytes_total"] != stats.Bytes || got["rollcall_meter_sightings_total"] != stats.Sightings || stats.Sightings == 0 {
		t.Errorf("%v; the reading counts %+v", got, stats)
	}
}

// values gives the metrics by name and label.
func values(t *testing.T, registry *prometheus.Registry) map[string]int64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]int64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			all[name] = int64(m.GetCounter().GetValue())
		}
	}
	return all
}
