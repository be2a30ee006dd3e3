package columns

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// visits is a table that is known by its times, and reads accounts, agents and roles.
func visits(roles Weight) *Table {
	account := Use{Name: "account", Columns: []string{"user"}, Field: true, Common: true, Says: "nobody is counted by it"}
	return &Table{
		Needs: Needs{Name: "visits", Columns: []string{"at"}}, Whole: true, Account: account,
		Uses: []Use{
			account, {Name: "agent", Columns: []string{"agent"}, Field: true, Common: true, Says: "every platform is other"},
			{Name: "rule guest", Columns: []string{"roles"}, Weight: roles, Says: "rule guest can't tell by it whom to drop"},
		},
	}
}

// take looks at a row under each of the headers, in order, and gives the first error.
func take(f *File, t *Table, headers ...string) error {
	for _, header := range headers {
		row := &Row{Header: strings.Split(header, ",")}
		f.Look(row)
		if err := f.Note(t, row); err != nil {
			return err
		}
	}
	return nil
}

// distinct gives headers that have some columns, and each another one.
func distinct(n int, columns string) (headers []string) {
	for i := range n {
		headers = append(headers, fmt.Sprintf("%s,c%d", columns, i))
	}
	return headers
}

// TestHeaders: a header that comes again, after others, is looked at once, and told once.
func TestHeaders(t *testing.T) {
	v := visits(Spare)
	f := NewFile([]*Table{v})
	const all = "user,at,agent"
	if err := take(f, v, all+",roles", all, all+",Roles", all, all+",roles"); err != nil {
		t.Fatal(err)
	}
	var rows []int
	for _, a := range f.absent {
		rows = append(rows, a.rows)
	}
	want := `table visits: the header has no "roles", only "Roles": rename it, or rule guest can't tell by it whom to drop`
	if said := f.Warnings(); !slices.Equal(rows, []int{2, 2, 1}) || !slices.Equal(said, []string{want}) {
		t.Errorf("rows by header %d, %q", rows, said)
	}
}

// TestManyHeaders: of a file with very many headers the first are remembered, and each is
// judged: what is missed in the last is told, once, and refused where a rule asks for it.
func TestManyHeaders(t *testing.T) {
	v := visits(Spare)
	f := NewFile([]*Table{v})
	headers := distinct(4*maxHeaders, "user,at,agent,roles")
	headers = append(headers, "user,at,roles", "at,User,agent,roles", "user,at,roles", "user,at,agent,Roles", "user,at,agent,roles")
	if err := take(f, v, headers...); err != nil {
		t.Fatal(err)
	}
	if n := len(f.headers); n != maxHeaders || len(f.absent) != n {
		t.Errorf("%d headers and %d judgements are remembered, want %d", n, len(f.absent), maxHeaders)
	}
	said := strings.Join(f.Warnings(), "\n")
	for _, want := range []string{`no "agent"`, `no "user", only "User"`, `no "roles", only "Roles"`} {
		if strings.Count(said, want) != 1 {
			t.Errorf("%s is not said once:\n%s", want, said)
		}
	}
	if text := f.Nobody(); text != "" {
		t.Errorf("nobody: %s", text)
	}
}

// TestManyWords: headers that lack each what no other lacks are told up to a bound, and
// that there are more.
func TestManyWords(t *testing.T) {
	v := visits(Spare)
	f := NewFile([]*Table{v})
	var headers []string
	for i := range 4 * maxHeaders {
		headers = append(headers, fmt.Sprintf("user,at,agent,ROLES%s", strings.Repeat("_", i)))
	}
	if err := take(f, v, headers...); err != nil {
		t.Fatal(err)
	}
	said := f.Warnings() // those remembered, those passed, the one looked at now, and that there are more
	if last := said[len(said)-1]; len(said) != 2*maxHeaders+2 || !strings.Contains(last, "more headers") {
		t.Errorf("%d are said, the last %s", len(said), last)
	}
}

// TestLongHeaders: headers are remembered up to so many bytes.
func TestLongHeaders(t *testing.T) {
	v := visits(Usual)
	f := NewFile([]*Table{v})
	if err := take(f, v, distinct(10, "user,at,agent,roles,"+strings.Repeat("x", maxBytes/4))...); err != nil {
		t.Fatal(err)
	}
	if n := len(f.headers); n != 3 {
		t.Errorf("%d headers are remembered", n)
	}
}

// TestManyNobodies: that no header has the account's column is told of the last too.
func TestManyNobodies(t *testing.T) {
	v := visits(Usual)
	f := NewFile([]*Table{v})
	if err := take(f, v, distinct(maxHeaders+10, "at,agent,roles")...); err != nil {
		t.Fatal(err)
	}
	if text := f.Nobody(); !strings.HasPrefix(text, `account: the header has no "user"`) {
		t.Errorf("nobody: %q", text)
	}
	if err := take(f, v, "user,at", "at,other"); err != nil || f.Nobody() != "" {
		t.Errorf("%v; nobody: %s, though one has accounts", err, f.Nobody())
	}
}

// TestUndroppable: a rule that was asked for is refused in the first header without its
// column, however many were before.
func TestUndroppable(t *testing.T) {
	for _, n := range []int{0, 1, maxHeaders, 3 * maxHeaders} {
		v := visits(Asked)
		f := NewFile([]*Table{v})
		if err := take(f, v, distinct(n, "user,at,agent,roles")...); err != nil {
			t.Fatal(err)
		}
		var not Undroppable
		err := take(f, v, "user,at,agent")
		if !errors.As(err, &not) || !strings.Contains(err.Error(), `the header has no "roles"`) || !f.Pending() {
			t.Errorf("after %d headers: %v", n, err)
		}
	}
}
