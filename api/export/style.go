package export

import "github.com/xuri/excelize/v2"

// styles are a workbook's, by their number in the file.
type styles struct {
	title, line, link, head, text, left, leftWhole, leftPart, mark, absentText, whole int
	numbers                                                                           map[format]int
}

// format is how a number is shown: by its unit, with a mark after it where the
// figure is to be used with caution.
type format struct {
	code    string
	caution bool
}

// Formats of numbers. Excel writes them in its reader's own manner, whatever
// the language of the workbook.
const (
	thousands = "#,##0"
	tenth     = "0.0"
	hundredth = "#,##0.00"

	someDecimals = "#,##0.00##" // of a share of 1 as of a number of persons
)

// formatOf is the format of a measure's unit.
func formatOf(unit string) string {
	switch unit {
	case "persons", "accounts", unitWhole:
		return thousands
	case "percent", "points", "minutes", "index":
		return "#,##" + tenth
	}
	return hundredth
}

func newStyles(f *excelize.File) (s styles, err error) {
	grey := &excelize.Font{Color: "595959", Family: "Calibri", Size: 11}
	top := &excelize.Alignment{Vertical: "top", WrapText: true, Indent: 1, Horizontal: "left"}
	left := &excelize.Alignment{Vertical: "top", Horizontal: "left", Indent: 1}
	whole, fraction := thousands, someDecimals
	for _, want := range []struct {
		to    *int
		style excelize.Style
	}{
		{&s.title, excelize.Style{Font: &excelize.Font{Bold: true, Size: 15, Family: "Calibri"}}},
		{&s.line, excelize.Style{}},
		{&s.link, excelize.Style{
			Font: &excelize.Font{Color: "0B5394", Underline: "single", Family: "Calibri", Size: 11}, Alignment: left,
		}},
		{&s.head, excelize.Style{
			Font: &excelize.Font{Bold: true, Family: "Calibri", Size: 11}, Alignment: &excelize.Alignment{Vertical: "bottom", WrapText: true, Indent: 1, Horizontal: "left"},
			Fill:   excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E7ECF2"}},
			Border: []excelize.Border{{Type: "bottom", Style: 1, Color: "5B6B7B"}},
		}},
		{&s.text, excelize.Style{Alignment: top}},
		{&s.left, excelize.Style{Alignment: left}},
		{&s.leftWhole, excelize.Style{Alignment: left, CustomNumFmt: &whole}},
		{&s.leftPart, excelize.Style{Alignment: left, CustomNumFmt: &fraction}},
		{&s.absentText, excelize.Style{Font: grey, Alignment: left}},
		{&s.mark, excelize.Style{Font: grey, Alignment: &excelize.Alignment{Vertical: "top", Horizontal: "right"}}},
	} {
		if *want.to, err = f.NewStyle(&want.style); err != nil {
			return s, err
		}
	}
	return s, s.addNumbers(f)
}

func (s *styles) addNumbers(f *excelize.File) error {
	s.numbers = map[format]int{}
	for _, code := range []string{thousands, "#,##" + tenth, hundredth} {
		for _, caution := range []bool{false, true} {
			shown := code
			if caution {
				shown += `" [u]"`
			}
			style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &shown, Alignment: &excelize.Alignment{Vertical: "top"}})
			if err != nil {
				return err
			}
			s.numbers[format{code, caution}] = style
		}
	}
	s.whole = s.numbers[format{thousands, false}]
	return nil
}

// absent is the cell of something that is not there.
func (s *styles) absent() shown { return shown{value: markUndefined, style: s.mark} }
