package terminal

import (
	"slices"
	"strings"

	"rollcall"
)

// matrix writes of every service's users the share that uses each other one:
// a row and a column a service. Columns that have no room stand in a further
// matrix below.
func (p *page) matrix(out *strings.Builder) {
	p.shown = []int{p.column("service"), p.column("other"), p.column("share_of_a")}
	users := p.distinct("service")
	others := slices.Clone(users)
	for _, other := range p.distinct("other") {
		if !slices.Contains(users, other) {
			others = append(others, other)
		}
	}
	cells := map[[2]string]string{}
	for row := range p.t.Rows {
		a, _ := p.t.Cell(row, "service").(string)
		b, _ := p.t.Cell(row, "other").(string)
		if m, ok := p.t.Cell(row, "share_of_a").(rollcall.Measure); ok {
			cells[[2]string{a, b}] = p.measure(m, style{scale: 1}, " ", false)
		}
	}
	out.WriteString(Wrap(p.alsoUse, p.width) + "\n\n")
	named := make([]string, len(users))
	for i, a := range users {
		named[i] = plain(p.name(a, "service"))
	}
	names := newStrip("", named, true)
	block := []*strip{names}
	for _, b := range others {
		column := make([]string, len(users))
		for i, a := range users {
			column[i] = cells[[2]string{a, b}]
		}
		s := newStrip(plain(p.name(b, "service")), column, false)
		if with := append(slices.Clone(block), s); fit(with, p.width, closest) || len(block) == 1 {
			block = with
			continue
		}
		drawBlock(out, block, p.width, len(users))
		out.WriteString("\n")
		block = []*strip{names, s}
	}
	drawBlock(out, block, p.width, len(users))
}

func drawBlock(out *strings.Builder, block []*strip, width, rows int) {
	fit(block, width, shortestHead) // one column of figures stays, however wide
	drawHead(out, block)
	for row := range rows {
		drawRow(out, block, row)
	}
}

// distinct gives a column's values, in the order in which they come.
func (p *page) distinct(column string) (values []string) {
	for row := range p.t.Rows {
		if v, _ := p.t.Cell(row, column).(string); !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}
