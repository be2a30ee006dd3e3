package oscar

import (
	"encoding/binary"
	"time"

	"rollcall/ingest"
	"rollcall/ingest/collect/meter/wire"
)

var noon = time.Date(2002, 10, 3, 12, 0, 0, 0, time.UTC)

var whole = wire.Opening{Start: noon, Whole: [2]bool{true, true}}

func join(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func u16(v int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }

func flap(channel byte, seq int, body ...[]byte) []byte {
	b := join(body...)
	return join([]byte{mark, channel}, u16(seq), u16(len(b)), b)
}

func snacs(seq, family, subtype int, body ...[]byte) []byte {
	return flap(snac, seq, u16(family), u16(subtype), make([]byte, 6), join(body...))
}

func tlv(typ int, value string) []byte { return join(u16(typ), u16(len(value)), []byte(value)) }

func greeting(seq int, tlvs ...[]byte) []byte {
	return flap(signOn, seq, []byte{0, 0, 0, 1}, join(tlvs...))
}

func named(name string) []byte { return append([]byte{byte(len(name))}, name...) }

// say is one message of a conversation: a side, minutes after noon, bytes.
type say struct {
	side   wire.Side
	minute int
	data   []byte
}

const (
	client = wire.Client
	server = wire.Server
)

// login is a whole login connection of the name, answered by the TLVs.
func login(name string, answer ...[]byte) []say {
	return []say{
		{client, 0, greeting(1)}, {server, 0, greeting(100)},
		{client, 0, snacs(2, bucp, challengeRequest, tlv(tlvName, name))},
		{server, 0, snacs(101, bucp, 7, u16(2), []byte("k1"))},
		{client, 0, snacs(3, bucp, loginRequest, tlv(tlvName, name), tlv(tlvClient, "AIM 5.1"), tlv(0x25, "HASHHASHHASHHASH"))},
		{server, 0, snacs(102, bucp, loginReply, tlv(tlvName, name), join(answer...))},
		{server, 0, flap(signOff, 103)},
	}
}

func accept(secret string) []byte {
	return join(tlv(tlvAddress, "10.0.0.1:5190"), tlv(tlvCookie, secret))
}

// begin is the opening of a connection with a cookie to a server of the families.
func begin(secret string, families ...int) []say {
	var list []byte
	for _, f := range families {
		list = append(list, u16(f)...)
	}
	return []say{
		{client, 1, greeting(1, tlv(tlvCookie, secret))}, {server, 1, greeting(100)},
		{server, 1, snacs(101, oservice, hostOnline, list)},
	}
}

var bos = []int{1, 2, 3, 4, 9, 0x13}

// run feeds a conversation to a connection until it errs, ends it a minute
// after its last word, and gives the error.
func run(s *Sessions, o wire.Opening, why wire.End, talk []say) error {
	c := s.Open(o)
	var at time.Time
	for _, message := range talk {
		at = noon.Add(time.Duration(message.minute) * time.Minute)
		if err := c.Feed(message.side, at, message.data); err != nil {
			c.End(at, wire.Nonsense)
			return err
		}
	}
	c.End(at.Add(time.Minute), why)
	return nil
}

// heard is a Sessions with what it yielded.
type heard struct {
	*Sessions
	list    []ingest.Sighting
	unnamed int
}

func listen(piece time.Duration) *heard {
	h := &heard{}
	h.Sessions = New(wire.Sink{Piece: piece, Yield: func(s ingest.Sighting) { h.list = append(h.list, s) }, Unnamed: func() { h.unnamed++ }})
	return h
}

// lines gives the sightings as "kind service account from until", minutes
// after noon.
func (h *heard) lines() []string {
	var out []string
	for _, s := range h.list {
		out = append(out, line(s))
	}
	return out
}
