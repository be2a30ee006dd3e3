package simulate

import (
	"math"
	"math/rand/v2"
)

// purpose keeps the streams of one person and month apart.
type purpose uint64

const (
	forTurnover purpose = iota + 1
	forTraits
	forScores
	forDiary
	forCensus
	forHouseholds
	forAccounts
	forOwnCensus
)

// stream gives the random numbers of one purpose and what it is for. Two
// streams of different keys have nothing in common.
func (d *Demonstration) stream(p purpose, keys ...uint64) *rand.Rand {
	state := mix(uint64(p))
	for _, key := range keys {
		state = mix(state ^ key)
	}
	return rand.New(rand.NewPCG(mix(d.seed), state))
}

// mix is SplitMix64's step (Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// draw gives a position by its share; shares add up to 1, or what is left is
// the last one's.
func draw(r *rand.Rand, shares []float64) int {
	x := r.Float64()
	for i, share := range shares {
		if x -= share; x < 0 {
			return i
		}
	}
	return len(shares) - 1
}

// spreadOut gives a factor around 1 with a lognormal's long tail.
func spreadOut(r *rand.Rand, sigma float64) float64 { return math.Exp(sigma * r.NormFloat64()) }
