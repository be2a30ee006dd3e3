package panel

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"rollcall"
)

// mostFaults bounds the faults that one reading lists.
const mostFaults = 20

// faults gathers what is wrong with an input, so that a user mends it at once.
type faults struct {
	list []error
	more int
}

func (f *faults) add(err error) {
	if len(f.list) < mostFaults {
		f.list = append(f.list, err)
		return
	}
	f.more++
}

func (f *faults) none() bool { return len(f.list) == 0 }

// err joins the faults, one a line; nil if there are none.
func (f *faults) err() error {
	if f.more == 0 {
		return errors.Join(f.list...)
	}
	return errors.Join(append(slices.Clip(f.list), fmt.Errorf("and %d more faults", f.more))...)
}

// table reads a comma-separated file with a header line.
type table struct {
	file   string
	csv    *csv.Reader
	header []string
	fields []string // the current row
	line   int      // of the current row, from 1
	faults faults
	broken error // an error of the reader itself
}

// openTable reads the header. Its error is the reader's own, or ErrInvalid.
func openTable(r io.Reader, file string) (*table, error) {
	buffered := bufio.NewReader(r)
	head, _ := buffered.Peek(4)
	if bytes.HasPrefix(head, []byte("\ufeff")) {
		_, _ = buffered.Discard(3) // peeked, so it can't fail
	}
	t := &table{file: file, csv: csv.NewReader(buffered)}
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		t.faultAt(0, "", "", "is UTF-16, which spreadsheets call Unicode text: save it as CSV UTF-8", "utf8")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		t.faultAt(0, "", "", "is a workbook or another zip: save its sheet as CSV UTF-8", "header")
	}
	if !t.faults.none() {
		return nil, t.end()
	}
	t.csv.FieldsPerRecord = -1
	t.csv.ReuseRecord = true
	if !t.record() {
		if t.broken == nil && t.faults.none() {
			t.faultAt(0, "", "", "has no header line", "header")
		}
		return nil, t.end()
	}
	t.header = slices.Clone(t.fields)
	t.checkHeader()
	return t, nil
}

func (t *table) checkHeader() {
	for i, name := range t.header {
		if name == "" {
			t.faultAt(t.line, "", "", fmt.Sprintf("column %d has no name in the header", i+1), "header")
		}
		if name != "" && slices.Index(t.header, name) < i {
			t.faultAt(t.line, "", name, "is twice in the header", "header")
		}
	}
}

// require faults the columns that the header lacks and reports whether all are there.
func (t *table) require(names ...string) bool {
	for _, name := range names {
		if slices.Contains(t.header, name) {
			continue
		}
		reason := "is missing in the header"
		if len(t.header) == 1 && strings.ContainsAny(t.header[0], ";\t") {
			reason += "; fields are separated by commas"
		}
		t.faultAt(t.line, "column "+name, "", reason, "header")
	}
	return t.faults.none()
}

// next reads a row with as many fields as the header; false at the end.
func (t *table) next() bool {
	for t.record() {
		if len(t.fields) == len(t.header) {
			return true
		}
		t.faultAt(t.line, "", "", fmt.Sprintf("has %d fields where the header has %d", len(t.fields), len(t.header)), "fields")
	}
	return false
}

// record reads a line that is not blank. After a misplaced quote nothing that
// follows can be trusted, so the reading ends there.
func (t *table) record() bool {
	for {
		fields, err := t.csv.Read()
		if err != nil {
			t.stop(err)
			return false
		}
		t.line, _ = t.csv.FieldPos(0)
		t.fields = fields
		for i, field := range fields {
			fields[i] = t.clean(field)
		}
		if strings.Join(fields, "") != "" {
			return true
		}
	}
}

func (t *table) stop(err error) {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		t.faultAt(parse.StartLine, "", "", "has a misplaced quotation mark", "quote")
		return
	}
	if !errors.Is(err, io.EOF) {
		t.broken = fmt.Errorf("read %s: %w", t.file, err)
	}
}

func (t *table) clean(field string) string {
	if !utf8.ValidString(field) {
		t.faultAt(t.line, "", field, "is not UTF-8 text", "utf8")
	}
	field = strings.TrimSpace(field)
	if utf8.ValidString(field) && rollcall.CheckLine("", field) != nil {
		t.faultAt(t.line, "", field, "has a control character", "control")
	}
	return field
}

// value gives the row's field in a column, and whether the header has it.
func (t *table) value(column string) (string, bool) {
	i := slices.Index(t.header, column)
	if i < 0 {
		return "", false
	}
	return t.fields[i], true
}

// fault records what is wrong with the current row's value in a column.
func (t *table) fault(column, value, reason string) {
	t.faultAt(t.line, "column "+column, value, reason, column)
}

func (t *table) faultAt(line int, place, value, reason, code string) {
	t.faults.add(&rollcall.Invalid{Field: where(t.file, line, place), Value: value, Reason: reason, Code: code})
}

// end gives the reader's error, or the faults found, or nil.
func (t *table) end() error {
	if t.broken != nil {
		return t.broken
	}
	return t.faults.err()
}

// where gives "panelists.csv line 4, column age".
func where(file string, line int, place string) string {
	if line > 0 {
		file += " line " + strconv.Itoa(line)
	}
	if place == "" {
		return file
	}
	return file + ", " + place
}

// number reads a decimal number; hexadecimal, underscores, infinities and NaN are refused.
func number(s string) (float64, bool) {
	if strings.Trim(s, "0123456789.+-eE") != "" {
		return 0, false
	}
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil
}
