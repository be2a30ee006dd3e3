package clickhouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"rollcall"
)

// PutObject keeps body under its hash. Keeping it again changes nothing.
func (s *documents) PutObject(ctx context.Context, body []byte) (rollcall.Hash, error) {
	h := rollcall.HashOf(body)
	if err := s.putObject(ctx, h, body); err != nil {
		return rollcall.Hash{}, fmt.Errorf("put object %s: %w", h, failure(ctx, err))
	}
	return h, nil
}

func (s *documents) putObject(ctx context.Context, h rollcall.Hash, body []byte) error {
	var known uint64
	err := s.db.QueryRow(ctx, `SELECT count() FROM objects WHERE hash = ?`, h.String()).Scan(&known)
	if err != nil || known > 0 {
		return err
	}
	return insert(ctx, s.db, `INSERT INTO objects (hash, body)`, []any{h.String(), body})
}

// Object gives the object of a hash, which it has verified. An ErrNotFound if
// there is none.
func (s *documents) Object(ctx context.Context, h rollcall.Hash) ([]byte, error) {
	var body string
	err := s.db.QueryRow(ctx, `SELECT body FROM objects WHERE hash = ? LIMIT 1`, h.String()).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		err = rollcall.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read object %s: %w", h, failure(ctx, err))
	}
	if got := rollcall.HashOf([]byte(body)); got != h {
		return nil, fmt.Errorf("read object %s: its bytes have hash %s, so the store is damaged: %w", h, got, rollcall.ErrIncoherent)
	}
	return []byte(body), nil
}
