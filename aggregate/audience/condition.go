package audience

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"rollcall"
	"rollcall/aggregate/panel"
)

// Condition is what a sample's people and weights are like.
type Condition struct {
	Meta       *rollcall.WeightsMeta
	Quality    panel.Quality
	Home, Work int // metered there
}

// Condition is the month's own, where its people and weights are. Of a mean of
// months it is that of the persons of them all.
func (s *Sample) Condition() *Condition {
	if own := s.Last().Whole; s.roster == nil && s != own {
		return own.Condition()
	}
	s.judged.once.Do(func() {
		q := qualityOf(s)
		s.judged.Quality, s.judged.Home, s.judged.Work = q, meteredAt(s, rollcall.Home), meteredAt(s, rollcall.Work)
		s.judged.Meta = &rollcall.WeightsMeta{
			N: q.N, Deff: q.Deff, NEff: q.NEff, Efficiency: 100 * q.Efficiency,
			MinWeight: q.MinWeight, MaxWeight: q.MaxWeight, Iterations: q.Iterations, Trimming: trimmingOf(s), ID: hashOf(s.Final).String(),
		}
	})
	return &s.judged.Condition
}

func qualityOf(s *Sample) panel.Quality {
	if s.pool != nil {
		return s.pool.Quality()
	}
	return s.raked.Quality()
}

// meteredAt counts the persons with a meter at a place.
func meteredAt(s *Sample, place rollcall.Location) int {
	var at []int32
	for i := range int32(s.Weights.Len()) {
		if s.Person(i).Metered.Has(place) {
			at = append(at, i)
		}
	}
	return s.Weights.Distinct(at)
}

// trimmingOf says how the weights were trimmed, each way once.
func trimmingOf(s *Sample) string {
	parts := []*Sample{s}
	if s.pool != nil {
		parts = s.pool.parts
	}
	var ways []string
	for _, part := range parts {
		way := "none"
		if t := part.raked.Quality().Trimming; t != nil {
			way = fmt.Sprintf("[%g, %g] times the mean weight", t.Floor, t.Cap)
		}
		if !slices.Contains(ways, way) {
			ways = append(ways, way)
		}
	}
	return strings.Join(ways, "; ")
}

// hashOf gives the hash of weights in their order.
func hashOf(weights []float64) rollcall.Hash {
	bits := make([]byte, 0, 8*len(weights))
	for _, x := range weights {
		bits = binary.BigEndian.AppendUint64(bits, math.Float64bits(x))
	}
	return rollcall.HashOf(bits)
}
