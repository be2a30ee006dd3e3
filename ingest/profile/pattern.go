package profile

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"rollcall"
	"rollcall/ingest/profile/columns"
)

// patterns reads lines by the tables' regular expressions: the first that
// matches gives the row, whose columns are the groups that have names.
func (s *source) patterns(yield func(*row) error) error {
	for {
		at, err := s.lines.next()
		if err != nil || at.text == nil {
			return err
		}
		if len(at.text) == 0 {
			continue
		}
		if err := yield(s.matched(at)); err != nil {
			return err
		}
	}
}

func (s *source) matched(at line) *row {
	r := &row{line: at.no}
	if at.long {
		r.fault = "the line is longer than 1 MiB"
		return r
	}
	for i := range s.tables {
		t := &s.tables[i]
		if t.Pattern == "" || !bytes.Contains(at.text, t.literal) {
			continue
		}
		groups := t.pattern.FindSubmatch(at.text)
		if groups == nil {
			continue
		}
		r.Table, r.Values = t.Pattern, s.columnsOf(t.pattern, groups)
		return r
	}
	r.Table, r.Values = noTable, s.fresh()
	return r
}

func (s *source) columnsOf(pattern *regexp.Regexp, groups [][]byte) map[string]any {
	values := s.fresh()
	for n, name := range pattern.SubexpNames() {
		if name != "" && s.reads[name] && groups[n] != nil {
			values[name] = string(groups[n])
		}
	}
	return values
}

// headed gives the row that the beginning of a line makes.
func (s *source) headed(head *regexp.Regexp, text []byte) *row {
	groups := head.FindSubmatch(text)
	if groups == nil {
		return nil
	}
	return &row{Row: columns.Row{Table: noTable, Values: s.columnsOf(head, groups)}}
}

// groups gives the names of a pattern's groups.
func groups(pattern *regexp.Regexp) []string {
	return slices.DeleteFunc(slices.Clone(pattern.SubexpNames()), func(name string) bool { return name == "" })
}

// checkGroups refuses fields that are no group of the pattern: no line ever has
// them.
func (t *Table) checkGroups(joins []Join) error {
	if t.Pattern == "" {
		return nil
	}
	known := groups(t.pattern)
	for _, u := range t.uses(nil, nil) {
		v := u.from
		if v.field == nil || v.name == nowColumn || len(v.own(joins)) == 0 || slices.Contains(known, v.name) {
			continue
		}
		text := fmt.Sprintf("%s: %q is no group of the pattern", u.name, v.name)
		if near := rollcall.Nearest(v.name, known); len(near) > 0 {
			text += "; the nearest are " + strings.Join(near, ", ")
		}
		return errors.New(text)
	}
	return nil
}

// literal gives the longest text that every match of a pattern has: to look for
// it is many times faster than to try the pattern.
func literal(pattern string) []byte {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil // the pattern isn't compiled either
	}
	longest := ""
	var walk func(*syntax.Regexp)
	walk = func(r *syntax.Regexp) {
		switch r.Op {
		case syntax.OpLiteral:
			if text := string(r.Rune); len(text) > len(longest) && r.Flags&syntax.FoldCase == 0 {
				longest = text
			}
		case syntax.OpConcat, syntax.OpCapture, syntax.OpPlus:
			for _, sub := range r.Sub {
				walk(sub)
			}
		}
	}
	walk(tree)
	return []byte(longest)
}

// noTable stands for the pattern of a line that none matches.
const noTable = "\x00"
