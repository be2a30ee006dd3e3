package meter

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/klauspost/compress/zstd"

	"rollcall"
	"rollcall/ingest/collect/meter/packet"
	"rollcall/internal/gunzip"
)

// frame is one captured packet; its data is valid until the next.
type frame struct {
	at   time.Time
	link layers.LinkType
	data []byte
}

// capture is a capture file being read.
type capture struct {
	read  func() ([]byte, gopacket.CaptureInfo, error)
	link  func(gopacket.CaptureInfo) layers.LinkType
	close func()
	done  int64 // packets read
	at    int64 // bytes read of a pcap; negative where blocks hide it
}

// The first four bytes of what can be read.
const (
	magicNg   = 0x0A0D0D0A
	magicZstd = 0xFD2FB528
	magicGzip = 0x1F8B // the first two
)

const (
	fileHeader   = 24
	recordHeader = 16
	windowMost   = 64 << 20 // the most that unpacking zstd may hold
	readAhead    = 64 << 10
)

// openCapture reads a capture's header and tells its kind by its first bytes.
func openCapture(r io.Reader) (*capture, error) {
	plain, done, err := unpack(bufio.NewReaderSize(r, readAhead))
	if err != nil {
		return nil, err
	}
	magic, err := plain.Peek(4)
	if err != nil {
		done()
		return nil, unreadable(err)
	}
	open := openPcap
	if binary.BigEndian.Uint32(magic) == magicNg {
		open = openNg
	}
	c, err := open(plain)
	if err != nil {
		done()
		return nil, unreadable(err)
	}
	c.close = done
	return c, nil
}

// unreadable is the one error of a file that is no capture; a failing disk is
// another matter.
func unreadable(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("too short")
	}
	if strings.HasPrefix(err.Error(), "Unknown magic") { // the library's words for a file of another kind
		return fmt.Errorf("capture is not a pcap or pcapng file: %w", rollcall.ErrInvalid)
	}
	return fmt.Errorf("capture is not a pcap or pcapng file that can be read (%v): %w", err, rollcall.ErrInvalid)
}

// unpack unpacks gzip or zstd; done frees what unpacking holds.
func unpack(r *bufio.Reader) (plain *bufio.Reader, done func(), err error) {
	none := func() {}
	magic, err := r.Peek(4)
	if err != nil {
		return r, none, nil //nolint:nilerr // too short: the caller says so
	}
	switch {
	case binary.BigEndian.Uint16(magic) == magicGzip:
		z, err := gunzip.NewReader(r)
		if err != nil {
			return nil, nil, fmt.Errorf("capture: unpack gzip: %v: %w", err, rollcall.ErrInvalid)
		}
		return bufio.NewReaderSize(z, readAhead), none, nil
	case binary.LittleEndian.Uint32(magic) == magicZstd:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(windowMost))
		if err != nil {
			return nil, nil, fmt.Errorf("capture: unpack zstd: %v: %w", err, rollcall.ErrInvalid)
		}
		return bufio.NewReaderSize(z, readAhead), z.Close, nil
	}
	return r, none, nil
}

func openPcap(r *bufio.Reader) (*capture, error) {
	p, err := pcapgo.NewReader(r)
	if err != nil {
		return nil, err
	}
	link := p.LinkType()
	if !packet.Readable(link) {
		return nil, fmt.Errorf("its link type %d is none that can be read", uint32(link))
	}
	return &capture{
		read: p.ZeroCopyReadPacketData,
		link: func(gopacket.CaptureInfo) layers.LinkType { return link },
		at:   fileHeader,
	}, nil
}

func openNg(r *bufio.Reader) (*capture, error) {
	p, err := pcapgo.NewNgReader(r, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
	if err != nil {
		return nil, err
	}
	link := func(ci gopacket.CaptureInfo) layers.LinkType {
		iface, err := p.Interface(ci.InterfaceIndex)
		if err != nil {
			return layers.LinkTypeEthernet
		}
		return iface.LinkType
	}
	return &capture{read: p.ZeroCopyReadPacketData, link: link, at: -1}, nil
}

// next gives the next packet; io.EOF only at the end of a whole packet.
func (c *capture) next() (frame, error) {
	data, ci, err := c.read()
	if errors.Is(err, io.EOF) && ci.CaptureLength == 0 {
		return frame{}, io.EOF
	}
	if err != nil {
		return frame{}, c.damaged(err)
	}
	c.done++
	if c.at >= 0 {
		c.at += recordHeader + int64(len(data))
	}
	return frame{at: ci.Timestamp.UTC(), link: c.link(ci), data: data}, nil
}

// damaged says in one line where the good part ends.
func (c *capture) damaged(err error) error {
	where := fmt.Sprintf("packet %d", c.done+1)
	if c.at >= 0 {
		where += fmt.Sprintf(" (byte %d)", c.at)
	}
	if behind := (*gunzip.Behind)(nil); errors.As(err, &behind) {
		return fmt.Errorf("capture %w; the %d packets before were read: %w", behind, c.done, rollcall.ErrInvalid)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("capture ends inside %s; the %d before it were read: %w", where, c.done, rollcall.ErrInvalid)
	}
	return fmt.Errorf("capture is damaged at %s (%v); the %d before it were read: %w", where, err, c.done, rollcall.ErrInvalid)
}
