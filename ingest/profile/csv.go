package profile

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"rollcall/ingest/profile/columns"
)

// The longest that a quoted field with line ends in it may make one row.
const (
	maxRowLines = 64
	maxRowBytes = 64 << 10
)

// nothing is how COPY writes that there is no value, and MySQL and ClickHouse in CSV too.
const nothing = `\N`

// looksCSV reports whether a line is the header of a table of the profile, by
// the profile's separator, or the first of the usual ones by which it is.
func (s *source) looksCSV(text []byte) bool {
	separators := []byte{s.comma, ';', '|', '\t'}
	if slices.Contains(s.formats, "pg-copy") {
		separators = separators[:3] // with tabs it is COPY's own text
	}
	for _, comma := range separators {
		header := columnNames(string(text), comma)
		if slices.ContainsFunc(s.tables, func(t Table) bool { return t.needs.In(header) }) {
			s.comma = comma
			return true
		}
	}
	return false
}

// columnNames gives the names of a header.
func columnNames(text string, comma byte) []string {
	names, _ := splitCSV(text, comma)
	for i := range names {
		names[i] = strings.Trim(strings.TrimSpace(names[i]), `"`)
	}
	return names
}

// csv reads a table whose first line names its columns. It is read by hand,
// since a quote that was never escaped must cost its own field and not the rows
// after it: a row whose quotes don't close is read by itself, as they stand.
func (s *source) csv(yield func(*row) error) error {
	first, err := s.lines.next()
	if err != nil {
		return err
	}
	to := s.spread(columnNames(string(first.text), s.comma))
	if err := s.once(to.header); err != nil {
		return err
	}
	padded := s.comma == '|' && bytes.Contains(first.text, []byte(" | "))
	for {
		at, err := s.lines.next()
		if err != nil || at.text == nil {
			return err
		}
		if len(bytes.TrimSpace(at.text)) == 0 || padded && ofPsql.Match(at.text) {
			continue
		}
		fields, err := s.record(at, to)
		if err != nil {
			return err
		}
		if blank(fields) {
			continue // a spreadsheet's
		}
		for i := 0; padded && i < len(fields); i++ {
			fields[i] = strings.TrimSpace(fields[i])
		}
		if err := yield(s.rowOf(at, fields, to)); err != nil {
			return err
		}
	}
}

// ofPsql is what psql prints around a table for reading: a rule, and a count.
var ofPsql = regexp.MustCompile(`^(?:[-+]+|\(\d+ rows?\))$`)

// blank reports whether there is nothing in any field.
func blank(fields []string) bool {
	return !slices.ContainsFunc(fields, func(field string) bool { return strings.TrimSpace(field) != "" })
}

// once refuses a header that has a column twice which is read: nobody knows which.
func (s *source) once(header []string) error {
	for i, name := range header {
		if s.reads[name] && slices.Contains(header[:i], name) {
			return fmt.Errorf("the header has %q twice: rename one, or leave it out", name)
		}
	}
	return nil
}

// record gives the fields of a row that begins with a line.
func (s *source) record(at line, to spread) ([]string, error) {
	fields, open := splitCSV(string(at.text), s.comma)
	if !open {
		return fields, nil
	}
	whole := string(at.text)
	var more []line
	for len(more) < maxRowLines && len(whole) < maxRowBytes {
		next, err := s.lines.next()
		if err != nil {
			return nil, err
		}
		if next.text == nil {
			break
		}
		more = append(more, next)
		whole += "\n" + string(next.text)
		joined, open := splitCSV(whole, s.comma)
		if open {
			continue
		}
		if len(joined) == len(to.header) {
			return joined, nil
		}
		break // a quote of a later row has closed it: it was never open
	}
	s.lines.putBack(more...)
	return fields, nil
}

func (s *source) rowOf(at line, fields []string, to spread) *row {
	r := &row{line: at.no, Row: columns.Row{Header: to.header}}
	fields, ok := to.fit(fields, string(s.comma))
	switch {
	case at.long:
		r.fault = "the line is longer than 1 MiB"
	case !ok:
		r.fault = fmt.Sprintf("has %d fields, and its header %d", len(fields), len(to.header))
	default:
		r.Values = s.fresh()
		for i, name := range to.header {
			if s.reads[name] && fields[i] != nothing {
				r.Values[name] = fields[i]
			}
		}
	}
	return r
}

// splitCSV gives the fields of a line. A quote that does not close before a
// separator is read as it stands; open: the last one does not close at all, and
// may in a later line.
func splitCSV(text string, comma byte) (fields []string, open bool) {
	for {
		field, rest, closes := quotedField(text, comma)
		if closes != asItShould {
			open = closes == never
			var more bool
			field, rest, more = strings.Cut(text, string(comma))
			fields = append(fields, field)
			if !more || open {
				return withRest(fields, rest, comma), open
			}
			text = rest
			continue
		}
		fields = append(fields, field)
		if rest == "" {
			return fields, false
		}
		text = rest[1:]
	}
}

// withRest appends what stands after a quote that never closes, as it stands.
func withRest(fields []string, rest string, comma byte) []string {
	if rest == "" {
		return fields
	}
	more, _ := splitCSV(rest, comma)
	return append(fields, more...)
}

// closing is how a field's first quote closes.
type closing int

const (
	asItShould closing = iota // before a separator or the end
	early                     // before other text, or there is none
	never
)

// quotedField reads a field in quotes, in which "" is a quote; rest begins with
// the separator, or is empty.
func quotedField(text string, comma byte) (field, rest string, closes closing) {
	if text == "" || text[0] != '"' {
		return "", text, early
	}
	for at := 1; at < len(text); at++ {
		if text[at] != '"' {
			continue
		}
		if at+1 < len(text) && text[at+1] == '"' {
			at++
			continue
		}
		if at+1 < len(text) && text[at+1] != comma {
			return "", text, early
		}
		return strings.ReplaceAll(text[1:at], `""`, `"`), text[at+1:], asItShould
	}
	return "", text, never
}
