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

// accountPart is the part without which nobody is counted.
const accountPart = "account"

// lack is a column that a table reads and that nothing so far has.
type lack struct {
	column string
	path   []string // and its parts, of an object's member
	uses   []use
	like   string // one that is there, and differs in capitals, "_" and "-" alone
}

// lacks gives the columns of some uses, each once.
func lacks(uses []use, columns func(*Value) []string) []*lack {
	var all []*lack
	for _, u := range uses {
		for _, column := range columns(u.from) {
			at := slices.IndexFunc(all, func(l *lack) bool { return l.column == column })
			if at < 0 {
				at = len(all)
				all = append(all, &lack{column: column, path: strings.Split(column, ".")})
			}
			l := all[at]
			if !slices.ContainsFunc(l.uses, func(had use) bool { return had.name == u.name && had.weight == u.weight }) {
				l.uses = append(l.uses, u)
			}
		}
	}
	return all
}

// absent is what a table, or a second file, takes from columns that none of its
// rows so far has.
type absent struct {
	of       string   // what has the rows, as it is told
	table    *Table   // nil: a second file's
	header   []string // that the rows have; nil: each its own
	rows     int
	has      string   // what tells the columns before a row does: the header, the pattern; "": nothing
	names    []string // that it has, or the first row
	gate     []*lack  // by which it is known that a row is the table's
	lacks    []*lack
	ruleless []string // rules that were asked for, which the table doesn't have
	spared   []string // columns that a file may do without
	own      bool     // the profile is the user's own
}

// named takes the names of a header or a pattern, which all its rows have.
func (a *absent) named(has string, names []string) {
	a.has, a.names = has, names
	a.lacks = slices.DeleteFunc(a.lacks, func(l *lack) bool {
		if slices.Contains(names, l.column) {
			return true
		}
		if slices.Contains(names, l.path[0]) { // an expression may make something of its text
			return !slices.ContainsFunc(l.uses, func(u use) bool { return u.from.field != nil })
		}
		if l.like = cmp.Or(likeness(l.column, names), likeness(l.path[0], names)); l.like == "" {
			l.uses = slices.DeleteFunc(l.uses, func(u use) bool { return u.from.standsIn(l.column, names) })
		}
		return len(l.uses) == 0
	})
}

// standsIn reports whether a column that is there stands in for one that isn't.
func (v *Value) standsIn(column string, names []string) bool {
	return slices.ContainsFunc(v.either, func(of []string) bool {
		return slices.Contains(of, column) && slices.ContainsFunc(of, func(name string) bool { return slices.Contains(names, name) })
	})
}

// look takes the next row of an object's members.
func (a *absent) look(row *row) {
	if a.rows++; a.rows == 1 && a.names == nil {
		a.names = slices.Sorted(maps.Keys(row.members))
	}
	a.lacks = row.without(a.lacks)
}

// without gives the lacks whose column a row of an object's members doesn't have.
func (r *row) without(all []*lack) []*lack {
	return slices.DeleteFunc(all, func(l *lack) bool {
		if _, ok := r.members[l.column]; ok || within(r.values, l.path) {
			return true
		}
		if l.like == "" {
			l.like = r.like(l.path)
		}
		return false
	})
}

// like gives a member that differs from a column in capitals, "_" and "-" alone.
func (r *row) like(path []string) string {
	if _, ok := r.members[path[0]]; !ok {
		return likeMember(r.members, path[0])
	}
	at := r.values[path[0]]
	for i, name := range path[1:] {
		object, ok := at.(map[string]any)
		if !ok {
			return ""
		}
		inside, ok := object[name]
		if !ok {
			if like := likeMember(object, name); like != "" {
				return strings.Join(path[:i+1], ".") + "." + like
			}
			return ""
		}
		at = inside
	}
	return ""
}

func likeMember[T any](object map[string]T, name string) string {
	like := ""
	for k := range object {
		if alike(k, name) && (like == "" || k < like) {
			like = k
		}
	}
	return like
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

// groups gives the names of a pattern's groups.
func groups(pattern *regexp.Regexp) []string {
	return slices.DeleteFunc(slices.Clone(pattern.SubexpNames()), func(name string) bool { return name == "" })
}

// told gives the uses of a column that are warned of.
func (a *absent) told(l *lack) []use {
	return slices.DeleteFunc(slices.Clone(l.uses), func(u use) bool {
		switch {
		case u.weight == asked:
			return true // an error
		case l.like != "":
			return false
		case a.has != "":
			return u.weight != usual || slices.Contains(a.spared, l.column)
		}
		return !a.own || !isPart(u.name) || a.rows == 0 || a.some(u.from)
	})
}

// isPart reports whether a use is of those that rows of objects have in common: where
// none has it, the name is wrong rather than what it stands for not there.
func isPart(name string) bool {
	return slices.Contains([]string{accountPart, "market", "service", "location", "segment", "platform", "agent"}, name)
}

// some reports whether rows have some of the columns that a value reads.
func (a *absent) some(v *Value) bool {
	columns := v.columns()
	return slices.ContainsFunc(columns, func(column string) bool {
		return !slices.ContainsFunc(a.lacks, func(l *lack) bool { return l.column == column })
	})
}

// missed says that a column is not there, and which it may have meant.
func (a *absent) missed(l *lack) string {
	text := fmt.Sprintf("%s has no %q", a.has, l.column)
	if a.has == "" {
		text = fmt.Sprintf("no row has %q", l.column)
	}
	if l.like != "" {
		return text + fmt.Sprintf(", only %q", l.like)
	}
	return text + nearest(rollcall.Nearest(l.column, a.names))
}

// warnings says what is warned of, a column each; of a table whose rows others
// have only what is named nearly so.
func (a *absent) warnings(unread bool) []string {
	var said []string
	for _, l := range slices.Concat(a.gate, a.lacks) {
		if unread && l.like == "" {
			continue
		}
		var means []string
		for _, u := range a.told(l) {
			if !slices.Contains(means, u.says) {
				means = append(means, u.says)
			}
		}
		if len(means) == 0 {
			continue
		}
		text := a.missed(l) + ": "
		if l.like != "" {
			text += "rename it, or "
		}
		said = append(said, text+strings.Join(means, "; "))
	}
	if a.rows > 0 {
		for _, rule := range a.ruleless {
			said = append(said, fmt.Sprintf("there is no rule %s, which was asked for: whom it would drop counts", rule))
		}
	}
	return said
}

// undropped says which column is not there by which a rule drops that was asked
// for; "": all are.
func (a *absent) undropped() string {
	for _, l := range a.lacks {
		at := slices.IndexFunc(l.uses, func(u use) bool { return u.weight == asked })
		if at < 0 || a.has == "" && (a.rows == 0 || l.like == "" && a.some(l.uses[at].from)) {
			continue
		}
		do := "give a file that has it"
		if l.like != "" {
			do = "rename it"
		}
		return fmt.Sprintf("%s: %s, and %s, which was asked for, drops by it: %s, or leave the rule out", a.of, a.missed(l), l.uses[at].name, do)
	}
	return ""
}

// undroppable is the fault of a file without a column by which a rule drops that was
// asked for: no row of it is read.
type undroppable string

// Error gives the words.
func (u undroppable) Error() string { return string(u) }

// taken is what a profile takes from columns, with the rules that were asked for.
type taken struct {
	*Profile
	optional map[string]bool
}

// of begins to look at a table's rows.
func (k taken) of(t *Table) *absent {
	a := &absent{of: "table " + t.Name, table: t, spared: t.Without, own: k.own}
	a.lacks = lacks(t.uses(k.optional, k.Joins), func(v *Value) []string {
		return slices.DeleteFunc(v.own(k.Joins), func(name string) bool { return k.Snapshot && name == nowColumn })
	})
	for _, rule := range slices.Sorted(maps.Keys(k.optional)) {
		if !t.Account.empty() && !slices.ContainsFunc(t.Drop, func(d Rule) bool { return d.Name == rule }) {
			a.ruleless = append(a.ruleless, rule)
		}
	}
	return a
}

// examine looks at a row's columns before it is known whose it is.
func (k taken) examine(c *Counts, row *row) {
	switch {
	case row.header != nil:
		if !same(row.header, c.header) {
			k.examineHeader(c, row)
		}
	case row.members != nil:
		if !c.objects {
			c.objects = true
			c.absent = append(c.absent, k.each(false, func(t *Table) *absent { return k.gated(t, t.Header) })...)
		}
		for _, a := range c.absent {
			a.gate = row.without(a.gate)
		}
	case !c.patterns:
		c.patterns = true
		c.absent = append(c.absent, k.each(true, k.grouped)...)
	}
}

// each begins to look at the tables that have a pattern, or at the others.
func (k taken) each(pattern bool, begin func(*Table) *absent) []*absent {
	var all []*absent
	for i := range k.Tables {
		if t := &k.Tables[i]; (t.Pattern != "") == pattern {
			all = append(all, begin(t))
		}
	}
	return all
}

// grouped looks at a pattern's groups.
func (k taken) grouped(t *Table) *absent {
	a := k.of(t)
	a.named("the pattern", groups(t.pattern))
	return a
}

// gated begins to look at a table that columns, which rows must have, and a condition tell.
func (k taken) gated(t *Table, must []string) *absent {
	a := k.of(t)
	header := make([]use, len(must))
	for i, name := range must {
		header[i] = use{name: "header", from: &Value{field: []string{name}, name: name}, says: "its rows are not read as the table's"}
	}
	a.gate = lacks(header, (*Value).columns)
	for _, l := range a.lacks {
		if l.uses[0].from == &t.When && !slices.Contains(must, l.column) {
			a.gate = append(a.gate, &lack{column: l.column, path: l.path, uses: l.uses[:1]})
		}
	}
	a.lacks = slices.DeleteFunc(a.lacks, func(l *lack) bool { return l.uses[0].from == &t.When && len(l.uses) == 1 })
	return a
}

// examineHeader looks at a header once, for the tables that may have its rows.
func (k taken) examineHeader(c *Counts, row *row) {
	c.header = row.header
	clear(c.here)
	names := strings.Join(row.header, "\x00")
	for i := range k.Tables {
		t := &k.Tables[i]
		if t.Pattern != "" || row.table != "" && t.Relation != "" && row.table != t.Relation {
			continue
		}
		a := c.headers[heading{t, names}]
		if a == nil {
			if a = k.headed(t, row.header); a == nil {
				continue
			}
			c.headers[heading{t, names}] = a
			c.absent = append(c.absent, a)
		}
		c.here[t] = a
		if t.headed(row.header) && t.When.empty() {
			return // it has all of the rows
		}
	}
}

// heading is a header that rows of a table may have.
type heading struct {
	table *Table
	names string
}

// headed looks at a header that may be a table's; nil: it isn't.
func (k taken) headed(t *Table, header []string) *absent {
	var a *absent
	switch {
	case t.headed(header):
		a = k.of(t)
	case t.nearlyHeaded(header):
		a = k.gated(t, t.needs)
		a.lacks, a.gate = a.gate, nil
	default:
		return nil
	}
	a.header = header
	a.named("the header", header)
	return a
}

// nearlyHeaded reports whether a header would be the table's but for capitals, "_"
// and "-".
func (t *Table) nearlyHeaded(header []string) bool {
	return len(t.needs) > 0 && !slices.ContainsFunc(t.needs, func(name string) bool {
		return !slices.Contains(header, name) && likeness(name, header) == ""
	})
}

// same reports whether two headers are the same one.
func same(a, b []string) bool { return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0] }

// at gives what a table of the header that was examined last, or of none, doesn't
// have; nil: nobody has looked. A dump may have very many headers.
func (c *Counts) at(t *Table, header []string) *absent {
	if header != nil {
		return c.here[t]
	}
	for _, a := range c.absent {
		if a.table == t && a.header == nil {
			return a
		}
	}
	return nil
}

// note takes the next row of a table, which was examined. The error is of a header
// without a column by which a rule drops that was asked for.
func (c *Counts) note(t *Table, row *row) error {
	a := c.at(t, row.header)
	switch {
	case a == nil:
	case a.has == "":
		a.look(row)
	default:
		if a.rows++; a.rows > 1 {
			return nil
		}
		if text := a.undropped(); text != "" {
			return undroppable(text)
		}
	}
	return nil
}

// Absent says what the tables take from columns that none of their rows has, a
// line each; nothing where Nobody says the worst of it.
func (c *Counts) Absent() []string {
	if c.Nobody() != "" {
		return nil
	}
	var texts []string
	tables := map[string][]string{}
	for _, a := range c.absent {
		for _, text := range a.warnings(c.unread(a)) {
			if tables[text] == nil {
				texts = append(texts, text)
			}
			if !slices.Contains(tables[text], a.table.Name) {
				tables[text] = append(tables[text], a.table.Name)
			}
		}
	}
	for i, text := range texts {
		word := "table "
		if len(tables[text]) > 1 {
			word = "tables "
		}
		texts[i] = word + strings.Join(tables[text], ", ") + ": " + text
	}
	return texts
}

// unread reports whether other tables have the rows.
func (c *Counts) unread(a *absent) bool {
	return a.rows == 0 && slices.ContainsFunc(c.absent, func(other *absent) bool { return other.rows > 0 })
}

// Undropped says which column no row has by which a rule drops that was asked for,
// so that whom it is about was counted; "": there is none.
func (c *Counts) Undropped() string {
	for _, a := range c.absent {
		if a.has != "" {
			continue // its first row is an error
		}
		if text := a.undropped(); text != "" {
			return text
		}
	}
	return ""
}

// pending reports whether a table's first row would be an error.
func (c *Counts) pending() bool {
	return slices.ContainsFunc(c.absent, func(a *absent) bool { return a.undropped() != "" })
}

// settled reports whether rows have had every column by which a rule drops that was
// asked for, of every table.
func (c *Counts) settled() bool {
	return !slices.ContainsFunc(c.absent, func(a *absent) bool {
		return slices.ContainsFunc(a.lacks, func(l *lack) bool {
			return slices.ContainsFunc(l.uses, func(u use) bool { return u.weight == asked })
		})
	})
}

// Nobody says that no row of any table has the account's column, so that none of
// the sightings is anybody's; "": some are, or there is none.
func (c *Counts) Nobody() string {
	if c.Sightings == 0 || c.Unnamed < c.Sightings {
		return ""
	}
	said := ""
	for _, a := range c.absent {
		if a.table.Account.empty() || a.rows == 0 {
			continue // another line of the connection names it
		}
		at := slices.IndexFunc(a.lacks, func(l *lack) bool {
			return slices.ContainsFunc(l.uses, func(u use) bool { return u.name == accountPart })
		})
		if at < 0 || a.some(&a.table.Account) {
			return ""
		}
		said = cmp.Or(said, accountPart+": "+a.missed(a.lacks[at]))
	}
	return said
}

// checkGroups refuses fields that are no group of the pattern: no line ever has
// them.
func (t *Table) checkGroups(joins []Join) error {
	if t.Pattern == "" {
		return nil
	}
	known := groups(t.pattern)
	for _, v := range t.values() {
		if v.field == nil || v.name == nowColumn || len(v.own(joins)) == 0 || slices.Contains(known, v.name) {
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
