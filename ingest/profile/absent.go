package profile

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"rollcall"
)

// part is what a table takes from a column, by the name that the form has for it.
type part struct {
	name string
	from *Value
}

// accountPart is the part without which nobody is counted.
const accountPart = "account"

// parts gives what a wrong name of would pass for rows that have nothing there.
// A time that is missing refuses its row.
func (t *Table) parts(joins []Join) []part {
	all := []part{
		{accountPart, &t.Account},
		{"market", &t.Market},
		{"service", &t.Service},
		{"location", &t.Location},
		{"segment", &t.Segment},
		{"platform", &t.Platform},
		{"agent", &t.Agent},
	}
	return slices.DeleteFunc(all, func(p part) bool { return len(p.from.reads) == 0 || p.from.joined(joins) })
}

// joined reports whether the value reads a second file's rows.
func (v *Value) joined(joins []Join) bool {
	return slices.ContainsFunc(joins, func(j Join) bool {
		return slices.ContainsFunc(j.Names, func(name string) bool { return v.reads[name] })
	})
}

// absent is what a table takes from columns that none of its rows so far has.
type absent struct {
	table *Table
	rows  int
	parts []part
	names []string // of the columns that the first row has
}

// look takes the next row of a table.
func (c *Counts) look(t *Table, row *row, joins []Join) {
	at := slices.IndexFunc(c.absent, func(a *absent) bool { return a.table == t })
	if at < 0 {
		at = len(c.absent)
		c.absent = append(c.absent, &absent{table: t, parts: t.parts(joins), names: slices.Clone(row.names(t))})
	}
	a := c.absent[at]
	a.rows++
	if len(a.parts) > 0 {
		a.parts = slices.DeleteFunc(a.parts, func(p part) bool { return p.from.isIn(row, t) })
	}
}

// names gives the columns of a row, those that are not read too.
func (r *row) names(t *Table) []string {
	switch {
	case r.header != nil:
		return r.header
	case t.Pattern != "":
		return groups(t.pattern)
	}
	return slices.Sorted(maps.Keys(r.members))
}

// groups gives the names of a pattern's groups.
func groups(pattern *regexp.Regexp) []string {
	return slices.DeleteFunc(slices.Clone(pattern.SubexpNames()), func(name string) bool { return name == "" })
}

// isIn reports whether a row has one of the columns that the value is made of,
// though it may be empty.
func (v *Value) isIn(row *row, t *Table) bool {
	for name := range v.reads {
		if _, ok := row.values[name]; ok && (len(v.field) < 2 || name == v.name) {
			return true
		}
	}
	if row.header != nil || t.Pattern != "" {
		return slices.ContainsFunc(row.names(t), func(name string) bool { return v.reads[name] })
	}
	return len(v.field) > 1 && within(row.values, v.field)
}

// within reports whether an object has a member of a member.
func within(object map[string]any, path []string) bool {
	at, ok := object[path[0]]
	if !ok || len(path) == 1 {
		return ok
	}
	inside, ok := at.(map[string]any)
	return ok && within(inside, path[1:])
}

// Absent says what the tables take from columns that none of their rows has, a
// line each; nothing where Nobody says the worst of it.
func (c *Counts) Absent() []string {
	if c.Nobody() != "" {
		return nil
	}
	var said []string
	for _, a := range c.absent {
		for _, p := range a.parts {
			said = append(said, fmt.Sprintf("table %s: %s: %s", a.table.Name, p.name, p.from.missed(a)))
		}
	}
	return said
}

// Nobody says that no row of any table has the account's column, so that none of
// the sightings is anybody's; "": some are, or there is none.
func (c *Counts) Nobody() string {
	if c.Sightings == 0 || c.Unnamed < c.Sightings {
		return ""
	}
	said := ""
	for _, a := range c.absent {
		if a.table.Account.empty() {
			continue // another line of the connection names it
		}
		if len(a.parts) == 0 || a.parts[0].name != accountPart {
			return ""
		}
		said = cmp.Or(said, accountPart+": "+a.parts[0].from.missed(a))
	}
	return said
}

// missed says which column no row has, and which it may have meant.
func (v *Value) missed(a *absent) string {
	what := fmt.Sprintf("%q names no field", v.name)
	asked := v.name
	if v.field == nil {
		read := slices.Sorted(maps.Keys(v.reads))
		asked = read[0]
		what = fmt.Sprintf("the expression reads none (%s)", strings.Join(read, ", "))
	}
	what += fmt.Sprintf(" of the %d rows", a.rows)
	if a.rows == 1 {
		what = strings.TrimSuffix(what, "the 1 rows") + "the one row"
	}
	if near := rollcall.Nearest(asked, a.names); len(near) > 0 {
		what += "; the nearest are " + strings.Join(near, ", ")
	}
	return what
}

// checkGroups refuses fields that are no group of the pattern: no line ever has
// them.
func (t *Table) checkGroups(joins []Join) error {
	if t.Pattern == "" {
		return nil
	}
	known := groups(t.pattern)
	for _, v := range t.values() {
		if v.field == nil || v.name == nowColumn || v.joined(joins) || slices.Contains(known, v.name) {
			continue
		}
		text := fmt.Sprintf("%q is no group of the pattern", v.name)
		if near := rollcall.Nearest(v.name, known); len(near) > 0 {
			text += "; the nearest are " + strings.Join(near, ", ")
		}
		return errors.New(text)
	}
	return nil
}
