package report

import (
	"math"
	"strconv"
	"strings"

	"rollcall"
)

// band is a number of days from one to another, both included.
type band struct{ from, to int }

// endless is the end of a band without one: 15+.
const endless = math.MaxInt32

// usualBands are those of a frequency report that asks for none.
const usualBands = "1,2-3,4-7,8-14,15+"

// singleDays asks for each number of days by itself.
const singleDays = "all"

// String gives what parseBand reads.
func (b band) String() string {
	switch b.to {
	case b.from:
		return strconv.Itoa(b.from)
	case endless:
		return strconv.Itoa(b.from) + "+"
	}
	return strconv.Itoa(b.from) + "-" + strconv.Itoa(b.to)
}

// bandsOf reads bands, for a period of so many days. Of the usual ones those
// that the period is too short for are left out.
func bandsOf(text string, days int) ([]band, error) {
	usual := text == ""
	if usual {
		text = usualBands
	}
	if text == singleDays {
		out := make([]band, days)
		for k := range out {
			out[k] = band{k + 1, k + 1}
		}
		return out, nil
	}
	var out []band
	for one := range strings.SplitSeq(text, ",") {
		b, ok := parseBand(one)
		switch {
		case !ok:
			return nil, badBands(text, "has "+strconv.Quote(one)+", which is no number of days such as 3, 2-3 or 15+")
		case len(out) > 0 && b.from <= out[len(out)-1].to:
			return nil, badBands(text, "has "+one+" begin at or before the end of the band before it")
		case b.from <= days:
			out = append(out, b)
		case !usual:
			return nil, badBands(text, "has "+one+" begin after the period's "+strconv.Itoa(days)+" days")
		}
	}
	return out, nil
}

// parseBand reads a number of days: 3, 2-3 or 15+ (a space is a +, as in an
// address).
func parseBand(text string) (b band, ok bool) {
	text = strings.ReplaceAll(text, " ", "+")
	if from, open := strings.CutSuffix(text, "+"); open {
		first, err := strconv.Atoi(from)
		return band{first, endless}, err == nil && first > 0
	}
	from, to, ranged := strings.Cut(text, "-")
	if !ranged {
		to = from
	}
	first, err := strconv.Atoi(from)
	last, err2 := strconv.Atoi(to)
	return band{first, last}, err == nil && err2 == nil && first > 0 && first <= last && last < endless
}

func badBands(text, reason string) error {
	return &rollcall.Invalid{Field: "bands", Value: text, Reason: reason, Code: "bands"}
}
