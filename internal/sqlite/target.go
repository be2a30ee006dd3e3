package sqlite

import (
	"context"
	"database/sql"
	"fmt"
)

// SaveTarget keeps a target group's expression under a name, in the place of
// the one it had.
func (s *documents) SaveTarget(ctx context.Context, name, expr string) error {
	if err := s.exec(ctx, `INSERT OR REPLACE INTO targets (name, expression) VALUES (?, ?)`, name, expr); err != nil {
		return fmt.Errorf("save target %q: %w", name, err)
	}
	return nil
}

// Targets gives the expression of each saved target by name.
func (s *documents) Targets(ctx context.Context) (map[string]string, error) {
	type target struct{ name, expr string }
	all, err := list(ctx, s.database, func(r *sql.Rows) (t target, err error) {
		return t, r.Scan(&t.name, &t.expr)
	}, `SELECT name, expression FROM targets`)
	if err != nil {
		return nil, fmt.Errorf("read targets: %w", err)
	}
	m := make(map[string]string, len(all))
	for _, t := range all {
		m[t.name] = t.expr
	}
	return m, nil
}
