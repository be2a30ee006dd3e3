package clickhouse

import (
	"encoding/binary"
	"errors"
	"testing"

	"rollcall"
)

// encodeMinutes writes what decodeMinutes reads.
func encodeMinutes(m *rollcall.Minutes) []byte {
	list := appendMinutes(nil, m)
	b := binary.AppendUvarint(nil, uint64(len(list)))
	for _, at := range list {
		b = binary.LittleEndian.AppendUint16(b, at)
	}
	return b
}

// malformedMinutes are refused.
var malformedMinutes = map[string][]byte{
	"nothing":         {},
	"no length's end": {0x80},
	"too few":         {2, 1, 0},
	"half a minute":   {1, 1},
	"too many":        {0, 1, 0},
	"a late minute":   {1, 0x44, 0x07}, // rollcall.MaxMinute
	"a length beyond": {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
	"twice as long":   {0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 1, 0},
}

func TestDecodeMinutesRefuses(t *testing.T) {
	for name, b := range malformedMinutes {
		if m, err := decodeMinutes(b); !errors.Is(err, errMinutes) {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
}

func FuzzDecodeMinutes(f *testing.F) {
	for _, b := range malformedMinutes {
		f.Add(b)
	}
	var all rollcall.Minutes
	all.AddRange(0, rollcall.MaxMinute)
	f.Add(encodeMinutes(&all))
	f.Add([]byte{3, 5, 0, 0, 1, 5, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMinutes(b)
		if err != nil {
			return
		}
		again, err := decodeMinutes(encodeMinutes(&m))
		if err != nil || again != m {
			t.Errorf("%x reads as %v, and that as %v, %v", b, m, again, err)
		}
	})
}
