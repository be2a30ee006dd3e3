package panel

import (
	"fmt"
	"math"
	"strconv"

	"rollcall"
)

// Thresholds are the raw persons that a figure needs. 0 withholds nothing. They
// are those of NCHS, which flags a relative standard error of 30 % too.
type Thresholds struct {
	Low     int `json:"low"`     // under it a figure is withheld
	Caution int `json:"caution"` // under it a figure is flagged
}

// Usual gives the method's thresholds, 30 and 60.
func Usual() Thresholds { return Thresholds{Low: 30, Caution: 60} }

// CautionRSE is the relative standard error from which a level is flagged. It
// is no setting.
const CautionRSE = 0.30

// mostLimit bounds a limit: no panel is so large.
const mostLimit = 1 << 31

// Validate refuses negative limits, and a low above caution: nothing would be
// flagged.
func (t Thresholds) Validate() error {
	if t.Low < 0 {
		return &rollcall.Invalid{Field: "low", Value: strconv.Itoa(t.Low), Reason: "is under 0", Code: "low"}
	}
	if t.Caution < 0 {
		return &rollcall.Invalid{Field: "caution", Value: strconv.Itoa(t.Caution), Reason: "is under 0", Code: "caution"}
	}
	if n := max(t.Low, t.Caution); n > mostLimit {
		return &rollcall.Invalid{Field: "limit", Value: strconv.Itoa(n), Reason: "is more persons than any panel has", Code: "limit"}
	}
	if t.Caution < t.Low {
		return &rollcall.Invalid{Field: "caution", Value: strconv.Itoa(t.Caution), Reason: fmt.Sprintf("is under low, %d: a figure would be withheld before it is flagged", t.Low), Code: "caution"}
	}
	return nil
}

// Under reports whether any limit is lower than the other's.
func (t Thresholds) Under(other Thresholds) bool {
	return t.Low < other.Low || t.Caution < other.Caution
}

// Status judges a figure by the raw persons behind it.
func (t Thresholds) Status(n int) rollcall.Status {
	switch {
	case n < t.Low:
		return rollcall.Below
	case n < t.Caution:
		return rollcall.Caution
	}
	return rollcall.OK
}

// Measure puts a figure together: undefined where there is none, else judged
// by its raw persons.
func (t Thresholds) Measure(e Estimate, i Interval, n int) rollcall.Measure {
	if !e.Defined() {
		return rollcall.Measure{Status: rollcall.Undefined}
	}
	return rollcall.Measure{Value: e.Value, SE: e.SE, Low: i.Low, High: i.High, N: n, Status: t.Status(n)}
}

// Level is Measure for a figure that is no proportion, change or difference: it
// is judged by its relative standard error too. (That of a difference says
// nothing where it is near 0, that of a proportion is another one than its
// complement's.)
func (t Thresholds) Level(e Estimate, i Interval, n int) rollcall.Measure {
	m := t.Measure(e, i, n)
	if m.Status == rollcall.OK && e.SE > 0 && e.SE >= CautionRSE*math.Abs(e.Value) {
		m.Status = rollcall.Caution
	}
	return m
}
