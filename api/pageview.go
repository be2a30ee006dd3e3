package api

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"rollcall"
)

// rankingView is a ranking in words.
type rankingView struct {
	About      string
	Simulated  string // how it was calibrated; empty: it was not simulated
	Caption    string
	ChangeFrom string // the month compared with; empty: none
	Rows       []rankingRow
	Facts      []fact
	Notes      []string
	JSON, CSV  string // where to download it
}

type rankingRow struct {
	All      bool // the union of all services
	Rank     string
	Name     string
	Audience figure
	Reach    figure
	Change   figure
	Remark   string
}

// figure is a measure in words; a withheld one is a dash.
type figure struct{ Value, Interval string }

type fact struct {
	Name, Text string
	Code       bool
}

// trendView is one audience a month and service.
type trendView struct {
	Services []string
	Rows     []trendRow
}

type trendRow struct {
	Month  string
	Values []string
}

const dash = "–"

func viewRanking(t *rollcall.Table, n names) *rankingView {
	m := &t.Meta
	v := &rankingView{
		About:   fmt.Sprintf("%s, panel %s, version %d (%s).", n.market(m.Market), m.Panel, m.Version, m.Status),
		Caption: fmt.Sprintf("Services by unique visitors %s, %s, with %g %% confidence intervals", placeName(m.Location), monthText(m.Month), 100*m.Confidence),
		Facts:   facts(m), Notes: m.Notes,
	}
	if m.Universe != nil && strings.Contains(strings.ToLower(m.Universe.Source), "simulated") {
		v.Simulated = sentence(m.Universe.Source)
	}
	if m.Compared != nil {
		v.ChangeFrom = shortMonth(m.Compared.Month)
	}
	query := fmt.Sprintf("/v1/reports/ranking?market=%s&panel=%s&month=%s&version=%d", m.Market, m.Panel, m.Month, m.Version)
	v.JSON, v.CSV = query, query+"&format=csv"
	for i := range t.Rows {
		if level := text(t, i, "level"); level == "service" || level == "any" {
			v.Rows = append(v.Rows, viewRow(t, i, n))
		}
	}
	return v
}

// shortMonth makes "2002-10" "Oct 2002": the head of a narrow column.
func shortMonth(s string) string {
	m, err := rollcall.ParseMonth(s)
	if err != nil {
		return s
	}
	name, year, _ := strings.Cut(monthName(m), " ")
	return name[:3] + " " + year
}

// sentence makes a text begin in upper case and end in a full stop.
func sentence(s string) string {
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "."
}

func viewRow(t *rollcall.Table, i int, n names) rankingRow {
	row := rankingRow{
		All: text(t, i, "level") == "any", Name: n.service(text(t, i, "service")), Rank: dash,
		Reach: viewMeasure(t.Cell(i, "reach"), percent), Change: viewChange(t, i),
		Audience: viewMeasure(t.Cell(i, "unique_audience"), persons),
	}
	if rank, ok := t.Cell(i, "rank").(int); ok {
		row.Rank = strconv.Itoa(rank)
	}
	var remarks []string
	if tied, _ := t.Cell(i, "tied_with").([]string); len(tied) > 0 {
		remarks = append(remarks, "tied with "+n.list(tied))
	}
	if audience, ok := t.Cell(i, "unique_audience").(rollcall.Measure); ok {
		remarks = append(remarks, inWords(audience, t.Meta.Thresholds)...)
	}
	row.Remark = strings.Join(remarks, "; ")
	return row
}

// inWords says what a status means; ok needs no word.
func inWords(m rollcall.Measure, limits map[string]int) []string {
	switch m.Status {
	case rollcall.Caution:
		if m.N >= limits["caution"] {
			return []string{"uncertain: a standard error of 30 % or more"}
		}
		return []string{fmt.Sprintf("low base: fewer than %d panelists", limits["caution"])}
	case rollcall.Below:
		return []string{fmt.Sprintf("not shown: fewer than %d panelists", limits["low"])}
	}
	return nil
}

func viewMeasure(cell any, number func(float64) string) figure {
	m, ok := cell.(rollcall.Measure)
	if !ok || m.Status.Withheld() {
		return figure{Value: dash}
	}
	return figure{Value: number(m.Value), Interval: number(m.Low) + " to " + number(m.High)}
}

// viewChange says by how much, and whether it may be chance.
func viewChange(t *rollcall.Table, row int) figure {
	m, ok := t.Cell(row, "change").(rollcall.Measure)
	if !ok || m.Status.Withheld() {
		return figure{Value: dash}
	}
	number := whole
	if audience, ok := t.Cell(row, "unique_audience").(rollcall.Measure); ok && audience.Value >= manyPersons {
		number = thousands // as the audience that changed
	}
	f := figure{Value: signed(m.Value, number)}
	var words []string
	if p, ok := t.Cell(row, "change_percent").(rollcall.Measure); ok && !p.Status.Withheld() {
		words = append(words, signed(p.Value, percent))
	}
	if m.Low <= 0 && m.High >= 0 {
		words = append(words, "may be chance")
	}
	f.Interval = strings.Join(words, ", ")
	return f
}

func signed(x float64, number func(float64) string) string {
	if x < 0 {
		return "−" + number(-x)
	}
	return "+" + number(x)
}

// manyPersons is from where on a number of persons is written to the thousand.
const manyPersons = 10_000

// persons writes a number of persons, not below 0.
func persons(x float64) string {
	if x >= manyPersons {
		return thousands(x)
	}
	return whole(x)
}

func thousands(x float64) string { return whole(math.Round(x/1000) * 1000) }

// whole writes a number, not below 0, with a comma before each three digits.
func whole(x float64) string {
	s := strconv.FormatFloat(math.Round(x), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func percent(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) + "\u00a0%" }

// facts says what the figures stand on.
func facts(m *rollcall.Meta) []fact {
	var out []fact
	add := func(name, format string, values ...any) {
		out = append(out, fact{Name: name, Text: fmt.Sprintf(format, values...)})
	}
	if u := m.Universe; u != nil {
		add("Universe", "%s persons, as of %s", persons(u.Population), u.SourceDate)
		add("Its source", "%s", u.Source)
		add("Active", "%s persons with any internet use %s in the month: the base of reach", viewMeasure(u.Active, persons).Value, strings.Replace(placeName(m.Location), " and ", " or ", 1))
	}
	if p := m.Sample; p != nil {
		add("Panel", "%s persons in tab, %s metered at home and %s at work", persons(float64(p.InTab)), persons(float64(p.Home)), persons(float64(p.Work)))
	}
	if w := m.Weights; w != nil {
		add("Weights", "raked to the universe; worth an effective sample of %s persons (%s)", persons(w.NEff), percent(w.Efficiency))
	}
	add("Precision", "%g %% intervals by linearisation; two services are tied where their difference is within its own", 100*m.Confidence)
	add("Low bases", "under %d panelists a figure is flagged, under %d it is not shown", m.Thresholds["caution"], m.Thresholds["low"])
	add("Who counts", "%s", creditName(m.Credit))
	if len(m.Exclusions) > 0 {
		add("Excluded", "%s", strings.Join(m.Exclusions, "; "))
	}
	return append(out, fact{Name: "Method", Text: m.Method, Code: true}, fact{Name: "Document", Text: m.Document, Code: true})
}

func creditName(credit string) string {
	if credit == "use" {
		return "who had the service in focus or sent a message at least once"
	}
	return "who signed on, was online or used the service at least once"
}

// viewTrend lays a trend out with a row a month and a column a service, in the
// order of the last month.
func viewTrend(t *rollcall.Table, n names) *trendView {
	var months, services []string
	values := map[[2]string]string{}
	for i := range t.Rows {
		month, service := text(t, i, "month"), text(t, i, "service")
		if !slices.Contains(months, month) {
			months, services = append(months, month), nil
		}
		services = append(services, service)
		values[[2]string{month, service}] = viewMeasure(t.Cell(i, "unique_audience"), persons).Value
	}
	v := &trendView{}
	for _, service := range services {
		v.Services = append(v.Services, n.service(service))
	}
	for _, month := range months {
		row := trendRow{Month: monthText(month)}
		for _, service := range services {
			value, ok := values[[2]string{month, service}]
			if !ok {
				value = dash
			}
			row.Values = append(row.Values, value)
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}
