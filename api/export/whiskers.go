package export

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"
)

// addWhiskers gives every series of a chart error bars that reach as far as the
// intervals do. The library has none, so they go into the chart's XML, before
// each series' categories, where ECMA-376 part 1, 21.2.2.55, has them.
func (x *writing) addWhiskers(s *sheet) error {
	path := fmt.Sprintf("xl/charts/chart%d.xml", x.charts)
	content, _ := x.file.Pkg.Load(path)
	whole, ok := content.([]byte)
	if !ok {
		return fmt.Errorf("the library made no %s", path)
	}
	parts := bytes.Split(whole, []byte(beforeWhiskers))
	if len(parts) != len(s.chart.series)+1 {
		return fmt.Errorf("%s has %d series, not %d", path, len(parts)-1, len(s.chart.series))
	}
	var out bytes.Buffer
	out.Write(parts[0])
	for i, one := range s.chart.series {
		out.WriteString(s.whiskers(one))
		out.WriteString(beforeWhiskers)
		out.Write(parts[i+1])
	}
	x.file.Pkg.Store(path, out.Bytes())
	return nil
}

const beforeWhiskers = "<cat>" // the library's charts have the chart's namespace as their default

// whiskers are one series' error bars.
func (s *sheet) whiskers(one series) string {
	direction := `<errDir val="y"/>`
	if s.chart.kind == excelize.Bar {
		direction = "" // bars have but one, and Excel refuses the word
	}
	return "<errBars>" + direction + `<errBarType val="both"/><errValType val="cust"/><noEndCap val="0"/>` +
		"<plus><numRef><f>" + escaped(s.rangeOf(aboveColumn, one)) + "</f></numRef></plus>" +
		"<minus><numRef><f>" + escaped(s.rangeOf(belowColumn, one)) + "</f></numRef></minus>" +
		`<spPr><a:ln w="12700"><a:solidFill><a:srgbClr val="404040"/></a:solidFill></a:ln></spPr></errBars>`
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
