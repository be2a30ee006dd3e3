package hll

import "math/bits"

// mix is MurmurHash3's 64-bit finaliser, a bijection of the 64-bit words, and
// the hash of every id in a sketch. ClickHouse calls it intHash64 in its
// source. 0 hashes to 0.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return x
}

const (
	// sqlSalt is what ClickHouse's SQL function intHash64 mixes its argument
	// with first, so that it is another function than the one above.
	sqlSalt = 0x4cf2d2baae6da887
	// minuteStep spreads the minutes of a visitor over the ids: 2^64 divided by
	// the golden ratio, odd, so that no two minutes of one visitor share an id.
	minuteStep = 0x9e3779b97f4a7c15
)

// PairID is the id of the pair of pseudonym v and a unix minute, to be added to
// a sketch as any id is. It is what ClickHouse's SQL says in
//
//	intHash64(v) + toUInt64(minute) * 11400714819323198485
//
// modulo 2^64: the finaliser of MurmurHash3 of v xor 0x4cf2d2baae6da887, plus
// minute * 0x9e3779b97f4a7c15.
func PairID(v uint64, minute int64) uint64 {
	return mix(v^sqlSalt) + uint64(minute)*minuteStep
}

// rankOf is the rank of hash h among 2^k registers: the trailing zeros of the
// bits above the register's number, plus one, at most 64-k+1.
func rankOf(h uint64, k uint8) byte {
	rest := h>>(k&63) | 1<<((64-k)&63)
	return byte(bits.TrailingZeros64(rest) + 1)
}

// topRank is the highest rank that a sketch of 2^k registers can hold.
func topRank(k uint8) int { return 64 - int(k) + 1 }
