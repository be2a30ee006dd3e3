package rollcall

import (
	"encoding/json"
	"math"
)

// Status says whether a measure may be read.
type Status string

// The statuses. Those after caution withhold the figure.
const (
	OK             Status = "ok"              // enough persons
	Caution        Status = "caution"         // shown, and flagged
	Below          Status = "below"           // too few persons
	Undefined      Status = "undefined"       // a zero base, or no previous month
	BelowDetection Status = "below_detection" // an intersection of sketches whose interval reaches zero
)

// Withheld reports whether no number of the measure may be shown.
func (s Status) Withheld() bool { return s != OK && s != Caution }

// Measure is one figure of a report with its precision. Persons in persons,
// time in minutes, percentages in percent; N is the raw persons behind it.
type Measure struct {
	Value  float64
	SE     float64
	Low    float64
	High   float64
	N      int // Untold: not to be told
	Status Status
}

// Untold is the N of a figure that is not told how many stand behind it.
const Untold = -1

// Coarse gives the measure rounded to multiples of so many, with nothing that
// would tell more than that: neither its standard error nor how many stand behind
// it, and an interval that is made of the rounded value (of its own ends, rounded
// each for itself, three numbers would tell the value more exactly than one). It is
// wider by what rounding may have taken, half a multiple, so that it holds what the
// interval before held, and a count without error is not told as if it were without
// rounding. 0 changes nothing.
func (m Measure) Coarse(of int) Measure {
	if of == 0 || m.Status.Withheld() {
		return m
	}
	step, half := float64(of), max(m.Value-m.Low, m.High-m.Value)
	value := math.Round(m.Value/step) * step
	if m.Value > 0 {
		half *= value / m.Value
	}
	half = math.Ceil((half+step/2)/(step/2)) * (step / 2)
	return Measure{Value: value, SE: math.NaN(), Low: max(value-half, 0), High: value + half, N: Untold, Status: m.Status}
}

// measureJSON has a null where a number is withheld or has no value.
type measureJSON struct {
	Value  *float64 `json:"value"`
	SE     *float64 `json:"se"`
	Low    *float64 `json:"low"`
	High   *float64 `json:"high"`
	N      *int     `json:"n"`
	Status Status   `json:"status"`
}

// MarshalJSON writes {value, se, low, high, n, status}: all five numbers null
// where the measure is withheld, and null for a number that is not finite or not
// to be told.
func (m Measure) MarshalJSON() ([]byte, error) {
	out := measureJSON{Status: m.Status}
	if !m.Status.Withheld() {
		out.Value, out.SE = finite(m.Value), finite(m.SE)
		out.Low, out.High = finite(m.Low), finite(m.High)
		if m.N != Untold {
			out.N = &m.N
		}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON wrote. A null is NaN; as N it is Untold, or
// 0 where the measure is withheld.
func (m *Measure) UnmarshalJSON(b []byte) error {
	var in measureJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*m = Measure{Value: orNaN(in.Value), SE: orNaN(in.SE), Low: orNaN(in.Low), High: orNaN(in.High), Status: in.Status}
	switch {
	case in.N != nil:
		m.N = *in.N
	case !in.Status.Withheld():
		m.N = Untold
	}
	return nil
}

func finite(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

func orNaN(x *float64) float64 {
	if x == nil {
		return math.NaN()
	}
	return *x
}

// round gives the measure rounded to whole parts of 1/scale.
func (m Measure) round(scale float64) Measure {
	for _, x := range []*float64{&m.Value, &m.SE, &m.Low, &m.High} {
		if r := math.Round(*x*scale) / scale; !math.IsInf(r, 0) && !math.IsNaN(r) {
			*x = r
		}
	}
	return m
}
