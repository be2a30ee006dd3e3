package audience

import (
	"encoding/binary"
	"fmt"
	"math"

	"rollcall"
	"rollcall/aggregate/panel"
)

// Condition is what a sample's people and weights are like.
type Condition struct {
	Meta       *rollcall.WeightsMeta
	Quality    panel.Quality
	Home, Work int // metered there
}

// Condition is the month's own, where its people and weights are; the last
// month's of a pooled sample. The weights'
// ID is a hash of their values in the roster's order.
func (s *Sample) Condition() *Condition {
	if own := s.Last().Whole; (s.roster == nil || s.pool != nil) && s != own {
		return own.Condition()
	}
	s.judged.once.Do(func() {
		for i := range s.Weights.Len() {
			at := s.Person(int32(i)).Metered
			s.judged.Home += int(at & rollcall.Home / rollcall.Home)
			s.judged.Work += int(at & rollcall.Work / rollcall.Work)
		}
		q := s.raked.Quality()
		m := &rollcall.WeightsMeta{
			N: q.N, Deff: q.Deff, NEff: q.NEff, Efficiency: 100 * q.Efficiency,
			MinWeight: q.MinWeight, MaxWeight: q.MaxWeight, Iterations: q.Iterations, Trimming: "none",
		}
		if q.Trimming != nil {
			m.Trimming = fmt.Sprintf("[%g, %g] times the mean weight", q.Trimming.Floor, q.Trimming.Cap)
		}
		bits := make([]byte, 0, 8*len(s.Final))
		for _, x := range s.Final {
			bits = binary.BigEndian.AppendUint64(bits, math.Float64bits(x))
		}
		m.ID = rollcall.HashOf(bits).String()
		s.judged.Meta, s.judged.Quality = m, q
	})
	return &s.judged.Condition
}
