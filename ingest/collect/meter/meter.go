package meter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/signs"
	"rollcall/ingest/collect/meter/wire"
	"rollcall/schemas"
)

// Install is a meter's installation: what every sighting of it shares.
type Install struct {
	Market   rollcall.MarketID
	Location rollcall.Location // one place
	Panel    rollcall.PanelID  // with Panelist, or both empty
	Panelist string            // whose machine it is; accounts are then dropped
	Source   string            // the meter's own name, optional
	Hosts    []netip.Prefix    // the panelist's own addresses, where they are known
	Signs    []signs.Row       // how today's services are known, beside what is built in

	Watch func(Stats) // told of the counts every second of packet time, and at the end; optional

	named func(string) // told of every server's name; for tests
}

// table gives the signs that are built in, and the installation's own.
func (in Install) table() (*signs.Table, error) {
	if len(in.Signs) == 0 {
		return builtIn()
	}
	rows, err := signs.Parse(strings.NewReader(schemas.Signatures))
	if err != nil {
		return nil, err
	}
	return signs.New(append(rows, in.Signs...))
}

// builtIn reads the signs of schemas/signatures, once.
var builtIn = sync.OnceValues(func() (*signs.Table, error) {
	rows, err := signs.Parse(strings.NewReader(schemas.Signatures))
	if err != nil {
		return nil, err
	}
	return signs.New(rows)
})

// owner says whose machine opened a connection.
func (in Install) owner(client, server netip.Addr) wire.Owner {
	ours := func(a netip.Addr) bool {
		return slices.ContainsFunc(in.Hosts, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	switch {
	case len(in.Hosts) == 0:
		return wire.Anybody
	case ours(client):
		return wire.Ours
	case ours(server):
		return wire.Others
	}
	return wire.Anybody
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

// checkEvery is how many packets are read between looks at the context.
const checkEvery = 256

// Read reads a capture, pcap or pcapng, plain or packed with gzip or zstd, and
// yields its sightings in a fixed order; a presence is yielded when it ends. One
// that is open at the capture's end ends with its own last packet, and the time
// that its protocol keeps silent.
//
// Without a panelist some sightings have no account: somebody uses a service,
// nobody knows who. They can be shown, not counted. A capture of a link type
// that can't be read is an error. A capture that is cut short or damaged yields what stands before the damage,
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
	stats, err := m.run(ctx, src)
	if err == nil && stats.UnknownLinks > 0 {
		err = fmt.Errorf("%d packets are of a link type that can't be read: %w", stats.UnknownLinks, rollcall.ErrInvalid)
	}
	return stats, err
}

// packets is where packets come from.
type packets interface {
	next() (frame, error) // io.EOF at the end
}

// run reads to the end or to the first error, then closes what is open.
func (m *meter) run(ctx context.Context, src packets) (Stats, error) {
	reading := m.read(ctx, &steady{src: src, wild: &m.stats.WildTimes})
	if ctx.Err() != nil && reading != nil {
		return m.told(), reading
	}
	if errors.Is(reading, errYield) {
		return m.told(), reading
	}
	if err := m.close(); err != nil {
		return m.told(), err
	}
	return m.told(), reading
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
