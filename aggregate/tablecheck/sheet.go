package tablecheck

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"rollcall"
)

// sheet is the file's rows, before their numbers are read.
type sheet struct {
	name    string
	columns map[string]int // of the header, by their names
	width   int            // of the header
	lines   []line
}

// line is one row of the file, with its number.
type line struct {
	at     int
	fields []string
}

// The most that a table has. Each row is compared with every other.
const (
	maxTable = 4 << 20 // bytes
	maxRows  = 2000
)

// names are the columns that a table has.
func names() []string { return []string{"rank", "service", "audience", "reach"} }

// readSheet reads a table whose fields are separated by commas, semicolons or tabs. Rows
// and columns in which there is nothing are a spreadsheet's, and passed over.
func readSheet(r io.Reader, name string) (*sheet, error) {
	s := &sheet{name: name}
	text, err := s.text(r)
	if err != nil {
		return nil, err
	}
	text, separator := separated(text)
	rows := csv.NewReader(strings.NewReader(text))
	rows.Comma, rows.FieldsPerRecord = separator, -1
	for {
		fields, err := rows.Read()
		switch {
		case errors.Is(err, io.EOF):
			return s, s.whole()
		case err != nil:
			return nil, s.broken(err)
		case blank(fields):
			continue
		}
		at, _ := rows.FieldPos(0)
		if err := s.add(line{at, fields}); err != nil {
			return nil, err
		}
	}
}

// add takes the header, and then rows.
func (s *sheet) add(l line) error {
	if s.columns == nil {
		return s.header(l)
	}
	if n := len(l.fields); n < s.width || !blank(l.fields[s.width:]) {
		return s.bad(l.at, "", "", fmt.Sprintf("has %d fields where the header has %d", n, s.width))
	}
	if s.lines = append(s.lines, l); len(s.lines) > maxRows {
		return s.bad(l.at, "", "", fmt.Sprintf("is row %d, and no published table has more than %d", len(s.lines), maxRows))
	}
	return nil
}

func (s *sheet) header(l line) error {
	s.columns, s.width = map[string]int{}, len(l.fields)
	for i, name := range l.fields {
		name = strings.ToLower(strings.TrimSpace(name))
		if _, ok := s.columns[name]; ok && name != "" {
			return s.bad(l.at, name, "", "is twice in the header")
		}
		s.columns[name] = i
	}
	var missing []error
	for _, name := range names() {
		why := "is missing in the header"
		if len(l.fields) == 1 {
			why += "; fields are separated by commas, semicolons or tabs"
		}
		if _, ok := s.columns[name]; !ok {
			missing = append(missing, s.bad(l.at, name, "", why))
		}
	}
	if len(missing) > 0 {
		return errors.Join(missing...)
	}
	for s.width > 0 && strings.TrimSpace(l.fields[s.width-1]) == "" {
		s.width--
	}
	return nil
}

// whole refuses a table without a header or rows.
func (s *sheet) whole() error {
	switch {
	case s.columns == nil:
		return s.bad(1, "", "", "has no header "+strings.Join(names(), ","))
	case len(s.lines) == 0:
		return s.bad(1, "", "", "has no rows")
	}
	return nil
}

// text reads the file, and refuses what spreadsheets save in other forms.
func (s *sheet) text(r io.Reader) (string, error) {
	read, err := io.ReadAll(io.LimitReader(r, maxTable+1))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", s.name, err)
	}
	text := string(read)
	switch {
	case len(read) > maxTable:
		return "", s.bad(1, "", "", "is longer than 4 MiB, which no published table is")
	case strings.HasPrefix(text, "\xff\xfe"), strings.HasPrefix(text, "\xfe\xff"):
		return "", s.bad(1, "", "", "is UTF-16, which spreadsheets call Unicode text: save it as CSV UTF-8")
	case strings.HasPrefix(text, "PK\x03\x04"):
		return "", s.bad(1, "", "", "is a workbook or another zip: save its sheet as CSV UTF-8")
	}
	text = strings.TrimPrefix(text, "\ufeff")
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, "\r", "\n") // as an old Macintosh ends lines
	}
	return text, nil
}

// separated tells the separator: the one by which the first line with something in it has
// most of the names, the comma first. A line "sep=;", as some spreadsheets begin with,
// becomes blank.
func separated(text string) (string, rune) {
	if first, _, _ := strings.Cut(text, "\n"); strings.HasPrefix(strings.ToLower(first), "sep=") {
		text = text[len(first):]
	}
	header := text
	for at := range strings.Lines(text) {
		if strings.Trim(at, " ,;\t\r\n\"") != "" {
			header = at
			break
		}
	}
	most, separator := 0, ','
	for _, mark := range []rune{',', ';', '\t'} {
		n := 0
		for field := range strings.SplitSeq(header, string(mark)) {
			if slices.Contains(names(), strings.ToLower(strings.Trim(field, " \r\n\""))) {
				n++
			}
		}
		if n > most {
			most, separator = n, mark
		}
	}
	return text, separator
}

func blank(fields []string) bool {
	return !slices.ContainsFunc(fields, func(s string) bool { return strings.TrimSpace(s) != "" })
}

func (s *sheet) bad(line int, column, value, why string) error {
	field := fmt.Sprintf("%s line %d", s.name, line)
	if column != "" {
		field += ", column " + column
	}
	return &rollcall.Invalid{Field: field, Value: value, Reason: why, Code: "table"}
}

func (s *sheet) broken(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return s.bad(parse.Line, "", "", "has a misplaced quotation mark")
	}
	return fmt.Errorf("read %s: %w", s.name, err)
}
