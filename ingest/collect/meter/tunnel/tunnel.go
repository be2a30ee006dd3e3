// Package tunnel unwraps what carries a messenger's stream through an office's
// proxy: HTTP CONNECT, SOCKS 4 and 5, WebSocket, and the messengers' own ways
// over HTTP (MSN's gateway.dll, Yahoo's notify, AIM's proxy, XMPP's BOSH), whose
// polls may come over many connections. What is inside is read as if it stood
// alone. Names and passwords for proxies are passed over.
package tunnel

import "rollcall/ingest/collect/meter/wire"

// Inner opens what is found inside.
type Inner struct {
	Open func(wire.Opening) wire.Dissector // a stream of whatever protocol
	XMPP func(wire.Opening) wire.Dissector // XMPP of which every element stands for itself
}

// within gives the opening of what begins inside a connection.
func within(o wire.Opening, whole bool) wire.Opening {
	o.Whole = [2]bool{whole, whole}
	return o
}
