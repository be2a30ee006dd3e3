package delivery

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"rollcall"
	"rollcall/api/export"
)

// ranking is the month's first table as a mail shows it.
type ranking struct {
	Title, About string
	Lang         export.Locale
	Heads        []string
	Rows         [][]string
	Notes        []string
}

// closed says that a month was closed, with its ranking.
func (m *message) closed(month *export.Month) (said, error) {
	w, p := wordsOf(month.Locale), &m.publication
	r := rankingOf(month, w)
	r.About = fmt.Sprintf(w.closedOn, p.Version, w.statuses[string(p.Status)], p.Time.UTC().Format(time.DateOnly))
	if m.market.Simulated {
		r.Notes = append(r.Notes, w.simulated)
	}
	r.Notes = append(r.Notes, month.CiteAs())
	s := said{subject: month.Title() + ", " + fmt.Sprintf(w.closed, p.Version, w.statuses[string(p.Status)])}
	if m.market.Simulated {
		s.subject += " [" + strings.TrimSuffix(strings.Fields(w.simulated)[0], ":") + "]"
	}
	var err error
	if s.text, err = r.text(); err == nil {
		s.html, err = r.html()
	}
	return s, err
}

// rankingOf takes the services and all of them together from the ranking at home
// and at work.
func rankingOf(month *export.Month, w *words) *ranking {
	t := month.Tables[0]
	label := func(name string) string {
		i := slices.IndexFunc(t.Columns, func(c rollcall.Column) bool { return c.Name == name })
		return month.Locale.Label(t.Columns[i])
	}
	r := &ranking{
		Title: month.Title(), Lang: month.Locale,
		Heads: []string{label("rank"), label("service"), label("unique_audience"), w.interval, label("reach") + " %", label("change")},
	}
	scale := scaleOf(t)
	if scale > 1 {
		r.Notes = append(r.Notes, w.thousands)
	}
	marks := map[string]bool{}
	for i := range t.Rows {
		level := t.Cell(i, "level")
		if level != "service" && level != "any" {
			continue
		}
		rank := ""
		if n, ok := t.Cell(i, "rank").(int); ok {
			rank = fmt.Sprint(n)
		}
		name := w.any
		if level == "service" {
			name = nameIn(month.Services, t.Cell(i, "service"))
		}
		audience := t.Cell(i, "unique_audience")
		r.Rows = append(r.Rows, []string{
			rank, name, w.figure(audience, scale, 0, marks), w.between(audience, scale),
			w.figure(t.Cell(i, "reach"), 1, 1, marks), w.figure(t.Cell(i, "change"), scale, 0, marks),
		})
	}
	for _, mark := range []struct{ mark, note string }{{withheldMark, w.withheld}, {cautionMark, w.caution}} {
		if marks[mark.mark] {
			r.Notes = append(r.Notes, mark.note)
		}
	}
	return r
}

// Marks in cells.
const (
	withheldMark = "[x]"
	cautionMark  = "*"
)

// scaleOf is a thousand where every audience that is shown has ten of them.
func scaleOf(t *rollcall.Table) float64 {
	const thousand, large = 1000, 10_000
	for i := range t.Rows {
		if m, ok := t.Cell(i, "unique_audience").(rollcall.Measure); ok && !m.Status.Withheld() && m.Value < large {
			return 1
		}
	}
	return thousand
}

// nameIn gives a service's name, or its id where it has none.
func nameIn(services []rollcall.Service, id any) string {
	for _, s := range services {
		if string(s.ID) == id && s.Name != "" {
			return s.Name
		}
	}
	return fmt.Sprint(id)
}

// figure writes a measure with its mark, which is noted.
func (w *words) figure(cell any, scale float64, decimals int, marks map[string]bool) string {
	m, ok := cell.(rollcall.Measure)
	switch {
	case !ok || m.Status == rollcall.Undefined:
		return "–"
	case m.Status.Withheld():
		marks[withheldMark] = true
		return withheldMark
	case m.Status == rollcall.Caution:
		marks[cautionMark] = true
		return w.number(m.Value/scale, decimals) + cautionMark
	}
	return w.number(m.Value/scale, decimals)
}

// between writes a measure's interval.
func (w *words) between(cell any, scale float64) string {
	m, ok := cell.(rollcall.Measure)
	if !ok || m.Status.Withheld() {
		return ""
	}
	return w.number(m.Low/scale, 0) + " – " + w.number(m.High/scale, 0)
}

func (r *ranking) text() (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n\n", r.Title, r.About)
	out := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{r.Heads}, r.Rows...) {
		fmt.Fprintln(out, strings.Join(row, "\t"))
	}
	if err := out.Flush(); err != nil {
		return "", err
	}
	fmt.Fprintf(&b, "\n%s\n", strings.Join(r.Notes, "\n"))
	return b.String(), nil
}

func (r *ranking) html() (string, error) {
	page, err := template.New("mail").Parse(mailPage)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = page.Execute(&b, r)
	return b.String(), err
}

// mailPage has its styles in the elements: many mail programs drop all others.
const mailPage = `<!DOCTYPE html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><title>{{.Title}}</title></head>
<body style="font-family:sans-serif">
<h1 style="font-size:1.2em">{{.Title}}</h1>
<p>{{.About}}</p>
<table style="border-collapse:collapse">
<thead><tr>{{range .Heads}}<th scope="col" style="padding:.2em .6em;text-align:left;border-bottom:1px solid #888">{{.}}</th>{{end}}</tr></thead>
<tbody>
{{range .Rows}}<tr>{{range $i, $cell := .}}<td style="padding:.2em .6em;text-align:{{if eq $i 1}}left{{else}}right{{end}}">{{$cell}}</td>{{end}}</tr>
{{end}}</tbody>
</table>
{{range .Notes}}<p style="font-size:.9em">{{.}}</p>
{{end}}</body></html>
`
