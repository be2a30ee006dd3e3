package profile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/vm"

	"rollcall/ingest/profile/columns"
)

// maxJoined is how many rows a second file may have: they are held in memory,
// with the columns that the profile reads and no other.
const maxJoined = 10_000_000

// joined is a second file's rows by their key.
type joined struct {
	*Join
	rows  map[string][]any // by key: the columns in order
	cols  []string
	lacks *columns.Second // columns that its rows don't have
	lost  int             // rows of the first file whose key it doesn't have
	here  map[string]any  // beside the row that is being read; the next one's are put in it
}

// join reads the file that is given for a name.
func (p *Profile) join(ctx context.Context, name, path string, optional map[string]bool) (*joined, error) {
	at := slices.IndexFunc(p.Joins, func(j Join) bool { return slices.Contains(j.Names, name) })
	if at < 0 {
		return nil, fmt.Errorf("--join %s: is not one of %s", name, p.joinNames())
	}
	j := &joined{Join: &p.Joins[at], rows: map[string][]any{}, here: map[string]any{}}
	j.cols, j.lacks = slices.Sorted(maps.Keys(j.reads)), p.second(j.Join, name+"="+path, optional)
	table := Table{Name: j.Names[0], needs: columns.Needs{Name: j.Names[0], Columns: []string{j.Key}}, Columns: j.Columns, Relation: j.Relation}
	from := &source{comma: p.comma, formats: []string{"json", "csv", "pg-copy"}, tables: []Table{table}, reads: j.reads}
	err := from.each(ctx, path, func(row *row) error {
		if row.Values == nil || (row.Table != "" && j.Relation != "" && row.Table != j.Relation) {
			return nil // a person that can't be read is told as one that isn't there
		}
		if len(j.rows) == maxJoined {
			return fmt.Errorf("--join %s: more than %d rows", name, maxJoined)
		}
		j.lacks.Next(&row.Row)
		values := make([]any, len(j.cols))
		for i, column := range j.cols {
			values[i] = row.Values[column]
		}
		j.rows[text(row.Values[j.Key])] = values
		return nil
	})
	if errors.Is(err, errEmpty) {
		err = nil // which is warned of, as of one without rows
	}
	return j, errors.Join(err, j.lacks.Unfit())
}

// second begins to look at the columns of a second file.
func (p *Profile) second(j *Join, path string, optional map[string]bool) *columns.Second {
	var uses []columns.Use
	for i := range p.Tables {
		for _, u := range p.Tables[i].uses(optional, nil) {
			if names := u.from.joined(j); len(names) > 0 {
				uses = append(uses, u.of(names))
			}
		}
	}
	return columns.NewSecond("--join "+path, j.Key, j.Without, uses)
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

// checkAsked refuses rules that were asked for by name and can't drop anybody: what they
// read is in a second file that was not given or has no row.
func (p *Profile) checkAsked(joins []*joined, optional map[string]bool) error {
	for i := range p.Tables {
		t := &p.Tables[i]
		for _, u := range t.rules(optional) {
			if err := p.checkRule(joins, u); err != nil {
				return fmt.Errorf("table %s: %w", t.Name, err)
			}
		}
	}
	return nil
}

func (p *Profile) checkRule(joins []*joined, u use) error {
	for i := range p.Joins {
		j := &p.Joins[i]
		if u.weight != columns.Asked || !j.readBy(u.from) {
			continue
		}
		read, name := given(joins, j), j.Names[0]
		if read == nil {
			return fmt.Errorf("%s, which was asked for, reads %s: give --join %s=FILE, or leave the rule out", u.name, name, name)
		}
		if err := read.lacks.Rowless(u.name, name); err != nil {
			return err
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
		return fmt.Errorf("join %s: on: %w", j.Names[0], err)
	}
	values, ok := j.rows[text(key)]
	if !ok {
		j.lost++
		return nil
	}
	for i, name := range j.cols {
		j.here[name] = values[i]
	}
	for _, name := range j.Names {
		row[name] = j.here
	}
	return nil
}
