package meter

import (
	"context"
	"fmt"
	"io"
	"time"

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
	m, err := newMeter(install, livePiece, yield)
	if err != nil {
		return Stats{}, err
	}
	handle, err := pcapgo.NewEthernetHandle(device)
	if err != nil {
		return m.stats, fmt.Errorf("listen on %q: %w", device, err)
	}
	defer context.AfterFunc(ctx, func() { handle.Close() })()
	defer handle.Close()
	return m.run(context.WithoutCancel(ctx), &live{handle: handle, stopped: ctx.Err, dropped: &m.stats.Dropped})
}

// live is an interface being read.
type live struct {
	handle  *pcapgo.EthernetHandle
	stopped func() error // not nil once the handle may be closed
	read    int
	dropped *int64 // what the kernel could not give
}

// askEvery is how many packets are read between looks at what was dropped.
const askEvery = 1024

// next waits for a packet; the end of the context is the end of packets.
func (l *live) next() (frame, error) {
	if l.read++; l.read%askEvery == 0 {
		if stats, err := l.handle.Stats(); err == nil { // of the time since it was last asked
			*l.dropped += int64(stats.Drops)
		}
	}
	data, ci, err := l.handle.ZeroCopyReadPacketData()
	if err != nil && l.stopped() != nil {
		return frame{}, io.EOF
	}
	if err != nil {
		return frame{}, fmt.Errorf("listen: %w", err)
	}
	return frame{at: ci.Timestamp.UTC(), link: layers.LinkTypeEthernet, data: data}, nil
}
