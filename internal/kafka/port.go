package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"rollcall"

	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// port is the embedded broker's TCP address, for other Kafka clients. What
// stands behind it is made for tests and trusts its clients: an unknown request
// kind stops the process, a size of 4 GiB is taken at once, and anyone may
// delete a topic. So every frame is looked at before it is passed on, and only
// what producing and consuming need is.
type port struct {
	listener net.Listener
	log      *slog.Logger
	wg       sync.WaitGroup

	mu    sync.Mutex // guards the rest
	conns map[net.Conn]struct{}
	ended bool
}

const (
	maxConns     = 64
	maxProduce   = 2 << 20   // bytes of a produce request
	maxRequest   = 256 << 10 // bytes of any other
	headerBytes  = 10        // kind, version, correlation and the client id's length
	frameTimeout = 30 * time.Second
)

func openPort(address string, log *slog.Logger) (*port, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for Kafka clients: %w", err)
	}
	return &port{listener: l, log: log, conns: make(map[net.Conn]struct{})}, nil
}

// serve passes connections on to dial until close.
func (p *port) serve(dial dialFunc, room *room) {
	p.wg.Go(func() {
		for {
			conn, err := p.listener.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.handle(conn, dial, room) })
		}
	})
}

func (p *port) handle(conn net.Conn, dial dialFunc, room *room) {
	defer conn.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	inner, err := dial(ctx, "", "")
	if err != nil {
		return
	}
	defer inner.Close()
	if !p.hold(conn, inner) {
		return
	}
	defer p.drop(conn, inner)
	p.wg.Go(func() {
		defer conn.Close()
		defer cancel()
		_, _ = io.Copy(conn, inner) // ends when either side closes
	})
	if err := p.requests(ctx, conn, inner, room); err != nil {
		p.log.Warn("a Kafka client was cut off", "client", conn.RemoteAddr().String(), "err", err)
	}
}

// hold keeps the two ends of a connection for close, if there may be one more.
func (p *port) hold(ends ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended || len(p.conns) >= 2*maxConns {
		return false
	}
	for _, c := range ends {
		p.conns[c] = struct{}{}
	}
	return true
}

func (p *port) drop(ends ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range ends {
		delete(p.conns, c)
	}
}

func (p *port) close() {
	p.listener.Close()
	p.mu.Lock()
	p.ended = true
	for c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

// requests passes a client's frames on. A frame is its size, int32, then the
// request: its kind, int16, its version, int16, a correlation id, int32, the
// client's name and a body. The error says what was wrong with a frame; nil
// when the client is gone.
func (p *port) requests(ctx context.Context, conn net.Conn, inner io.Writer, room *room) error {
	head := make([]byte, 4+headerBytes)
	for {
		if _, err := io.ReadFull(conn, head); err != nil {
			return nil //nolint:nilerr // the client is gone
		}
		size := binary.BigEndian.Uint32(head)
		kind, version := kindOf(head[4:])
		if err := checkFrame(size, kind, version); err != nil {
			return err
		}
		if kind == int16(kmsg.Produce) {
			if err := room.take(ctx, int64(size)); err != nil {
				return nil //nolint:nilerr // the port is closing
			}
		}
		if err := pass(conn, inner, head, int(size)-headerBytes); err != nil {
			return err
		}
	}
}

func kindOf(request []byte) (kind, version int16) {
	return int16(binary.BigEndian.Uint16(request)), int16(binary.BigEndian.Uint16(request[2:]))
}

// pass reads the whole frame before any of it goes on, so that one cut short
// holds up nobody but its sender.
func pass(conn net.Conn, inner io.Writer, head []byte, rest int) error {
	frame := make([]byte, len(head)+rest)
	copy(frame, head)
	if err := conn.SetReadDeadline(time.Now().Add(frameTimeout)); err != nil {
		return nil //nolint:nilerr // the client is gone
	}
	if _, err := io.ReadFull(conn, frame[len(head):]); err != nil {
		return fmt.Errorf("a request of %d bytes was cut short: %w", rest+headerBytes, err)
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return nil //nolint:nilerr // the client is gone
	}
	if err := checkRecords(frame[4:]); err != nil {
		return err
	}
	if kind, version := kindOf(frame[4:]); kind == int16(kmsg.ApiVersions) {
		frame = hello(min(max(version, 0), 3), frame[8:12])
	}
	_, _ = inner.Write(frame) // where the broker is gone, the next read ends
	return nil
}

// checkFrame refuses a request that the broker should not see.
func checkFrame(size uint32, kind, version int16) error {
	most := uint32(maxRequest)
	if kind == int16(kmsg.Produce) {
		most = maxProduce
	}
	known := slices.Contains(servedKinds(), kmsg.Key(kind))
	switch {
	case !known:
		return &rollcall.Invalid{Field: "request kind", Value: fmt.Sprint(kind), Reason: "is not served", Code: "kind"}
	case size < headerBytes || size > most:
		return &rollcall.Invalid{Field: "request size", Value: fmt.Sprint(size), Reason: fmt.Sprintf("is not %d to %d", headerBytes, most), Code: "size"}
	case kind != int16(kmsg.ApiVersions) && !spokenVersion(kind, version):
		return &rollcall.Invalid{Field: "request version", Value: fmt.Sprint(version), Reason: "is not known", Code: "version"}
	}
	return nil
}

// spoken are the versions of requests that the embedded broker takes: Kafka
// 2.3's, the last without tagged fields. Whoever reads those counts up to 2^32
// tags that a request of 20 bytes may claim.
func spoken() *kversion.Versions { return kversion.V2_3_0() }

func spokenVersion(kind, version int16) bool {
	most, ok := spoken().LookupMaxKeyVersion(kind)
	return ok && 0 <= version && version <= most
}

// hello makes the request that asks for the versions, which a client sends
// first and in its own newest version. Only the version and the correlation id
// of the client's are kept.
func hello(version int16, correlation []byte) []byte {
	body := []byte{0xff, 0xff} // no client
	if version > 2 {
		body = append(body, 0, 1, 1, 0) // no tags, two empty strings, no tags
	}
	frame := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	frame = binary.BigEndian.AppendUint16(frame, uint16(kmsg.ApiVersions))
	frame = binary.BigEndian.AppendUint16(frame, uint16(version))
	return append(append(frame, correlation...), body...)
}

// servedKinds are the requests of producers and consumers. None removes or
// changes a topic.
func servedKinds() []kmsg.Key {
	return []kmsg.Key{
		kmsg.Produce, kmsg.Fetch, kmsg.ListOffsets, kmsg.Metadata,
		kmsg.OffsetCommit, kmsg.OffsetFetch, kmsg.FindCoordinator,
		kmsg.JoinGroup, kmsg.Heartbeat, kmsg.LeaveGroup, kmsg.SyncGroup,
		kmsg.DescribeGroups, kmsg.ListGroups, kmsg.SASLHandshake, kmsg.ApiVersions,
		kmsg.InitProducerID, kmsg.OffsetForLeaderEpoch, kmsg.DescribeConfigs,
	}
}
