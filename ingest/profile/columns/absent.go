package columns

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollcall"
)

// absent is what a table, or a second file, takes from columns that none of its
// rows so far has.
type absent struct {
	*Table
	of     string   // what has the rows, as it is told
	header []string // that the rows have; nil: each its own
	rows   int
	has    string   // what tells the columns before a row does: the header, the pattern; "": nothing
	names  []string // that it has, or the first row
	gate   []*lack  // by which it is known that a row is the table's
	lacks  []*lack
}

// absent begins to look at the table's rows.
func (t *Table) absent() *absent {
	return &absent{Table: t, of: "table " + t.Name, lacks: lacks(t.Uses)}
}

// grouped looks at the pattern's groups.
func (t *Table) grouped() *absent {
	a := t.absent()
	a.named("the pattern", t.Groups)
	return a
}

// gated begins to look at rows which columns, that they must have, and a condition tell.
func (t *Table) gated(must []string) *absent {
	a := t.absent()
	a.gate = lacks([]Use{{Name: "header", Columns: must, Field: true, Says: "its rows are not read as the table's"}})
	known := func(l *lack) bool { return slices.Contains(t.When.Columns, l.column) }
	for _, l := range a.lacks {
		if known(l) && !slices.Contains(must, l.column) {
			a.gate = append(a.gate, &lack{column: l.column, path: l.path, uses: l.uses[:1]})
		}
	}
	a.lacks = slices.DeleteFunc(a.lacks, func(l *lack) bool { return known(l) && len(l.uses) == 1 })
	return a
}

// headed looks at a header that may be the table's; nil: it isn't.
func (t *Table) headed(header []string) *absent {
	var a *absent
	switch {
	case t.In(header):
		a = t.absent()
	case t.NearlyIn(header):
		a = t.gated(t.Needs.Columns)
		a.lacks, a.gate = a.gate, nil
	default:
		return nil
	}
	a.header = header
	a.named("the header", header)
	return a
}

// named takes the names of a header or a pattern, which all its rows have.
func (a *absent) named(has string, names []string) {
	a.has, a.names = has, names
	a.lacks = slices.DeleteFunc(a.lacks, func(l *lack) bool {
		if slices.Contains(names, l.column) {
			return true
		}
		if slices.Contains(names, l.path[0]) { // an expression may make something of its text
			return !slices.ContainsFunc(l.uses, func(u Use) bool { return u.Field })
		}
		if l.like = cmp.Or(likeness(l.column, slices.Values(names)), likeness(l.path[0], slices.Values(names))); l.like == "" {
			l.uses = slices.DeleteFunc(l.uses, func(u Use) bool { return u.standsIn(l.column, names) })
		}
		return len(l.uses) == 0
	})
}

// look takes the next row of an object's members.
func (a *absent) look(row *Row) {
	if a.rows++; a.rows == 1 && a.names == nil {
		a.names = slices.Sorted(maps.Keys(row.Members))
	}
	a.lacks = row.without(a.lacks)
}

// told gives the uses of a column that are warned of.
func (a *absent) told(l *lack) []Use {
	return slices.DeleteFunc(slices.Clone(l.uses), func(u Use) bool {
		switch {
		case u.Weight == Asked:
			return true // an error
		case l.like != "":
			return false
		case a.has != "":
			return u.Weight != Usual || slices.Contains(a.Without, l.column)
		}
		return !a.Own || !u.Common || a.rows == 0 || a.some(u)
	})
}

// some reports whether rows have some of the columns of a use.
func (a *absent) some(u Use) bool {
	return u.Others || slices.ContainsFunc(u.Columns, func(column string) bool {
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
			if !slices.Contains(means, u.Says) {
				means = append(means, u.Says)
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
		for _, rule := range a.Ruleless {
			said = append(said, fmt.Sprintf("there is no rule %s, which was asked for: whom it would drop counts", rule))
		}
	}
	return said
}

// undropped says which column is not there by which a rule drops that was asked
// for; "": all are.
func (a *absent) undropped() string {
	for _, l := range a.lacks {
		u, asked := l.asked()
		if !asked || a.has == "" && (a.rows == 0 || l.like == "" && a.some(u)) {
			continue
		}
		do := "give a file that has it"
		if l.like != "" {
			do = "rename it"
		}
		return fmt.Sprintf("%s: %s, and %s, which was asked for, drops by it: %s, or leave the rule out", a.of, a.missed(l), u.Name, do)
	}
	return ""
}

// nobody says that the account's column is not there; "": it is, or there is none.
func (a *absent) nobody() string {
	at := slices.IndexFunc(a.lacks, func(l *lack) bool {
		return slices.ContainsFunc(l.uses, func(u Use) bool { return u.Name == a.Account.Name })
	})
	if at < 0 || a.some(a.Account) {
		return ""
	}
	return a.Account.Name + ": " + a.missed(a.lacks[at])
}
