package export

import (
	"fmt"
	"math"
	"slices"

	"github.com/xuri/excelize/v2"

	"rollcall"
)

// chart is drawn beside a sheet's table, of that table's own columns.
type chart struct {
	kind   excelize.ChartType
	title  string
	series []series
}

// series are rows first to last of the table (from 0), under a name. Its columns
// are the chart sheet's own: see chartSheet.
type series struct {
	name        string
	first, last int
}

// drawing is what can be drawn of a report: a measure, by a column along the
// axis, with a line for every service, or with one row of bars.
type drawing struct {
	measure, along string
	lines          bool
}

func drawingOf(report string) (drawing, bool) {
	d, ok := map[string]drawing{
		"ranking":   {measure: "unique_audience", along: "service"},
		"trend":     {measure: "unique_audience", along: "month", lines: true},
		"curve":     {measure: "unique_audience", along: "day", lines: true},
		"markets":   {measure: "reach", along: "market"},
		"frequency": {measure: "k_plus", along: "days", lines: true},
	}[report]
	return d, ok
}

// rowsBy names the column that tells a bar or a line from another.
func (d drawing) rowsBy() string {
	if d.lines {
		return "service"
	}
	return d.along
}

// point is one figure of a chart.
type point struct {
	service string // or a market
	along   any
	figure  rollcall.Measure
}

// Columns of a chart sheet's table, from 1.
const (
	alongColumn = 2
	valueColumn = 3
	lowColumn   = 4
	highColumn  = 5
	belowColumn = 6 // how far the interval reaches below the figure
	aboveColumn = 7
)

// chartSheet has a report's chart and the figures that it is drawn from; nil
// where the report has none that could be shown, or is of several places.
func (x *planning) chartSheet(t *rollcall.Table, of *sheet) *sheet {
	d, ok := drawingOf(t.Meta.Report)
	if !ok || hasColumn(t, "location") {
		return nil
	}
	points := pointsOf(t, d)
	if len(points) == 0 {
		return nil
	}
	s := x.newSheet(of.name+", "+x.words.chart, of.table+"_chart")
	s.title, s.rows, s.prose = of.title, len(points), true
	s.notes = [3]string{of.notes[0], x.words.oneTable + " " + x.words.chartAbout, of.notes[2]}
	measure := columnOf(t, d.measure)
	value := x.words.heading(field{column: measure, part: value})
	s.columns = []column{
		{heading: x.words.label(columnOf(t, d.rowsBy())), cell: func(row int) shown { return x.textOr(points[row].service) }},
		{heading: x.alongHeading(t, d), cell: func(row int) shown { return x.plain(points[row].along) }},
	}
	for i, part := range []string{"", x.words.low, x.words.high, x.words.below, x.words.above} {
		heading := value
		if part != "" {
			heading += x.words.colon + part
		}
		s.columns = append(s.columns, column{heading: heading, cell: func(row int) shown { return x.drawn(points[row].figure, i, measure.Unit) }})
	}
	s.chart = &chart{kind: excelize.Bar, title: of.title + " – " + value, series: []series{{x.words.label(measure), 0, len(points) - 1}}}
	if d.lines {
		s.chart.kind, s.chart.series = excelize.Line, byService(points)
	}
	return s
}

// alongHeading is the heading of what runs along the axis. That of bars is the
// rank.
func (x *planning) alongHeading(t *rollcall.Table, d drawing) string {
	if !d.lines {
		return x.words.label(columnOf(t, "rank"))
	}
	return x.words.label(columnOf(t, d.along))
}

// drawn is a cell of a chart's table: the figure, its interval's ends, or how far
// they are from it. What is withheld is empty, since a chart takes a text for 0.
func (x *planning) drawn(m rollcall.Measure, i int, unit string) shown {
	numbers := [...]float64{m.Value, m.Low, m.High, m.Value - m.Low, m.High - m.Value}
	if m.Status.Withheld() || math.IsNaN(numbers[i]) {
		return shown{style: x.styles.text}
	}
	return shown{value: numbers[i], style: x.styles.numbers[format{formatOf(unit), false}]}
}

func hasColumn(t *rollcall.Table, name string) bool {
	return slices.ContainsFunc(t.Columns, func(c rollcall.Column) bool { return c.Name == name })
}

func columnOf(t *rollcall.Table, name string) rollcall.Column {
	i := slices.IndexFunc(t.Columns, func(c rollcall.Column) bool { return c.Name == name })
	if i < 0 {
		return rollcall.Column{Name: name}
	}
	return t.Columns[i]
}

// pointsOf are the figures to draw: of services with a figure to show, those of
// a service together. Unions (any, brands, owners) are left out.
func pointsOf(t *rollcall.Table, d drawing) []point {
	var order []string
	of := map[string][]point{}
	for row := range t.Rows {
		service, _ := t.Cell(row, d.rowsBy()).(string)
		m, ok := t.Cell(row, d.measure).(rollcall.Measure)
		if !ok || service == "any" || isUnion(t.Cell(row, "level")) || !d.lines && m.Status.Withheld() {
			continue
		}
		p := point{service: service, along: t.Cell(row, d.along), figure: m}
		if !d.lines {
			p.along = t.Cell(row, "rank")
		}
		if of[service] == nil {
			order = append(order, service)
		}
		of[service] = append(of[service], p)
	}
	var points []point
	for _, service := range order {
		if slices.ContainsFunc(of[service], func(p point) bool { return !p.figure.Status.Withheld() }) {
			points = append(points, of[service]...)
		}
	}
	return points
}

func isUnion(level any) bool { return level != nil && level != "service" }

// byService cuts points into one series a service.
func byService(points []point) []series {
	var all []series
	for i, p := range points {
		if i == 0 || p.service != points[i-1].service {
			all = append(all, series{name: p.service, first: i, last: i})
		}
		all[len(all)-1].last = i
	}
	return all
}

// draw puts a sheet's chart beside its table, and whiskers on it.
func (x *writing) draw(s *sheet) error {
	if s.chart == nil {
		return nil
	}
	where := at(len(s.columns)+2, headRow)
	if err := x.file.AddChart(s.name, where, x.chartOf(s)); err != nil {
		return err
	}
	x.charts++
	return x.addWhiskers(s)
}

func (x *writing) chartOf(s *sheet) *excelize.Chart {
	c := s.chart
	along := alongColumn
	if c.kind == excelize.Bar {
		along = 1
	}
	same, axis := false, excelize.Font{Size: 9, Color: "404040"}
	out := &excelize.Chart{
		Type: c.kind, VaryColors: &same, Dimension: excelize.ChartDimension{Width: 860, Height: 460}, ShowBlanksAs: "gap",
		Title:  excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: c.title, Font: &excelize.Font{Size: 12, Bold: true}}}},
		Legend: excelize.ChartLegend{Position: "right"},
		Format: excelize.GraphicOptions{AltText: c.title, Name: s.table},
		YAxis:  excelize.ChartAxis{MajorGridLines: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: thousands}, Font: axis},
		XAxis:  excelize.ChartAxis{Font: axis},
	}
	if c.kind == excelize.Bar {
		out.Legend.Position, out.XAxis.ReverseOrder = "none", true // the first on top
	}
	for _, one := range c.series {
		colour := x.colourOf(c.kind, one.name)
		name := absolute(1, firstRow+one.first)
		if c.kind == excelize.Bar {
			name = absolute(valueColumn, headRow)
		}
		out.Series = append(out.Series, excelize.ChartSeries{
			Name: quoted(s.name) + "!" + name, Categories: s.rangeOf(along, one), Values: s.rangeOf(valueColumn, one),
			Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{colour}},
			Line: excelize.LineOptions{Width: 2, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{colour}}}, Marker: excelize.ChartMarker{Symbol: "circle", Size: 5},
		})
	}
	return out
}

// colours are told apart by the colour-blind (Okabe and Ito 2008).
var colours = [...]string{"0072B2", "D55E00", "009E73", "CC79A7", "E69F00", "56B4E9", "7F7F7F", "000000"}

// colourOf is a service's colour, the same in every chart of the workbook. Bars,
// which are of all services, have the first.
func (x *writing) colourOf(kind excelize.ChartType, name string) string {
	if kind == excelize.Bar {
		return colours[0]
	}
	i := slices.Index(x.coloured, name)
	if i < 0 {
		i, x.coloured = len(x.coloured), append(x.coloured, name)
	}
	return colours[i%len(colours)]
}

// rangeOf is a column of a series, as a formula names it.
func (s *sheet) rangeOf(column int, one series) string {
	return fmt.Sprintf("%s!%s:%s", quoted(s.name), absolute(column, firstRow+one.first), absolute(column, firstRow+one.last))
}

func quoted(sheet string) string { return "'" + sheet + "'" }

func absolute(column, row int) string {
	name, err := excelize.CoordinatesToCellName(column, row, true)
	if err != nil {
		panic(fmt.Sprintf("columns and rows count from 1: %v", err))
	}
	return name
}
