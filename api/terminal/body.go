package terminal

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rollcall"
)

// layout is how a report's rows are set. A column that is named nowhere comes
// after those that are.
type layout struct {
	first  []string // measures in the order in which they get a place
	hidden []string // dimensions that are left out, and named
	group  string   // whose values stand above their rows
	stack  bool     // an interval is under its figure
}

func layoutOf(report string) layout {
	switch report {
	case "ranking":
		return layout{first: []string{"unique_audience", "reach", "change", "minutes_per_person", "days_per_person", "tied_with"}, hidden: []string{"rank_change", "tie_group"}}
	case "trend":
		return layout{first: []string{"unique_audience", "reach", "change"}, group: "service"}
	case "profile":
		return layout{first: []string{"unique_audience", "index", "composition", "target_reach"}, group: "service"}
	case "frequency", "curve":
		return layout{group: "service"}
	case "loyalty":
		return layout{stack: true}
	case "markets":
		return layout{first: []string{"reach", "unique_audience", "difference", "tied_markets"}}
	}
	if strings.HasPrefix(report, "diff of ") {
		return layout{group: "location"}
	}
	return layout{}
}

// body writes the rows.
func (p *page) body() string {
	var out strings.Builder
	switch {
	case len(p.t.Rows) == 0:
		p.shown = nil
		return p.none + "\n"
	case p.t.Meta.Report == "duplication" && p.column("other") >= 0:
		p.matrix(&out)
		return out.String()
	}
	l := layoutOf(p.t.Meta.Report)
	p.makeStrips(l)
	group := p.column(l.group)
	p.choose(l, group)
	if group < 0 {
		drawHead(&out, p.chosen(p.shown))
		for row := range p.t.Rows {
			drawRow(&out, p.chosen(p.shown), row)
		}
		return out.String()
	}
	p.drawGroups(&out, group)
	return out.String()
}

// drawGroups writes the rows of each value of a column under that value.
func (p *page) drawGroups(out *strings.Builder, group int) {
	margin := &strip{width: 0}
	margin.cells = make([]string, len(p.t.Rows))
	strips := append([]*strip{margin}, p.chosen(p.shown)...)
	drawHead(out, strips)
	for _, rows := range p.groups(group) {
		out.WriteString("\n" + Wrap(p.all[group].cells[rows[0]], p.width) + "\n")
		for _, row := range rows {
			drawRow(out, strips, row)
		}
	}
}

// groups gives the rows of each value of a column, in the order in which the
// values come.
func (p *page) groups(column int) (groups [][]int) {
	at := map[any]int{}
	for row, cells := range p.t.Rows {
		i, ok := at[cells[column]]
		if !ok {
			i = len(groups)
			at[cells[column]] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], row)
	}
	return groups
}

// choose picks the columns that fit: every dimension but the hidden, then
// measures in their order, each that has room.
func (p *page) choose(l layout, group int) {
	var chosen []int
	for i, c := range p.t.Columns {
		if c.Role != "measure" && i != group && !folded(c.Name) && !constant(p.t, i) &&
			!slices.Contains(l.hidden, c.Name) && !slices.Contains(l.first, c.Name) {
			chosen = append(chosen, i)
		}
	}
	width := p.width
	if group >= 0 {
		width -= gap
	}
	for _, i := range p.waiting(l) {
		with := append(slices.Clone(chosen), i)
		slices.Sort(with)
		if fit(p.chosen(with), width, closest) {
			chosen = with
		}
	}
	p.shown = p.rankFirst(chosen)
	fit(p.chosen(p.shown), width, closest)
}

// rankFirst puts the rank at the left, where the eye looks for it.
func (p *page) rankFirst(columns []int) []int {
	rank := p.column("rank")
	at := slices.Index(columns, rank)
	if at < 0 || p.t.Meta.Report != "ranking" {
		return columns
	}
	columns = slices.Delete(columns, at, at+1)
	return slices.Insert(columns, max(0, slices.Index(columns, p.column("service"))), rank)
}

// waiting gives the measures, and what else has to wait for a place, in the order
// in which they get one: those that have no row with a figure are the last.
func (p *page) waiting(l layout) (columns []int) {
	for _, name := range l.first {
		if i := p.column(name); i >= 0 {
			columns = append(columns, i)
		}
	}
	for i, c := range p.t.Columns {
		if c.Role == "measure" && !slices.Contains(columns, i) {
			columns = append(columns, i)
		}
	}
	slices.SortStableFunc(columns, func(a, b int) int {
		return cmp.Compare(undefined(p.t, a), undefined(p.t, b))
	})
	return columns
}

// undefined is 1 of a measure that is undefined in every row, as a change is in
// the first month; of any other column it is 0.
func undefined(t *rollcall.Table, column int) int {
	for _, row := range t.Rows {
		if m, ok := row[column].(rollcall.Measure); !ok || m.Status != rollcall.Undefined {
			return 0
		}
	}
	return 1
}

// folded reports whether a column is told with another, or at the head: the ranks
// that a rank may be, whether a change may be chance, what a row unites, which
// versions markets' rows are of.
func folded(name string) bool {
	return slices.Contains([]string{"rank_low", "rank_high", "significant", "level", "differs", "panel", "version", "status"}, name)
}

// constant reports whether a column is a location that the title has already.
func constant(t *rollcall.Table, column int) bool {
	if t.Columns[column].Name != "location" {
		return false
	}
	return !slices.ContainsFunc(t.Rows, func(r rollcall.Row) bool { return r[column] != t.Meta.Location })
}

// makeStrips makes a strip of every column.
func (p *page) makeStrips(l layout) {
	for column, c := range p.t.Columns {
		cells := make([]string, len(p.t.Rows))
		for row := range cells {
			cells[row] = p.cell(column, row, l)
		}
		p.all = append(p.all, newStrip(p.heading(c), cells, c.Role != "measure" && c.Unit != "integer"))
	}
}

// chosen gives the strips of some columns.
func (p *page) chosen(columns []int) []*strip {
	strips := make([]*strip, len(columns))
	for i, column := range columns {
		strips[i] = p.all[column]
	}
	return strips
}

// heading is the column's label and, of persons and shares, the unit.
func (p *page) heading(c rollcall.Column) string {
	label := plain(p.text.Label(c))
	switch c.Unit {
	case "persons":
		return label + " (000)"
	case "percent":
		return label + " (%)"
	case "points":
		return label + " (points)"
	}
	return label
}

// cell writes one cell.
func (p *page) cell(column, row int, l layout) string {
	c := p.t.Columns[column]
	switch v := p.t.Rows[row][column].(type) {
	case nil:
		return markAbsent
	case rollcall.Measure:
		if v.Status == rollcall.Below {
			return below(p.limit(c.Name, row))
		}
		separator := " "
		if l.stack {
			separator = "\n"
		}
		return p.measure(v, styleOf(c.Unit), separator, p.chance(c.Name, row))
	case bool:
		if v {
			return p.yes
		}
		return p.no
	case []string:
		return plain(p.list(c.Name, v))
	case int:
		if c.Name == "rank" {
			return Ranks(v, p.t.Cell(row, "rank_low"), p.t.Cell(row, "rank_high"))
		}
		return strconv.Itoa(v)
	case string:
		return plain(p.dimension(c.Name, v, row))
	}
	return plain(fmt.Sprint(p.t.Rows[row][column]))
}

// dimension writes a text: a service or a place by its name.
func (p *page) dimension(column, text string, row int) string {
	switch column {
	case "market":
		return p.market(text)
	case "service", "other":
		level, _ := p.t.Cell(row, "level").(string)
		return p.name(text, level)
	case "segment":
		return cmp.Or(p.segments[text], text)
	case "location":
		return p.text.Place(text)
	case "figure":
		return strings.ReplaceAll(text, "_", " ")
	}
	return text
}

// list writes services by their names, all else as it is.
func (p *page) list(column string, items []string) string {
	separator := "; "
	if column == "tied_markets" {
		names := make([]string, len(items))
		for i, id := range items {
			names[i] = p.market(id)
		}
		return strings.Join(names, ", ")
	}
	if column == "services" || column == "tied_with" {
		names := make([]string, len(items))
		for i, id := range items {
			names[i] = p.name(id, "service")
		}
		items, separator = names, " + "
		if column == "tied_with" {
			separator = ", "
		}
	}
	return strings.Join(items, separator)
}

// market gives a market's name, in a report of several.
func (p *page) market(id string) string {
	for _, m := range p.t.Meta.Markets {
		if string(m.Market) == id {
			return cmp.Or(m.Name, id)
		}
	}
	return id
}

// chance reports whether a change, or a difference, may be chance alone.
func (p *page) chance(column string, row int) bool {
	if column == "difference" {
		differs, told := p.t.Cell(row, "differs").(bool)
		return told && !differs
	}
	significant, told := p.t.Cell(row, "significant").(bool)
	return told && !significant && (column == "change" || column == "change_percent")
}

// Ranks gives a rank as the ranks that it may be, "2-3", where they are several.
func Ranks(rank, low, high any) string {
	if low == nil || high == nil || low == high {
		return fmt.Sprint(rank)
	}
	return fmt.Sprint(low, "-", high)
}
