package main

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"rollcall/aggregate/hll"
)

// trial counts one series of ids at every n, and draws registers for the n
// that are too many to add.
func trial(seed, number uint64) counts {
	var c counts
	source := rand.NewPCG(seed, number)
	addIDs(&c, source)
	r := rand.New(source)
	for ki, k := range precisions {
		for i, n := range drawn {
			c[ki][len(added)+i] = drawnCount(k, n, r)
		}
	}
	return c
}

// addIDs adds the same random ids to a sketch of each K.
func addIDs(c *counts, source *rand.PCG) {
	var sketches [len(precisions)]*hll.Sketch
	for ki, k := range precisions {
		sketches[ki] = hll.New(k)
	}
	var batch [4096]uint64
	done := 0
	for ni, n := range added {
		for done < n {
			ids := batch[:min(len(batch), n-done)]
			for i := range ids {
				ids[i] = source.Uint64()
			}
			for _, s := range sketches {
				s.AddSlice(ids)
			}
			done += len(ids)
		}
		for ki, s := range sketches {
			c[ki][ni] = s.Estimate().Count
		}
	}
}

// drawnCount estimates from registers drawn for about n ids.
func drawnCount(k int, n float64, r *rand.Rand) float64 {
	ranks := make([]byte, 1<<k)
	top := 64 - k + 1
	logShare := math.Log2(n) - float64(k)
	for i := range ranks {
		rank := math.Ceil(logShare - math.Log2(r.ExpFloat64()))
		ranks[i] = byte(max(0, min(rank, float64(top))))
	}
	s, err := hll.Decode(k, largeState(ranks, top))
	if err != nil {
		panic(err) // a state written here that package hll doesn't read is a mistake in one of the two
	}
	return s.Estimate().Count
}

// largeState writes ranks as docs/formats/sketch.md says, a bit at a time.
func largeState(ranks []byte, top int) []byte {
	b := make([]byte, 1+len(ranks)*6/8)
	b[0] = 3
	count := make([]uint32, top+1)
	for i, rank := range ranks {
		count[rank]++
		at := 6 * i
		two := uint16(rank) << (at % 8)
		b[1+at/8] |= byte(two)
		if two > 255 {
			b[2+at/8] |= byte(two >> 8)
		}
	}
	for _, c := range count {
		b = binary.LittleEndian.AppendUint32(b, c)
	}
	if len(ranks) < 1<<16 {
		return binary.LittleEndian.AppendUint16(b, uint16(count[0]))
	}
	return binary.LittleEndian.AppendUint32(b, count[0])
}
