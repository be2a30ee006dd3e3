package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"rollcall"
)

// printTable shows a report on a terminal: a title, the rows, then how far to
// trust it. Persons are rounded to thousands where all are large.
func printTable(w io.Writer, body io.Reader) error {
	var t rollcall.Table
	if err := json.NewDecoder(body).Decode(&t); err != nil {
		return fmt.Errorf("read the report: %w", err)
	}
	fmt.Fprintln(w, title(&t.Meta))
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	columns := shown(&t)
	for _, i := range columns {
		fmt.Fprintf(out, "%s\t", heading(t.Columns[i]))
	}
	fmt.Fprintln(out)
	for k, row := range t.Rows {
		for _, i := range columns {
			text := show(t.Columns[i], row[i])
			if t.Columns[i].Name == "rank" {
				text = ranks(text, t.Cell(k, "rank_low"), t.Cell(k, "rank_high"))
			}
			fmt.Fprintf(out, "%s\t", text)
		}
		fmt.Fprintln(out)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	for _, note := range t.Meta.Notes {
		fmt.Fprintln(w, "Note:", note)
	}
	return nil
}

// ranks gives a rank as the ranks that it may be, "2-3", where they are several.
func ranks(rank string, low, high any) string {
	if low == nil || high == nil || low == high {
		return rank
	}
	return fmt.Sprint(low, "-", high)
}

// shown gives the columns that fit on a terminal: all but a ranking's
// finer ones, which the other formats have.
func shown(t *rollcall.Table) []int {
	ranking := []string{"location", "rank", "service", "level", "unique_audience", "reach", "minutes_per_person", "days_per_person", "change", "tied_with"}
	var columns []int
	for i, c := range t.Columns {
		if t.Meta.Report != "ranking" || slices.Contains(ranking, c.Name) {
			columns = append(columns, i)
		}
	}
	return columns
}

func title(m *rollcall.Meta) string {
	parts := []string{m.Report, string(m.Market)}
	if m.Panel != "" {
		parts = append(parts, "panel "+string(m.Panel))
	}
	if m.Month != "" {
		parts = append(parts, m.Month)
	} else {
		parts = append(parts, m.From+" to "+m.To)
	}
	parts = append(parts, m.Location, "by "+m.Credit)
	switch {
	case m.Version > 0:
		parts = append(parts, fmt.Sprintf("version %d (%s)", m.Version, m.Status))
	case m.Status != "":
		parts = append(parts, m.Status)
	}
	return strings.Join(parts, ", ")
}

func heading(c rollcall.Column) string {
	name := strings.ReplaceAll(c.Name, "_", " ")
	switch c.Unit {
	case "persons":
		return name + " (000)"
	case "percent":
		return name + " %"
	}
	return name
}

func show(c rollcall.Column, cell any) string {
	switch v := cell.(type) {
	case nil:
		return "-"
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case []string:
		return strings.Join(v, " ")
	case rollcall.Measure:
		return showMeasure(c.Unit, v)
	}
	return fmt.Sprint(cell)
}

// showMeasure shows the figure and its interval, in the unit's usual rounding; a
// star is a low base.
func showMeasure(unit string, m rollcall.Measure) string {
	if m.Status.Withheld() {
		return string(m.Status)
	}
	scale, digits := 1.0, 1
	switch unit {
	case "persons":
		scale, digits = 1000, 0
	case "accounts":
		digits = 0
	}
	text := strconv.FormatFloat(m.Value/scale, 'f', digits, 64)
	if m.High > m.Low { // which are not as far from the value: no ± would do
		text += " [" + strconv.FormatFloat(m.Low/scale, 'f', digits, 64) + ", " + strconv.FormatFloat(m.High/scale, 'f', digits, 64) + "]"
	}
	if m.Status == rollcall.Caution {
		text += "*"
	}
	return text
}
