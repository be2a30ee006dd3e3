package reach

import (
	"net/netip"
	"time"

	"rollcall"
	"rollcall/ingest/collect/meter/secure"
	"rollcall/ingest/collect/meter/wire"
)

// ByHello credits a flow by the ClientHello that opened it: to the service of
// the server's name, or of its application protocol. With ECH the name is not
// the one that is meant, and nobody is credited. Where there is no name, the
// address decides.
func (t *Tracker) ByHello(o wire.Opening, h secure.Hello, sign wire.Sign) {
	t.named(h.Name)
	f := o.Flow
	if f == nil {
		return
	}
	*f = wire.Flow{Settled: true}
	if h.Hidden || o.Owner == wire.Others {
		return
	}
	if h.Name != "" {
		f.Service, f.Sign = t.table.ByName(h.Name), sign
	}
	for _, protocol := range h.ALPN {
		if f.Service != "" {
			return
		}
		f.Service, f.Sign = t.table.ByALPN(protocol), sign
	}
	if h.Name == "" && f.Service == "" {
		f.Settled = false
		t.ByAddress(o)
	}
}

// named tells the sink of a server's name that was seen.
func (t *Tracker) named(name string) {
	if name != "" && t.sink.Named != nil {
		t.sink.Named(name)
	}
}

// ByBytes credits a flow by the client's first bytes; more says that further
// ones may decide.
func (t *Tracker) ByBytes(o wire.Opening, head []byte) (known, more bool) {
	service, more := t.table.ByBytes(head, o.Ends[wire.Server].Port())
	if service == "" || o.Flow == nil || o.Owner == wire.Others {
		return false, more
	}
	*o.Flow = wire.Flow{Service: service, Sign: wire.ByBytes, Settled: true}
	return true, false
}

// ByDatagram credits a flow by the client's first datagram, and reports whether
// it could.
func (t *Tracker) ByDatagram(o wire.Opening, b []byte) bool {
	service := t.table.ByDatagram(b, o.Ends[wire.Server].Port())
	if service == "" || o.Flow == nil || o.Owner == wire.Others {
		return false
	}
	*o.Flow = wire.Flow{Service: service, Sign: wire.ByBytes, Settled: true}
	return true
}

// ByAddress credits a flow by its server's address: by what DNS gave it for, or
// by the lists. A flow that is settled stays as it is.
func (t *Tracker) ByAddress(o wire.Opening) {
	f := o.Flow
	if f == nil || f.Settled || o.Owner == wire.Others {
		return
	}
	f.Settled = true
	f.Service, f.Sign = t.address(o.Ends[wire.Client].Addr(), o.Ends[wire.Server].Addr(), o.Start)
}

// ByDNS gives the service for whose name DNS told the client the server's
// address; empty where that is not known.
func (t *Tracker) ByDNS(client, server netip.Addr, at time.Time) rollcall.ServiceID {
	s, _ := t.names.find(client, server, at)
	return s
}

func (t *Tracker) address(client, server netip.Addr, at time.Time) (service, sign) {
	if s, known := t.names.find(client, server, at); known {
		return s, wire.ByDNS
	}
	return t.table.ByAddress(server), wire.ByList
}
