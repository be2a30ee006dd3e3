package hll

import "math/bits"

// minuteStep spreads the minutes of one visitor over the 64-bit ids: 2^64
// divided by the golden ratio, odd, so that no two minutes share an id.
const minuteStep = 0x9e3779b97f4a7c15

// intHash64 is ClickHouse's function of that name: MurmurHash3's 64-bit
// finaliser, a bijection of the 64-bit words. 0 hashes to 0.
func intHash64(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return x
}

// PairID is the id of the pair of pseudonym v and a unix minute:
// intHash64(v) + minute * 0x9e3779b97f4a7c15 modulo 2^64. It is added to a
// sketch as any id is. In ClickHouse's SQL:
//
//	intHash64(v) + minute * 11400714819323198485
func PairID(v uint64, minute int64) uint64 {
	return intHash64(v) + uint64(minute)*minuteStep
}

// rankOf is the rank of hash h among 2^k registers: the trailing zeros of the
// bits above the register's number, plus one, at most 64-k+1.
func rankOf(h uint64, k uint8) byte {
	rest := h>>(k&63) | 1<<((64-k)&63)
	return byte(bits.TrailingZeros64(rest) + 1)
}

// topRank is the highest rank that a sketch of 2^k registers can hold.
func topRank(k uint8) int { return 64 - int(k) + 1 }
