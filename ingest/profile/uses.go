package profile

import (
	"maps"
	"slices"
	"strings"

	"rollcall/ingest/profile/columns"
)

// use is what a table takes from columns, before it is told of which file they are.
type use struct {
	name   string // that the form has for it: segment, rule bot
	from   *Value
	weight columns.Weight
	says   string // what it means for the figures that a column is not there
}

// reads gives what the tables read, in their order; optional are the rules that were
// asked for by name.
func (p *Profile) reads(optional map[string]bool) []*columns.Table {
	all := make([]*columns.Table, len(p.Tables))
	for i := range p.Tables {
		all[i] = p.readsOf(&p.Tables[i], optional)
	}
	return all
}

func (p *Profile) readsOf(t *Table, optional map[string]bool) *columns.Table {
	of := &columns.Table{
		Needs: t.needs, Relation: t.Relation, Members: t.Header, Without: t.Without,
		Whole: t.When.empty(), Nameless: t.Account.empty(), Own: p.own,
	}
	if t.Pattern != "" {
		of.Groups = groups(t.pattern)
	}
	for _, u := range t.uses(optional, p.Joins) {
		told := u.of(slices.DeleteFunc(u.from.own(p.Joins), func(name string) bool { return p.Snapshot && name == nowColumn }))
		of.Uses = append(of.Uses, told)
		switch u.from {
		case &t.When:
			of.When = told
		case &t.Account:
			of.Account = told
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(optional)) {
		if !t.Account.empty() && !slices.ContainsFunc(t.Drop, func(d Rule) bool { return d.Name == rule }) {
			of.Ruleless = append(of.Ruleless, rule)
		}
	}
	return of
}

// of tells the use of some of the columns that it reads.
func (u use) of(names []string) columns.Use {
	return columns.Use{
		Name: u.name, Columns: names, Others: len(names) < len(u.from.columns()), Field: u.from.field != nil, Either: u.from.either,
		Common: slices.Contains([]string{"account", "market", "service", "location", "segment", "platform", "agent", "device", "first", "once", "stay"}, u.name),
		Weight: u.weight, Says: u.says,
	}
}

// uses gives all that a table takes from columns; optional are the rules that
// were asked for by name.
func (t *Table) uses(optional map[string]bool, joins []Join) []use {
	all := []use{
		{name: "when", from: &t.When, says: "rows may not be known as the table's"},
		{name: "account", from: &t.Account, says: "nobody is counted by it"},
		{name: "market", from: &t.Market, says: "no row has a market of its own"},
		{name: "service", from: &t.Service, says: "no row has a service of its own"},
		{name: "location", from: &t.Location, says: "no row has a place of its own"},
		{name: "segment", from: &t.Segment, says: "no row has a segment of its own"},
		{name: "platform", from: &t.Platform, says: "platforms can't be told by it"},
		{name: "agent", from: &t.Agent, says: "every platform is other"},
		{name: "device", from: &t.Device, says: "a device's other rows can't tell its platform"},
		{name: "first", from: &t.First, says: "rows that differ in it alone count as one"},
		{name: "connection", from: &t.Connection, says: "connections can't be told apart by it"},
		{name: "session", from: &t.Session, says: "sessions can't be told apart by it"},
	}
	for i := range t.Events {
		all = append(all, t.Events[i].uses()...)
	}
	all = append(all, t.rules(optional)...)
	for i := range joins {
		all = append(all, joins[i].uses(all)...)
	}
	return slices.DeleteFunc(all, func(u use) bool { return len(u.from.reads) == 0 })
}

func (e *Event) uses() []use {
	return []use{
		{name: "kind", from: &e.Kind, says: "rows may be refused, or of another kind"},
		{name: "step", from: &e.Step, says: "rows may be refused, or another step"},
		{name: "when", from: &e.When, says: "some of what rows tell may be missing"},
		{name: "time", from: &e.Time.Value, says: "rows without a time are refused"},
		{name: "until", from: &e.Until.Value, says: "stays have no end by it"},
		{name: "duration", from: &e.Duration, says: "stays have no end by it"},
		{name: "once", from: &e.Once, says: "what several rows tell may count more than once, or once for all"},
		{name: "stay", from: &e.Stay, says: "rows of one stay can't be told by it"},
	}
}

// rules gives what the rules read, and what those that set give.
func (t *Table) rules(optional map[string]bool) []use {
	var all []use
	for i := range t.Drop {
		r := &t.Drop[i]
		u := use{name: "rule " + r.Name, from: &r.When, says: "rule " + r.Name + " can't tell by it whom to drop, so they count"}
		switch {
		case r.Optional && optional[r.Name]:
			u.weight = columns.Asked
		case r.Optional:
			u.weight, u.says = columns.Spare, "rule "+r.Name+", where it is asked for, can't tell by it whom to drop"
		}
		all = append(all, u)
	}
	for i := range t.Set {
		r := &t.Set[i]
		for _, v := range []*Value{&r.When, &r.Segment, &r.Platform, &r.Location, &r.Service} {
			all = append(all, use{name: "rule " + r.Name, from: v, says: "rule " + r.Name + " can't tell by it what to set"})
		}
	}
	return all
}

// uses gives what finds the second file's rows, for those that read them.
func (j *Join) uses(readers []use) []use {
	var all []use
	name := "join " + j.Names[0]
	for _, u := range readers {
		switch {
		case !j.readBy(u.from):
		case u.weight == columns.Asked:
			all = append(all, use{name: u.name, from: &j.On, weight: columns.Asked})
		case !slices.ContainsFunc(all, func(had use) bool { return had.name == name }):
			all = append(all, use{name: name, from: &j.On, says: "no row of " + j.Names[0] + " is found by it"})
		}
	}
	return all
}

// readBy reports whether a value reads the second file's rows.
func (j *Join) readBy(v *Value) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(v.reads)), func(name string) bool {
		of, _, _ := strings.Cut(name, ".")
		return slices.Contains(j.Names, of)
	})
}

// columns gives what the value reads, in order: of an object its members where it
// reads those.
func (v *Value) columns() []string {
	if v.field != nil {
		return []string{v.name}
	}
	names := slices.Sorted(maps.Keys(v.reads))
	return slices.DeleteFunc(names, func(name string) bool {
		return slices.ContainsFunc(names, func(other string) bool { return strings.HasPrefix(other, name+".") })
	})
}

// own gives the columns of the row itself that the value reads.
func (v *Value) own(joins []Join) []string {
	return slices.DeleteFunc(v.columns(), func(name string) bool {
		of, _, _ := strings.Cut(name, ".")
		return slices.ContainsFunc(joins, func(j Join) bool { return slices.Contains(j.Names, of) })
	})
}

// joined gives the columns of the second file that the value reads.
func (v *Value) joined(j *Join) []string {
	var names []string
	for _, name := range v.columns() {
		if of, column, ok := strings.Cut(name, "."); ok && slices.Contains(j.Names, of) {
			names = append(names, column)
		}
	}
	return names
}
