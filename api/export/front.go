package export

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"rollcall"
)

// front makes a sheet that explains the others: texts, and numbers where a text
// is one, in rows.
func (x *planning) front(name, table string, headings []string, rows [][]any) *sheet {
	s := x.newSheet(name, table)
	m := x.first()
	s.title, s.rows, s.fixed, s.prose = name, len(rows), 1, true
	s.notes = [3]string{x.title(), x.words.oneTable, x.provenance(m)}
	for i, heading := range headings {
		s.columns = append(s.columns, column{heading: heading, cell: func(row int) shown { return x.plain(rows[row][i]) }})
	}
	return s
}

// plain shows a text or a number.
func (x *planning) plain(v any) shown {
	switch v := v.(type) {
	case string:
		return x.textOr(v)
	case float64:
		if v != math.Trunc(v) {
			return shown{value: v, style: x.styles.leftPart}
		}
		return shown{value: v, style: x.styles.leftWhole}
	case int:
		return shown{value: v, style: x.styles.leftWhole}
	case bool:
		return shown{value: v, style: x.styles.left}
	}
	return shown{value: markUndefined, style: x.styles.absentText}
}

// coverSheet says what a citation needs.
func (x *planning) coverSheet() *sheet {
	m := *x.first()
	if len(x.tables) > 1 { // what the tables differ in is in the details
		m.Target = ""
	}
	var rows [][]any
	about := rollcall.Table{Meta: m}
	if len(m.Markets) > 0 { // which its rows name, and what each is of
		about.Columns = x.tables[0].Columns
	}
	for _, c := range citations(&about) {
		rows = append(rows, []any{x.words.item(c.name), c.value})
	}
	if m.Reason != "" {
		rows = append(rows, []any{x.words.item("reason"), x.words.locale.Reason(&m)})
	}
	if m.Universe != nil {
		rows = append(rows, []any{x.words.item("universe"), m.Universe.Population},
			[]any{x.words.source, x.words.note(m.Universe.Source)}, []any{x.words.sourceDate, m.Universe.SourceDate})
	}
	for _, item := range [][2]string{{"document", m.Document}, {"software", m.Software}} {
		rows = append(rows, []any{x.words.item(item[0]), item[1]})
	}
	s := x.front(x.words.cover, "cover", []string{x.words.itemCol, x.words.valueCol}, rows)
	s.title, s.notes[0] = x.title(), x.words.about(&m)
	s.columns[1].width = prose
	return s
}

// fillContents lists every sheet but the contents' own.
func (x *planning) fillContents(s *sheet) {
	var rows [][]any
	for _, other := range x.sheets {
		if other != s {
			rows = append(rows, []any{other.name, other.title, other.rows, len(other.columns)})
		}
	}
	headings := []string{x.words.sheetCol, x.words.titleCol, x.words.rowsCol, x.words.columnsCol}
	made := x.front(s.name, s.table, headings, rows)
	made.name, made.table = s.name, s.table
	*s = *made
	s.columns[1].width = prose
	s.columns[0].cell = func(row int) shown {
		name, _ := rows[row][0].(string)
		return shown{value: name, style: x.styles.link, link: anchor(name)}
	}
}

// notesSheet explains the marks, then says what the reports say beside their
// figures, each once.
func (x *planning) notesSheet() *sheet {
	w := x.words
	rows := [][]any{
		{markBelow, w.shorthand.below}, {markCensus, w.shorthand.census}, {markDetection, w.shorthand.belowDetection},
		{markUndefined, w.shorthand.undefined}, {markCaution, w.shorthand.caution},
	}
	if slices.ContainsFunc(x.tables, func(t *rollcall.Table) bool { return hasColumn(t, "unique_audience") }) {
		rows = append(rows, []any{w.label(rollcall.Column{Name: "unique_audience", Label: "Unique audience"}), w.visitors})
	}
	seen := map[string]bool{}
	for _, t := range x.tables {
		for _, note := range w.allNotes(&t.Meta) {
			if !seen[note] {
				seen[note] = true
				rows = append(rows, []any{strconv.Itoa(len(seen)), note})
			}
		}
	}
	s := x.front(w.notesSheet, "notes", []string{w.markCol, w.textCol}, rows)
	s.columns[1].width = prose
	return s
}

// prose is the width of a column of sentences.
const prose = 100

// definitionsSheet maps each heading to its column's name, unit and definition.
func (x *planning) definitionsSheet() *sheet {
	var rows [][]any
	seen := map[[2]string]bool{}
	for _, f := range x.flats {
		for _, from := range f.fields[f.citation:] {
			key := [2]string{x.words.heading(from), from.name}
			if seen[key] {
				continue
			}
			seen[key] = true
			rows = append(rows, []any{key[0], from.name, x.words.unitName(from.unit()), x.words.describe(from)})
		}
	}
	w := x.words
	s := x.front(w.definitions, "definitions", []string{w.labelCol, w.nameCol, w.unitCol, w.definitionCol}, rows)
	s.columns[3].width = prose
	return s
}

// detailsSheet has every table's meta, an item a row: the members of a member
// under both their names, universe.population. What is the same in all tables
// stands there once.
func (x *planning) detailsSheet() *sheet {
	w := x.words
	in := map[[2]any]int{}
	var all [][]any
	for _, t := range x.tables {
		items := flattened(w.title(&t.Meta), "", &t.Meta)
		for _, item := range items {
			in[[2]any{item[1], item[2]}]++
		}
		all = append(all, items...)
	}
	var rows [][]any
	for _, item := range all {
		key := [2]any{item[1], item[2]}
		switch in[key] {
		case 0: // it stands there
		case len(x.tables):
			rows = append(rows, []any{w.allTables, item[1], item[2]})
			in[key] = 0
		default:
			rows = append(rows, item)
		}
	}
	s := x.front(w.details, "details", []string{w.tableCol, w.itemCol, w.valueCol}, rows)
	s.columns[2].width = prose
	return s
}

// flattened gives rows of title, name and value. Notes are on their own sheet.
func flattened(title, under string, v any) [][]any {
	all, err := members(v)
	if err != nil {
		return nil // a meta that is no object has no members
	}
	var rows [][]any
	for _, m := range all {
		name := under + m.name
		switch {
		case name == "notes":
		case strings.HasPrefix(string(m.json), "{"):
			rows = append(rows, flattened(title, name+".", m.json)...)
		default:
			rows = append(rows, []any{title, name, scalar(m)})
		}
	}
	return rows
}

// scalar is a member's number, truth or text; of a list its JSON.
func scalar(m member) any {
	var v any
	if json.Unmarshal(m.json, &v) != nil {
		return m.text()
	}
	switch v.(type) {
	case float64, bool, nil:
		return v
	}
	return m.text()
}

// servicesSheet names the services that the tables have; nil: they have none that
// is in the catalogue.
func (x *planning) servicesSheet() *sheet {
	var rows [][]any
	for _, s := range x.options.Services {
		if slices.ContainsFunc(x.tables, func(t *rollcall.Table) bool { return names(t, string(s.ID)) }) {
			rows = append(rows, []any{string(s.ID), s.Name, s.Brand, s.Owner})
		}
	}
	if rows == nil {
		return nil
	}
	w := x.words
	return x.front(w.services, "services", []string{w.serviceCol, w.serviceName, w.brandCol, w.ownerCol}, rows)
}

// segmentsSheet names the segments of the rows; nil: none of them has a name.
func (x *planning) segmentsSheet() *sheet {
	there := make(map[string]bool)
	for _, t := range x.tables {
		for i := range t.Rows {
			if id, ok := t.Cell(i, string(rollcall.BySegment)).(string); ok {
				there[id] = true
			}
		}
	}
	var rows [][]any
	for _, s := range x.options.Segments {
		if there[string(s.ID)] && s.Name != "" {
			rows = append(rows, []any{string(s.ID), s.Name})
		}
	}
	if rows == nil {
		return nil
	}
	return x.front(x.words.segments, "segments", []string{x.words.segmentCol, x.words.serviceName}, rows)
}

// names reports whether a row of a table is of a service, or of it and others.
func names(t *rollcall.Table, service string) bool {
	for i, c := range t.Columns {
		if c.Name != "service" && c.Name != "other" && c.Name != "services" {
			continue
		}
		for _, row := range t.Rows {
			switch of := row[i].(type) {
			case string:
				if of == service {
					return true
				}
			case []string:
				if slices.Contains(of, service) {
					return true
				}
			}
		}
	}
	return false
}
