package export

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// Every sheet has this many lines of text above its table's heading.
const (
	lines      = 5
	headRow    = lines + 1
	firstRow   = headRow + 1
	narrowest  = 11  // characters of a column
	widest     = 60  // of a column whose width is not given
	lineHeight = 15  // points that a line of text takes
	pageWidth  = 190 // characters that still can be read on one page's width
	scale      = 60  // percent, where a table is wider than that
)

// sheet is one worksheet: lines of text, then one table.
type sheet struct {
	name    string // of the worksheet
	table   string // the table's name in formulas
	title   string // the first line
	notes   [3]string
	columns []column
	rows    int
	fixed   int  // columns that stay on the screen
	prose   bool // one page wide in print, however small
	chart   *chart
}

// column is one of a sheet's table.
type column struct {
	heading string
	width   float64 // characters; 0: what its cells need, which writeTable finds out
	fold    bool    // may be folded away: it says how sure a figure is
	cell    func(row int) shown
}

// shown is what a cell holds, and how. A nil value is an empty cell.
type shown struct {
	value any
	style int
	link  string // a place in the workbook
}

// newSheet makes an empty one. Names that are taken get a number.
func (x *planning) newSheet(name, table string) *sheet {
	const longest = 31 // runes, in Excel
	return &sheet{name: x.unused(name, " ", longest), table: x.unused(table, "_", 255)}
}

// unused gives a name that no sheet or table has, in as many runes at most.
// Excel sees no difference between small and large letters.
func (x *planning) unused(name, before string, longest int) string {
	free := firstRunes(name, longest)
	for i := 2; x.names[strings.ToLower(free)]; i++ {
		number := fmt.Sprintf("%s%d", before, i)
		free = firstRunes(name, longest-len(number)) + number
	}
	x.names[strings.ToLower(free)] = true
	return free
}

func firstRunes(s string, n int) string {
	return string([]rune(s)[:min(utf8.RuneCountInString(s), n)])
}

// add writes a sheet.
func (x *writing) add(s *sheet) error {
	if err := x.create(s); err != nil {
		return err
	}
	for _, step := range []func(*sheet) error{x.writeLines, x.writeTable, x.layOut, x.setUpPrint, x.draw} {
		if err := step(s); err != nil {
			return err
		}
	}
	return nil
}

// create makes the worksheet; the file has one from its start.
func (x *writing) create(s *sheet) error {
	if s == x.sheets[0] {
		return x.file.SetSheetName("Sheet1", s.name)
	}
	_, err := x.file.NewSheet(s.name)
	return err
}

// writeLines writes the title, three lines about the table, and a link to the
// contents (of the contents: to the notes).
func (x *writing) writeLines(s *sheet) error {
	to, label := x.sheets[1], x.words.toContents
	if s == to {
		to, label = x.sheets[2], x.words.toNotes
	}
	texts := [lines]string{s.title, s.notes[0], s.notes[1], s.notes[2], label}
	for i, line := range texts {
		style := x.styles.line
		switch i {
		case 0:
			style = x.styles.title
		case lines - 1:
			style = x.styles.link
		}
		if err := x.set(s, 1, i+1, shown{value: line, style: style}); err != nil {
			return err
		}
	}
	return x.file.SetCellHyperLink(s.name, at(1, lines), anchor(to.name), "Location")
}

// anchor is a sheet's first cell, as a link names it.
func anchor(sheet string) string { return "'" + sheet + "'!A1" }

func at(column, row int) string {
	name, err := excelize.CoordinatesToCellName(column, row)
	if err != nil {
		panic(fmt.Sprintf("columns and rows count from 1: %v", err))
	}
	return name
}

func (x *writing) set(s *sheet, column, row int, c shown) error {
	cell := at(column, row)
	if err := x.file.SetCellStyle(s.name, cell, cell, c.style); err != nil {
		return err
	}
	if c.link != "" {
		if err := x.file.SetCellHyperLink(s.name, cell, c.link, "Location"); err != nil {
			return err
		}
	}
	switch v := c.value.(type) {
	case nil:
		return nil
	case float64:
		return x.file.SetCellFloat(s.name, cell, v, decimals(v), 64)
	case string:
		return x.file.SetCellStr(s.name, cell, literal(v))
	}
	return x.file.SetCellValue(s.name, cell, c.value)
}

// literal escapes what a spreadsheet would read as an escape of its own: _x0041_
// stands for A (ECMA-376 part 1, 22.9.2.19). The library leaves it to its caller.
func literal(s string) string {
	for from := 0; ; {
		i := strings.Index(s[from:], "_x")
		if i < 0 {
			return s
		}
		at := from + i
		if isEscape(s[at:]) {
			s = s[:at] + "_x005F" + s[at:]
			from = at + len("_x005F_")
			continue
		}
		from = at + 1
	}
}

func isEscape(s string) bool {
	if len(s) < 7 || s[6] != '_' {
		return false
	}
	_, err := strconv.ParseUint(s[2:6], 16, 16)
	return err == nil
}

// decimals is how many a number needs to be read back as the same bits; left to
// itself, the library writes 15 significant digits.
func decimals(x float64) int {
	_, after, _ := strings.Cut(strconv.FormatFloat(x, 'f', -1, 64), ".")
	return len(after)
}

// writeTable writes the heading and the rows, and names their range. A table
// without rows has one of marks, since a named table has at least one.
func (x *writing) writeTable(s *sheet) error {
	for i := range s.columns {
		s.columns[i].width = s.widthOf(i)
		if err := x.set(s, i+1, headRow, shown{value: s.columns[i].heading, style: x.styles.head}); err != nil {
			return err
		}
	}
	for row := range max(s.rows, 1) {
		if err := x.writeRow(s, row); err != nil {
			return err
		}
	}
	last := at(len(s.columns), headRow+max(s.rows, 1))
	return x.file.AddTable(s.name, &excelize.Table{Range: at(1, headRow) + ":" + last, Name: s.table, StyleName: "TableStyleLight1"})
}

// writeRow writes a row, as high as its longest text needs.
func (x *writing) writeRow(s *sheet, row int) error {
	high := 1
	for i := range s.columns {
		cell := x.styles.absent()
		if row < s.rows {
			cell = s.columns[i].cell(row)
		}
		if err := x.set(s, i+1, firstRow+row, cell); err != nil {
			return err
		}
		if text, ok := cell.value.(string); ok {
			high = max(high, linesOf(text, s.columns[i].width))
		}
	}
	if high == 1 {
		return nil
	}
	return x.file.SetRowHeight(s.name, firstRow+row, lineHeight*float64(min(high, 25)))
}

// linesOf is how many lines a text takes in a column, with some room to spare.
func linesOf(text string, width float64) int {
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		if long := float64(utf8.RuneCountInString(line)); long+1 > width {
			n += int(long * 1.08 / width)
		}
	}
	return n
}

// widthOf is a column's width: what was given, or what its cells need.
func (s *sheet) widthOf(i int) float64 {
	c := &s.columns[i]
	if c.width > 0 {
		return c.width
	}
	width := float64(narrowest)
	for word := range strings.FieldsSeq(c.heading) {
		width = max(width, min(float64(utf8.RuneCountInString(word))*1.1+3, 30))
	}
	for row := range s.rows {
		width = max(width, needs(c.cell(row)))
	}
	return width
}

// needs is how many characters a cell takes.
func needs(c shown) float64 {
	switch v := c.value.(type) {
	case string:
		return float64(min(utf8.RuneCountInString(v)+2, widest))
	case float64:
		return float64(len(strconv.Itoa(int(v))))*1.35 + 4 // with spaces between thousands, a decimal and a mark
	}
	return narrowest
}

// layOut sets widths, folds, and what stays on the screen.
func (x *writing) layOut(s *sheet) error {
	for i := range s.columns {
		c := &s.columns[i]
		name, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		if err := x.file.SetColWidth(s.name, name, name, c.width); err != nil {
			return err
		}
		if c.fold {
			if err := x.file.SetColOutlineLevel(s.name, name, 1); err != nil {
				return err
			}
		}
	}
	if err := x.file.SetRowHeight(s.name, headRow, headHeight(s)); err != nil {
		return err
	}
	after := false
	if err := x.file.SetSheetProps(s.name, &excelize.SheetPropsOptions{OutlineSummaryRight: &after}); err != nil {
		return err
	}
	return x.file.SetPanes(s.name, &excelize.Panes{
		Freeze: true, XSplit: s.fixed, YSplit: headRow, TopLeftCell: at(s.fixed+1, firstRow), ActivePane: pane(s.fixed),
	})
}

func pane(fixed int) string {
	if fixed == 0 {
		return "bottomLeft"
	}
	return "bottomRight"
}

// headHeight is what the heading needs when its texts are wrapped.
func headHeight(s *sheet) float64 {
	most := 1
	for i := range s.columns {
		c := &s.columns[i]
		most = max(most, linesOf(c.heading, c.width-3))
	}
	return lineHeight * float64(min(most, 6))
}

// setUpPrint fits what can be read on one page's width to it; a wider table goes
// over several, its first columns and its heading on each.
func (x *writing) setUpPrint(s *sheet) error {
	width := 0.0
	for i := range s.columns {
		width += s.columns[i].width
	}
	fit := s.prose || width <= pageWidth
	paper, one, many, smaller, landscape, order := 9, 1, 0, uint(scale), "landscape", "overThenDown" // A4
	layout := &excelize.PageLayoutOptions{Size: &paper, Orientation: &landscape, PageOrder: &order}
	if fit {
		layout.FitToWidth, layout.FitToHeight = &one, &many
	} else {
		layout.AdjustTo = &smaller
	}
	if err := x.file.SetPageLayout(s.name, layout); err != nil {
		return err
	}
	if err := x.file.SetSheetProps(s.name, &excelize.SheetPropsOptions{FitToPage: &fit}); err != nil {
		return err
	}
	titles := fmt.Sprintf("'%s'!$%d:$%d", s.name, headRow, headRow)
	if s.fixed > 0 && !fit {
		last, err := excelize.ColumnNumberToName(s.fixed)
		if err != nil {
			return err
		}
		titles = fmt.Sprintf("'%s'!$A:$%s,%s", s.name, last, titles)
	}
	if err := x.file.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: titles, Scope: s.name}); err != nil {
		return err
	}
	return x.file.SetHeaderFooter(s.name, &excelize.HeaderFooterOptions{OddFooter: "&L&A&R" + x.words.page + " &P / &N"})
}
