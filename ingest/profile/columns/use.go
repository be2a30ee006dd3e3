package columns

import (
	"slices"
	"strings"
)

// Use is what a table takes from columns, by the name that the form has for it.
type Use struct {
	Name    string // segment, rule bot
	Columns []string
	Others  bool       // it reads others too: a second file's, or what no column is
	Field   bool       // it is a column as it is: no expression that may make something of a text
	Either  [][]string // of Columns: those of which one is enough, since the next stands in for it
	Common  bool       // rows of objects have it in common: where none has it, the name is wrong
	Weight  Weight
	Says    string // what it means for the figures that a column is not there
}

// Weight is what a column that is not there is.
type Weight int

// The weights: Spare is of a rule that drops nobody unless asked, Asked of one that was
// asked for by name.
const (
	Usual Weight = iota // warned of
	Spare               // warned of where another differs from it in capitals alone
	Asked               // an error
)

// standsIn reports whether a column that is there stands in for one that isn't.
func (u Use) standsIn(column string, names []string) bool {
	return slices.ContainsFunc(u.Either, func(of []string) bool {
		return slices.Contains(of, column) && slices.ContainsFunc(of, func(name string) bool { return slices.Contains(names, name) })
	})
}

// Table is what a table of a profile takes from its rows.
type Table struct {
	Needs             // of a header
	Relation string   // its name in a dump; empty: any
	Members  []string // that objects must have
	Groups   []string // of its pattern; nil: it has none
	Uses     []Use    // all of them
	When     Use      // by which rows are known as its own
	Account  Use      // whose rows they are
	Whole    bool     // it has no condition: all rows that fit are its own
	Nameless bool     // it names no account: another line of the connection does
	Ruleless []string // rules that were asked for, which it doesn't have
	Without  []string // columns that a file may do without
	Own      bool     // the profile is the user's own
}

// lack is a column that a table reads and that nothing so far has.
type lack struct {
	column string
	path   []string // and its parts, of an object's member
	uses   []Use
	like   string // one that is there, and differs in capitals, "_" and "-" alone
}

// lacks gives the columns of some uses, each once.
func lacks(uses []Use) []*lack {
	var all []*lack
	for _, u := range uses {
		for _, column := range u.Columns {
			at := slices.IndexFunc(all, func(l *lack) bool { return l.column == column })
			if at < 0 {
				at = len(all)
				all = append(all, &lack{column: column, path: strings.Split(column, ".")})
			}
			l := all[at]
			if !slices.ContainsFunc(l.uses, func(had Use) bool { return had.Name == u.Name && had.Weight == u.Weight }) {
				l.uses = append(l.uses, u)
			}
		}
	}
	return all
}

// asked gives the first use of a column by a rule that was asked for.
func (l *lack) asked() (Use, bool) {
	at := slices.IndexFunc(l.uses, func(u Use) bool { return u.Weight == Asked })
	if at < 0 {
		return Use{}, false
	}
	return l.uses[at], true
}
