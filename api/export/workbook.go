package export

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"rollcall"
)

// workbook is what an XLSX file is made of. It follows the UK government's
// guidance for statistics in spreadsheets: a cover, contents and notes; one
// named table a sheet, beginning at the same cell; no merged cells and no blank
// rows; marks in square brackets where a figure is withheld, explained in the
// notes; figures unrounded in their cells and rounded by their format.
type workbook struct {
	tables  []*rollcall.Table
	options Options
	made    time.Time // zero: not said
}

// planning decides what stands where.
type planning struct {
	*workbook
	words  *words
	styles styles
	flats  []*flat
	names  map[string]bool // of sheets and tables, each used once
	sheets []*sheet        // in the file's order
}

// writing puts what was planned into the file.
type writing struct {
	planning
	file     *excelize.File
	charts   int      // so far
	coloured []string // the series that have a colour, in the colours' order
}

func (b *workbook) write(w io.Writer) (err error) {
	x := &writing{file: excelize.NewFile(), planning: planning{workbook: b, words: b.options.Locale.words(), names: map[string]bool{}}}
	defer func() { err = errors.Join(err, x.file.Close()) }()
	for _, t := range b.tables {
		f, err := flatten(t, English)
		if err != nil {
			return err
		}
		defer f.record.Release() //nolint:revive // a workbook has some dozen tables, and all are needed to its end
		x.flats = append(x.flats, f)
	}
	if x.styles, err = newStyles(x.file); err != nil {
		return err
	}
	x.plan()
	for _, s := range x.sheets {
		if err := x.add(s); err != nil {
			return fmt.Errorf("sheet %s: %w", s.name, err)
		}
	}
	if err := x.finish(); err != nil {
		return err
	}
	var out bytes.Buffer
	if _, err := x.file.WriteTo(&out); err != nil {
		return err
	}
	_, err = w.Write(out.Bytes())
	return err
}

// plan lists the sheets: first what explains, then a table and its chart after
// the other. The contents are listed last, when all others are known.
func (x *planning) plan() {
	contents := x.newSheet(x.words.contents, "contents")
	x.sheets = []*sheet{x.coverSheet(), contents, x.notesSheet(), x.definitionsSheet(), x.detailsSheet()}
	if s := x.servicesSheet(); s != nil {
		x.sheets = append(x.sheets, s)
	}
	if s := x.segmentsSheet(); s != nil {
		x.sheets = append(x.sheets, s)
	}
	for i, f := range x.flats {
		s := x.tableSheet(f)
		x.sheets = append(x.sheets, s)
		if c := x.chartSheet(x.tables[i], s); c != nil {
			x.sheets = append(x.sheets, c)
		}
	}
	x.fillContents(contents)
}

// first is the meta of the first table, which the whole workbook is named by.
func (x *planning) first() *rollcall.Meta { return &x.tables[0].Meta }

// title is the workbook's: the one report's, or the month's.
func (x *planning) title() string {
	if len(x.tables) == 1 {
		return x.words.title(x.first())
	}
	return x.words.monthTitle(x.first())
}

// finish says what the file is, and opens it at the cover.
func (x *writing) finish() error {
	m := x.first()
	about := &excelize.DocProperties{
		Title: x.title(), Subject: x.words.about(m), Creator: "Rollcall", LastModifiedBy: "Rollcall",
		Description: m.Method, Language: string(x.words.locale), Identifier: m.Document, ContentStatus: m.Status,
		Version: strconv.Itoa(m.Version), Created: stamp(x.made), Modified: stamp(x.made),
	}
	x.file.SetActiveSheet(0)
	kinds := x.file.ContentTypes.Defaults // the library adds them in no order
	sort.Slice(kinds, func(i, j int) bool { return kinds[i].Extension < kinds[j].Extension })
	return x.file.SetDocProps(about)
}

// stamp is a time as document properties have it. A fixed one stands for none,
// so that the same figures give the same bytes.
func stamp(t time.Time) string {
	if t.IsZero() {
		t = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return t.UTC().Format(time.RFC3339)
}
