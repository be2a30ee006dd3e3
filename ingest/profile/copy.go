package profile

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rollcall/ingest/profile/columns"
)

// copyLine begins a table's rows in a dump: COPY public.users (name, "admin") FROM stdin;
var copyLine = regexp.MustCompile(`(?i)^COPY\s+(?:"?[^".(]+"?\.)?"?([^".(\s]+)"?\s*\(([^)]*)\)\s+FROM\s+stdin`)

// copied reads PostgreSQL's COPY text, bare or in what pg_dump writes: there
// only what stands between a COPY line and "\." is rows.
func (s *source) copied(yield func(*row) error) error {
	dump := false
	var at *row // the table whose rows are being read
	var to spread
	for {
		next, err := s.lines.next()
		if err != nil || next.text == nil {
			return err
		}
		text := string(next.text)
		if named := copyLine.FindStringSubmatch(text); named != nil {
			dump, at = true, &row{Row: columns.Row{Table: named[1], Header: columnNames(named[2], ',')}}
			to = s.spread(at.Header)
			if err := s.known(at); err != nil {
				return err
			}
			continue
		}
		if text == `\.` {
			at = nil
			continue
		}
		if at == nil {
			if dump || preamble(next.text) {
				dump = true
				continue
			}
			if at = s.bare(text); at == nil {
				return s.unlike(next.text)
			}
			to = s.spread(at.Header)
			if slices.Equal(strings.Split(text, "\t"), at.Header) {
				if err := s.once(at.Header); err != nil {
					return err
				}
				continue // COPY ... WITH (HEADER)
			}
		}
		if text == "" {
			continue
		}
		if err := yield(s.copiedRow(next, at, to)); err != nil {
			return err
		}
	}
}

// preamble reports whether a line is of pg_dump's own words before any table.
func preamble(text []byte) bool {
	for _, word := range []string{"--", "SET ", "SELECT ", "\\restrict", "\\connect", "CREATE ", "ALTER ", "COMMENT ", "/*"} {
		if bytes.HasPrefix(text, []byte(word)) {
			return true
		}
	}
	return len(bytes.TrimSpace(text)) == 0
}

// known refuses columns in a dump that are of a table by its name, and lack what it needs.
func (s *source) known(at *row) error {
	var of *Table
	for i := range s.tables {
		t := &s.tables[i]
		switch {
		case t.Relation != at.Table:
		case t.needs.In(at.Header):
			return nil
		default:
			of = t
		}
	}
	if of == nil {
		return nil
	}
	return of.needs.Missing(at.Header)
}

// bare gives the table of COPY text without a header: the first with as many
// columns as the row has fields, or one whose agent may hold the rest.
func (s *source) bare(text string) *row {
	fields := strings.Split(text, "\t")
	for i := range s.tables {
		t := &s.tables[i]
		if len(t.needs.Columns) > 0 && t.needs.In(fields) {
			return &row{Row: columns.Row{Table: t.Relation, Header: fields}}
		}
	}
	for i := range s.tables {
		if s.tables[i].needs.NearlyIn(fields) {
			return nil // its rows may be in another order
		}
	}
	for i := range s.tables {
		t := &s.tables[i]
		if _, ok := s.spread(t.Columns).fit(fields, "\t"); ok && len(t.Columns) > 0 {
			return &row{Row: columns.Row{Table: t.Relation, Header: t.Columns}}
		}
	}
	return nil
}

func (s *source) copiedRow(next line, of *row, to spread) *row {
	r := &row{line: next.no, Row: of.Row}
	fields, ok := to.fit(strings.Split(string(next.text), "\t"), "\t")
	switch {
	case next.long:
		r.fault = "the line is longer than 1 MiB"
	case !ok:
		r.fault = fmt.Sprintf("has %d fields, and its table %d", len(fields), len(of.Header))
	default:
		r.Values = s.fresh()
		for i, name := range of.Header {
			if s.reads[name] && fields[i] != nothing {
				r.Values[name] = unescape(fields[i])
			}
		}
	}
	return r
}

// unescape undoes COPY's backslashes: \t and its kin, \ooo, \xHH; any other
// character after one is itself.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	const short = "b\bf\fn\nr\rt\tv\v"
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out = append(out, s[i])
			continue
		}
		i++
		if at := strings.IndexByte(short, s[i]); at >= 0 && at%2 == 0 {
			out = append(out, short[at+1])
			continue
		}
		b, n := numbered(s[i:])
		out = append(out, b)
		i += n - 1
	}
	return string(out)
}

// numbered reads a byte by its number, or the first byte as itself, and gives
// how many bytes it took.
func numbered(s string) (byte, int) {
	base, digits, most := 8, s, 3
	if s[0] == 'x' {
		base, digits, most = 16, s[1:], 2
	}
	for n := min(most, len(digits)); n > 0; n-- {
		if b, err := strconv.ParseUint(digits[:n], base, 8); err == nil && digits[0] != '+' {
			return byte(b), n + len(s) - len(digits)
		}
	}
	return s[0], 1
}
