package report

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/panel"
)

// frequency lists, for each service and each band of days, who used it on so
// many days, and on the band's first or more.
func frequency(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("service", "days", "unique_audience", "share", "k_plus")
	v := j.view
	bands, err := bandsOf(j.request.Bands, v.DaysThatWere())
	if err != nil {
		return nil, err
	}
	for _, s := range j.rows() {
		users, byDays := v.People(audience.SetOf(s)), termsByDays(v, s)
		more := slices.Clone(byDays) // on so many days or more
		for k := len(more) - 2; k >= 0; k-- {
			more[k] = v.Weights.Plus(more[k+1], more[k])
		}
		for _, b := range bands {
			within := sum(v, byDays[b.from-1:min(b.to, len(byDays))])
			t.Rows = append(t.Rows, rollcall.Row{v.ID(s), b.String(), v.Persons(within), v.Percent(within, users), v.Persons(more[b.from-1])})
		}
	}
	return t, nil
}

// termsByDays gives a service's users by their number of days, less 1.
func termsByDays(v *audience.View, s int) []*panel.Term {
	u := v.Use(audience.SetOf(s))
	at := make([][]int32, v.Days())
	for i, person := range u.At {
		k := u.DayCount(i) - 1
		at[k] = append(at[k], person)
	}
	out := make([]*panel.Term, len(at))
	for k := range at {
		out[k] = v.Term(at[k])
	}
	return out
}

// sum adds persons who have nobody in common; there are some terms.
func sum(v *audience.View, terms []*panel.Term) (out *panel.Term) {
	for _, t := range terms {
		out = plus(v, out, t)
	}
	return out
}

// plus adds persons who have nobody in common with those so far.
func plus(v *audience.View, sofar, more *panel.Term) *panel.Term {
	if sofar == nil {
		return more
	}
	return v.Weights.Plus(sofar, more)
}

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
