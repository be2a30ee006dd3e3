package hll

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
)

// state writes a set as bytes, whether or not it is a right one.
func state(kind byte, n uint64, keys ...uint64) []byte {
	b := binary.AppendUvarint([]byte{kind}, n)
	for _, h := range keys {
		b = binary.LittleEndian.AppendUint64(b, h)
	}
	return b
}

// upTo gives the keys 0 .. n-1.
func upTo(n uint64) []uint64 {
	keys := make([]uint64, n)
	for i := range keys {
		keys[i] = uint64(i)
	}
	return keys
}

// largeState is a right LARGE state of k, altered by edit.
func largeState(k int, edit func(b []byte)) []byte {
	s := New(k)
	for v := range uint64(1) << k {
		s.Add(v)
	}
	b := s.Append(nil)
	edit(b)
	return b
}

// counts is where the counts of a LARGE state of k begin.
func counts(k int) int { return 1 + packedSize(uint8(k)) }

// nothing is a LARGE state whose registers are all 0.
func nothing(k int) []byte {
	return appendLarge(nil, make([]byte, 1<<k))
}

// tooHigh is a LARGE state with a rank over the highest.
func tooHigh(k int) []byte {
	regs := make([]byte, 1<<k)
	regs[5] = byte(topRank(uint8(k)) + 1)
	return appendLarge(nil, regs)
}

// malformedStates holds a state of each kind that no writer writes, for K = 12
// unless its name says otherwise.
func malformedStates() map[string][]byte {
	end := func(b []byte) *byte { return &b[len(b)-1] }
	sixteenBytes := state(typeSmall, 2, 7, 8)
	medium := upTo(17)
	return map[string][]byte{
		"no bytes":                    {},
		"type 0":                      {0, 0},
		"type 4":                      state(4, 1, 7),
		"type alone":                  {typeSmall},
		"medium type alone":           {typeMedium},
		"large type alone":            {typeLarge},
		"small too short":             sixteenBytes[:len(sixteenBytes)-1],
		"small with trailing byte":    append(slices.Clone(sixteenBytes), 0),
		"small of 17":                 state(typeSmall, 17, medium...),
		"small twice the same":        state(typeSmall, 2, 7, 7),
		"small twice 0":               state(typeSmall, 3, 0, 9, 0),
		"long uvarint":                append([]byte{typeSmall, 0x81, 0x00}, make([]byte, 8)...),
		"long uvarint of 0":           {typeSmall, 0x80, 0x00},
		"endless uvarint":             append([]byte{typeSmall}, bytes.Repeat([]byte{0xff}, 12)...),
		"uvarint cut":                 {typeMedium, 0xff},
		"huge number of keys":         state(typeMedium, 1<<61, medium...),
		"medium of 0":                 state(typeMedium, 0),
		"medium of 16":                state(typeMedium, 16, upTo(16)...),
		"medium over the limit":       state(typeMedium, 129, upTo(129)...),
		"medium fewer than it says":   state(typeMedium, 18, medium...),
		"medium more than it says":    state(typeMedium, 17, upTo(18)...),
		"medium twice the same":       state(typeMedium, 17, append(upTo(16), 15)...),
		"medium at the limit, twice":  state(typeMedium, 128, append(upTo(127), 3)...),
		"large too short":             largeState(12, func([]byte) {})[:3290],
		"large with trailing byte":    append(largeState(12, func([]byte) {}), 0),
		"large of K 14":               largeState(14, func([]byte) {}),
		"large of nothing":            nothing(12),
		"large with rank 54":          tooHigh(12),
		"large with other rank":       largeState(12, func(b []byte) { b[1] ^= 1 }),
		"large with other count":      largeState(12, func(b []byte) { b[counts(12)+4]++ }),
		"large with other zero count": largeState(12, func(b []byte) { b[counts(12)]++ }),
		"large with other zeros":      largeState(12, func(b []byte) { *end(b) ^= 0x40 }),
		"large with a high count":     largeState(12, func(b []byte) { b[counts(12)+4*53+3] = 0x80 }),
	}
}

func TestDecodeRefusesTheMalformed(t *testing.T) {
	for name, b := range malformedStates() {
		if s, err := Decode(12, b); !errors.Is(err, ErrMalformed) || s != nil {
			t.Errorf("%s: decoded to %v, error %v", name, s, err)
		}
		s := sketchOf(12, []uint64{1, 2, 3})
		s.MarkClean()
		if err := s.MergeState(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: merged, error %v", name, err)
		}
		if err := s.MergeStored(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: merged as stored, error %v", name, err)
		}
		requireSame(t, name, sketchOf(12, []uint64{1, 2, 3}), s)
		if s.Dirty() {
			t.Errorf("%s: dirty after nothing was merged", name)
		}
		if err := s.Decode(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: decoded over another, error %v", name, err)
		}
		requireSame(t, name+" leaves nothing", New(12), s)
	}
}

// Bytes all over the state are checked, at each width of the zeros.
func TestDecodeChecksEveryRank(t *testing.T) {
	for _, k := range []int{12, 15, 16, 18} {
		good := largeState(k, func([]byte) {})
		for at := 1; at < len(good); at += 1 + len(good)/97 {
			bad := slices.Clone(good)
			bad[at] ^= 0x10
			if _, err := Decode(k, bad); !errors.Is(err, ErrMalformed) {
				t.Fatalf("K %d: a changed bit in byte %d passes: %v", k, at, err)
			}
		}
	}
}

func TestDecodeTakesAnyOrder(t *testing.T) {
	keys := append(upTo(99), 1<<63, 1<<63+1, ^uint64(0), ^uint64(0)-1)
	want := state(typeMedium, uint64(len(keys)), slices.Sorted(slices.Values(keys))...)
	for range 3 {
		slices.Reverse(keys)
		keys[0], keys[50] = keys[50], keys[0]
		s, err := Decode(12, state(typeMedium, uint64(len(keys)), keys...))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Append(nil); !bytes.Equal(got, want) {
			t.Fatalf("not ascending: %x", got)
		}
	}
}

func TestPackingIsReversible(t *testing.T) {
	for place := range 8 {
		for rank := range uint64(64) {
			w := rank<<(8*place) | 0x010203042a3f0015&^(0xff<<(8*place))
			if got := unpack8(pack8(w) | 0xbeef<<48); got != w {
				t.Fatalf("%016x packed and unpacked is %016x", w, got)
			}
		}
	}
}

func TestMax8(t *testing.T) {
	for x := range uint64(128) {
		for y := range uint64(128) {
			a, b := x|y<<8|x<<56, y|x<<8|y<<56
			want := max(x, y) * 0x0100000000000101
			if got := max8(a, b); got != want {
				t.Fatalf("max8(%016x, %016x) = %016x, not %016x", a, b, got, want)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, b := range malformedStates() {
		f.Add(uint8(0), b)
	}
	for k := range MaxK - MinK {
		f.Add(uint8(k), state(typeSmall, 3, 0, 9, 4))
		f.Add(uint8(k), state(typeMedium, 99, upTo(99)...))
	}
	f.Add(uint8(0), state(typeMedium, 128, upTo(128)...))
	f.Add(uint8(0), largeState(12, func([]byte) {}))
	f.Fuzz(func(t *testing.T, above uint8, b []byte) {
		k := MinK + int(above)%(MaxK-MinK+1)
		s, err := Decode(k, b)
		merged := New(k)
		if again := merged.MergeState(b); (again == nil) != (err == nil) {
			t.Fatalf("decoding gives %v, merging %v", err, again)
		}
		if err != nil {
			return
		}
		requireSame(t, "merged", s, merged)
		stored := New(k)
		if err := stored.MergeStored(b); err != nil {
			t.Fatalf("merging what is stored gives %v", err)
		}
		requireSame(t, "merged as stored", s, stored)
		canonical := s.Append(nil)
		back, err := Decode(k, canonical)
		if err != nil {
			t.Fatalf("refuses its own bytes: %v", err)
		}
		requireSame(t, "decoded twice", s, back)
		if b[0] == typeLarge && !bytes.Equal(b, canonical) {
			t.Fatal("a large state is encoded otherwise")
		}
		if n, _ := binary.Uvarint(b[1:]); b[0] != typeLarge && !s.Large() && s.Estimate().Count != float64(n) {
			t.Fatalf("%d keys counted as %v", n, s.Estimate())
		}
	})
}
