package audience

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rollcall"
)

// Target is a boolean combination of demographic categories.
type Target struct {
	op       byte // '=', '!', ',' or '|'
	column   string
	category string
	parts    []*Target
}

// Is gives the target of those who have a category of a column.
func Is(column, category string) *Target {
	return &Target{op: '=', column: column, category: category}
}

// Target grammar, binding tightest last:
//
//	either  = both { "|" both }
//	both    = one { "," one }
//	one     = "!" one | "(" either ")" | "@" name | column ("=" | "!=") category
//
// A name or category that has one of "(),|!=@" or a quotation mark is put in
// double quotes, Go's way. In categories "+", "%2B" and a space are equal.
type targetParser struct {
	rest  string
	depth int
	saved func(name string) (string, error)
}

// Limits of a target: of its nesting, and of its text.
const (
	mostDepth  = 32
	mostTarget = 4096
)

// ParseTarget reads a target; "" is nil, everyone. saved gives the text of a
// saved target, and may be nil.
func ParseTarget(s string, saved func(string) (string, error)) (*Target, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	if len(s) > mostTarget {
		return nil, badTarget(s, "is longer than "+strconv.Itoa(mostTarget)+" bytes")
	}
	if err := rollcall.CheckLine("target", s); err != nil {
		return nil, err
	}
	p := &targetParser{rest: s, saved: saved}
	return p.whole(s)
}

func (p *targetParser) whole(s string) (*Target, error) {
	t, err := p.either()
	if err != nil {
		return nil, err
	}
	if p.skip(); p.rest != "" {
		return nil, badTarget(s, fmt.Sprintf("has %q where it should end", p.rest))
	}
	return t, nil
}

func badTarget(s, why string) error {
	return &rollcall.Invalid{Field: "target", Value: s, Reason: why, Code: "target"}
}

func (p *targetParser) skip() { p.rest = strings.TrimLeft(p.rest, " \t+") }

func (p *targetParser) take(c byte) bool {
	p.skip()
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *targetParser) either() (*Target, error) { return p.list('|', p.both) }
func (p *targetParser) both() (*Target, error)   { return p.list(',', p.one) }

func (p *targetParser) list(op byte, part func() (*Target, error)) (*Target, error) {
	out := &Target{op: op}
	for {
		t, err := part()
		if err != nil {
			return nil, err
		}
		out.parts = append(out.parts, t)
		if !p.take(op) {
			break
		}
	}
	if len(out.parts) == 1 {
		return out.parts[0], nil
	}
	return out, nil
}

func (p *targetParser) one() (*Target, error) {
	if p.depth++; p.depth > mostDepth {
		return nil, badTarget(p.rest, "is nested too deep, or a saved target names itself")
	}
	defer func() { p.depth-- }()
	switch {
	case p.take('!'):
		t, err := p.one()
		return &Target{op: '!', parts: []*Target{t}}, err
	case p.take('('):
		t, err := p.either()
		if err == nil && !p.take(')') {
			return nil, badTarget(p.rest, "lacks a closing parenthesis")
		}
		return t, err
	case p.take('@'):
		return p.named()
	}
	return p.test()
}

func (p *targetParser) named() (*Target, error) {
	name, err := p.word()
	if err != nil {
		return nil, err
	}
	if p.saved == nil {
		return nil, badTarget("@"+name, "is not a saved target")
	}
	text, err := p.saved(name)
	if err != nil {
		return nil, fmt.Errorf("target @%s: %w", name, err)
	}
	if len(text) > mostTarget {
		return nil, badTarget("@"+name, "is too long")
	}
	inner := &targetParser{rest: text, depth: p.depth, saved: p.saved}
	return inner.whole(text)
}

func (p *targetParser) test() (*Target, error) {
	column, err := p.word()
	if err != nil {
		return nil, err
	}
	not := p.take('!')
	if !p.take('=') {
		return nil, badTarget(column, "is not followed by = and a category, as in sex=F")
	}
	category, err := p.word()
	if err != nil {
		return nil, err
	}
	t := Is(column, category)
	if not {
		t = &Target{op: '!', parts: []*Target{t}}
	}
	return t, nil
}

const targetMarks = "(),|!=@\""

func (p *targetParser) word() (string, error) {
	p.skip()
	if strings.HasPrefix(p.rest, `"`) {
		quoted, err := strconv.QuotedPrefix(p.rest)
		if err != nil {
			return "", badTarget(p.rest, "lacks a closing quotation mark")
		}
		p.rest = p.rest[len(quoted):]
		word, err := strconv.Unquote(quoted)
		if err == nil {
			err = rollcall.CheckLine("target", word) // an escape may stand for what no line has
		}
		return word, err
	}
	end := strings.IndexAny(p.rest, targetMarks)
	if end < 0 {
		end = len(p.rest)
	}
	word := strings.TrimSpace(p.rest[:end])
	p.rest = p.rest[end:]
	if word == "" && p.rest == "" {
		return "", badTarget("", "ends where a name or a category is missing; write it as age=15-24,sex=F")
	}
	if word == "" {
		return "", badTarget(p.rest, "lacks a name or category")
	}
	return word, nil
}

// String gives the target's canonical form, which parses to the same target;
// "" for everyone.
func (t *Target) String() string {
	if t == nil {
		return ""
	}
	switch t.op {
	case '=':
		return quoteWord(t.column) + "=" + quoteWord(t.category)
	case '!':
		return "!" + t.parts[0].nested()
	}
	parts := make([]string, len(t.parts))
	for i, part := range t.parts {
		parts[i] = part.nested()
	}
	return strings.Join(parts, string(t.op))
}

func (t *Target) nested() string {
	if t.op == '=' || t.op == '!' {
		return t.String()
	}
	return "(" + t.String() + ")"
}

func quoteWord(s string) string {
	if s == "" || strings.ContainsAny(s, targetMarks) || strings.TrimSpace(s) != s || strings.HasPrefix(s, "+") {
		return strconv.Quote(s)
	}
	return s
}

// Check refuses a column or category that a roster does not have. The columns
// home and work, 1 where a meter runs, are always there.
func (t *Target) Check(columns []Column) error {
	if t == nil {
		return nil
	}
	for _, part := range t.parts {
		if err := part.Check(columns); err != nil {
			return err
		}
	}
	if t.op != '=' {
		return nil
	}
	c := t.among(columns)
	if c == nil {
		var names []string
		for _, c := range columns {
			names = append(names, c.Name)
		}
		return &rollcall.Unknown{Kind: "target column", Name: t.column, Near: rollcall.Nearest(t.column, names)}
	}
	if !slices.ContainsFunc(c.Categories, t.matches) {
		return &rollcall.Unknown{Kind: "target category", Name: t.String(), Near: rollcall.Nearest(t.category, c.Categories)}
	}
	return nil
}

// among finds the column that a test is of.
func (t *Target) among(columns []Column) *Column {
	i := slices.IndexFunc(columns, func(c Column) bool { return c.Name == t.column })
	if i < 0 {
		return nil
	}
	return &columns[i]
}

func (t *Target) matches(category string) bool { return samePlus(category, t.category) }

// members says of each of a roster's n whether the target holds.
func (t *Target) members(columns []Column, n int) []bool {
	in := make([]bool, n)
	if t.op == '=' {
		t.test(in, t.among(columns))
		return in
	}
	for k, part := range t.parts {
		for i, yes := range part.members(columns, n) {
			switch {
			case t.op == '!':
				in[i] = !yes
			case k == 0:
				in[i] = yes
			case t.op == ',':
				in[i] = in[i] && yes
			default:
				in[i] = in[i] || yes
			}
		}
	}
	return in
}

// test says who has the category; nobody where there is no such column.
func (t *Target) test(in []bool, c *Column) {
	if c == nil {
		return
	}
	yes := make([]bool, len(c.Categories))
	for k, category := range c.Categories {
		yes[k] = t.matches(category)
	}
	for i, code := range c.Of {
		in[i] = yes[code]
	}
}

// samePlus compares two categories, "+", "%2B" and a space being equal.
func samePlus(a, b string) bool {
	return a == b || unplus(a) == unplus(b)
}

func unplus(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(s, "%2B", "+"), "%2b", "+"), "+", " ")
}
