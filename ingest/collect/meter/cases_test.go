package meter

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"

	"rollcall"
	"rollcall/ingest"
)

// made reads a capture of testdata: packets made after what was seen in the
// field, to show one thing each.
func made(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".pcap")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// said gives sightings as "kind service account from until".
func said(list []ingest.Sighting) []string {
	var lines []string
	for _, s := range list {
		line := fmt.Sprintf("%s %s %s %s", s.Kind, s.Service, cmp.Or(s.Account, "nobody"), s.Time.Format("15:04:05"))
		if !s.Until.IsZero() {
			line += s.Until.Format(" 15:04:05")
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// cases are what is right of each. Those with deflate are the package ws's own
// client and server, by websocket.mjs; ils-openldap is OpenLDAP's own server and clients
// with a schema of ILS: ann added, refused a second time, refreshed, deleted; bob
// added, and marked to live five minutes.
var cases = map[string][]string{
	"xmpp-resumed":      {"login jabber ann@jab.example 10:13:24", "logout jabber ann@jab.example 10:33:29", "presence jabber ann@jab.example 10:13:28 10:33:29"},
	"xmpp-zlib":         {"login jabber ann@jab.example 10:13:24", "logout jabber ann@jab.example 10:29:03", "presence jabber ann@jab.example 10:13:33 10:29:03", "use jabber ann@jab.example 10:19:03"},
	"xmpp-from-outside": nil,
	"xmpp-invisible":    {"login jabber ann@jab.example 10:13:24", "logout jabber ann@jab.example 10:28:30", "presence jabber ann@jab.example 10:13:29 10:28:30"},
	"xmpp-websocket":    {"login jabber ann@jab.example 10:13:26", "logout jabber ann@jab.example 10:28:27", "presence jabber ann@jab.example 10:13:27 10:28:27"},
	"xmpp-deflate-takeover": {"login jabber ann@jab.example 10:13:05", "logout jabber ann@jab.example 10:19:10", "presence jabber ann@jab.example 10:13:10 10:19:10",
		"use jabber ann@jab.example 10:14:10", "use jabber ann@jab.example 10:16:10", "use jabber ann@jab.example 10:18:10"},
	"xmpp-deflate-alone": {"login jabber ann@jab.example 10:13:05", "logout jabber ann@jab.example 10:18:10", "presence jabber ann@jab.example 10:13:10 10:18:10",
		"use jabber ann@jab.example 10:14:10", "use jabber ann@jab.example 10:15:10", "use jabber ann@jab.example 10:17:10"},
	"xmpp-deflate-refused": {"login jabber ann@jab.example 10:13:05", "logout jabber ann@jab.example 10:15:10", "presence jabber ann@jab.example 10:13:10 10:15:10", "use jabber ann@jab.example 10:14:10"},
	"xmpp-deflate-bomb":    {"login jabber ann@jab.example 10:13:05", "logout jabber ann@jab.example 10:17:10", "presence jabber ann@jab.example 10:13:10 10:17:10", "use jabber ann@jab.example 10:16:10"},
	"msn-deflate":          {"login msn ann@mail.example 10:13:06", "logout msn ann@mail.example 10:13:09", "presence msn ann@mail.example 10:13:08 10:13:09"},
	"msn-connect":          {"login msn ann@mail.example 10:13:30", "logout msn ann@mail.example 10:28:35", "presence msn ann@mail.example 10:13:34 10:28:35"},
	"msn-gateway":          {"login msn ann@mail.example 10:13:28", "presence msn ann@mail.example 10:13:32 10:23:43"},
	"msn-picture":          nil,
	"ils-openldap":         {"login netmeeting ann@mail.example 11:49:33", "login netmeeting bob@mail.example 11:49:35", "logout netmeeting ann@mail.example 11:49:37", "presence netmeeting ann@mail.example 11:49:33 11:49:37", "presence netmeeting bob@mail.example 11:49:35 11:54:35"},
	"aim-toc":              {"login aim tikuser 10:13:25", "logout aim tikuser 10:24:31", "presence aim tikuser 10:13:25 10:24:31", "use aim tikuser 10:14:30"},
	"aim-fragments":        {"login aim sevenup 10:13:26", "logout aim sevenup 10:23:37", "presence aim sevenup 10:13:36 10:23:37"},
	"aim-plain":            {"login aim sevenup 10:13:26", "logout aim sevenup 10:23:37", "presence aim sevenup 10:13:36 10:23:37"},
}

func TestCases(t *testing.T) {
	for name, want := range cases {
		list, stats, err := meet(t, bytes.NewReader(made(t, name)), atHome)
		if got := said(list); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s\n%v", name, strings.Join(got, "\n"), strings.Join(want, "\n"), err)
		}
		for _, n := range stats.Unread() {
			t.Errorf("%s: %d %s", name, n.N, n.Says)
		}
	}
}

// A contact's stream to the panelist's machine is not the panelist's.
func TestFromOutside(t *testing.T) {
	install := Install{Market: "FR", Location: rollcall.Home, Panel: "nn", Panelist: "P1"}
	list, _, err := meet(t, bytes.NewReader(made(t, "xmpp-from-outside")), install)
	if err != nil || len(list) > 0 {
		t.Errorf("%v\n%s", err, ndjson(list))
	}
}

// stay is a session with the packets of its connection, open at the end.
func openStay(t *testing.T) []sent {
	t.Helper()
	ann := tapes(t, recorded(t, oscarRecording))[:2] // login, session
	return replayed(t, ann, manner{link: layers.LinkTypeEthernet, open: true})
}

// lasts gives the one presence of the packets.
func lasts(t *testing.T, packets []sent) time.Duration {
	t.Helper()
	list, _, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, packets)), atHome)
	if err != nil {
		t.Fatal(err)
	}
	var sum time.Duration
	for _, s := range list {
		if s.Kind == rollcall.Presence {
			sum += s.Until.Sub(s.Time)
		}
	}
	return sum
}

// A stay ends by its own stream: not by another host's packet later, and not
// by a packet whose time leaps.
func TestOwnStreamEndsTheStay(t *testing.T) {
	packets := openStay(t)
	alone := lasts(t, packets)
	if alone == 0 || alone > 2*time.Minute {
		t.Fatalf("the stay lasts %s", alone)
	}
	last := packets[len(packets)-1]
	other := linkHeader(layers.LinkTypeEthernet, false)
	other = append(other, bytes.Repeat([]byte{0x45}, 60)...)
	neighbour := append(slices.Clone(packets), sent{last.at.Add(110 * time.Minute), other})
	if got := lasts(t, neighbour); got != alone {
		t.Errorf("with another host's packet 110 min later: %s, want %s", got, alone)
	}
	for _, wild := range []time.Duration{30 * 24 * time.Hour, -30 * 24 * time.Hour, 90 * time.Minute} {
		for at := 1; at < len(packets)-1; at += 7 {
			leaping := slices.Clone(packets)
			leaping[at].at = leaping[at].at.Add(wild)
			if got := lasts(t, leaping); got < alone-time.Second || got > alone+time.Second {
				t.Errorf("with packet %d moved by %s: %s, want %s", at, wild, got, alone)
			}
		}
	}
}

// twoTalks is a login and a refusal of equal addresses and ports, at the same
// time, each wrapped with a number of its own.
func twoTalks(t *testing.T, wrap func(id byte, ip []byte) []byte) (both []sent) {
	t.Helper()
	tape := tapes(t, recorded(t, oscarRecording))
	manner := manner{link: layers.LinkTypeIPv4, port: 5000}
	var first time.Time
	for i, talk := range [][]sent{replayed(t, tape[:1], manner), replayed(t, tape[6:7], manner)} {
		if len(talk) == 0 {
			t.Fatal("no packets")
		}
		if i == 0 {
			first = talk[0].at
		}
		for _, p := range talk {
			both = append(both, sent{first.Add(p.at.Sub(talk[0].at)), wrap(byte(i+1), p.data)})
		}
	}
	slices.SortStableFunc(both, func(a, b sent) int { return a.at.Compare(b.at) })
	return both
}

// Two talks of equal addresses and ports in two VLANs, or two tunnels, are two.
func TestTunnelsDoNotMix(t *testing.T) {
	for name, wrap := range wrappings() {
		both := twoTalks(t, wrap)
		list, stats, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, both)), atHome)
		var kinds []rollcall.Kind
		for _, s := range list {
			kinds = append(kinds, s.Kind)
		}
		slices.Sort(kinds)
		want := []rollcall.Kind{rollcall.Login, rollcall.LoginFailed}
		slices.Sort(want)
		if err != nil || !slices.Equal(kinds, want) || stats.Gaps > 0 || stats.Connections != 2 {
			t.Errorf("%s: got %v, want a login and a refusal: %v %+v\n%s", name, kinds, err, stats, ndjson(list))
		}
	}
}

// TestLostHandshake: whichever packet of a handshake is lost, the connection is whole: what
// the others acknowledge says where each side begins.
func TestLostHandshake(t *testing.T) {
	const syn, ack = 2, 16
	for _, file := range []string{"xmpp-resumed", "msn-connect", "aim-toc", "aim-plain"} {
		packets := packetsOf(t, made(t, file))
		whole, _, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, packets)), atHome)
		if err != nil {
			t.Fatal(err)
		}
		for name, lost := range map[string]byte{"SYN": syn, "SYN and ACK": syn | ack} {
			some := slices.DeleteFunc(slices.Clone(packets), func(p sent) bool { return p.data[47]&(syn|ack) == lost })
			if len(some) == len(packets) {
				t.Fatalf("%s has no %s", file, name)
			}
			list, _, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, some)), atHome)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := ndjson(list), ndjson(whole); got != want {
				t.Errorf("%s without its %s: got\n%swant\n%s", file, name, got, want)
			}
		}
	}
}

// A mirror port may give each direction in a VLAN of its own, or one of them in none.
func TestVLANOfADirection(t *testing.T) {
	tagged := func(id byte, b []byte) []byte { return slices.Concat(b[:12], []byte{0x81, 0, 0, id}, b[12:]) }
	for _, file := range []string{"xmpp-resumed", "msn-connect", "aim-toc", "aim-plain", "aim-fragments"} {
		packets := packetsOf(t, made(t, file))
		whole, _, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, packets)), atHome)
		if err != nil {
			t.Fatal(err)
		}
		for name, tag := range map[string]func(up bool, b []byte) []byte{
			"two": func(up bool, b []byte) []byte { return tagged(map[bool]byte{true: 7, false: 9}[up], b) },
			"one and none": func(up bool, b []byte) []byte {
				if up {
					return tagged(7, b)
				}
				return b
			},
			"none and one": func(up bool, b []byte) []byte {
				if up {
					return b
				}
				return tagged(7, b)
			},
		} {
			var in []sent
			for _, p := range packets {
				in = append(in, sent{p.at, tag(bytes.Compare(p.data[26:30], p.data[30:34]) < 0, p.data)})
			}
			list, _, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, in)), atHome)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := ndjson(list), ndjson(whole); got != want {
				t.Errorf("%s in %s: got\n%swant\n%s", file, name, got, want)
			}
		}
	}
}
