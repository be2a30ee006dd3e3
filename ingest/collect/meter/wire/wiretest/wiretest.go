// Package wiretest plays conversations to the dissectors of line protocols, for
// their tests.
package wiretest

import (
	"fmt"
	"time"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/wire"
)

// Noon is when every conversation begins.
func Noon() time.Time { return time.Date(2002, 10, 3, 12, 0, 0, 0, time.UTC) }

// Conn is a dissector's connection.
type Conn interface {
	Feed(side wire.Side, at time.Time, data []byte) error
	Gap(side wire.Side, at time.Time)
	End(at time.Time, why wire.End)
}

// Hear feeds a conversation, "C" or "S" before each message and a minute for each,
// "G" for a gap of the client and "g" for one of the server, and gives "kind account from-until" of what was yielded, minutes after noon.
func Hear(open func(wire.Sink) Conn, why wire.End, talk ...string) ([]string, error) {
	var heard []string
	noon := Noon()
	c := open(wire.Sink{Piece: rollcall.MaxEvent, Unnamed: func() {}, Yield: func(s ingest.Sighting) {
		line := fmt.Sprintf("%s %s %g", s.Kind, s.Account, s.Time.Sub(noon).Minutes())
		if !s.Until.IsZero() {
			line += fmt.Sprintf("-%g", s.Until.Sub(noon).Minutes())
		}
		heard = append(heard, line)
	}})
	for i, message := range talk {
		side := wire.Client
		if message[0] == 'S' || message[0] == 'g' {
			side = wire.Server
		}
		if message[0] == 'G' || message[0] == 'g' {
			c.Gap(side, noon.Add(time.Duration(i)*time.Minute))
			continue
		}
		if err := c.Feed(side, noon.Add(time.Duration(i)*time.Minute), []byte(message[1:])); err != nil {
			return heard, err
		}
	}
	c.End(noon.Add(time.Duration(len(talk))*time.Minute), why)
	return heard, nil
}
