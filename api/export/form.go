package export

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"rollcall"
)

// Form is a form that a table can be written in.
type Form string

// The forms.
const (
	CSV     Form = "csv"
	XLSX    Form = "xlsx"
	Parquet Form = "parquet"
	Arrow   Form = "arrow"
)

// Forms gives every form.
func Forms() []Form { return []Form{CSV, XLSX, Parquet, Arrow} }

// FormOf gives the form that a file's ending names; empty: none of them.
func FormOf(file string) Form {
	f := Form(strings.ToLower(strings.TrimPrefix(path.Ext(file), ".")))
	if slices.Contains(Forms(), f) {
		return f
	}
	return ""
}

// ContentType is the form's media type.
func (f Form) ContentType() string {
	switch f {
	case CSV:
		return "text/csv; charset=utf-8; header=present"
	case XLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case Parquet:
		return "application/vnd.apache.parquet"
	case Arrow:
		return "application/vnd.apache.arrow.file"
	}
	return "application/octet-stream"
}

// Text reports whether a terminal can show the form.
func (f Form) Text() bool { return f == CSV }

// Options say how a table is written.
type Options struct {
	Locale   Locale             // the language of labels, definitions and notes, and how CSV writes numbers
	Services []rollcall.Service // their names, which a workbook lists; may be empty
	Segments []rollcall.Segment // likewise, those of its rows
}

// Write writes a table in a form. A table that no form can hold (two columns of
// one name, a cell that is not of its column's kind) is an error.
func Write(w io.Writer, t *rollcall.Table, f Form, o Options) error {
	if f == XLSX {
		return (&workbook{tables: []*rollcall.Table{t}, options: o}).write(w)
	}
	flat, err := flatten(t, o.Locale)
	if err != nil {
		return err
	}
	defer flat.record.Release()
	switch f {
	case CSV:
		return writeCSV(w, flat, o.Locale)
	case Parquet:
		return writeParquet(w, flat)
	case Arrow:
		return writeArrow(w, flat)
	}
	return fmt.Errorf("no form %q", f)
}

// FileName is a telling name for a report's file, of letters, digits, "-", "_",
// "." and "+" only: rollcall_FR_nn_2002-10_v1_ranking_home.csv. What is as usual
// (the location home+work, presence, no target) is left out.
func FileName(m *rollcall.Meta, ending string) string {
	parts := []string{"rollcall", string(m.Market), string(m.Panel), string(m.Service), period(m)}
	if m.Version > 0 {
		parts = append(parts, fmt.Sprintf("v%d", m.Version))
	} else if len(m.Markets) == 0 {
		parts = append(parts, m.Status)
	}
	parts = append(parts, m.Report)
	if m.Location != "home+work" {
		parts = append(parts, m.Location)
	}
	if m.Credit != "presence" {
		parts = append(parts, m.Credit)
	}
	if m.Pool > 0 {
		parts = append(parts, fmt.Sprintf("pool%d", m.Pool))
	}
	parts = append(parts, m.Target)
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	return plainName(strings.Join(parts, "_")) + "." + ending
}

// plainName leaves of a text what every file system takes.
func plainName(s string) string {
	const longest = 150
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("-_.+", r):
			return r
		}
		return '-'
	}, s)
	return s[:min(len(s), longest)]
}
