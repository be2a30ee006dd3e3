package meter

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/secure"
	"rollcall/ingest/collect/meter/wire"
	"rollcall/internal/test/engines"
)

// sample is a capture of which the truth is known.
type sample struct {
	name    string
	file    []byte
	packets []sent
}

// samples gives every recording and every made capture.
func samples(t testing.TB) []sample {
	t.Helper()
	var all []sample
	for _, name := range recordings {
		all = append(all, sample{name: name, file: recorded(t, name)})
	}
	for name := range cases {
		all = append(all, sample{name: name, file: made(t, name)})
	}
	all = append(all, sample{name: "today", file: pcap(t, layers.LinkTypeEthernet, today())})
	for _, name := range []string{"ndpi_whatsapp", "ndpi_signal", "ndpi_discord"} {
		if file, err := os.ReadFile(public + name + ".pcap"); err == nil {
			all = append(all, sample{name: name, file: file})
		}
	}
	slices.SortFunc(all, func(a, b sample) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })
	for i := range all {
		all[i].packets = packetsOf(t, all[i].file)
	}
	return all
}

// today is some of today's services, told by every sign.
func today() []sent {
	var w traffic
	whatsapp, signal, discord := netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("198.51.100.2"), netip.MustParseAddr("198.51.100.3")
	w.dns(0, "g.whatsapp.net", whatsapp, time.Hour)
	for i := range 10 {
		from := time.Duration(i) * 10 * time.Minute
		w.tcp(from, from+time.Minute, at(whatsapp, 5222), []byte("ED\x00\x01and what nobody reads"))
		w.tcp(from, from+2*time.Minute, at(signal, 443), secure.Record(secure.BuildHello("chat.signal.org", []string{"h2"}, false), 80))
		w.udp(from, from+time.Minute, at(discord, 443), secure.BuildInitials(1, []byte("12345678"), secure.BuildHello("discord.com", nil, false), 3)...)
		w.tcp(from, from+time.Minute, at(discord, 443), secure.Record(secure.BuildHello("shop.example", nil, false), 80))
	}
	slices.SortStableFunc(w.out, func(a, b sent) int { return a.at.Compare(b.at) })
	for i := range w.out {
		w.out[i].data = append(linkHeader(layers.LinkTypeEthernet, false), w.out[i].data...)
	}
	return w.out
}

// mutations are what happens to packets between a wire and a capture.
var mutations = map[string]func(*rand.Rand, []sent) []sent{
	"one in ten lost":   func(d *rand.Rand, p []sent) []sent { return lose(d, p, 10) },
	"one in fifty lost": func(d *rand.Rand, p []sent) []sent { return lose(d, p, 50) },
	"one in three lost": func(d *rand.Rand, p []sent) []sent { return lose(d, p, 3) },
	"reordered":         reorder,
	"doubled": func(d *rand.Rand, p []sent) []sent {
		var out []sent
		for i := range p {
			out = append(out, p[i])
			if d.IntN(4) == 0 {
				out = append(out, sent{p[i].at, p[max(0, i-d.IntN(3))].data})
			}
		}
		return out
	},
	"cut short": func(d *rand.Rand, p []sent) []sent {
		for i := range p {
			if d.IntN(10) == 0 {
				p[i].data = p[i].data[:d.IntN(len(p[i].data)+1)]
			}
		}
		return p
	},
	"begun late":          func(d *rand.Rand, p []sent) []sent { return p[d.IntN(len(p)):] },
	"ended early":         func(d *rand.Rand, p []sent) []sent { return p[:d.IntN(len(p))] },
	"one direction alone": func(d *rand.Rand, p []sent) []sent { return oneWay(d, p) },
	"a direction missing of some": func(d *rand.Rand, p []sent) []sent {
		missing := d.Uint64()
		return slices.DeleteFunc(p, func(s sent) bool {
			flow, ok := flowOf(s.data)
			return ok && missing>>(flow%64)&1 != 0
		})
	},
	"sent again with other bytes": func(d *rand.Rand, p []sent) []sent { return contradict(d, p) },
	"sent again much later": func(d *rand.Rand, p []sent) []sent {
		var out []sent
		for i := range p {
			out = append(out, p[i])
			if earlier := p[d.IntN(i+1)]; d.IntN(8) == 0 && p[i].at.Sub(earlier.at) < time.Minute {
				out = append(out, sent{p[i].at, earlier.data})
			}
		}
		return out
	},
	"a hole in both":      func(d *rand.Rand, p []sent) []sent { return hole(d, p) },
	"a hole, and the end": func(d *rand.Rand, p []sent) []sent { p = hole(d, p); return p[:len(p)-d.IntN(1+len(p)/2)] },
	"lost and reordered":  func(d *rand.Rand, p []sent) []sent { return reorder(d, lose(d, p, 20)) },
	"all of it": func(d *rand.Rand, p []sent) []sent {
		return hole(d, contradict(d, reorder(d, lose(d, p, 30))))
	},
}

func reorder(d *rand.Rand, p []sent) []sent {
	for i := range len(p) - 1 {
		if j := i + 1 + d.IntN(3); j < len(p) && d.IntN(4) == 0 && p[j].at.Sub(p[i].at) < 2*time.Second {
			p[i].data, p[j].data = p[j].data, p[i].data
		}
	}
	return p
}

// contradict sends segments again, a little later, with other bytes than before.
func contradict(d *rand.Rand, p []sent) (out []sent) {
	for i := range p {
		out = append(out, p[i])
		before := p[max(0, i-d.IntN(4))]
		again := slices.Clone(before.data)
		if _, tcp := flowOf(again); !tcp || p[i].at.Sub(before.at) > time.Second || d.IntN(4) > 0 {
			continue
		}
		for at := tcpPayload(again); at < len(again); at++ {
			again[at] ^= byte(1 + d.IntN(255))
		}
		out = append(out, sent{p[i].at, again})
	}
	return out
}

// tcpPayload gives where the data of a segment over IPv4 in Ethernet begin.
func tcpPayload(b []byte) int {
	ip := 14 + 4*int(b[14]&15)
	return min(len(b), ip+4*int(b[ip+12]>>4))
}

// flowOf numbers the direction of a connection over IPv4 in Ethernet.
func flowOf(b []byte) (n uint64, ok bool) {
	if len(b) < 54 || b[12] != 8 || b[13] != 0 || b[23] != 6 || b[20]&0x3F != 0 || b[21] != 0 || len(b) < 14+4*int(b[14]&15)+20 {
		return 0, false
	}
	for _, x := range b[26:38] {
		n = (n ^ uint64(x)) * 0x100000001B3
	}
	return n>>32 ^ n, true
}

func lose(d *rand.Rand, p []sent, one int) []sent {
	return slices.DeleteFunc(p, func(sent) bool { return d.IntN(one) == 0 })
}

func hole(d *rand.Rand, p []sent) []sent {
	from := d.IntN(len(p))
	return slices.Delete(p, from, min(len(p), from+1+d.IntN(20)))
}

// oneWay leaves the packets from the addresses below others, or those above.
func oneWay(d *rand.Rand, p []sent) []sent {
	up := d.IntN(2) == 0
	return slices.DeleteFunc(p, func(s sent) bool {
		if len(s.data) < 38 {
			return true
		}
		from, to := s.data[26:30], s.data[30:34]
		order := bytes.Compare(from, to)
		if order == 0 { // a loopback: by ports
			order = bytes.Compare(s.data[34:36], s.data[36:38])
		}
		return order < 0 == up
	})
}

// slack is how far a sighting of half a capture may stand from the whole one's:
// what is already open counts from its first packet, and what is not seen to
// end lasts a keep-alive longer.
const slack = wire.KeepAlive + 5*time.Second

// slackOf is the slack of a service: an entry of a directory, not seen deleted,
// lives as long as it says.
func slackOf(s rollcall.ServiceID) time.Duration {
	if s == "netmeeting" {
		return slack + 5*time.Minute
	}
	return slack
}

// TestMutations: whatever is lost, doubled or cut, there are fewer sightings and
// never other ones.
func TestMutations(t *testing.T) { mutated(t, 12) }

// TestManyMutations is the same for longer.
func TestManyMutations(t *testing.T) {
	engines.Long(t, "a hundred seeds of every mutation")
	mutated(t, 100)
}

func mutated(t *testing.T, seeds uint64) {
	t.Helper()
	for _, s := range samples(t) {
		whole, _, err := meet(t, bytes.NewReader(s.file), atHome)
		if err != nil {
			t.Fatal(err)
		}
		if s.name == "today" && len(whole) != 3 {
			t.Errorf("today's services are %d:\n%s", len(whole), ndjson(whole))
		}
		for name, mutate := range mutations {
			for seed := range seeds {
				packets := mutate(rand.New(rand.NewPCG(seed, 9)), slices.Clone(s.packets))
				list, _, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, packets)), atHome)
				if err != nil && !errors.Is(err, rollcall.ErrInvalid) {
					t.Fatal(err)
				}
				if made := others(whole, list); len(made) > 0 {
					t.Errorf("%s, %s, seed %d: made up\n%s", s.name, name, seed, ndjson(made))
				}
			}
		}
	}
}

// TestSaidTwice: whichever message of either side comes twice, or is missing, in
// a stream without gaps, there is no sighting that was not there.
func TestSaidTwice(t *testing.T) {
	engines.Long(t, "reads every capture again for each of its messages")
	for _, s := range samples(t) {
		whole, _, err := meet(t, bytes.NewReader(s.file), atHome)
		if err != nil {
			t.Fatal(err)
		}
		all := tapes(t, s.file)
		for n, one := range all {
			for i := range one.chunks {
				for name, chunks := range map[string][]chunk{
					"twice":   slices.Insert(slices.Clone(one.chunks), i, one.chunks[i]),
					"missing": slices.Delete(slices.Clone(one.chunks), i, i+1),
				} {
					changed := *one
					changed.chunks = chunks
					some := slices.Clone(all)
					some[n] = &changed
					list, _, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, replayed(t, some, manner{link: layers.LinkTypeEthernet}))), atHome)
					if made := others(whole, list); err != nil || len(made) > 0 {
						t.Errorf("%s, connection %d, message %d %s: made up\n%s%v", s.name, n, i, name, ndjson(made), err)
					}
				}
			}
		}
	}
}

// others gives the sightings of list that whole has not.
func others(whole, list []ingest.Sighting) (made []ingest.Sighting) {
	left := make(map[string]int)
	key := func(s ingest.Sighting) string { return fmt.Sprint(s.Kind, s.Service, s.Account) }
	for _, s := range whole {
		left[key(s)]++
	}
	for _, s := range list {
		known := slices.ContainsFunc(whole, func(w ingest.Sighting) bool {
			until, end := w.Until, s.Until
			if w.Until.IsZero() {
				until, end = w.Time, s.Time
			}
			return w.Kind == s.Kind && w.Service == s.Service && (w.Account == s.Account || s.Account == "") &&
				!s.Time.Before(w.Time.Add(-slackOf(s.Service))) && !end.After(until.Add(slackOf(s.Service)))
		})
		if known && (s.Kind == rollcall.Login || s.Kind == rollcall.LoginFailed) && s.Account != "" {
			left[key(s)]--
			known = left[key(s)] >= 0
		}
		if !known {
			made = append(made, s)
		}
	}
	return made
}
