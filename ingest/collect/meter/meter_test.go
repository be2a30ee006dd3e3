package meter

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"
	"github.com/klauspost/compress/zstd"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/wire"
	"rollcall/internal/test/packtest"
)

// TestGolden holds the recordings' sightings to the letter. To write them
// anew: ROLLCALL_GOLDEN=write go test ./ingest/collect/meter
func TestGolden(t *testing.T) {
	for name, known := range map[string]map[string]int64{
		oscarRecording: {"oscar": 10}, msnRecording: {"msnp": 3, "ymsg": 3}, xmppRecording: {"xmpp": 4},
	} {
		list, stats, err := meet(t, bytes.NewReader(recorded(t, name)), atHome)
		if err != nil {
			t.Fatal(err)
		}
		file := replay + name + ".sightings.ndjson"
		if os.Getenv("ROLLCALL_GOLDEN") == "write" {
			if err := os.WriteFile(file, []byte(ndjson(list)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := ndjson(list); got != string(want) {
			t.Errorf("%s: got\n%swant\n%s", name, got, want)
		}
		if !maps.Equal(stats.Protocols, known) || len(stats.GivenUp) > 0 || stats.Gaps > 0 || stats.NotIP+stats.Damaged > 0 {
			t.Errorf("%s: stats %+v", name, stats)
		}
	}
}

// truth is what the server's own log says of a recording.
type truth struct {
	Logins []struct {
		Service            rollcall.ServiceID
		Account            string
		OK                 bool
		Login, Online, End time.Time
	}
}

// The server logs a few milliseconds after the packet, never before it.
const logLag = 3 * time.Millisecond

// TestServersLog compares with the truth: every login, refusal, coming online
// and leaving, to the millisecond, and nothing else.
func TestServersLog(t *testing.T) {
	raw, err := os.ReadFile(replay + "oscar_bitlbee351.json")
	if err != nil {
		t.Fatal(err)
	}
	var log truth
	if err := json.Unmarshal(raw, &log); err != nil {
		t.Fatal(err)
	}
	list, _, err := meet(t, bytes.NewReader(recorded(t, oscarRecording)), atHome)
	if err != nil {
		t.Fatal(err)
	}
	take := func(kind rollcall.Kind, service rollcall.ServiceID, account string, at time.Time) ingest.Sighting {
		i := slices.IndexFunc(list, func(s ingest.Sighting) bool {
			return s.Kind == kind && s.Service == service && s.Account == account && logged(s.Time, at)
		})
		if i < 0 {
			t.Errorf("no %s of %s %s at %s", kind, service, account, at)
			return ingest.Sighting{}
		}
		s := list[i]
		list = slices.Delete(list, i, i+1)
		return s
	}
	for _, l := range log.Logins {
		if !l.OK {
			take(rollcall.LoginFailed, l.Service, l.Account, l.Login)
			continue
		}
		take(rollcall.Login, l.Service, l.Account, l.Login)
		if p := take(rollcall.Presence, l.Service, l.Account, l.Online); !logged(p.Until, l.End) {
			t.Errorf("%s: presence until %s, the log says %s", l.Account, p.Until, l.End)
		}
		take(rollcall.Logout, l.Service, l.Account, l.End)
	}
	if len(log.Logins) != 4 || len(list) > 0 {
		t.Errorf("%d logins in the log; beyond them:\n%s", len(log.Logins), ndjson(list))
	}
}

func logged(wire, log time.Time) bool {
	d := log.Sub(wire.Truncate(time.Millisecond))
	return 0 <= d && d <= logLag
}

// TestTruth compares the other recordings with what their servers say: so many
// of each kind, at these times.
func TestTruth(t *testing.T) {
	unix := func(at float64) string {
		return time.UnixMicro(int64(math.Round(at * 1e6))).UTC().Format(time.RFC3339Nano)
	}
	for name, want := range map[string][]string{
		msnRecording: {
			"login msn t1h@hotmail.com " + unix(1795303516.526702),
			"login msn t2h@hotmail.com " + unix(1795303518.438484),
			"login yahoo t1y " + unix(1795303518.477946),
			"login yahoo t2y " + unix(1795303519.488909),
			"login_failed msn t3h@hotmail.com " + unix(1795303519.552046),
			"login_failed yahoo t3y " + unix(1795303519.557350),
			"logout msn t1h@hotmail.com " + unix(1795303536.565397),
			"logout msn t2h@hotmail.com " + unix(1795303526.622350),
			"logout yahoo t1y " + unix(1795303530.981656),
			"logout yahoo t2y " + unix(1795303528.772066),
			"presence msn t1h@hotmail.com " + unix(1795303516.537430) + " " + unix(1795303536.565397),
			"presence msn t2h@hotmail.com " + unix(1795303518.478611) + " " + unix(1795303526.622350),
			"presence yahoo t1y " + unix(1795303518.478270) + " " + unix(1795303530.981656),
			"presence yahoo t2y " + unix(1795303519.497314) + " " + unix(1795303528.772066),
		},
		xmppRecording: {
			"login jabber alice@localhost 2026-11-21T23:37:53.893463Z",
			"logout jabber alice@localhost 2026-11-21T23:38:08.104557Z",
			"presence jabber alice@localhost 2026-11-21T23:37:53.896232Z 2026-11-21T23:38:08.104535Z",
			"presence jabber nobody 2026-11-21T23:37:55.239694Z 2026-11-21T23:38:00.298956Z",
		},
	} {
		list, stats, err := meet(t, bytes.NewReader(recorded(t, name)), atHome)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range list {
			line := fmt.Sprintf("%s %s %s %s", s.Kind, s.Service, cmp.Or(s.Account, "nobody"), s.Time.Format(time.RFC3339Nano))
			if !s.Until.IsZero() {
				line += " " + s.Until.Format(time.RFC3339Nano)
			}
			got = append(got, line)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if name == xmppRecording && stats.Unnamed != 1 { // the two others behind TLS lasted as long as a refusal
			t.Errorf("%d sessions behind TLS, want 1", stats.Unnamed)
		}
	}
}

// Behind TLS nobody is named, but a panelist's meter knows whose they are.
func TestTLSOfAPanelist(t *testing.T) {
	install := Install{Market: "FR", Location: rollcall.Home, Panel: "nn", Panelist: "P0001"}
	list, _, err := meet(t, bytes.NewReader(recorded(t, xmppRecording)), install)
	if err != nil {
		t.Fatal(err)
	}
	hidden := 0
	for _, s := range list {
		if s.Kind == rollcall.Presence && strings.Contains(s.Evidence, "STARTTLS") && s.Panelist == "P0001" {
			hidden++
		}
	}
	if hidden != 1 { // of three, two of which lasted as long as a refusal may
		t.Errorf("%d presences behind TLS, want 1\n%s", hidden, ndjson(list))
	}
}

func TestWithPanelistTheAccountIsDropped(t *testing.T) {
	install := Install{Market: "FR", Location: rollcall.Work, Panel: "nn", Panelist: "P0001", Source: "meter-17"}
	list, _, err := meet(t, bytes.NewReader(recorded(t, oscarRecording)), install)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		if s.Account != "" || s.Panel != "nn" || s.Panelist != "P0001" || s.Location != rollcall.Work || s.Source != "meter-17" {
			t.Errorf("%s", s.AppendJSON(nil))
		}
	}
	out := ndjson(list)
	for _, account := range []string{"annpanel", "bobpanel", "1000201"} {
		if strings.Contains(out, account) {
			t.Errorf("%s is in the output", account)
		}
	}
	if len(list) != 10 {
		t.Errorf("%d sightings, want 10", len(list))
	}
}

// However the same streams are cut into packets, the sightings are the same.
func TestSegments(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 4))
	fixed := func(n int) func() int { return func() int { return n } }
	const ethernet = layers.LinkTypeEthernet
	manners := map[string]manner{
		"as recorded":              {link: ethernet},
		"byte by byte":             {link: ethernet, size: fixed(1)},
		"header and body apart":    {link: ethernet, size: fixed(6)},
		"any sizes":                {link: ethernet, size: func() int { return 1 + dice.IntN(40) }},
		"out of order":             {link: ethernet, size: fixed(7), shuffle: true},
		"sent again, overlapping":  {link: ethernet, size: fixed(5), again: true},
		"out of order and again":   {link: ethernet, size: func() int { return 5 + dice.IntN(9) }, shuffle: true, again: true},
		"IPv6":                     {link: ethernet, v6: true},
		"loopback":                 {link: layers.LinkTypeNull},
		"loopback, IPv6":           {link: layers.LinkTypeNull, v6: true},
		"OpenBSD loopback":         {link: layers.LinkTypeLoop},
		"any interface":            {link: layers.LinkTypeLinuxSLL},
		"any interface, version 2": {link: layers.LinkTypeLinuxSLL2, v6: true},
		"raw":                      {link: layers.LinkTypeRaw},
		"raw, IPv6":                {link: layers.LinkTypeRaw, v6: true},
		"raw IPv4":                 {link: layers.LinkTypeIPv4},
	}
	for _, recording := range recordings {
		all := tapes(t, recorded(t, recording))
		list, _, err := meet(t, bytes.NewReader(recorded(t, recording)), atHome)
		if err != nil {
			t.Fatal(err)
		}
		sortSightings(list) // when both ends have closed decides the order, not the content
		want := ndjson(list)
		for name, m := range manners {
			list, stats, err := meet(t, bytes.NewReader(pcap(t, m.link, replayed(t, all, m))), atHome)
			if err != nil {
				t.Fatal(err)
			}
			sortSightings(list)
			if got := ndjson(list); got != want {
				t.Errorf("%s, %s: got\n%swant\n%s%+v", recording, name, got, want, stats)
			}
			if stats.Gaps > 0 || stats.NotIP+stats.Damaged > 0 {
				t.Errorf("%s, %s: stats %+v", recording, name, stats)
			}
		}
	}
}

func TestKindsOfFile(t *testing.T) {
	plain := recorded(t, oscarRecording)
	list, _, err := meet(t, bytes.NewReader(plain), atHome)
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(plain); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	packer, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	ng := pcapng(t, layers.LinkTypeEthernet, recordedPackets(t, oscarRecording))
	for name, file := range map[string][]byte{
		"gzip": zipped.Bytes(), "zstd": packer.EncodeAll(plain, nil),
		"pcapng": ng, "pcapng in zstd": packer.EncodeAll(ng, nil),
	} {
		got, _, err := meet(t, bytes.NewReader(file), atHome)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if ndjson(got) != ndjson(list) {
			t.Errorf("%s: got\n%swant\n%s", name, ndjson(got), ndjson(list))
		}
	}
}

func TestNotACapture(t *testing.T) {
	for name, file := range map[string]string{
		"empty": "", "three bytes": "abc", "text": "time,service\n2002,msn\n" + strings.Repeat("x", 100),
		"gzip of text": "\x1f\x8b\x08\x00bad", "zstd of nothing": "\x28\xb5\x2f\xfd", "header cut": "\xd4\xc3\xb2\xa1\x02\x00",
		"pcapng header cut": "\x0a\x0d\x0d\x0a\x1c\x00\x00\x00",
	} {
		list, _, err := meet(t, strings.NewReader(file), atHome)
		if !errors.Is(err, rollcall.ErrInvalid) || strings.Contains(err.Error(), "\n") || len(list) > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A packed capture that other bytes follow is read whole, and said not to be all.
func TestBehindACapture(t *testing.T) {
	plain := recorded(t, oscarRecording)
	zipped := packtest.Gzip(t, plain)
	list, _, err := meet(t, bytes.NewReader(append(zipped, "text"...)), atHome)
	want := fmt.Sprintf("capture has other bytes after the end of its gzip, from byte %d on; the %d packets before were read", len(zipped), len(recordedPackets(t, oscarRecording)))
	if !errors.Is(err, rollcall.ErrInvalid) || !strings.HasPrefix(err.Error(), want) || len(list) == 0 {
		t.Errorf("%d events, %v; want %s", len(list), err, want)
	}
}

// A capture cut anywhere yields what stands before the cut, and says where,
// unless the cut is between two packets.
func TestCutCapture(t *testing.T) {
	file := recorded(t, oscarRecording)
	ends := map[int]int{fileHeader: 0} // where packets end, and how many there are then
	at := fileHeader
	for i, p := range recordedPackets(t, oscarRecording) {
		at += recordHeader + len(p.data)
		ends[at] = i + 1
	}
	if at != len(file) {
		t.Fatalf("packets end at %d of %d", at, len(file))
	}
	whole, _, err := meet(t, bytes.NewReader(file), atHome)
	if err != nil {
		t.Fatal(err)
	}
	dice := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		cut := fileHeader + dice.IntN(len(file)-fileHeader)
		if dice.IntN(3) == 0 {
			for ends[cut] == 0 && cut > fileHeader {
				cut-- // to the end of a packet
			}
			cut = min(len(file), cut+16*dice.IntN(2)) // or just after the next one's header
		}
		list, stats, err := meet(t, bytes.NewReader(file[:cut]), atHome)
		if packets, between := ends[cut]; between {
			if err != nil || stats.Packets != int64(packets) {
				t.Fatalf("cut at %d, after packet %d: %d packets, %v", cut, packets, stats.Packets, err)
			}
		} else if want := fmt.Sprintf("ends inside packet %d (byte ", stats.Packets+1); !errors.Is(err, rollcall.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		for _, s := range list {
			if s.Until.IsZero() && !slices.Contains(whole, s) {
				t.Fatalf("cut at %d: %s is not in the whole", cut, s.AppendJSON(nil))
			}
		}
	}
}

// A link type that can't be read is an error: at once where it is the file's,
// after the others' packets where it is an interface's.
func TestUnknownLink(t *testing.T) {
	packets := recordedPackets(t, oscarRecording)
	list, _, err := meet(t, bytes.NewReader(pcap(t, 147, packets)), atHome)
	if !errors.Is(err, rollcall.ErrInvalid) || !strings.Contains(err.Error(), "link type 147") || len(list) > 0 {
		t.Errorf("%d sightings, %v", len(list), err)
	}
	list, stats, err := meet(t, bytes.NewReader(pcapng(t, 147, packets)), atHome)
	if !errors.Is(err, rollcall.ErrInvalid) || stats.UnknownLinks != int64(len(packets)) || len(list) > 0 {
		t.Errorf("%d sightings, %v, %+v", len(list), err, stats)
	}
}

// What waits for its protocol is bounded, whatever the number of streams.
func TestUnknownStreamsAreBounded(t *testing.T) {
	m, err := newMeter(atHome, rollcall.MaxEvent, nil)
	if err != nil {
		t.Fatal(err)
	}
	streams := make([]*stream, 20_000)
	for i := range streams {
		streams[i] = &stream{meter: m}
		_ = streams[i].Feed(wire.Client, morning, bytes.Repeat([]byte{'x'}, sniffMost-1))
		if m.waiting > waitingMost {
			t.Fatalf("%d bytes wait", m.waiting)
		}
	}
	for _, s := range streams {
		s.End(morning, wire.Closed)
	}
	if m.waiting != 0 || len(m.stats.GivenUp) == 0 {
		t.Errorf("%d bytes wait at the end; given up %v", m.waiting, m.stats.GivenUp)
	}
}

// What was not read is told, fragments without their others among it.
func TestUnread(t *testing.T) {
	packets := packetsOf(t, made(t, "aim-fragments"))
	arp := append(append(make([]byte, 12), 8, 6), make([]byte, 28)...)
	packets = append(packets[:len(packets)-1], sent{packets[len(packets)-1].at.Add(time.Hour), arp})
	later := slices.IndexFunc(packets, func(p sent) bool { return p.data[20]&0x1F != 0 || p.data[21] != 0 })
	packets = slices.Delete(packets, later, later+1) // a later fragment
	watched := 0
	install := atHome
	install.Watch = func(Stats) { watched++ }
	_, stats, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, packets)), install)
	counts := make(map[string]int64)
	for _, c := range stats.Unread() {
		counts[c.Name] = c.N
	}
	if err != nil || counts["not_ip"] != 1 || counts["fragments_lost"] == 0 || counts["gaps"] == 0 || watched == 0 {
		t.Errorf("%v, %v, watched %d times", err, counts, watched)
	}
}

func TestDamagedCapture(t *testing.T) {
	file := recorded(t, oscarRecording)
	copy(file[fileHeader+8:], []byte{0xFF, 0xFF, 0xFF, 0x7F}) // the first packet's captured length
	_, _, err := meet(t, bytes.NewReader(file), atHome)
	if !errors.Is(err, rollcall.ErrInvalid) || !strings.Contains(err.Error(), "damaged at packet 1 (byte 24)") {
		t.Error(err)
	}
	ng := pcapng(t, layers.LinkTypeEthernet, recordedPackets(t, oscarRecording))
	list, _, err := meet(t, bytes.NewReader(ng[:len(ng)/2]), atHome)
	if !errors.Is(err, rollcall.ErrInvalid) || !strings.Contains(err.Error(), "ends inside packet") || len(list) == 0 {
		t.Errorf("%d sightings, %v", len(list), err)
	}
}

// A capture begun while annpanel was online: her presence counts from the first
// packet of her connection, and she did not log in.
func TestBegunMidSession(t *testing.T) {
	packets := recordedPackets(t, oscarRecording)
	late := packets[slices.IndexFunc(packets, func(p sent) bool { return p.at.After(packets[0].at.Add(2 * time.Second)) }):]
	later := packets[slices.IndexFunc(packets, func(p sent) bool { return p.at.After(packets[0].at.Add(9 * time.Second)) }):]
	for name, test := range map[string]struct {
		packets []sent
		logins  int
		ann     int
	}{"after annpanel": {late, 2, 1}, "after all": {later, 0, 1}, "from the beginning": {packets, 3, 1}} {
		list, _, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, test.packets)), atHome)
		if err != nil {
			t.Fatal(err)
		}
		logins, ann := 0, 0
		for _, s := range list {
			if s.Kind == rollcall.Login {
				logins++
			}
			if s.Kind == rollcall.Presence && s.Account == "annpanel" {
				ann++
				if s.Until.Format("15:04:05.000") != "23:13:26.446" {
					t.Errorf("%s: until %s", name, s.Until)
				}
			}
		}
		if logins != test.logins || ann != test.ann {
			t.Errorf("%s: %d logins, want %d; annpanel present %d times, want %d\n%s", name, logins, test.logins, ann, test.ann, ndjson(list))
		}
	}
}

// Streams with no SYN, cut byte by byte, begin anywhere: the names and times
// are found all the same.
func TestNoSYN(t *testing.T) {
	all := tapes(t, recorded(t, oscarRecording))
	size := func() int { return 1 }
	list, _, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, replayed(t, all, manner{noSYN: true, size: size, link: layers.LinkTypeEthernet}))), atHome)
	if err != nil {
		t.Fatal(err)
	}
	whole, _, err := meet(t, bytes.NewReader(recorded(t, oscarRecording)), atHome)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range whole {
		if !slices.Contains(list, s) {
			t.Errorf("missing: %s\ngot\n%s", s.AppendJSON(nil), ndjson(list))
		}
	}
}

// ended keeps the sightings that tell of presence and its end.
func ended(list []ingest.Sighting) (out []string) {
	for _, s := range list {
		if s.Kind == rollcall.Presence || s.Kind == rollcall.Logout {
			out = append(out, fmt.Sprint(s.Kind, " ", s.Account, " ", s.Evidence))
		}
	}
	slices.Sort(out)
	return out
}

func TestEnds(t *testing.T) {
	ann := tapes(t, recorded(t, oscarRecording))[:2] // login, session
	silent := *ann[1]
	silent.chunks = append(slices.Clone(silent.chunks), chunk{0, silent.ended.Add(idleAfter + time.Hour), []byte{0x2A, 5, 0, 1, 0, 0}})
	for name, test := range map[string]struct {
		tapes  []*tape
		manner manner
		want   []string
	}{
		"FIN":            {ann, manner{}, []string{"logout annpanel OSCAR session closed: FIN", "presence annpanel OSCAR session: 01/02 to FIN"}},
		"RST":            {ann, manner{rst: true}, []string{"logout annpanel OSCAR session closed: RST", "presence annpanel OSCAR session: 01/02 to RST"}},
		"end of capture": {ann, manner{open: true}, []string{"presence annpanel OSCAR session: 01/02 to end of capture"}},
		"silence":        {[]*tape{ann[0], &silent}, manner{open: true}, []string{"presence annpanel OSCAR session: 01/02 to last packet seen"}},
	} {
		test.manner.link = layers.LinkTypeEthernet
		list, _, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, replayed(t, test.tapes, test.manner))), atHome)
		if err != nil {
			t.Fatal(err)
		}
		if got := ended(list); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
		for _, s := range list {
			if s.Until.After(ann[1].ended.Add(wire.KeepAlive)) {
				t.Errorf("%s: until %s, long after the last packet of the session", name, s.Until)
			}
		}
	}
}

// The same port again, at once, is another connection, whether the first ended
// by FIN, by RST or unseen.
func TestPortUsedAgain(t *testing.T) {
	refused := tapes(t, recorded(t, oscarRecording))[6:7]
	if list, _, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, replayed(t, refused, manner{link: layers.LinkTypeEthernet}))), atHome); err != nil || len(list) != 1 || list[0].Kind != rollcall.LoginFailed {
		t.Fatalf("the seventh connection is not the refused login: %v\n%s", err, ndjson(list))
	}
	for name, m := range map[string]manner{"FIN": {}, "RST": {rst: true}, "unseen": {open: true}} {
		m.link, m.port = layers.LinkTypeEthernet, 4242
		var packets []sent
		for i := range 5 {
			s := &sender{manner: m, seq: [2]uint32{uint32(i) * 100_000, uint32(i) * 70_000}}
			s.connection(t, refused[0])
			for _, p := range s.out {
				packets = append(packets, sent{p.at.Add(time.Duration(i) * time.Second), p.data})
			}
		}
		list, stats, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, packets)), atHome)
		if err != nil || len(list) != 5 || stats.Connections != 5 {
			t.Errorf("%s: %d sightings of %d connections, want 5 of 5: %v", name, len(list), stats.Connections, err)
		}
	}
}

// With packets lost, whatever is found is true: no login more, no account more.
func TestLostPackets(t *testing.T) {
	packets := recordedPackets(t, oscarRecording)
	whole, _, err := meet(t, bytes.NewReader(recorded(t, oscarRecording)), atHome)
	if err != nil {
		t.Fatal(err)
	}
	dice := rand.New(rand.NewPCG(7, 8))
	presences := 0
	for range 40 {
		some := slices.DeleteFunc(slices.Clone(packets), func(sent) bool { return dice.IntN(50) == 0 })
		list, _, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, some)), atHome)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			if s.Kind == rollcall.Presence {
				presences++
			}
			same := func(w ingest.Sighting) bool {
				return w.Kind == s.Kind && w.Account == s.Account && w.Service == s.Service
			}
			if !slices.ContainsFunc(whole, same) {
				t.Errorf("made up: %s", s.AppendJSON(nil))
			}
		}
	}
	if presences < 60 { // of 120
		t.Errorf("%d presences of 120 survive the loss of one packet in fifty", presences)
	}
}

func TestInstallIsChecked(t *testing.T) {
	for name, install := range map[string]Install{
		"no market": {Location: rollcall.Home}, "no place": {Market: "FR"}, "two places": {Market: "FR", Location: rollcall.Home | rollcall.Work},
		"panel without panelist": {Market: "FR", Location: rollcall.Home, Panel: "nn"},
		"panelist without panel": {Market: "FR", Location: rollcall.Home, Panelist: "P1"},
		"panel of bad letters":   {Market: "FR", Location: rollcall.Home, Panel: "n n", Panelist: "P1"},
	} {
		if _, _, err := meet(t, bytes.NewReader(recorded(t, oscarRecording)), install); !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestYieldAndContextStop(t *testing.T) {
	full := errors.New("disk full")
	taken := 0
	_, err := Read(context.Background(), bytes.NewReader(recorded(t, oscarRecording)), atHome, func(ingest.Sighting) error {
		taken++
		return full
	})
	if !errors.Is(err, full) || taken != 1 {
		t.Errorf("taken %d times, %v", taken, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Read(ctx, bytes.NewReader(recorded(t, oscarRecording)), atHome, func(ingest.Sighting) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// FuzzRead: no file makes the meter panic, and every sighting of any file is
// one that could be counted.
func FuzzRead(f *testing.F) {
	file := recorded(f, oscarRecording)
	f.Add(file[:2000])
	f.Add(file[:fileHeader])
	packets := recordedPackets(f, oscarRecording)
	f.Add(pcapng(f, layers.LinkTypeEthernet, packets[:20]))
	f.Add(pcap(f, layers.LinkTypeEthernet, packets[:40]))
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"))
	f.Fuzz(func(t *testing.T, file []byte) {
		list, _, err := meet(t, bytes.NewReader(file), atHome)
		if err != nil && !errors.Is(err, rollcall.ErrInvalid) {
			t.Error(err)
		}
		for _, s := range list {
			if s.Service == "" || s.Until.Sub(s.Time) > rollcall.MaxEvent {
				t.Errorf("%s", s.AppendJSON(nil))
			}
		}
	})
}

// FuzzStreams: two directions of any bytes give the same sightings however they
// are cut, through whichever dissector. A message is a side, a length and bytes.
func FuzzStreams(f *testing.F) {
	for _, s := range samples(f) {
		for _, p := range tapes(f, s.file) {
			var raw []byte
			for _, k := range p.chunks {
				for part := range slices.Chunk(k.data[:min(len(k.data), 2000)], 255) {
					raw = append(append(raw, byte(k.side), byte(len(part))), part...)
				}
			}
			f.Add(raw[:min(len(raw), 6000)], uint8(0), uint8(0))
			f.Add(raw[:min(len(raw), 6000)], uint8(3), uint8(4))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, late, size uint8) {
		atOnce, given := dissect(t, raw, late, 255)
		inParts, givenInParts := dissect(t, raw, late, 1+int(size))
		if ndjson(atOnce) != ndjson(inParts) || !maps.Equal(given, givenInParts) {
			t.Errorf("at once %v\n%sin parts %v\n%s", given, ndjson(atOnce), givenInParts, ndjson(inParts))
		}
		for _, s := range atOnce {
			if s.Service == "" || rollcall.CheckInterval(s.Time, s.Until) != nil {
				t.Errorf("not a sighting: %s", s.AppendJSON(nil))
			}
		}
	})
}

// dissect feeds messages to a stream, cut into parts of the size; late says which
// sides have no beginning.
func dissect(t *testing.T, raw []byte, late uint8, size int) ([]ingest.Sighting, map[string]int64) {
	m, err := newMeter(atHome, rollcall.MaxEvent, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2002, 10, 3, 12, 0, 0, 0, time.UTC)
	c := &stream{meter: m, opening: wire.Opening{Start: at}}
	for side := range c.opening.Whole {
		c.opening.Whole[side] = late&(1<<side) == 0
	}
	for len(raw) >= 2 {
		side, n := wire.Side(raw[0]&1), min(int(raw[1]), len(raw)-2)
		at = at.Add(time.Second)
		for part := range slices.Chunk(raw[2:2+n], size) {
			_ = c.Feed(side, at, part)
		}
		raw = raw[2+n:]
	}
	c.End(at, wire.Closed)
	m.gateways.Close()
	m.directories.Close()
	return m.out, m.stats.GivenUp
}

func BenchmarkRead(b *testing.B) {
	file := recorded(b, oscarRecording)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(b.Context(), bytes.NewReader(file), atHome, func(ingest.Sighting) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
