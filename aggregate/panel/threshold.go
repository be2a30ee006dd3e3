package panel

import (
	"strconv"

	"rollcall"
)

// Thresholds are the raw persons that a figure needs. 0 withholds nothing.
type Thresholds struct {
	Low     int `json:"low"`     // under it a figure is withheld
	Caution int `json:"caution"` // under it a figure is flagged
}

// Usual gives the method's thresholds, 45 and 100.
func Usual() Thresholds { return Thresholds{Low: 45, Caution: 100} }

// Validate refuses negative limits. A low above caution leaves no caution.
func (t Thresholds) Validate() error {
	if t.Low < 0 {
		return &rollcall.Invalid{Field: "low", Value: strconv.Itoa(t.Low), Reason: "is under 0", Code: "low"}
	}
	if t.Caution < 0 {
		return &rollcall.Invalid{Field: "caution", Value: strconv.Itoa(t.Caution), Reason: "is under 0", Code: "caution"}
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
