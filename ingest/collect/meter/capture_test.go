package meter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"

	"rollcall"
)

// order is the byte order of a file.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// classic writes a pcap file as other machines do: of a magic number, in a byte
// order, with so many of its time's units in a second.
func classic(order byteOrder, magic uint32, units time.Duration, link uint32, packets []sent) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = order.AppendUint32(b, 65535)
	b = order.AppendUint32(b, link)
	for _, p := range packets {
		b = order.AppendUint32(b, uint32(p.at.Unix()))
		b = order.AppendUint32(b, uint32(time.Duration(p.at.Nanosecond())/(time.Second/units)))
		b = order.AppendUint32(b, uint32(len(p.data)))
		b = order.AppendUint32(b, uint32(len(p.data)))
		b = append(b, p.data...)
	}
	return b
}

// blocks writes a pcapng file.
type blocks struct {
	order byteOrder
	out   []byte
}

func (w *blocks) block(typ uint32, body ...byte) {
	for len(body)%4 > 0 {
		body = append(body, 0)
	}
	n := uint32(12 + len(body))
	w.out = w.order.AppendUint32(w.order.AppendUint32(w.out, typ), n)
	w.out = w.order.AppendUint32(append(w.out, body...), n)
}

// section begins one, whose interfaces are numbered from 0 again.
func (w *blocks) section() {
	b := w.order.AppendUint32(nil, 0x1A2B3C4D)
	b = w.order.AppendUint16(b, 1)
	b = w.order.AppendUint16(b, 0)
	w.block(magicNg, w.order.AppendUint64(b, 1<<64-1)...)
}

// iface tells of an interface with times in units of 10^-resolution, from an
// offset in seconds.
func (w *blocks) iface(resolution byte, offset uint64) {
	b := w.order.AppendUint16(nil, uint16(layers.LinkTypeEthernet))
	b = append(b, 0, 0, 0, 0, 0, 0)
	b = w.order.AppendUint16(w.order.AppendUint16(b, 9), 1)
	b = append(b, resolution, 0, 0, 0)
	b = w.order.AppendUint16(w.order.AppendUint16(b, 14), 8)
	b = w.order.AppendUint64(b, offset)
	w.block(1, append(b, 0, 0, 0, 0)...)
}

// packet writes a packet of a time in an interface's units.
func (w *blocks) packet(iface uint32, at uint64, data []byte) {
	b := w.order.AppendUint32(nil, iface)
	b = w.order.AppendUint32(w.order.AppendUint32(b, uint32(at>>32)), uint32(at))
	b = w.order.AppendUint32(w.order.AppendUint32(b, uint32(len(data))), uint32(len(data)))
	w.block(6, append(b, data...)...)
}

// simple writes a packet without a time.
func (w *blocks) simple(data []byte) {
	w.block(3, append(w.order.AppendUint32(nil, uint32(len(data))), data...)...)
}

// interfaces writes packets of three interfaces with clocks of their own, amid
// blocks that no reader knows, in two sections.
func interfaces(order byteOrder, packets []sent) []byte {
	w := &blocks{order: order}
	const offset = 1_000_000_000
	for _, half := range [][]sent{packets[:len(packets)/2], packets[len(packets)/2:]} {
		w.section()
		w.iface(6, 0)
		w.iface(9, 0)
		w.iface(6, offset)
		w.block(0x0BAD, 1, 2, 3)
		for i, p := range half {
			switch i % 3 {
			case 0:
				w.packet(0, uint64(p.at.UnixMicro()), p.data)
			case 1:
				w.packet(1, uint64(p.at.UnixNano()), p.data)
			case 2:
				w.packet(2, uint64(p.at.UnixMicro()-offset*1e6), p.data)
			}
		}
	}
	return w.out
}

// However a capture is written, its sightings are the same.
func TestForms(t *testing.T) {
	list, _, err := meet(t, bytes.NewReader(recorded(t, oscarRecording)), atHome)
	if err != nil {
		t.Fatal(err)
	}
	packets := recordedPackets(t, oscarRecording)
	const ethernet = uint32(layers.LinkTypeEthernet)
	for name, file := range map[string][]byte{
		"microseconds":                classic(binary.LittleEndian, 0xA1B2C3D4, 1e6, ethernet, packets),
		"microseconds, big-endian":    classic(binary.BigEndian, 0xA1B2C3D4, 1e6, ethernet, packets),
		"nanoseconds":                 classic(binary.LittleEndian, 0xA1B23C4D, 1e9, ethernet, packets),
		"nanoseconds, big-endian":     classic(binary.BigEndian, 0xA1B23C4D, 1e9, ethernet, packets),
		"frames with their checksums": classic(binary.LittleEndian, 0xA1B2C3D4, 1e6, ethernet|0x24000000, packets),
		"blocks":                      interfaces(binary.LittleEndian, packets),
		"blocks, big-endian":          interfaces(binary.BigEndian, packets),
		"both byte orders":            append(interfaces(binary.BigEndian, packets[:len(packets)/2]), interfaces(binary.LittleEndian, packets[len(packets)/2:])...),
	} {
		got, stats, err := meet(t, bytes.NewReader(file), atHome)
		if err != nil || ndjson(got) != ndjson(list) || stats.Packets != int64(len(packets)) {
			t.Errorf("%s: %v, %d packets; got\n%swant\n%s", name, err, stats.Packets, ndjson(got), ndjson(list))
		}
	}
}

// A packet without a time has that of the one before it; where none has a time,
// nothing was ever seen.
func TestPacketsWithoutTimes(t *testing.T) {
	packets := recordedPackets(t, oscarRecording)
	timeless, some := &blocks{order: binary.LittleEndian}, &blocks{order: binary.LittleEndian}
	for _, w := range []*blocks{timeless, some} {
		w.section()
		w.iface(6, 0)
	}
	for i, p := range packets {
		timeless.simple(p.data)
		if i%5 == 4 {
			some.simple(p.data)
		} else {
			some.packet(0, uint64(p.at.UnixMicro()), p.data)
		}
	}
	list, stats, err := meet(t, bytes.NewReader(timeless.out), atHome)
	if err != nil || len(list) > 0 || stats.WildTimes != int64(len(packets)) {
		t.Errorf("of packets without times: %v, %d were wild; got\n%s", err, stats.WildTimes, ndjson(list))
	}
	whole, _, err := meet(t, bytes.NewReader(recorded(t, oscarRecording)), atHome)
	if err != nil {
		t.Fatal(err)
	}
	list, stats, err = meet(t, bytes.NewReader(some.out), atHome)
	if made := others(whole, list); err != nil || len(made) > 0 || len(list) != len(whole) || stats.WildTimes != int64(len(packets)/5) {
		t.Errorf("%v, %d were wild; got\n%swant\n%s", err, stats.WildTimes, ndjson(list), ndjson(whole))
	}
}

// Packets that were cut at capture lose what stands behind, and bring nothing
// that was not there.
func TestShortPackets(t *testing.T) {
	for _, s := range samples(t) {
		whole, _, err := meet(t, bytes.NewReader(s.file), atHome)
		if err != nil {
			t.Fatal(err)
		}
		for _, most := range []int{0, 13, 14, 33, 34, 53, 60, 68, 96, 128, 200, 1500} {
			packets := slices.Clone(s.packets)
			for i, p := range packets {
				packets[i].data = p.data[:min(len(p.data), most)]
			}
			list, stats, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, packets)), atHome)
			if err != nil && !errors.Is(err, rollcall.ErrInvalid) {
				t.Fatal(err)
			}
			if made := others(whole, list); len(made) > 0 {
				t.Errorf("%s, of %d bytes: made up\n%s", s.name, most, ndjson(made))
			}
			if most == 33 && stats.Damaged == 0 {
				t.Errorf("%s, of %d bytes: %+v", s.name, most, stats)
			}
		}
	}
}
