// Package tablecheck reads a table that somebody published, and names the rows
// that can't belong to one universe.
package tablecheck

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"rollcall"
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

// Check reads a published table (CSV with the header rank,service,audience,reach,
// in any order; audience in any unit, reach in percent) and names the rows that
// can't belong to one universe: audience over reach is the active universe, and
// must be the same in every row, within the rounding of both columns. It also
// holds ranks (1, 2, 2, 4) and reach against the audiences. A table that can't
// be read is an Invalid naming the file, line, column and value.
func Check(r io.Reader, name string) ([]Finding, error) {
	in := &tableReader{name: name}
	if err := in.read(r); err != nil {
		return nil, err
	}
	findings := slices.Concat(in.universe(), in.ranks(), in.repeats())
	slices.SortStableFunc(findings, func(a, b Finding) int { return a.Line - b.Line })
	return findings, nil
}

// tableReader reads a published table. The half units are what rounding may
// have moved a figure by, judged by the whole column.
type tableReader struct {
	name         string
	rows         []published
	audienceHalf float64
	reachHalf    float64
	decimal      bool // an audience's comma is a decimal one, as its column shows
}

func (in *tableReader) read(r io.Reader) error {
	c := csv.NewReader(r)
	c.FieldsPerRecord = -1
	header, err := c.Read()
	if err != nil {
		return in.broken(err)
	}
	columns, err := in.header(header)
	if err != nil {
		return err
	}
	var lines []line
	var audiences, reaches []string
	for {
		fields, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return in.broken(err)
		}
		at, _ := c.FieldPos(0)
		if blank(fields) {
			continue // a spreadsheet's
		}
		if len(fields) != len(header) {
			return in.bad(at, "", "", fmt.Sprintf("has %d fields where the header has %d", len(fields), len(header)))
		}
		lines = append(lines, line{at, fields})
		audiences, reaches = append(audiences, fields[columns["audience"]]), append(reaches, fields[columns["reach"]])
	}
	if len(lines) == 0 {
		return in.bad(1, "", "", "has no rows")
	}
	in.decimal = slices.ContainsFunc(audiences, decimalComma)
	for _, l := range lines {
		if err := in.row(l.at, l.fields, columns); err != nil {
			return err
		}
	}
	in.audienceHalf, in.reachHalf = in.half(audiences, true), in.half(reaches, false)
	return nil
}

// line is one line of the file, with its number.
type line struct {
	at     int
	fields []string
}

func blank(fields []string) bool {
	return !slices.ContainsFunc(fields, func(s string) bool { return strings.TrimSpace(s) != "" })
}

// decimalComma reports a number whose comma can't stand between thousands.
func decimalComma(s string) bool {
	whole, fraction, ok := strings.Cut(strings.TrimRight(strings.TrimSpace(s), "% \u00a0\u202f"), ",")
	return ok && whole != "" && !strings.ContainsAny(fraction, ",.") && len(fraction) != 3
}

func (in *tableReader) bad(line int, column, value, why string) error {
	field := fmt.Sprintf("%s line %d", in.name, line)
	if column != "" {
		field += ", column " + column
	}
	return &rollcall.Invalid{Field: field, Value: value, Reason: why, Code: "table"}
}

func (in *tableReader) broken(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return in.bad(parse.Line, "", "", "has a misplaced quotation mark")
	}
	if errors.Is(err, io.EOF) {
		return in.bad(1, "", "", "has no header rank,service,audience,reach")
	}
	return fmt.Errorf("read %s: %w", in.name, err)
}

func (in *tableReader) header(fields []string) (map[string]int, error) {
	at := map[string]int{}
	for i, name := range fields {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if _, ok := at[name]; ok {
			return nil, in.bad(1, name, "", "is twice in the header")
		}
		at[name] = i
	}
	for _, name := range []string{"rank", "service", "audience", "reach"} {
		if _, ok := at[name]; !ok {
			why := "is missing in the header rank,service,audience,reach"
			if len(fields) == 1 && strings.Contains(fields[0], ";") {
				why += "; fields are separated by commas, not semicolons"
			}
			return nil, in.bad(1, name, "", why)
		}
	}
	return at, nil
}

func (in *tableReader) row(line int, fields []string, at map[string]int) error {
	p := published{line: line, service: strings.TrimSpace(fields[at["service"]])}
	rank := strings.TrimSpace(fields[at["rank"]])
	var err error
	if p.rank, err = strconv.Atoi(rank); err != nil || p.rank < 1 {
		return in.bad(line, "rank", rank, "is not a whole number from 1")
	}
	for _, c := range []struct {
		column string
		into   *float64
	}{{"audience", &p.audience}, {"reach", &p.reach}} {
		text := fields[at[c.column]]
		x, err := strconv.ParseFloat(in.plainNumber(text, c.column == "audience"), 64)
		if err != nil || !(x >= 0) || x > 1e15 {
			return in.bad(line, c.column, text, "is not a number")
		}
		*c.into = x
	}
	in.rows = append(in.rows, p)
	return nil
}

// plainNumber takes off what printed numbers wear: thousands' commas and
// spaces, a percent sign. A comma is the decimal one where no thousands are
// looked for, of a reach no more than 100, and in a column that shows it; then
// thousands may have points.
func (in *tableReader) plainNumber(s string, thousands bool) string {
	s = strings.TrimSuffix(strings.TrimSpace(s), "%")
	if strings.Trim(s, "0123456789., \u00a0\u202f") != "" {
		return "?"
	}
	switch {
	case thousands && in.decimal:
		if strings.Count(s, ",") > 1 {
			return "?"
		}
		s = strings.Replace(strings.ReplaceAll(s, ".", ""), ",", ".", 1)
	case !thousands && !strings.Contains(s, "."):
		s = strings.Replace(s, ",", ".", 1)
	}
	return strings.NewReplacer(",", "", " ", "", "\u00a0", "", "\u202f", "").Replace(s)
}

// half gives half a unit of a column's rounding: of the most decimals that any
// value has or, for whole numbers of persons, of the zeros that all end in.
func (in *tableReader) half(values []string, zeros bool) float64 {
	decimals, trailing := 0, 15
	for _, s := range values {
		s = in.plainNumber(s, zeros)
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
