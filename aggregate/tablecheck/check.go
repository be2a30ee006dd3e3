// Package tablecheck reads a table that somebody published, and names the rows
// that can't belong to one universe.
package tablecheck

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Finding is a row of a published table that can't be right.
type Finding struct {
	Line    int // of the file, from 1
	Service string
	Rule    string // universe, rank, reach or service
	Text    string // one plain line
}

// String gives "line 3, msn: ...".
func (f Finding) String() string { return fmt.Sprintf("line %d, %s: %s", f.Line, f.Service, f.Text) }

// published is one row of a published table.
type published struct {
	line     int
	service  string
	rank     int
	audience float64
	reach    float64 // percent
}

// Check reads a published table (with the header rank,service,audience,reach, in any
// order; audience in any unit, reach in percent) and names the rows that
// can't belong to one universe: audience over reach is the active universe, and
// must be the same in every row, within the rounding of both columns. It also
// holds ranks (1, 2, 2, 4) and reach against the audiences. Where audiences can be read
// with decimal points and with decimal commas, the table is not accused of what the other
// way would explain. A table that can't be read is an Invalid naming the file, line,
// column and value.
func Check(r io.Reader, name string) ([]Finding, error) {
	of, err := readSheet(r, name)
	if err != nil {
		return nil, err
	}
	points, notPoints := of.findings(".")
	commas, notCommas := of.findings(",")
	switch {
	case notPoints == nil && (notCommas != nil || len(points) <= len(commas)):
		return points, nil
	case notCommas == nil:
		return commas, nil
	}
	return nil, of.refuse(notPoints, notCommas)
}

// findings reads the audiences with a decimal mark, and gives what is then wrong.
func (s *sheet) findings(decimal string) ([]Finding, *fault) {
	in := &tableReader{decimal: decimal}
	var audiences, reaches []string
	for _, l := range s.lines {
		if wrong := in.row(l, s.columns); wrong != nil {
			return nil, wrong
		}
		audience, _ := plainNumber(l.fields[s.columns["audience"]], decimal)
		reach, _ := plainNumber(l.fields[s.columns["reach"]], "")
		audiences, reaches = append(audiences, audience), append(reaches, reach)
	}
	in.audienceHalf, in.reachHalf = half(audiences, true), half(reaches, false)
	findings := slices.Concat(in.universe(), in.ranks(), in.repeats())
	slices.SortStableFunc(findings, func(a, b Finding) int { return a.Line - b.Line })
	return findings, nil
}

// fault is a cell that can't be read.
type fault struct {
	line               int
	column, value, why string
}

// refuse tells of two faults, with decimal points and with commas, the later one: that
// way more of the table can be read.
func (s *sheet) refuse(points, commas *fault) error {
	first, last := points, commas
	if last.line < first.line {
		first, last = last, first
	}
	why := last.why
	if last.column == "audience" && first.line < last.line {
		why = fmt.Sprintf("is not a number of the form that line %d has", first.line)
	}
	return s.bad(last.line, last.column, last.value, why)
}

// tableReader is a published table as it was read. The half units are what rounding may
// have moved a figure by, judged by the whole column.
type tableReader struct {
	rows         []published
	audienceHalf float64
	reachHalf    float64
	decimal      string // the mark before an audience's decimals
}

func (in *tableReader) row(l line, at map[string]int) *fault {
	p := published{line: l.at, service: strings.TrimSpace(l.fields[at["service"]])}
	rank := strings.TrimSpace(l.fields[at["rank"]])
	var err error
	if p.rank, err = strconv.Atoi(rank); err != nil || p.rank < 1 {
		return &fault{l.at, "rank", rank, "is not a whole number from 1"}
	}
	for _, c := range []struct {
		column, decimal string
		into            *float64
	}{{"audience", in.decimal, &p.audience}, {"reach", "", &p.reach}} {
		text := l.fields[at[c.column]]
		plain, ok := plainNumber(text, c.decimal)
		x, err := strconv.ParseFloat(plain, 64)
		if !ok || err != nil || !(x >= 0) || x > 1e15 {
			return &fault{l.at, c.column, text, "is not a number"}
		}
		*c.into = x
	}
	in.rows = append(in.rows, p)
	return nil
}

// half gives half a unit of a column's rounding: of the most decimals that any
// value has or, for whole numbers of persons, of the zeros that all end in.
func half(values []string, zeros bool) float64 {
	decimals, trailing := 0, 15
	for _, s := range values {
		if _, fraction, ok := strings.Cut(s, "."); ok {
			decimals = max(decimals, len(fraction))
		}
		if n := len(s) - len(strings.TrimRight(s, "0")); n < len(s) {
			trailing = min(trailing, n)
		}
	}
	if decimals == 0 && zeros && trailing < 15 {
		decimals = -trailing
	}
	return 0.5 * math.Pow(10, float64(-decimals))
}

// bounds gives the active universes that a row allows.
func (in *tableReader) bounds(p published) (low, high float64) {
	low = 100 * max(p.audience-in.audienceHalf, 0) / (p.reach + in.reachHalf)
	high = math.Inf(1)
	if p.reach > in.reachHalf {
		high = 100 * (p.audience + in.audienceHalf) / (p.reach - in.reachHalf)
	}
	return low, high
}

// universe finds the active universe that most rows allow, and names the rows
// that it leaves out. Where several suit as many rows, a row is named unless
// all of them suit it.
func (in *tableReader) universe() []Finding {
	most, bestLow, bestHigh := 0, 0.0, 0.0
	odd := make([]bool, len(in.rows))
	for _, p := range in.rows {
		at, _ := in.bounds(p)
		high, n := math.Inf(1), 0
		out := make([]bool, len(in.rows))
		for i, q := range in.rows {
			low, top := in.bounds(q)
			if out[i] = at < low || at > top; !out[i] {
				n++
				high = min(high, top)
			}
		}
		switch {
		case n > most:
			most, odd, bestLow, bestHigh = n, out, at, high
		case n == most:
			for i := range odd {
				odd[i] = odd[i] || out[i]
			}
		}
	}
	var found []Finding
	for i, p := range in.rows {
		if odd[i] {
			low, high := in.bounds(p)
			text := fmt.Sprintf("audience over reach gives an active universe between %.6g and %.6g, ", low, high)
			if most > 1 {
				text += fmt.Sprintf("but %d of %d rows agree on one between %.6g and %.6g", most, len(in.rows), bestLow, bestHigh)
			} else {
				text += "and no other row agrees"
			}
			found = append(found, Finding{p.line, p.service, "universe", text})
		}
		if p.reach > 100+in.reachHalf {
			found = append(found, Finding{p.line, p.service, "reach", fmt.Sprintf("a reach of %g %% is above 100 %%", p.reach)})
		}
	}
	return found
}

// ranks holds the ranks against the audiences: a row's rank is 1 plus the
// number of rows above it, rows of one printed audience being in any order.
func (in *tableReader) ranks() []Finding {
	var found []Finding
	for _, p := range in.rows {
		above, level := 0, 0
		for _, q := range in.rows {
			if q.audience > p.audience {
				above++
			}
			if q.audience == p.audience {
				level++
			}
		}
		first := in.rows[0].rank
		for _, q := range in.rows {
			first = min(first, q.rank)
		}
		if low, high := first+above, first+above+level-1; p.rank < low || p.rank > high {
			found = append(found, Finding{p.line, p.service, "rank", fmt.Sprintf("is ranked %d where its audience of %g comes %s", p.rank, p.audience, ordinals(low, high))})
		}
	}
	return found
}

func ordinals(low, high int) string {
	if low == high {
		return strconv.Itoa(low)
	}
	return fmt.Sprintf("%d to %d", low, high)
}

func (in *tableReader) repeats() []Finding {
	var found []Finding
	lines := map[string]int{}
	for _, p := range in.rows {
		if first, ok := lines[p.service]; ok {
			found = append(found, Finding{p.line, p.service, "service", fmt.Sprintf("is in line %d already", first)})
			continue
		}
		lines[p.service] = p.line
	}
	return found
}
