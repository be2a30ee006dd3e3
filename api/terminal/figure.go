package terminal

import (
	"math"
	"strconv"

	"rollcall"
)

// Marks that stand for a figure that is not shown, or after one that is. What is
// below its limit is marked with the limit: <30.
const (
	markCaution   = "*"
	markChance    = "≈"
	markAbsent    = "-"
	markDetection = "~0"
)

// style is how a unit's figures are written.
type style struct {
	scale  float64
	digits int
}

func styleOf(unit string) style {
	switch unit {
	case "persons":
		return style{scale: 1000}
	case "accounts", "index":
		return style{scale: 1}
	}
	return style{scale: 1, digits: 1}
}

// wholeFrom is the figure from which decimals say nothing.
const wholeFrom = 1000

// measure writes a figure and, after the separator, its interval. A change that
// may be chance is marked so.
func (p *page) measure(m rollcall.Measure, s style, separator string, chance bool) string {
	switch {
	case m.Status == rollcall.Below:
		return below(p.limit("", 0))
	case m.Status == rollcall.BelowDetection:
		return markDetection
	case m.Status.Withheld() || math.IsNaN(m.Value):
		return markAbsent
	}
	mark := ""
	if m.Status == rollcall.Caution {
		mark = markCaution
	}
	if chance {
		mark += markChance
	}
	if max(math.Abs(m.Value), m.High) >= wholeFrom*s.scale {
		s.digits = 0
	}
	text := p.number(m.Value, s)
	if m.High > m.Low { // which are not as far from the value: no ± would do
		text += separator + "[" + p.number(m.Low, s) + p.between + p.number(m.High, s) + "]"
	}
	return text + mark
}

// number writes a number in thousands or as it is. What would round to nothing has
// a digit more.
func (p *page) number(x float64, s style) string {
	x /= s.scale
	digits := s.digits
	if math.Abs(x) < 0.5 && x != 0 && digits == 0 {
		digits = 1
	}
	return p.locale.Number(x, digits)
}

// below names the limit under which figures are withheld.
func below(limit int) string { return "<" + strconv.Itoa(limit) }

// limit is that of a column's figures: in a difference of two versions, the
// first one may have a limit of its own; in a report of several markets, each.
func (p *page) limit(column string, row int) int {
	for _, m := range p.t.Meta.Markets {
		if string(m.Market) == p.t.Cell(row, "market") {
			return m.Thresholds["low"]
		}
	}
	if accounts, ok := p.t.Meta.Thresholds["min_accounts"]; ok {
		return accounts
	}
	if low, ok := p.t.Meta.Thresholds["low_before"]; ok && column == "before" {
		return low
	}
	return p.t.Meta.Thresholds["low"]
}
