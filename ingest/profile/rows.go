package profile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"rollcall/ingest/packed"
	"rollcall/ingest/profile/columns"
)

// maxLine is the longest line that is read; a longer one is refused alone.
const maxLine = 1 << 20

// mark is the byte order mark that some programs begin a text with.
const mark = "\xef\xbb\xbf"

// row is one row of a file, with the columns that are read and no other. Its
// values are valid until the next row.
type row struct {
	columns.Row
	line    int
	element bool   // line counts the elements of an array
	fault   string // why it can't be read
}

// source is a file that is being cut into rows.
type source struct {
	lines   *lines
	comma   byte
	formats []string
	tables  []Table         // for pg-copy without a header, and regexp
	reads   map[string]bool // the columns that are read
	agents  map[string]bool // the columns that take what a broken row has too much
	hasJSON bool            // formats has json
	hasExpr bool            // and regexp
	values  map[string]any  // of the row that is being read; the next one's are put in it
}

// each gives every row of a file, in order.
func (s *source) each(ctx context.Context, path string, yield func(*row) error) error {
	f, err := packed.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	s.lines = &lines{r: bufio.NewReaderSize(f, 256<<10)}
	err = s.read(ctx, yield)
	if err == nil || errors.Is(err, errEmpty) && !strings.Contains(strings.ToLower(filepath.Base(path)), ".csv") {
		return nil
	}
	return fmt.Errorf("%s: %w", path, err)
}

// read finds which of the profile's formats the text has by its first line, and
// reads it.
func (s *source) read(ctx context.Context, yield func(*row) error) error {
	n := 0
	checked := func(r *row) error {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		return yield(r)
	}
	if err := s.lines.foreign(); err != nil {
		return err
	}
	if slices.Contains(s.formats, "json") && s.lines.beginsArray() {
		return s.array(checked)
	}
	first, err := s.lines.first()
	switch {
	case err != nil:
		return err
	case first.text == nil:
		return errEmpty
	}
	switch {
	case slices.Contains(s.formats, "regexp"):
		return s.patterns(checked)
	case slices.Contains(s.formats, "json") && looksJSON(first.text):
		return s.json(checked)
	case slices.Contains(s.formats, "csv") && s.looksCSV(first.text):
		return s.csv(checked)
	case slices.Contains(s.formats, "pg-copy"):
		return s.copied(checked)
	}
	return s.unlike(first.text)
}

// errEmpty is of a CSV file in which there is nothing, as an export that failed leaves it:
// one of no rows has a header yet. Of other forms an export of nothing is empty too.
const errEmpty = packed.Damage("is empty, without even a header: export or copy it again")

// maxHeader is how much of a file is looked at for what it is.
const maxHeader = 4 << 10

// foreign is an error where a file is no text, but what spreadsheets save.
func (l *lines) foreign() error {
	start, _ := l.r.Peek(maxHeader) // what a short file has less is an error of no interest
	cr := bytes.IndexByte(start, '\r')
	switch {
	case cr >= 0 && cr+1 < len(start) && bytes.IndexByte(start, '\n') < 0:
		return errors.New("its lines end by CR alone, as an old Macintosh writes them: save it as CSV UTF-8")
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return errors.New("is UTF-16, which spreadsheets call Unicode text: save it as CSV UTF-8")
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return errors.New("is a workbook or another zip: save its sheet as CSV UTF-8, or unpack it")
	case bytes.HasPrefix(start, []byte("\xd0\xcf\x11\xe0")):
		return errors.New("is a workbook: save its sheet as CSV UTF-8")
	}
	return nil
}

// fresh gives the map for a row's values.
func (s *source) fresh() map[string]any {
	if s.values == nil {
		s.values = make(map[string]any, len(s.reads)+4)
	}
	clear(s.values)
	return s.values
}

// unlike says what a first line lacks to be the header of a table.
func (s *source) unlike(text []byte) error {
	if !slices.Contains(s.formats, "csv") && !slices.Contains(s.formats, "pg-copy") {
		return errors.New("the first line is no JSON object, and the profile reads no other form")
	}
	var headers [][]string
	for _, comma := range []byte{s.comma, ',', ';', '|', '\t'} {
		headers = append(headers, columnNames(string(text), comma))
	}
	var needs []columns.Needs
	for i := range s.tables {
		needs = append(needs, s.tables[i].needs)
	}
	return columns.Unlike(headers, needs)
}

func looksJSON(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) > 0 && line[0] == '{'
}

// line is one line of a file, without its end.
type line struct {
	text []byte
	no   int
	long bool // over maxLine: text is its beginning
}

// lines reads lines; those that were looked at too early can be put back.
type lines struct {
	r    *bufio.Reader
	no   int
	back []line // put back, the next one last
}

// next gives the next line; its text is nil at the end.
func (l *lines) next() (line, error) {
	if n := len(l.back); n > 0 {
		next := l.back[n-1]
		l.back = l.back[:n-1]
		return next, nil
	}
	var text []byte
	long := false
	for {
		part, err := l.r.ReadSlice('\n')
		if most := maxLine - len(text); len(part) > most {
			part, long = part[:most], true
		}
		text = append(text, part...)
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err != nil && len(text) > 0 && packed.Ended(err): // the last line lacks its end
		case err == io.EOF:
			return line{}, nil
		case err != nil:
			return line{}, err
		}
		l.no++
		text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
		if text == nil {
			text = []byte{}
		}
		return line{text, l.no, long}, nil
	}
}

func (l *lines) putBack(some ...line) {
	for _, one := range slices.Backward(some) {
		l.back = append(l.back, one)
	}
}

// first looks at the first line that isn't blank, without its byte order mark.
func (l *lines) first() (line, error) {
	for {
		first, err := l.next()
		if err != nil || first.text == nil {
			return first, err
		}
		if first.no == 1 {
			first.text = bytes.TrimPrefix(first.text, []byte(mark))
		}
		if len(bytes.TrimSpace(first.text)) > 0 {
			l.putBack(first)
			return first, nil
		}
	}
}

// spread is how the fields of a line become a row's columns.
type spread struct {
	header []string
	agent  int // the column that takes surplus fields; -1: none
}

func (s *source) spread(header []string) spread {
	agent := slices.IndexFunc(header, func(name string) bool { return s.agents[name] })
	return spread{header, agent}
}

// fit makes as many fields as there are columns: what a row has too much is a
// part of its agent, whose own separators were not escaped. It reports whether
// that is so.
func (s spread) fit(fields []string, separator string) ([]string, bool) {
	more := len(fields) - len(s.header)
	if more <= 0 || s.agent < 0 {
		return fields, more == 0
	}
	whole := strings.Join(fields[s.agent:s.agent+more+1], separator)
	return slices.Concat(fields[:s.agent], []string{whole}, fields[s.agent+more+1:]), true
}
