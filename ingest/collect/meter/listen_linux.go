package meter

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"rollcall/ingest"
)

// livePiece is how long a presence grows before Listen yields it: what is lost
// with the machine is less than that.
const livePiece = 10 * time.Minute

// Listen reads a live interface until the context ends, which is no error, and
// yields as Read does, a long presence in pieces of ten minutes. It takes the
// right to open a packet socket (CAP_NET_RAW).
func Listen(ctx context.Context, device string, install Install, yield func(ingest.Sighting) error) (Stats, error) {
	return listen(ctx, device, install, yield, func(p packets) packets { return p })
}

// known refuses an interface that is not there, and says which are.
func known(device string) error {
	if _, err := net.InterfaceByName(device); err == nil {
		return nil
	}
	all, err := net.Interfaces()
	if err != nil {
		return fmt.Errorf("listen on %q: %w", device, err)
	}
	var names []string
	for _, one := range all {
		names = append(names, one.Name)
	}
	return fmt.Errorf("interface %q: this machine has none of that name; it has %s", device, strings.Join(names, ", "))
}

// listen is Listen, with something between the interface and the meter.
func listen(ctx context.Context, device string, install Install, yield func(ingest.Sighting) error, between func(packets) packets) (Stats, error) {
	m, err := newMeter(install, livePiece, yield)
	if err != nil {
		return Stats{}, err
	}
	if err := known(device); err != nil {
		return m.stats, err
	}
	handle, err := pcapgo.NewEthernetHandle(device)
	if err != nil {
		return m.stats, fmt.Errorf("listen on %q: %w", device, err)
	}
	defer handle.Close()
	l := &live{handle: handle, stopped: ctx.Err, dropped: &m.stats.Dropped}
	defer context.AfterFunc(ctx, func() {
		l.ask()
		_ = handle.Close() // which ends the reading
	})()
	return m.run(context.WithoutCancel(ctx), between(l))
}

// live is an interface being read.
type live struct {
	handle  *pcapgo.EthernetHandle
	stopped func() error // not nil once the handle may be closed
	asked   time.Time    // when the kernel was last asked
	kernel  atomic.Int64 // what it said that it dropped
	dropped *int64       // the same, for who reads
	tagged  []byte       // a packet with its tag
}

// askEvery is the time between two questions to the kernel what it dropped.
const askEvery = time.Second

// ask asks the kernel, which tells what it dropped since it was last asked.
func (l *live) ask() {
	if stats, err := l.handle.Stats(); err == nil {
		l.kernel.Add(int64(stats.Drops))
	}
}

// next waits for a packet; the end of the context is the end of packets.
func (l *live) next() (frame, error) {
	data, ci, err := l.handle.ZeroCopyReadPacketData()
	if err != nil && l.stopped() != nil {
		*l.dropped = l.kernel.Load()
		return frame{}, io.EOF
	}
	if err != nil {
		return frame{}, fmt.Errorf("listen: %w", err)
	}
	if since := ci.Timestamp.Sub(l.asked); since >= askEvery || since < 0 {
		l.asked = ci.Timestamp
		l.ask()
		*l.dropped = l.kernel.Load()
	}
	return frame{at: ci.Timestamp.UTC(), link: layers.LinkTypeEthernet, data: l.tag(data, ci)}, nil
}

// addresses is the length of an Ethernet frame's two addresses.
const addresses = 12

// tag puts a packet's VLAN back in its place: the kernel takes the tag out and
// gives its number beside the packet.
func (l *live) tag(data []byte, ci gopacket.CaptureInfo) []byte {
	if len(ci.AncillaryData) == 0 || len(data) < addresses {
		return data
	}
	vlan, ok := ci.AncillaryData[0].(int)
	if !ok {
		return data
	}
	l.tagged = append(l.tagged[:0], data[:addresses]...)
	l.tagged = binary.BigEndian.AppendUint16(l.tagged, uint16(layers.EthernetTypeDot1Q))
	l.tagged = binary.BigEndian.AppendUint16(l.tagged, uint16(vlan))
	l.tagged = append(l.tagged, data[addresses:]...)
	return l.tagged
}
