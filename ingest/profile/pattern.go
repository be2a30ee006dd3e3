package profile

import (
	"bytes"
	"regexp"
	"regexp/syntax"
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
		r.table, r.values = t.Pattern, s.columnsOf(t.pattern, groups)
		return r
	}
	r.table, r.values = noTable, s.fresh()
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
	return &row{table: noTable, values: s.columnsOf(head, groups)}
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
