package meter

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"

	"rollcall/ingest/collect/meter/secure"
	"rollcall/internal/test/engines"
)

// TestNamesAgainstTshark: every server's name that tshark finds in TLS, QUIC or
// DNS is found here too, in every recording and in mutilated ones.
func TestNamesAgainstTshark(t *testing.T) {
	engines.Require(t, engines.Tshark)
	captures := map[string][]byte{"made": pcap(t, layers.LinkTypeRaw, helloes())}
	for _, name := range recordings {
		captures[name] = recorded(t, name)
	}
	for _, name := range []string{"ndpi_whatsapp", "ndpi_signal", "ndpi_discord"} {
		if file, err := os.ReadFile(public + name + ".pcap"); err == nil {
			captures[name] = file
		}
	}
	found := 0
	for name, file := range captures {
		found += compareNames(t, name, file)
		for seed := range uint64(1) {
			dice := rand.New(rand.NewPCG(seed, 5))
			for range 1 + len(file)/5000 {
				file = slices.Clone(file)
				file[fileHeader+dice.IntN(len(file)-fileHeader)] ^= 1 << dice.IntN(8)
			}
			compareNames(t, name+", mutilated", file)
		}
	}
	if found < 8 {
		t.Errorf("tshark finds %d names in all: the test looks in the wrong place", found)
	}
}

// compareNames gives how many names tshark found.
func compareNames(t *testing.T, name string, file []byte) int {
	t.Helper()
	path := filepath.Join(t.TempDir(), "capture")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "tshark", "-r", path, "-T", "fields", "-E", "separator=/s", "-E", "aggregator=/s",
		"-Y", "tls.handshake.extensions_server_name || dns.qry.name", "-e", "tls.handshake.extensions_server_name", "-e", "dns.qry.name").Output()
	if err != nil && len(out) == 0 {
		return 0 // tshark can't read it either
	}
	here := make(map[string]bool)
	install := atHome
	install.named = func(name string) { here[name] = true }
	_, _, _ = meet(t, bytes.NewReader(file), install)
	theirs := strings.Fields(strings.ToLower(string(out)))
	for _, n := range theirs {
		if !here[n] {
			t.Errorf("%s: tshark finds %q", name, n)
		}
	}
	return len(theirs)
}

// helloes are packets with names of every kind.
func helloes() []sent {
	var w traffic
	for i, name := range []string{"chat.signal.org", "shop.example", "web.whatsapp.com"} {
		from := time.Duration(i) * time.Minute
		w.tcp(from, from+time.Minute, at(somewhere, 443), secure.Record(secure.BuildHello(name, []string{"h2"}, false), 90))
		w.udp(from, from+time.Minute, at(somewhere, 443), secure.BuildInitials(1, []byte("abcdefgh"), secure.BuildHello("quic."+name, []string{"h3"}, false), 1)...)
		w.udp(from, from+time.Minute, at(somewhere, 443), secure.BuildInitials(0x6B3343CF, []byte("abcdefgh"), secure.BuildHello("quic2."+name, []string{"h3"}, false), 1)...)
		w.dns(from, "dns."+name, somewhere, time.Minute)
	}
	slices.SortStableFunc(w.out, func(a, b sent) int { return a.at.Compare(b.at) })
	return w.out
}
