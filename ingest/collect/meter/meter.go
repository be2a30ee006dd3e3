package meter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"rollcall"
	"rollcall/ingest"
)

// Install is a meter's installation: what every sighting of it shares.
type Install struct {
	Market   rollcall.MarketID
	Location rollcall.Location // one place
	Panel    rollcall.PanelID  // with Panelist, or both empty
	Panelist string            // whose machine it is; accounts are then dropped
	Source   string            // the meter's own name, optional
}

// Validate says what is wrong with the installation, if anything: an
// ErrInvalid.
func (in Install) Validate() error {
	if err := rollcall.CheckID("market", string(in.Market)); err != nil {
		return err
	}
	if !in.Location.One() {
		return &rollcall.Invalid{Field: "location", Value: in.Location.String(), Reason: "is not home, work or elsewhere", Code: "location"}
	}
	if (in.Panel == "") != (in.Panelist == "") {
		return &rollcall.Invalid{Field: "panelist", Value: in.Panelist, Reason: "needs a panel, and a panel a panelist", Code: "panelist"}
	}
	if in.Panel == "" {
		return nil
	}
	return rollcall.CheckID("panel", string(in.Panel))
}

// stamp puts the installation on a dissector's sighting. With a panelist the
// account ends here.
func (in Install) stamp(s ingest.Sighting) ingest.Sighting {
	s.Market, s.Location, s.Source = in.Market, in.Location, in.Source
	if in.Panelist != "" {
		s.Panel, s.Panelist, s.Account = in.Panel, in.Panelist, ""
	}
	return s
}

// Stats counts what a meter read and what it left.
type Stats struct {
	Packets     int64            // packets read
	Bytes       int64            // bytes captured of them
	NoTCP       int64            // packets with no TCP segment in them
	Connections int64            // TCP connections
	Overflow    int64            // packets of connections over the limit, not followed
	Gaps        int64            // holes in streams: packets that the capture missed
	Protocols   map[string]int64 // connections by the dissector that knew them
	GivenUp     map[string]int64 // connections that a dissector gave up, by reason
	Unnamed     int64            // sightings with no account: left out, unless the panelist is known
	Sightings   int64            // yielded
	First, Last time.Time        // the earliest and the latest packet
}

// checkEvery is how many packets are read between looks at the context.
const checkEvery = 256

// Read reads a capture, pcap or pcapng, plain or packed with gzip or zstd, and
// yields its sightings in a fixed order; a presence is yielded when it ends, or
// at the capture's end up to the last packet.
//
// A capture that is cut short or damaged yields what stands before the damage,
// and the error, an ErrInvalid, names the packet. An error of yield stops the
// reading and is returned.
func Read(ctx context.Context, r io.Reader, install Install, yield func(ingest.Sighting) error) (Stats, error) {
	m, err := newMeter(install, rollcall.MaxEvent, yield)
	if err != nil {
		return Stats{}, err
	}
	src, err := openCapture(r)
	if err != nil {
		return m.stats, err
	}
	defer src.close()
	return m.run(ctx, src)
}

// packets is where packets come from.
type packets interface {
	next() (packet, error) // io.EOF at the end
}

// run reads to the end or to the first error, then closes what is open.
func (m *meter) run(ctx context.Context, src packets) (Stats, error) {
	reading := m.read(ctx, src)
	if ctx.Err() != nil && reading != nil {
		return m.stats, reading
	}
	if errors.Is(reading, errYield) {
		return m.stats, reading
	}
	if err := m.close(); err != nil {
		return m.stats, err
	}
	return m.stats, reading
}

func (m *meter) read(ctx context.Context, src packets) error {
	for {
		if m.stats.Packets%checkEvery == 0 && ctx.Err() != nil {
			return fmt.Errorf("meter: after packet %d: %w", m.stats.Packets, ctx.Err())
		}
		p, err := src.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := m.packet(p); err != nil {
			return err
		}
	}
}
