package audience

import (
	"fmt"
	"slices"

	"rollcall"
	"rollcall/aggregate/panel"
)

// pool is a mean of months: the rows of the months, one after the other, each
// with its month's own weights.
type pool struct {
	*panel.Months
	parts []*Sample // a month each
}

// Pool makes the sample of the mean of some months, for services and places
// whose users are too few in each: the persons of each month, with its own
// weights, are rows that stand beside each other. A total is then the mean of
// the months' totals, a ratio one of such totals, and a person who is in several
// months is counted once. A day is a day of the month, such as the 3rd.
func Pool(months []*Month) (*Sample, error) {
	if err := checkKeys(months, "pool", fmt.Sprint(len(months))); err != nil {
		return nil, err
	}
	parts := make([]*Sample, len(months))
	for k, m := range months {
		parts[k] = m.Whole
	}
	return poolOf(parts, joined(parts)), nil
}

// PoolPairs makes of samples of two months each the mean of their second months,
// and that of their first months over the same rows: what one is in the former,
// one was in the latter.
func PoolPairs(pairs []*Sample) (now, before *Sample) {
	nows, befores := make([]*Sample, len(pairs)), make([]*Sample, len(pairs))
	for k, s := range pairs {
		nows[k], befores[k] = s.Alone(1), s.Alone(0)
	}
	rows := joined(nows)
	return poolOf(nows, rows), poolOf(befores, rows)
}

func joined(parts []*Sample) *panel.Months {
	weights := make([]*panel.Weights, len(parts))
	for k, s := range parts {
		weights[k] = s.raked
	}
	return panel.Pool(weights...)
}

// poolOf makes a mean of samples of a month each; the last leads.
func poolOf(parts []*Sample, rows *panel.Months) *Sample {
	last := parts[len(parts)-1]
	months, roster := make([]*Month, len(parts)), make([][]int32, len(parts))
	for k, part := range parts {
		months[k], roster[k] = part.Last(), make([]int32, rows.Len())
		for i := range roster[k] {
			roster[k][i] = -1
		}
		for i := range int32(part.Weights.Len()) {
			roster[k][rows.Row(k, i)] = part.inRoster(0, i)
		}
	}
	s := newSample(months, roster, last.raked, last.leader, months[0].Doc.Of.Month.First(), last.To)
	s.pool, s.Weights, s.Final = &pool{rows, parts}, rows.Estimator, rows.Final()
	return s
}

// checkKeys refuses a month whose panelists' pseudonyms are of another key than
// the last one's: a fault of the field, which asked for the months by a value.
func checkKeys(months []*Month, field, value string) error {
	last := months[len(months)-1]
	for _, m := range months {
		if m.Roster.Key != last.Roster.Key {
			return &rollcall.Invalid{Field: field, Value: value, Code: "two_keys",
				Reason: fmt.Sprintf("takes in %s, whose panelists' pseudonyms are of another key than those of %s", m.Doc.Of.Month, last.Doc.Of.Month)}
		}
	}
	return nil
}

// Pooled reports whether the sample is a mean of months.
func (s *Sample) Pooled() bool { return s.pool != nil }

// MonthOf gives which of the sample's months a position is a row of: the last,
// but in a mean of months.
func (s *Sample) MonthOf(at int32) int {
	if s.pool == nil {
		return len(s.Months) - 1
	}
	return s.pool.Month(at)
}

// part gives the sample of one month that a row of a mean of months is of, and
// its position there.
func (p *pool) part(row int32) (*Sample, int32) {
	k := p.Month(row)
	return p.parts[k], row - p.Row(k, 0)
}

// members says which rows are in a target, by each month's roster.
func (p *pool) members(t *Target) []bool {
	var in []bool
	for _, part := range p.parts {
		in = append(in, part.Members(t)...)
	}
	return in
}

// Lack is a demographic column, or a category of one, that a month's roster
// doesn't have.
type Lack struct {
	What  string // age, or age=15-24
	Month rollcall.Month
}

// Demography gives the people by the demographic columns of their rosters. Of a
// mean of months it leaves out, and lists, what one of them lacks: a mean with
// a month in which nobody was asked is none. Who is in no category has the
// number of the categories.
func (s *Sample) Demography() (columns []Column, lacks []Lack) {
	if s.pool == nil {
		for _, c := range demographic(s.Lead()) {
			own := Column{Name: c.Name, Categories: c.Categories, Of: make([]int32, s.Weights.Len())}
			for i := range own.Of {
				own.Of[i] = c.Of[s.own(int32(i))]
			}
			columns = append(columns, own)
		}
		return columns, nil
	}
	months := make([][]Column, len(s.pool.parts))
	for k, part := range s.pool.parts {
		months[k], _ = part.Demography()
	}
	for _, name := range columnNames(months) {
		c, lacking := s.pool.column(name, months)
		lacks = append(lacks, lacking...)
		if len(c.Categories) > 0 {
			columns = append(columns, c)
		}
	}
	return columns, lacks
}

// columnNames gives the columns of any month, the last month's first.
func columnNames(months [][]Column) (names []string) {
	for _, columns := range slices.Backward(months) {
		for _, c := range columns {
			if !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	return names
}

// column puts the months' columns of a name beside each other.
func (p *pool) column(name string, months [][]Column) (out Column, lacks []Lack) {
	out.Name = name
	var own []Column
	categories := []string{}
	for k, columns := range months {
		i := slices.IndexFunc(columns, func(c Column) bool { return c.Name == name })
		if i < 0 {
			lacks = append(lacks, Lack{name, p.month(k)})
			continue
		}
		own = append(own, columns[i])
		categories = append(categories, columns[i].Categories...)
	}
	if len(lacks) > 0 {
		return out, lacks
	}
	slices.Sort(categories)
	for _, category := range slices.Compact(categories) {
		k := slices.IndexFunc(own, func(c Column) bool { return !slices.Contains(c.Categories, category) })
		if k >= 0 {
			lacks = append(lacks, Lack{Is(name, category).String(), p.month(k)})
			continue
		}
		out.Categories = append(out.Categories, category)
	}
	for _, c := range own {
		out.Of = append(out.Of, c.among(out.Categories)...)
	}
	return out, lacks
}

func (p *pool) month(k int) rollcall.Month { return p.parts[k].Last().Doc.Of.Month }

// among gives everyone's category by another list of them; who is in none of it
// has the list's length.
func (c *Column) among(categories []string) []int32 {
	code := make([]int32, len(c.Categories))
	for k, category := range c.Categories {
		code[k] = int32(len(categories))
		if i := slices.Index(categories, category); i >= 0 {
			code[k] = int32(i)
		}
	}
	out := make([]int32, len(c.Of))
	for i, k := range c.Of {
		out[i] = code[k]
	}
	return out
}
