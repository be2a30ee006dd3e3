package terminal

import (
	"io"
	"slices"
	"strings"
	"unicode"

	"rollcall"
	"rollcall/api/export"
)

// Widest is how many columns a line has at most, and Narrowest how few it may
// be asked to have.
const (
	Widest    = 100
	Narrowest = 60
)

// Options say how a table is written.
type Options struct {
	Locale   export.Locale
	Services []rollcall.Service // whose names stand for their ids
	Segments []rollcall.Segment // likewise; those of the rows at least
	Width    int                // columns; Widest where it is 0 or more than that
}

// Write writes the table.
func Write(w io.Writer, t *rollcall.Table, o Options) error {
	p := newPage(t.Flagged(), o)
	body := p.body()
	p.head()
	p.line("")
	p.out.WriteString(body)
	p.line("")
	p.foot()
	_, err := io.WriteString(w, p.out.String())
	return err
}

// Wrap breaks a text at its spaces into lines of so many columns; a longer word
// is broken too.
func Wrap(text string, width int) string { return strings.Join(wrap(plain(text), width), "\n") }

// page is one table under way.
type page struct {
	*words
	t      *rollcall.Table
	locale export.Locale
	text   export.Text
	names  map[string]string // of services, by their ids

	segments map[string]string // likewise
	width    int
	all      []*strip // of every column of the table
	shown    []int    // columns of the table that are in the text
	out      strings.Builder
}

func newPage(t *rollcall.Table, o Options) *page {
	p := &page{words: wordsOf(o.Locale), t: t, locale: o.Locale, text: o.Locale.Text(&t.Meta), names: map[string]string{}, segments: map[string]string{}, width: o.Width}
	if p.width <= 0 || p.width > Widest {
		p.width = Widest
	}
	p.width = max(p.width, Narrowest)
	for _, s := range o.Services {
		p.names[string(s.ID)] = s.Name
	}
	for _, s := range o.Segments {
		p.segments[string(s.ID)] = s.Name
	}
	tellApart(p.names)
	tellApart(p.segments)
	return p
}

// tellApart puts ids behind names that are of several, or empty.
func tellApart(names map[string]string) {
	count := map[string]int{}
	for _, name := range names {
		count[name]++
	}
	for id, name := range names {
		if count[name] > 1 || name == "" {
			names[id] = strings.TrimSpace(name + " (" + id + ")")
		}
	}
}

// line writes a text in as many lines as it needs.
func (p *page) line(text string) { p.out.WriteString(Wrap(text, p.width) + "\n") }

// head says what the table is of, where its figures are from, and that they are
// of nobody where that is so.
func (p *page) head() {
	m := &p.t.Meta
	p.line(p.text.Title)
	p.line(p.text.About)
	if m.Reason != "" {
		p.line(p.reason + p.locale.Reason(m))
	}
	if m.Simulated {
		p.line(p.text.Simulated)
	}
}

// name is a service's name, or what else a row unites.
func (p *page) name(id, level string) string {
	switch level {
	case "any":
		return p.anyService
	case "brand":
		return id + " (" + p.brand + ")"
	case "owner":
		return id + " (" + p.owner + ")"
	}
	if id == "any" {
		return p.anyService
	}
	if name, ok := p.names[id]; ok {
		return name
	}
	return id
}

// column gives the number of the table's column of a name, or -1.
func (p *page) column(name string) int {
	return slices.IndexFunc(p.t.Columns, func(c rollcall.Column) bool { return c.Name == name })
}

// plain leaves of a text what takes its place on a line: what can't be printed
// is shown as such.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || unicode.Is(unicode.Zs, r) || r == '\u200d' { // which joins the parts of one sign
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
