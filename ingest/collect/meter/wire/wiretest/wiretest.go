// Package wiretest plays conversations to the dissectors of line protocols, for
// their tests.
package wiretest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
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
	return hear(open, why, mostPart, talk)
}

// mostPart is more than any message has.
const mostPart = 1 << 30

// hear feeds each message in parts of so many bytes.
func hear(open func(wire.Sink) Conn, why wire.End, size int, talk []string) ([]string, error) {
	var heard []string
	noon := Noon()
	c := open(wire.Sink{Piece: rollcall.MaxEvent, Unnamed: func() {}, Yield: func(s ingest.Sighting) {
		line := fmt.Sprintf("%s %s %g", s.Kind, s.Account, s.Time.Sub(noon).Minutes())
		if !s.Until.IsZero() {
			line += fmt.Sprintf("-%g", s.Until.Sub(noon).Minutes())
		}
		if s.Service == "" || rollcall.CheckInterval(s.Time, s.Until) != nil {
			line += " is none"
		}
		heard = append(heard, line)
	}})
	for i, message := range talk {
		now := noon.Add(time.Duration(i) * time.Minute)
		side := wire.Client
		if message[0] == 'S' || message[0] == 'g' {
			side = wire.Server
		}
		if message[0] == 'G' || message[0] == 'g' {
			c.Gap(side, now)
			continue
		}
		for part := range slices.Chunk([]byte(message[1:]), size) {
			if err := c.Feed(side, now, part); err != nil {
				return heard, err
			}
		}
	}
	c.End(noon.Add(time.Duration(len(talk))*time.Minute), why)
	return heard, nil
}

// sides are what a message of a fuzz test is: of the client, of the server, a gap
// of either.
const sides = "CSGg"

// Fuzz holds that a conversation of any bytes gives the same sightings however
// its messages are cut, all of them valid. The talks are where it begins.
func Fuzz(f *testing.F, open func(wire.Sink, wire.Opening) Conn, talks ...[]string) {
	f.Helper()
	for _, talk := range talks {
		var raw []byte
		for _, message := range talk {
			for part := range slices.Chunk([]byte(message[1:]), 255) {
				raw = append(append(raw, byte(strings.IndexByte(sides, message[0])), byte(len(part))), part...)
			}
		}
		f.Add(raw, uint8(0), uint8(0))
		f.Add(raw, uint8(3), uint8(4))
	}
	f.Fuzz(func(t *testing.T, raw []byte, late, size uint8) {
		var talk []string
		for len(raw) >= 2 {
			n := min(int(raw[1]), len(raw)-2)
			talk = append(talk, sides[raw[0]&3:raw[0]&3+1]+string(raw[2:2+n]))
			raw = raw[2+n:]
		}
		o := wire.Opening{Start: Noon(), Whole: [2]bool{late&1 == 0, late&2 == 0}}
		begin := func(s wire.Sink) Conn { return open(s, o) }
		atOnce, err := hear(begin, wire.Closed, mostPart, talk)
		inParts, errInParts := hear(begin, wire.Closed, 1+int(size), talk)
		if !slices.Equal(atOnce, inParts) || !errors.Is(errInParts, err) {
			t.Errorf("at once %q, %v\nin parts %q, %v", atOnce, err, inParts, errInParts)
		}
		for _, line := range atOnce {
			if strings.HasSuffix(line, " is none") {
				t.Errorf("no sighting: %s", line)
			}
		}
	})
}
