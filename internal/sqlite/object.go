package sqlite

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
	if body == nil {
		body = []byte{} // nil would be NULL
	}
	if err := s.exec(ctx, `INSERT INTO objects (hash, body) VALUES (?, ?) ON CONFLICT DO NOTHING`, h.String(), body); err != nil {
		return rollcall.Hash{}, fmt.Errorf("put object %s: %w", h, err)
	}
	return h, nil
}

// Object gives the object of a hash, which it has verified. An ErrNotFound if
// there is none.
func (s *documents) Object(ctx context.Context, h rollcall.Hash) ([]byte, error) {
	var body []byte
	err := s.readers.QueryRowContext(ctx, `SELECT body FROM objects WHERE hash = ?`, h.String()).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		err = rollcall.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read object %s: %w", h, failure(err))
	}
	if got := rollcall.HashOf(body); got != h {
		return nil, fmt.Errorf("read object %s: its bytes have hash %s, so the store is damaged: %w", h, got, rollcall.ErrIncoherent)
	}
	return body, nil
}
