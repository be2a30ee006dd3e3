package profile

import (
	"context"
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
	rows map[string][]any // by key: the columns in order
	cols []string
	lost int            // rows of the first file whose key it doesn't have
	here map[string]any // beside the row that is being read; the next one's are put in it
}

// join reads the file that is given for a name.
func (p *Profile) join(ctx context.Context, name, path string) (*joined, error) {
	at := slices.IndexFunc(p.Joins, func(j Join) bool { return slices.Contains(j.Names, name) })
	if at < 0 {
		return nil, fmt.Errorf("--join %s: is not one of %s", name, p.joinNames())
	}
	j := &joined{Join: &p.Joins[at], rows: map[string][]any{}, here: map[string]any{}}
	j.cols = slices.Sorted(maps.Keys(j.reads))
	table := Table{needs: []string{j.Key}, Columns: j.Columns, Relation: j.Relation}
	from := &source{comma: p.comma, formats: []string{"json", "csv", "pg-copy"}, tables: []Table{table}, reads: j.reads}
	return j, from.each(ctx, path, func(r *row) error {
		if r.values == nil || (r.table != "" && j.Relation != "" && r.table != j.Relation) {
			return nil // a person that can't be read is told as one that isn't there
		}
		if len(j.rows) == maxJoined {
			return fmt.Errorf("--join %s: more than %d rows", name, maxJoined)
		}
		columns := make([]any, len(j.cols))
		for i, column := range j.cols {
			columns[i] = r.values[column]
		}
		j.rows[text(r.values[j.Key])] = columns
		return nil
	})
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
