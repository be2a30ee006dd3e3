package audience

import (
	"rollcall"
)

// Column is everyone's category in one column of a roster.
type Column struct {
	Name       string
	Categories []string // those that someone has
	Of         []int32  // by person: a position in categories
}

// demography gives a roster by columns: its own, then home and work, which are
// 1 where a meter runs.
func demography(r *rollcall.Roster) []Column {
	var out []Column
	for k, name := range r.Columns {
		out = append(out, columnOf(r, name, func(p *rollcall.Panelist) string { return p.Categories[k] }))
	}
	yes := map[bool]string{false: "0", true: "1"}
	home := columnOf(r, "home", func(p *rollcall.Panelist) string { return yes[p.Metered.Has(rollcall.Home)] })
	work := columnOf(r, "work", func(p *rollcall.Panelist) string { return yes[p.Metered.Has(rollcall.Work)] })
	return append(out, home, work)
}

func columnOf(r *rollcall.Roster, name string, category func(*rollcall.Panelist) string) Column {
	c := Column{Name: name, Of: make([]int32, len(r.Panelists))}
	index := map[string]int32{}
	for i := range r.Panelists {
		text := category(&r.Panelists[i])
		code, ok := index[text]
		if !ok {
			code = int32(len(c.Categories))
			index[text] = code
			c.Categories = append(c.Categories, text)
		}
		c.Of[i] = code
	}
	return c
}
