package terminal

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollcall"
)

// foot says under the rows what their marks mean, which shares are of whom, what
// changes are from, the limits, what was left out, and the report's notes.
func (p *page) foot() {
	p.marks()
	p.bases()
	if c := p.t.Meta.Compared; c != nil && p.t.Meta.Report != "trend" && (p.shows("change") || p.shows("change_percent")) {
		p.line(fmt.Sprintf(p.comparedWith, p.text.Month(c.Month), c.Version))
	}
	if left := p.leftOut(); len(left) > 0 {
		p.line(fmt.Sprintf(p.notHere, strings.Join(left, ", ")))
	}
	for _, rule := range p.t.Meta.Exclusions {
		p.line(p.excluded + rule)
	}
	for _, note := range p.text.Notes {
		p.line(note)
	}
}

// marks explains those that occur.
func (p *page) marks() {
	seen := map[rollcall.Status]bool{}
	absent, chance := false, false
	limits := map[int]bool{} // under which something is withheld
	for _, column := range p.shown {
		name := p.t.Columns[column].Name
		for row := range p.t.Rows {
			switch v := p.t.Rows[row][column].(type) {
			case nil:
				absent = true
			case rollcall.Measure:
				seen[v.Status] = true
				chance = chance || !v.Status.Withheld() && p.chance(name, row)
				if v.Status == rollcall.Below {
					limits[p.limit(name, row)] = true
				}
			}
		}
	}
	if seen[rollcall.Caution] {
		p.line(markCaution + " " + p.caution)
	}
	if chance {
		p.line(markChance + " " + p.chanceOf(p.t.Meta.Report))
	}
	why := p.belowPersons
	if _, accounts := p.t.Meta.Thresholds["min_accounts"]; accounts {
		why = p.belowAccounts
	}
	for _, limit := range slices.Sorted(maps.Keys(limits)) {
		p.line(below(limit) + " " + fmt.Sprintf(why, limit))
	}
	if seen[rollcall.BelowDetection] {
		p.line(markDetection + " " + p.detection)
	}
	if absent || seen[rollcall.Undefined] {
		p.line(markAbsent + " " + p.absent)
	}
}

// bases says how many persons 100 % of a reach are.
func (p *page) bases() {
	u := p.t.Meta.Universe
	if u == nil {
		p.baseOfEach()
		return
	}
	if p.shows("reach") || p.shows("period_reach") {
		active := p.measure(u.Active, style{scale: 1000}, " ", false)
		base := p.reachOf
		if p.t.Meta.Report == "trend" {
			base = p.reachOfLast
		}
		p.line(fmt.Sprintf(base, active, p.text.Place(p.placeOfBase())))
	}
	if p.shows("target_reach") {
		p.line(p.targetReachOf)
	}
	if p.shows("coverage") {
		p.line(fmt.Sprintf(p.coverageOf, p.number(u.Population, style{scale: 1000})))
	}
}

// baseOfEach says it of each of several markets.
func (p *page) baseOfEach() {
	var each []string
	for _, m := range p.t.Meta.Markets {
		if m.Universe == nil {
			continue
		}
		active := below(m.Thresholds["low"])
		if m.Universe.Active.Status != rollcall.Below {
			active = p.measure(m.Universe.Active, style{scale: 1000}, " ", false)
		}
		each = append(each, p.market(string(m.Market))+" "+active)
	}
	if len(each) > 0 {
		p.line(fmt.Sprintf(p.reachOfEach, p.text.Place(p.placeOfBase()), strings.Join(each, "; ")))
	}
}

// placeOfBase is where the active universe is active. That of a table of several
// places is of home and work together.
func (p *page) placeOfBase() string {
	if p.t.Meta.Location == "all" {
		return "home+work"
	}
	return p.t.Meta.Location
}

func (p *page) shows(name string) bool { return slices.Contains(p.shown, p.column(name)) }

// leftOut names the columns that are neither shown nor told with another.
func (p *page) leftOut() (labels []string) {
	if len(p.t.Rows) == 0 {
		return nil
	}
	group := p.column(layoutOf(p.t.Meta.Report).group)
	for i, c := range p.t.Columns {
		if i == group || slices.Contains(p.shown, i) || folded(c.Name) || constant(p.t, i) {
			continue
		}
		labels = append(labels, p.heading(c))
	}
	return labels
}
