package columns

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"rollcall"
)

// Needs are the columns by which a header is known as a table's.
type Needs struct {
	Name    string   // of the table
	Columns []string // none: any header of several columns is
}

// In reports whether a header is the table's.
func (n Needs) In(header []string) bool {
	for _, name := range n.Columns {
		if !slices.Contains(header, name) {
			return false
		}
	}
	return len(n.Columns) > 0 || len(header) > 1
}

// NearlyIn reports whether a header is the table's, or would be but for capitals, "_"
// and "-".
func (n Needs) NearlyIn(header []string) bool {
	return len(n.Columns) > 0 && !slices.ContainsFunc(n.Columns, func(name string) bool {
		return !slices.Contains(header, name) && likeness(name, slices.Values(header)) == ""
	})
}

// among is how many of the columns a header has, twice, and how many it has nearly.
func (n Needs) among(header []string) int {
	found := 0
	for _, name := range n.Columns {
		switch {
		case slices.Contains(header, name):
			found += 2
		case likeness(name, slices.Values(header)) != "":
			found++
		}
	}
	return found
}

// Missing says which columns a header lacks to be the table's.
func (n Needs) Missing(header []string) error {
	var missed []string
	nearly := true
	for _, name := range n.Columns {
		if slices.Contains(header, name) {
			continue
		}
		text := fmt.Sprintf("%q", name)
		if like := likeness(name, slices.Values(header)); like != "" {
			text += fmt.Sprintf(", only %q", like)
		} else {
			nearly = false
			text += nearest(rollcall.Alike(name, header))
		}
		missed = append(missed, text)
	}
	do := "rename it"
	switch {
	case !nearly:
		do = "give a file that has all of " + inList(n.Columns)
	case len(missed) > 1:
		do = "rename them"
	}
	return fmt.Errorf("the header has no %s, which table %s needs: %s", strings.Join(missed, ", and no "), n.Name, do)
}

// Unlike says what a first line, as it is cut by one separator and by others, lacks to
// be the header of the table that it is most like.
func Unlike(headers [][]string, tables []Needs) error {
	var (
		most   int
		table  Needs
		header []string
	)
	for _, names := range headers {
		for _, n := range tables {
			if found := n.among(names); found > most {
				most, table, header = found, n, names
			}
		}
	}
	if most > 0 {
		return table.Missing(header)
	}
	var needs, of []string
	for _, n := range tables {
		if len(n.Columns) > 0 {
			needs = append(needs, fmt.Sprintf("table %s needs %s", n.Name, inList(n.Columns)))
			of = append(of, fmt.Sprintf("%s of table %s", inList(n.Columns), n.Name))
		}
	}
	if len(needs) == 0 {
		return errors.New("the first line is no header: give the file with its header")
	}
	for _, names := range headers {
		if areColumns(names) {
			return fmt.Errorf("the header has %s, and is another table's: %s", inList(firstOf(names)), strings.Join(needs, ", or "))
		}
	}
	return fmt.Errorf("the first line is no header, which has %s: give the file with its header", strings.Join(of, ", or "))
}

// columnName is what columns are called by most; idName by one in most tables.
var (
	columnName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)
	idName     = regexp.MustCompile(`^(?i:id|.+_(id|at|ts)|created?at|userid|timestamp|date|time)$|[a-z](Id|At)$`)
)

// areColumns reports whether fields are surely the names of columns: a row's own values
// are not to be repeated.
func areColumns(fields []string) bool {
	return len(fields) > 1 && slices.ContainsFunc(fields, idName.MatchString) &&
		!slices.ContainsFunc(fields, func(field string) bool { return !columnName.MatchString(field) })
}

// mostColumns is how many columns of a foreign header are told.
const mostColumns = 12

// firstOf gives the first names, and how many more there are.
func firstOf(names []string) []string {
	if more := len(names) - mostColumns; more > 0 {
		return append(slices.Clone(names[:mostColumns]), fmt.Sprintf("%d more", more))
	}
	return names
}
