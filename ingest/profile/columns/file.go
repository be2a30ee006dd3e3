package columns

import (
	"cmp"
	"slices"
	"strings"
)

// The bounds of what is remembered of a file's headers: beyond them each is judged anew
// whenever it comes.
const (
	maxHeaders = 1000
	maxBytes   = 4 << 20 // of their names
)

// File is what is known of the columns of a file's rows, for each table that may have
// them.
type File struct {
	tables   []*Table
	absent   []*absent          // of the tables that the rows may be of
	header   []string           // that was looked at last
	here     map[*Table]*absent // of it
	headers  map[heading]*absent
	bytes    int       // of the names in headers
	passing  []*absent // of the header that was looked at last, where it isn't remembered
	passed   passed
	read     bool // a table had a row
	objects  bool // tables of objects are looked at
	patterns bool // and those of patterns
}

// heading is a header that rows of a table may have.
type heading struct {
	table *Table
	names string
}

// NewFile begins to look at a file.
func NewFile(tables []*Table) *File {
	return &File{tables: tables, here: map[*Table]*absent{}, headers: map[heading]*absent{}, passed: passed{said: map[warning]bool{}}}
}

// Look looks at a row's columns before it is known whose it is.
func (f *File) Look(row *Row) {
	switch {
	case row.Header != nil:
		if !same(row.Header, f.header) {
			f.look(row)
		}
	case row.Members != nil:
		if !f.objects {
			f.objects = true
			f.begin(false, func(t *Table) *absent { return t.gated(t.Members) })
		}
		for _, a := range f.absent {
			a.gate = row.without(a.gate)
		}
	case !f.patterns:
		f.patterns = true
		f.begin(true, (*Table).grouped)
	}
}

// begin begins to look at the tables that have a pattern, or at the others.
func (f *File) begin(pattern bool, as func(*Table) *absent) {
	for _, t := range f.tables {
		if (t.Groups != nil) == pattern {
			f.absent = append(f.absent, as(t))
		}
	}
}

// look looks at a header once, for the tables that may have its rows.
func (f *File) look(row *Row) {
	f.header = row.Header
	clear(f.here)
	for _, a := range f.passing {
		f.passed.add(a, f.unread(a))
	}
	f.passing = nil
	names := strings.Join(row.Header, "\x00")
	for _, t := range f.tables {
		if t.Groups != nil || row.Table != "" && t.Relation != "" && row.Table != t.Relation {
			continue
		}
		a := f.headers[heading{t, names}]
		if a == nil {
			if a = t.headed(row.Header); a == nil {
				continue
			}
			f.remember(heading{t, names}, a)
		}
		f.here[t] = a
		if t.Whole && t.In(row.Header) {
			return // it has all of the rows
		}
	}
}

// remember remembers a header, where the bounds allow.
func (f *File) remember(h heading, a *absent) {
	if len(f.headers) == maxHeaders || f.bytes+len(h.names) > maxBytes {
		f.passing = append(f.passing, a)
		return
	}
	f.headers[h], f.bytes = a, f.bytes+len(h.names)
	f.absent = append(f.absent, a)
}

// all gives what is remembered, and what is looked at now.
func (f *File) all() []*absent { return slices.Concat(f.absent, f.passing) }

// same reports whether two headers are the same one.
func same(a, b []string) bool { return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0] }

// at gives what a table of the header that was looked at last, or of none, doesn't
// have; nil: nobody has looked. A dump may have very many headers.
func (f *File) at(t *Table, header []string) *absent {
	if header != nil {
		return f.here[t]
	}
	for _, a := range f.absent {
		if a.Table == t && a.header == nil {
			return a
		}
	}
	return nil
}

// Undroppable is the fault of a file without a column by which a rule drops that was
// asked for: no row of it is read.
type Undroppable string

// Error gives the words.
func (u Undroppable) Error() string { return string(u) }

// Note takes the next row of a table, which was looked at. The error is Undroppable.
func (f *File) Note(t *Table, row *Row) error {
	a := f.at(t, row.Header)
	if a == nil {
		return nil
	}
	f.read = true
	if a.has == "" {
		a.look(row)
		return nil
	}
	if a.rows++; a.rows > 1 {
		return nil
	}
	if text := a.undropped(); text != "" {
		return Undroppable(text)
	}
	return nil
}

// CheckGroups is an Undroppable error where a pattern doesn't have what a rule reads
// that was asked for.
func CheckGroups(tables []*Table) error {
	for _, t := range tables {
		if t.Groups == nil {
			continue
		}
		if text := t.grouped().undropped(); text != "" {
			return Undroppable(text)
		}
	}
	return nil
}

// Warnings says what the tables take from columns that none of their rows has, a
// line each.
func (f *File) Warnings() []string {
	var texts []string
	tables := map[string][]string{}
	say := func(w warning) {
		if tables[w.text] == nil {
			texts = append(texts, w.text)
		}
		if !slices.Contains(tables[w.text], w.table) {
			tables[w.text] = append(tables[w.text], w.table)
		}
	}
	for _, a := range f.all() {
		for _, text := range a.warnings(f.unread(a)) {
			say(warning{a.Name, text})
		}
	}
	for _, w := range f.passed.inOrder() {
		say(w)
	}
	for i, text := range texts {
		word := "table "
		if len(tables[text]) > 1 {
			word = "tables "
		}
		texts[i] = word + strings.Join(tables[text], ", ") + ": " + text
	}
	if f.passed.more {
		texts = append(texts, "more headers lack columns than are told here")
	}
	return texts
}

// unread reports whether other tables have the rows.
func (f *File) unread(a *absent) bool { return a.rows == 0 && f.read }

// Undropped says which column no row has by which a rule drops that was asked for,
// so that whom it is about was counted; "": there is none.
func (f *File) Undropped() string {
	for _, a := range f.absent {
		if a.has != "" {
			continue // its first row is an error
		}
		if text := a.undropped(); text != "" {
			return text
		}
	}
	return ""
}

// Pending reports whether a table's first row would be an error.
func (f *File) Pending() bool {
	return slices.ContainsFunc(f.all(), func(a *absent) bool { return a.undropped() != "" })
}

// Settled reports whether rows have had every column by which a rule drops that was
// asked for, of every table.
func (f *File) Settled() bool {
	return !slices.ContainsFunc(f.absent, func(a *absent) bool {
		return slices.ContainsFunc(a.lacks, func(l *lack) bool { _, asked := l.asked(); return asked })
	})
}

// Nobody says that no row of any table has the account's column; "": some have, or there
// is no row.
func (f *File) Nobody() string {
	if f.passed.named {
		return ""
	}
	said := ""
	for _, a := range f.all() {
		if a.Nameless || a.rows == 0 {
			continue // another line of the connection names it
		}
		text := a.nobody()
		if text == "" {
			return ""
		}
		said = cmp.Or(said, text)
	}
	return cmp.Or(said, f.passed.nobody)
}
