package mcp

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollcall"
)

// words says what an answer's figures are: of what, in which units, with which
// intervals, and which of them are withheld.
func words(path string, body []byte) string {
	if strings.HasPrefix(path, "/v1/reports/") || path == "/v1/census" {
		t := new(rollcall.Table)
		if json.Unmarshal(body, t) == nil {
			return tableWords(t)
		}
	}
	if path == "/v1/metrics" {
		return "The columns of all reports and of the census, each with its unit and definition, as JSON. The unit of standard errors and intervals is the column's."
	}
	return "What there is, as JSON: the ids are what the other tools take."
}

func tableWords(t *rollcall.Table) string {
	var b strings.Builder
	b.WriteString(title(t.Meta) + "\n")
	if t.Meta.Simulated {
		b.WriteString("Simulated: these people do not exist.\n")
	}
	for _, c := range t.Meta.Calibrated {
		fmt.Fprintf(&b, "The panel is calibrated to the census of %s of %s; rows of such services have calibrated true.\n", c.Service, c.Month)
	}
	fmt.Fprintf(&b, "Each figure is an object: value; se, its standard error; low and high, its %.0f %% interval; n, what was counted behind it; status. se, low and high are in the figure's unit.\n", 100*confidence(t.Meta))
	b.WriteString("Units:")
	for _, c := range t.Columns {
		if c.Unit != "" {
			fmt.Fprintf(&b, " %s in %s (%s);", c.Name, c.Unit, c.Label)
		}
	}
	fmt.Fprintf(&b, "\nStatus: ok may be told; caution may be told, and is imprecise; below is of too few and withheld, undefined has no base, below_detection is too small for the count: these have no numbers. Here: %s.\n", statuses(t))
	for _, note := range t.Meta.Notes {
		b.WriteString("Note: " + note + "\n")
	}
	b.WriteString("The data as JSON:")
	return b.String()
}

// confidence of the intervals; a census has 95 % ones too.
func confidence(m rollcall.Meta) float64 {
	if m.Confidence > 0 {
		return m.Confidence
	}
	return .95
}

// title says what a table is of.
func title(m rollcall.Meta) string {
	words := []string{m.Report, "of market", string(m.Market)}
	if m.Service != "" {
		words = []string{m.Report, "of service", string(m.Service)}
	}
	if m.Panel != "" {
		words = append(words, "panel", string(m.Panel))
	}
	if m.Month != "" {
		words = append(words, "month", m.Month)
	}
	if m.From != "" {
		words = append(words, "from", m.From, "to", m.To)
	}
	words = append(words, "location", m.Location, "credit", m.Credit)
	if m.Target != "" {
		words = append(words, "target", m.Target)
	}
	title := strings.Join(words, " ") + ". "
	switch {
	case m.Version > 0:
		title += fmt.Sprintf("Published: version %d, status %s.", m.Version, m.Status)
	case m.Status != "":
		title += "Not published: status " + m.Status + "."
	}
	return strings.TrimSpace(title)
}

// statuses counts the figures of each status.
func statuses(t *rollcall.Table) string {
	count := map[rollcall.Status]int{}
	for _, row := range t.Rows {
		for _, cell := range row {
			if m, ok := cell.(rollcall.Measure); ok {
				count[m.Status]++
			}
		}
	}
	var out []string
	for _, s := range slices.Sorted(maps.Keys(count)) {
		out = append(out, fmt.Sprintf("%d %s", count[s], s))
	}
	if out == nil {
		return "no figure"
	}
	return strings.Join(out, ", ")
}
