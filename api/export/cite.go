package export

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// CiteAs is how the month's figures are cited, in one line.
func (m *Month) CiteAs() string {
	w, p, meta := m.Locale.words(), &m.Publication, &m.Tables[0].Meta
	line := fmt.Sprintf("Rollcall, %s %s, %s. %s. %s %d (%s), %s.", w.panel, p.Panel, m.place(), w.monthTitle(meta),
		w.version, p.Version, w.versions[string(p.Status)], p.Time.UTC().Format(time.DateOnly))
	if calibrated := w.calibratedTo(meta.Calibrated); calibrated != "" {
		line = strings.TrimSuffix(line, ".") + ", " + calibrated + "."
	}
	if meta.Simulated {
		line += " " + w.simulated
	}
	return line + " sha256:" + meta.Document + "."
}

// place is the market by its name and id.
func (m *Month) place() string {
	if m.Market.Name == "" {
		return string(m.Publication.Market)
	}
	return fmt.Sprintf("%s (%s)", m.Market.Name, m.Publication.Market)
}

func (m *Month) citation(w io.Writer) error {
	_, err := fmt.Fprintln(w, m.CiteAs())
	return err
}

// citationFile writes CITATION.cff (Citation File Format 1.2.0).
func (m *Month) citationFile(w io.Writer) error {
	words, p, meta := m.Locale.words(), &m.Publication, &m.Tables[0].Meta
	_, err := fmt.Fprintf(w, `cff-version: 1.2.0
type: dataset
message: %s
title: %s
authors:
  - name: %s
version: "%d"
date-released: %s
abstract: %s
identifiers:
  - type: other
    value: %s
    description: %s
`, yamlText(words.citeThus), yamlText(words.monthTitle(meta)), yamlText("Rollcall, "+words.panel+" "+string(p.Panel)+", "+m.place()),
		p.Version, p.Time.UTC().Format(time.DateOnly), yamlText(m.CiteAs()), yamlText("sha256:"+meta.Document), yamlText(words.documentHash))
	return err
}

// method writes method.md: how the figures were made, as far as the reports say,
// and what each column holds.
func (m *Month) method(w io.Writer) error {
	words, meta := m.Locale.words(), &m.Tables[0].Meta
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s.\n\n", words.monthTitle(meta), words.about(meta))
	if meta.Universe != nil {
		fmt.Fprintf(&b, "%s%s%s, %s.\n\n", words.source, words.colon, words.note(meta.Universe.Source), meta.Universe.SourceDate)
	}
	fmt.Fprintf(&b, "## %s\n\n", words.notesSheet)
	m.writeNotes(&b)
	fmt.Fprintf(&b, "\n## %s\n\n| %s | %s |\n|---|---|\n", words.item("method"), words.itemCol, words.valueCol)
	for setting := range strings.SplitSeq(meta.Method, "; ") {
		name, value, _ := strings.Cut(setting, "=")
		fmt.Fprintf(&b, "| %s | %s |\n", markdown(name), markdown(value))
	}
	s := &words.shorthand
	fmt.Fprintf(&b, "\n## %s\n\n| %s | %s |\n|---|---|\n", words.marksTitle, words.markCol, words.textCol)
	for _, row := range [][2]string{{markBelow, s.below}, {markCensus, s.census}, {markDetection, s.belowDetection}, {markUndefined, s.undefined}, {markCaution, s.caution}} {
		fmt.Fprintf(&b, "| `%s` | %s |\n", row[0], markdown(row[1]))
	}
	fmt.Fprintf(&b, "\n## %s\n\n| %s | %s | %s | %s |\n|---|---|---|---|\n", words.definitions, words.nameCol, words.labelCol, words.unitCol, words.definitionCol)
	m.writeColumns(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// writeNotes writes every table's notes, each once.
func (m *Month) writeNotes(b *strings.Builder) {
	seen := map[string]bool{}
	for _, t := range m.Tables {
		for _, note := range m.Locale.words().allNotes(&t.Meta) {
			if !seen[note] {
				seen[note] = true
				fmt.Fprintf(b, "- %s\n", markdown(note))
			}
		}
	}
}

// writeColumns writes a line for every column of any table, each once.
func (m *Month) writeColumns(b *strings.Builder) {
	words, seen := m.Locale.words(), map[string]bool{}
	for _, t := range m.Tables {
		for _, c := range t.Columns {
			if key := c.Name + c.Role; !seen[key] {
				seen[key] = true
				fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", c.Name, markdown(words.label(c)), words.unitName(c.Unit), markdown(words.definition(c)))
			}
		}
	}
}

// markdown keeps a text within its cell.
func markdown(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ").Replace(s)
}
