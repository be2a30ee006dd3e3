// Package meter reads packets, from a capture file or a live interface, and
// says who used which messaging service. Packets become TCP streams, streams
// are handed to the dissector that knows their first bytes, on any port, and
// dissectors yield sightings.
//
//	file or interface -> packets -> datagrams -> connections -> streams -> dissector -> sighting
//	                                                             ^              |
//	                                                             +--- tunnel <--+
//
// Place, market and panelist are those of the meter's installation; nothing of
// them is inferred from traffic. All times are the packets' own.
//
// Read meter.go first, then capture.go and listen_linux.go (where packets come
// from), clock.go (whose time is believed), packet (what is in a packet),
// segment.go (its TCP), conns.go and conn.go (connections), order.go (their
// segments put in order), and stream.go and udp.go (who reads which protocol).
package meter
