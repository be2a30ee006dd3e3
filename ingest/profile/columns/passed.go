package columns

import (
	"cmp"
	"maps"
	"slices"
)

// passed is what headers said that aren't remembered, and have passed.
type passed struct {
	said   map[warning]bool
	bytes  int    // of their texts
	more   bool   // there was more to say
	named  bool   // rows of one had the account's column
	nobody string // else what the first says of it
}

// warning is what is said of a table.
type warning struct{ table, text string }

// add takes what a header says; unread: others have the rows of its table.
func (p *passed) add(a *absent, unread bool) {
	for _, text := range a.warnings(unread) {
		w := warning{a.Name, text}
		switch {
		case p.said[w]:
		case len(p.said) == maxHeaders || p.bytes+len(text) > maxBytes:
			p.more = true
		default:
			p.said[w], p.bytes = true, p.bytes+len(text)
		}
	}
	if a.Nameless || a.rows == 0 {
		return
	}
	text := a.nobody()
	p.named, p.nobody = p.named || text == "", cmp.Or(p.nobody, text)
}

// inOrder gives what was said, table by table.
func (p *passed) inOrder() []warning {
	return slices.SortedFunc(maps.Keys(p.said), func(a, b warning) int {
		return cmp.Or(cmp.Compare(a.table, b.table), cmp.Compare(a.text, b.text))
	})
}
