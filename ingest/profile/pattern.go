package profile

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
		groups := t.pattern.FindSubmatch(at.text)
		if groups == nil {
			continue
		}
		r.table, r.values = t.Name, s.fresh()
		for n, name := range t.pattern.SubexpNames() {
			if name != "" && s.reads[name] && groups[n] != nil {
				r.values[name] = string(groups[n])
			}
		}
		return r
	}
	r.table, r.values = noTable, s.fresh()
	return r
}

// noTable is the table of a line that no pattern matches.
const noTable = "\x00"
