package profile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/vm"
)

// maxJoined is how many rows a second file may have: they are held in memory,
// with the columns that the profile reads and no other.
const maxJoined = 10_000_000

// joined is a second file's rows by their key.
type joined struct {
	*Join
	rows  map[string][]any // by key: the columns in order
	cols  []string
	lacks *absent        // columns that its rows don't have
	lost  int            // rows of the first file whose key it doesn't have
	here  map[string]any // beside the row that is being read; the next one's are put in it
}

// join reads the file that is given for a name.
func (k taken) join(ctx context.Context, name, path string) (*joined, error) {
	at := slices.IndexFunc(k.Joins, func(j Join) bool { return slices.Contains(j.Names, name) })
	if at < 0 {
		return nil, fmt.Errorf("--join %s: is not one of %s", name, k.joinNames())
	}
	j := &joined{Join: &k.Joins[at], rows: map[string][]any{}, here: map[string]any{}}
	j.cols, j.lacks = slices.Sorted(maps.Keys(j.reads)), k.ofJoin(j.Join, name+"="+path)
	table := Table{Name: j.Names[0], needs: []string{j.Key}, Columns: j.Columns, Relation: j.Relation}
	from := &source{comma: k.comma, formats: []string{"json", "csv", "pg-copy"}, tables: []Table{table}, reads: j.reads}
	err := from.each(ctx, path, func(row *row) error {
		if row.values == nil || (row.table != "" && j.Relation != "" && row.table != j.Relation) {
			return nil // a person that can't be read is told as one that isn't there
		}
		if len(j.rows) == maxJoined {
			return fmt.Errorf("--join %s: more than %d rows", name, maxJoined)
		}
		j.lacks.next(row)
		columns := make([]any, len(j.cols))
		for i, column := range j.cols {
			columns[i] = row.values[column]
		}
		j.rows[text(row.values[j.Key])] = columns
		return nil
	})
	if errors.Is(err, errEmpty) {
		err = nil // which is warned of, as of one without rows
	}
	return j, errors.Join(err, j.lacks.unfit())
}

// ofJoin begins to look at a second file's rows.
func (k taken) ofJoin(j *Join, path string) *absent {
	var uses []use
	for i := range k.Tables {
		uses = append(uses, k.Tables[i].uses(k.optional, nil)...)
	}
	a := &absent{of: "--join " + path, spared: j.Without}
	a.lacks = lacks(uses, func(v *Value) []string { return v.joined(j) })
	key := use{name: "key", from: &Value{field: []string{j.Key}, name: j.Key}}
	a.gate = lacks([]use{key}, (*Value).columns)
	return a
}

// next takes the next row of a second file.
func (a *absent) next(row *row) {
	if row.header == nil {
		a.look(row)
		a.gate = row.without(a.gate)
		return
	}
	if a.rows++; !same(row.header, a.header) {
		a.header, a.gate = row.header, nil // without the key it would be no header
		a.named("the header", row.header)
	}
}

// unfit is an error where no row has the column by which a second file's rows are
// found, or one by which a rule drops that was asked for.
func (a *absent) unfit() error {
	if a.rows == 0 {
		return nil
	}
	for _, l := range a.gate {
		return fmt.Errorf("%s: %s, by which its rows are found: rename it, or give a file that has it", a.of, a.missed(l))
	}
	if text := a.undropped(); text != "" {
		return errors.New(text)
	}
	return nil
}

// ofSecond says what is warned of in a second file.
func (a *absent) ofSecond() []string {
	if a.rows == 0 {
		return []string{a.of + ": has no row: the profile's rules that read it drop nobody"}
	}
	said := a.warnings(false)
	for i := range said {
		said[i] = a.of + ": " + said[i]
	}
	return said
}

// given gives the second file that was read for a join; nil: none was.
func given(joins []*joined, j *Join) *joined {
	for _, of := range joins {
		if of.Join == j {
			return of
		}
	}
	return nil
}

// check refuses rules that were asked for by name and can't drop anybody: what they
// read is in a second file that was not given or has no row, or is no group of a pattern.
func (k taken) check(joins []*joined) error {
	for i := range k.Tables {
		t := &k.Tables[i]
		for _, u := range t.rules(k.optional) {
			if err := k.checkRule(joins, u); err != nil {
				return fmt.Errorf("table %s: %w", t.Name, err)
			}
		}
	}
	for _, a := range k.each(true, k.grouped) {
		if text := a.undropped(); text != "" {
			return errors.New(text)
		}
	}
	return nil
}

func (k taken) checkRule(joins []*joined, u use) error {
	for i := range k.Joins {
		j := &k.Joins[i]
		if u.weight != asked || !j.readBy(u.from) {
			continue
		}
		read, name := given(joins, j), j.Names[0]
		if read == nil {
			return fmt.Errorf("%s, which was asked for, reads %s: give --join %s=FILE, or leave the rule out", u.name, name, name)
		}
		if read.lacks.rows == 0 {
			return fmt.Errorf("%s, which was asked for, reads %s, and %s has no row of it: give a file that has, or leave the rule out", u.name, name, read.lacks.of)
		}
	}
	return nil
}

func (p *Profile) joinNames() string {
	var names []string
	for _, j := range p.Joins {
		names = append(names, j.Names...)
	}
	if len(names) == 0 {
		return "the profile's: it has none"
	}
	return strings.Join(names, ", ")
}

// of puts the row with the same key beside a row, under the join's names.
func (j *joined) of(row map[string]any, machine *vm.VM) error {
	key, err := j.On.of(row, machine)
	if err != nil {
		return err
	}
	columns, ok := j.rows[text(key)]
	if !ok {
		j.lost++
		return nil
	}
	for i, name := range j.cols {
		j.here[name] = columns[i]
	}
	for _, name := range j.Names {
		row[name] = j.here
	}
	return nil
}
