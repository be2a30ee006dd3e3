package audience

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"rollcall"
)

func targetRoster() *rollcall.Roster {
	return &rollcall.Roster{Columns: []string{"sex", "age", "region"}, Panelists: []rollcall.Panelist{
		{Metered: rollcall.Home, Categories: []string{"F", "15-24", "Ile de France"}},
		{Metered: rollcall.Home | rollcall.Work, Categories: []string{"M", "15-24", "Nord+Est"}},
		{Metered: rollcall.Work, Categories: []string{"F", "25-34", "Sud (PACA)"}},
		{Categories: []string{"M", "35+", `"L'Ouest"`}},
	}}
}

func saved(name string) (string, error) {
	texts := map[string]string{"young": "age=15-24|age=25-34", "loop": "sex=F,@loop", "nested": "!@young"}
	if text, ok := texts[name]; ok {
		return text, nil
	}
	return "", badTarget("@"+name, "is not a saved target")
}

func TestTargets(t *testing.T) {
	for _, c := range []struct{ text, want, canonical string }{
		{"", "0123", ""},
		{"sex=F", "02", "sex=F"},
		{" sex = F ", "02", "sex=F"},
		{"sex!=F", "13", "!sex=F"},
		{"age=15-24,sex=F", "0", "age=15-24,sex=F"},
		{"age=15-24|age=25-34,sex=F", "012", "age=15-24|(age=25-34,sex=F)"},
		{"(age=15-24|age=25-34),sex=F", "02", "(age=15-24|age=25-34),sex=F"},
		{"!(sex=F|age=35+)", "1", "!(sex=F|age=35+)"},
		{"!sex=F,home=1", "1", "!sex=F,home=1"},
		{"work=1", "12", "work=1"},
		{"work=0", "03", "work=0"},
		{"region=Nord Est", "1", "region=Nord Est"},
		{"region=Nord%2BEst", "1", "region=Nord%2BEst"},
		{"age=35 ", "", "age=35"},
		{`region="Sud (PACA)"`, "2", `region="Sud (PACA)"`},
		{`region="\"L'Ouest\""`, "3", `region="\"L'Ouest\""`},
		{"@young,sex=F", "02", "(age=15-24|age=25-34),sex=F"},
		{"@nested", "3", "!(age=15-24|age=25-34)"},
		{"!!sex=F", "02", "!!sex=F"},
	} {
		target, err := ParseTarget(c.text, saved)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		var got strings.Builder
		roster := targetRoster()
		in := []bool{true, true, true, true}
		if target != nil {
			in = target.members(demography(roster), len(in))
		}
		for i := range roster.Panelists {
			if in[i] {
				got.WriteByte(byte('0' + i))
			}
		}
		if got.String() != c.want || target.String() != c.canonical {
			t.Errorf("%s holds for %q as %q, want %q as %q", c.text, got.String(), target, c.want, c.canonical)
		}
	}
}

// malformedTargets seed the fuzz test too.
var malformedTargets = []struct{ text, want string }{
	{",", `target ",": lacks a name or category`},
	{"sex", `target "sex": is not followed by = and a category, as in sex=F`},
	{"sex=", `target: ends where a name or a category is missing; write it as age=15-24,sex=F`},
	{"sex=F,", `target: ends where a name or a category is missing; write it as age=15-24,sex=F`},
	{"sex=F)", `target "sex=F)": has ")" where it should end`},
	{"(sex=F", `target: lacks a closing parenthesis`},
	{`sex="F`, `target "\"F": lacks a closing quotation mark`},
	{"@nobody", `target "@nobody": is not a saved target`},
	{"@loop", `is nested too deep, or a saved target names itself`},
	{strings.Repeat("!", 100) + "sex=F", `is nested too deep, or a saved target names itself`},
	{strings.Repeat("(", 5000), `is longer than 4096 bytes`},
	{`sex="F\v"`, "has a control character, or is not UTF-8"},
	{`sex="\xff"`, "has a control character, or is not UTF-8"},
	{"sex=\"F\n\"", "has a control character, or is not UTF-8"},
}

func TestTargetsRefused(t *testing.T) {
	for _, c := range malformedTargets {
		_, err := ParseTarget(c.text, saved)
		if err == nil || !strings.HasSuffix(err.Error(), c.want) || !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%.40q: %v, want %s", c.text, err, c.want)
		}
	}
}

// FuzzTarget: what is read is written so that it reads the same, and holds for
// the same persons.
func FuzzTarget(f *testing.F) {
	for _, s := range []string{"sex=F", "age=15-24|age=25-34,!sex=F", "(a=b|@young),!(c!=d)", `a="x, y"`} {
		f.Add(s)
	}
	for _, c := range malformedTargets {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		target, err := ParseTarget(text, saved)
		if err != nil || target == nil {
			return
		}
		written := target.String()
		again, err := ParseTarget(written, nil)
		if err != nil {
			if len(written) > mostTarget || strings.Contains(err.Error(), "nested too deep") {
				return // parentheses were added
			}
			t.Fatalf("%q is written as %q: %v", text, written, err)
		}
		if again.String() != written {
			t.Fatalf("%q is written as %q, then as %q", text, written, again)
		}
		roster := targetRoster()
		columns, n := demography(roster), len(roster.Panelists)
		if a, b := target.members(columns, n), again.members(columns, n); !slices.Equal(a, b) {
			t.Fatalf("%q holds for %v, %q for %v", text, a, written, b)
		}
	})
}
