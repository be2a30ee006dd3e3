package panel

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"rollcall"
)

// Tolerances of the method, all relative.
const (
	sameTotal    = 1e-4  // by which the margins of one study may disagree in total
	noScale      = 1e-12 // a disagreement that is only rounding
	metMargin    = 1e-9  // by which a raked margin may miss
	trimmedMiss  = 1e-6  // the same where weights are trimmed
	emptyPartial = 1e-9  // of U: what is left of a partial margin that is nobody
)

// The columns that every roster has, beyond its demographic ones.
const (
	homeColumn = -1 - iota
	workColumn
)

// axis is one margin: a column, or several joined, with a target per category.
type axis struct {
	name       string
	columns    []int // into Roster.Columns, or homeColumn or workColumn
	categories []string
	rows       []int // of Population.Margins; -1 for the rest of a partial margin
	targets    []float64
	index      map[string]int32
	panelists  []int  // in each category
	broken     bool   // a fault was found, so it can't be checked further
	users      *Users // of a margin of users; nil: of any other
}

// frame is a roster laid against a universe: each panelist's category on each
// axis.
type frame struct {
	axes     []*axis
	codes    []int32 // panelist by axis, row-major
	universe float64
	notes    []string
}

// fault is what is wrong between a roster and a universe.
type fault struct {
	axis   string
	row    int // of Population.Margins, or -1
	person int // of the roster, or -1
	column string
	value  string
	reason string
}

// Check says everything that keeps a roster from being raked to a universe,
// short of non-convergence: each fault names its file, line, column and value.
func Check(r *Recruits, s *Study) error {
	_, list := newFrame(&rollcall.Roster{Columns: r.Columns, Panelists: r.panelists()}, &s.Population, nil)
	for i, f := range list {
		if f.column == "stratum" && f.person >= 0 {
			list[i].value = r.People[f.person].Stratum
		}
	}
	var all faults
	for _, f := range list {
		place := where(s.File, 0, "column "+f.column)
		if f.row >= 0 {
			place = where(s.File, s.Lines[f.row], "column "+f.column)
		}
		if f.person >= 0 {
			place = where(r.File, r.People[f.person].Line, "column "+f.column)
		}
		all.add(&rollcall.Invalid{Field: place, Value: f.value, Reason: f.reason, Code: f.column})
	}
	return all.err()
}

// refuse gives the faults where no file is known: clear ids and lines are gone.
func refuse(list []fault) error {
	var all faults
	for _, f := range list {
		place := "universe, " + f.column
		switch {
		case f.axis != "":
			place = "margin " + f.axis + ", " + f.column
		case f.person >= 0:
			place = "roster, " + f.column
		}
		all.add(&rollcall.Invalid{Field: place, Value: f.value, Reason: f.reason, Code: f.column})
	}
	return all.err()
}

func newFrame(r *rollcall.Roster, p *rollcall.Population, users []Users) (*frame, []fault) {
	b := &framer{roster: r, margins: p.Margins, frame: &frame{}}
	b.gather()
	b.settle()
	b.addUsers(users)
	b.classify()
	return b.frame, b.list
}

// framer builds a frame and gathers every fault on the way.
type framer struct {
	roster  *rollcall.Roster
	margins []rollcall.Margin
	frame   *frame
	list    []fault
}

func (b *framer) fault(a *axis, row int, column, value, reason string) {
	f := fault{row: row, person: -1, column: column, value: value, reason: reason}
	if a != nil {
		f.axis = a.name
		a.broken = true
	}
	b.list = append(b.list, f)
}

// gather makes the axes from the margins, in the study's order.
func (b *framer) gather() {
	byName := map[string]*axis{}
	for row, m := range b.margins {
		a := byName[m.Name]
		if a == nil {
			a = b.newAxis(row, m.Name)
			byName[m.Name] = a
			b.frame.axes = append(b.frame.axes, a)
		}
		b.addCategory(a, row, m)
	}
}

func (b *framer) newAxis(row int, name string) *axis {
	a := &axis{name: name, index: map[string]int32{}}
	for part := range strings.SplitSeq(name, "*") {
		column := b.column(part)
		if column < homeColumn-1 {
			b.fault(a, row, "margin", name, fmt.Sprintf("the roster has no column %q", part))
			a.columns = nil
			return a
		}
		if slices.Contains(a.columns, column) {
			b.fault(a, row, "margin", name, fmt.Sprintf("joins column %q to itself", part))
		}
		a.columns = append(a.columns, column)
	}
	return a
}

// column finds a column by name; what is under workColumn is not found.
func (b *framer) column(name string) int {
	switch name {
	case "home":
		return homeColumn
	case "work":
		return workColumn
	}
	if i := slices.Index(b.roster.Columns, name); i >= 0 && name != "" {
		return i
	}
	return workColumn - 1
}

func (b *framer) addCategory(a *axis, row int, m rollcall.Margin) {
	if _, ok := a.index[m.Category]; ok {
		b.fault(a, row, "category", m.Category, "is given twice in margin "+m.Name)
		return
	}
	if !(m.Population >= 0) || math.IsInf(m.Population, 0) {
		b.fault(a, row, "population", fmt.Sprint(m.Population), "is not a number of persons")
	}
	parts := strings.Split(m.Category, "*")
	if len(a.columns) > 0 && len(parts) != len(a.columns) {
		b.fault(a, row, "category", m.Category, fmt.Sprintf("is not %d categories joined by '*', as margin %s needs", len(a.columns), a.name))
		return
	}
	for i, column := range a.columns {
		if column < 0 && parts[i] != "0" && parts[i] != "1" {
			b.fault(a, row, "category", m.Category, "is not 0 or 1 for home or work")
		}
	}
	a.add(m.Category, row, m.Population)
}

func (a *axis) add(category string, row int, target float64) {
	a.index[category] = int32(len(a.categories))
	a.categories = append(a.categories, category)
	a.rows = append(a.rows, row)
	a.targets = append(a.targets, target)
}

func (a *axis) total() float64 {
	var sum float64
	for _, target := range a.targets {
		sum += target
	}
	return sum
}

// partial reports whether the axis is home or work with one category only.
func (a *axis) partial() bool {
	return (a.name == "home" || a.name == "work") && len(a.categories) == 1
}

// settle fixes the universe at the first full margin's total, scales the other
// full margins to it, and completes the partial ones. A broken margin leaves
// the universe in doubt, so nothing is held against it then.
func (b *framer) settle() {
	if slices.ContainsFunc(b.frame.axes, func(a *axis) bool { return a.broken }) {
		b.breakPartial()
		return
	}
	first := slices.IndexFunc(b.frame.axes, func(a *axis) bool { return !a.partial() })
	if first < 0 {
		b.fault(nil, -1, "margin", "", "has no margin that covers the whole population")
		b.breakPartial()
		return
	}
	lead := b.frame.axes[first]
	b.frame.universe = lead.total()
	if !(b.frame.universe > 0) || math.IsInf(b.frame.universe, 0) {
		b.fault(lead, lead.rows[0], "population", fmt.Sprint(b.frame.universe), "is the total of margin "+lead.name+": nobody can be counted")
		return
	}
	for _, a := range b.frame.axes {
		if a.partial() {
			b.complete(a)
		} else {
			b.scale(a, lead)
		}
	}
}

// breakPartial gives up the partial margins, whose rest is not known.
func (b *framer) breakPartial() {
	for _, a := range b.frame.axes {
		a.broken = a.broken || a.partial()
	}
}

func (b *framer) scale(a, lead *axis) {
	total, universe := a.total(), b.frame.universe
	off := math.Abs(total-universe) / universe
	if !(off <= sameTotal) {
		// The margin isn't broken: its categories can be held against the roster.
		b.list = append(b.list, fault{axis: a.name, row: a.rows[0], person: -1, column: "population", value: persons(total),
			reason: fmt.Sprintf("is the total of margin %s, more than 0.01 %% from the %s of margin %s", a.name, persons(universe), lead.name)})
		return
	}
	if off <= noScale {
		return
	}
	for i := range a.targets {
		a.targets[i] *= universe / total
	}
	b.frame.notes = append(b.frame.notes, fmt.Sprintf("margin %s totals %s persons and was scaled to the %s of margin %s",
		a.name, persons(total), persons(universe), lead.name))
}

// complete gives home or work its category 0: U minus the population given.
func (b *framer) complete(a *axis) {
	row := a.rows[0]
	if a.categories[0] != "1" {
		b.fault(a, row, "category", a.categories[0], "stands alone in margin "+a.name+", which needs category 1")
		return
	}
	rest := b.frame.universe - a.targets[0]
	if rest < -emptyPartial*b.frame.universe {
		b.fault(a, row, "population", persons(a.targets[0]), "is more than the universe of "+persons(b.frame.universe))
		return
	}
	if rest < emptyPartial*b.frame.universe {
		rest = 0
	}
	a.add("0", -1, rest)
}

// classify codes every panelist on every sound axis, and refuses a panelist
// without a category and a category without panelists.
func (b *framer) classify() {
	axes, people := b.frame.axes, b.roster.Panelists
	if len(people) == 0 {
		b.fault(nil, -1, "panelist", "", "the roster has no panelist")
		return
	}
	b.checkPeople()
	b.frame.codes = make([]int32, len(people)*len(axes))
	for k, a := range axes {
		a.panelists = make([]int, len(a.categories))
		if a.broken {
			continue
		}
		if a.users != nil {
			b.codeUsers(k, a)
		} else {
			b.code(k, a)
		}
		if !a.broken {
			b.checkCategories(a)
		}
	}
}

func (b *framer) checkPeople() {
	for i := range b.roster.Panelists {
		p := &b.roster.Panelists[i]
		if !(p.BaseWeight > 0) || math.IsInf(p.BaseWeight, 0) {
			b.list = append(b.list, fault{row: -1, person: i, column: "base_weight", value: fmt.Sprint(p.BaseWeight), reason: "is not a number above 0"})
		}
		if len(p.Categories) != len(b.roster.Columns) {
			// Such a roster was not read by ReadRoster; every category of it is in doubt.
			panic(fmt.Sprintf("panel: panelist %d has %d categories for %d columns", i, len(p.Categories), len(b.roster.Columns)))
		}
	}
	for _, person := range lonely(peopleOf(b.roster.Panelists).units) {
		b.list = append(b.list, fault{row: -1, person: person, column: "stratum",
			value: fmt.Sprintf("%016x", uint64(b.roster.Panelists[person].Stratum)), reason: "is a stratum with one cluster, which has no variance"})
	}
}

func (b *framer) code(k int, a *axis) {
	lost := map[string]*loss{}
	var key []byte
	for i := range b.roster.Panelists {
		key = a.key(key[:0], &b.roster.Panelists[i])
		code, ok := a.index[string(key)]
		if !ok {
			b.lose(a, lost, string(key), i)
			continue
		}
		a.panelists[code]++
		b.frame.codes[i*len(b.frame.axes)+k] = code
	}
	for _, l := range lost {
		b.list[l.fault].reason += fmt.Sprintf(" (panelists: %d)", l.panelists)
	}
}

// loss is a category of the roster that an axis has not.
type loss struct{ fault, panelists int }

// lose records such a category once, at its first panelist.
func (b *framer) lose(a *axis, lost map[string]*loss, category string, person int) {
	if l, ok := lost[category]; ok {
		l.panelists++
		return
	}
	lost[category] = &loss{fault: len(b.list), panelists: 1}
	b.list = append(b.list, fault{axis: a.name, row: -1, person: person, column: a.name, value: category,
		reason: "is a category that margin " + a.name + " of the universe does not have"})
}

func (a *axis) key(key []byte, p *rollcall.Panelist) []byte {
	for i, column := range a.columns {
		if i > 0 {
			key = append(key, '*')
		}
		switch column {
		case homeColumn:
			key = append(key, digit(p.Metered.Has(rollcall.Home)))
		case workColumn:
			key = append(key, digit(p.Metered.Has(rollcall.Work)))
		default:
			key = append(key, p.Categories[column]...)
		}
	}
	return key
}

func digit(yes bool) byte {
	if yes {
		return '1'
	}
	return '0'
}

func (b *framer) checkCategories(a *axis) {
	for c, target := range a.targets {
		n := a.panelists[c]
		if target > 0 && n == 0 {
			b.list = append(b.list, fault{axis: a.name, row: a.row(c), person: -1, column: "category", value: a.categories[c],
				reason: fmt.Sprintf("has no panelist in margin %s, for a population of %s", a.name, persons(target))})
		}
		if target == 0 && n > 0 {
			b.list = append(b.list, fault{axis: a.name, row: a.row(c), person: -1, column: "category", value: a.categories[c],
				reason: fmt.Sprintf("has %d panelists in margin %s, for a population of 0", n, a.name)})
		}
	}
}

// row gives the study's line of a category; the rest of a partial margin shares
// the line of its category 1.
func (a *axis) row(category int) int {
	if a.rows[category] < 0 {
		return a.rows[0]
	}
	return a.rows[category]
}

func persons(x float64) string { return fmt.Sprintf("%.0f", x) }
