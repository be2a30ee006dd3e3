package report

import (
	"encoding/binary"
	"fmt"
	"math"

	"rollcall"
	"rollcall/aggregate/panel"
)

// condition is what a sample's people and weights are like.
type condition struct {
	meta       *rollcall.WeightsMeta
	quality    panel.Quality
	home, work int // metered there
}

// condition is the month's own, where its people and weights are. The weights'
// ID is a hash of their values in the roster's order.
func (s *sample) condition() *condition {
	if own := s.last().whole; s.roster == nil && s != own {
		return own.condition()
	}
	s.judged.once.Do(func() {
		for i := range s.weights.Len() {
			at := s.person(int32(i)).Metered
			s.judged.home += int(at & rollcall.Home / rollcall.Home)
			s.judged.work += int(at & rollcall.Work / rollcall.Work)
		}
		q := s.weights.Quality()
		m := &rollcall.WeightsMeta{
			N: q.N, Deff: q.Deff, NEff: q.NEff, Efficiency: 100 * q.Efficiency,
			MinWeight: q.MinWeight, MaxWeight: q.MaxWeight, Iterations: q.Iterations, Trimming: "none",
		}
		if q.Trimming != nil {
			m.Trimming = fmt.Sprintf("[%g, %g] times the mean weight", q.Trimming.Floor, q.Trimming.Cap)
		}
		bits := make([]byte, 0, 8*len(s.final))
		for _, x := range s.final {
			bits = binary.BigEndian.AppendUint64(bits, math.Float64bits(x))
		}
		m.ID = rollcall.HashOf(bits).String()
		s.judged.meta, s.judged.quality = m, q
	})
	return &s.judged.condition
}
