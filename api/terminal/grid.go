package terminal

import (
	"strings"

	"github.com/rivo/uniseg"
)

// gap is between two columns of a grid.
const gap = 2

// strip is one column of a grid: a heading and a cell a row, each of which may
// be several lines.
type strip struct {
	head   string
	cells  []string
	left   bool // set flush left, as texts are; figures are flush right
	breaks bool // cells may be broken into lines
	needs  int  // columns that no cell is wider than
	width  int
}

func newStrip(head string, cells []string, text bool) *strip {
	s := &strip{head: head, cells: cells, left: text, breaks: text, needs: shortestHead}
	for _, cell := range cells {
		for line := range strings.SplitSeq(cell, "\n") {
			s.needs = max(s.needs, uniseg.StringWidth(line))
		}
	}
	return s
}

// widen gives the strip the width of its cells, of which those that may be
// broken take most at the most. The heading is broken to that width.
func (s *strip) widen(most int) {
	s.width = s.needs
	if s.breaks {
		s.width = min(s.width, most)
	}
	for word := range strings.SplitSeq(s.head, " ") {
		s.width = max(s.width, min(uniseg.StringWidth(word), longestHead))
	}
}

// A column is at least as wide as the shortest heading, and never wider for its
// heading's sake than the longest.
const (
	shortestHead = 3
	longestHead  = 13
)

// widthOf is that of a grid of the strips.
func widthOf(strips []*strip) int {
	width := 0
	for _, s := range strips {
		width += s.width + gap
	}
	return max(0, width-gap)
}

// fit gives broken cells the most room at which the strips are not wider than
// the page, and reports whether there is such room: so many columns at the least.
func fit(strips []*strip, width, least int) bool {
	for most := width; most >= least; most-- {
		for _, s := range strips {
			s.widen(most)
		}
		if widthOf(strips) <= width {
			return true
		}
	}
	return false
}

// closest is how few columns a cell of text is left, where another column could be
// left out for it.
const closest = 14

// drawHead writes the heading, set on its last line.
func drawHead(out *strings.Builder, strips []*strip) {
	heads := make([][]string, len(strips))
	high := 0
	for i, s := range strips {
		heads[i] = wrap(s.head, s.width)
		high = max(high, len(heads[i]))
	}
	for i := range heads {
		heads[i] = append(make([]string, high-len(heads[i])), heads[i]...)
	}
	drawLines(out, strips, heads)
}

// drawRow writes a row.
func drawRow(out *strings.Builder, strips []*strip, row int) {
	cells := make([][]string, len(strips))
	for i, s := range strips {
		cells[i] = wrap(s.cells[row], s.width)
	}
	drawLines(out, strips, cells)
}

// drawLines writes one row of cells.
func drawLines(out *strings.Builder, strips []*strip, cells [][]string) {
	high := 0
	for _, lines := range cells {
		high = max(high, len(lines))
	}
	for i := range high {
		var b strings.Builder
		for j, s := range strips {
			text := ""
			if i < len(cells[j]) {
				text = cells[j][i]
			}
			space := strings.Repeat(" ", max(0, s.width-uniseg.StringWidth(text)))
			if s.left {
				text += space
			} else {
				text = space + text
			}
			b.WriteString(text + strings.Repeat(" ", gap))
		}
		out.WriteString(strings.TrimRight(b.String(), " ") + "\n")
	}
}

// wrap breaks a text at its spaces into lines of so many columns, and within a
// word that is wider. A no-break space is part of its word.
func wrap(text string, width int) []string {
	var lines []string
	for part := range strings.SplitSeq(text, "\n") {
		line := ""
		for word := range strings.SplitSeq(part, " ") {
			switch {
			case line == "":
				line = word
			case uniseg.StringWidth(line)+1+uniseg.StringWidth(word) <= width:
				line += " " + word
			default:
				lines, line = append(lines, line), word
			}
			for uniseg.StringWidth(line) > width {
				var first string
				first, line = cut(line, width)
				lines = append(lines, first)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// cut gives as much of a word as so many columns hold, one sign at least, and
// the rest: up to a hyphen where it has one there.
func cut(text string, width int) (first, rest string) {
	used := 0
	for rest = text; rest != ""; {
		sign, after, wide, _ := uniseg.FirstGraphemeClusterInString(rest, -1)
		if used+wide > width && first != "" {
			if hyphen := strings.LastIndex(first, "-"); hyphen > 0 {
				return first[:hyphen+1], first[hyphen+1:] + rest
			}
			return first, rest
		}
		first, rest, used = first+sign, after, used+wide
	}
	return first, ""
}
