package tunnel

import (
	"rollcall/ingest/collect/meter/inflate"
	"rollcall/ingest/collect/meter/wire"
)

// Inner opens what is found inside, within a budget.
type Inner struct {
	Open func(wire.Opening) wire.Dissector // a stream of whatever protocol
	XMPP func(wire.Opening) wire.Dissector // XMPP of which every element stands for itself

	Budget *inflate.Budget // of what is held to unpack
}

// within gives the opening of what begins inside a connection.
func within(o wire.Opening, whole bool) wire.Opening {
	o.Whole = [2]bool{whole, whole}
	o.Depth++
	return o
}
