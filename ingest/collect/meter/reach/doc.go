// Package reach says which of today's services were used, and when, from what
// can be seen of traffic that hides its content: not by whom, which the meter's
// installation knows, and not for what.
//
// Flows are known by signs: a server's name in TLS or QUIC, first bytes, an
// address that DNS gave for a name, an address list. The flows of one service
// make sessions: activity without a gap of half an hour.
//
// Read session.go first, then flow.go (what a flow is credited to), names.go and
// dns.go (addresses by DNS).
package reach
