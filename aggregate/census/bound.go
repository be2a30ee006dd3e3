package census

import (
	"fmt"

	"rollcall"
)

// maxRows is the most rows that a census has.
const maxRows = 50_000

// maxBytes is the most memory that the rows of a census take while they are
// united: some 8,000 rows of very many accounts each, or maxRows of a few hundred.
const maxBytes = 256 << 20

// memory is what a census may still take.
type memory struct{ left int }

// take takes so many bytes more; it fails where there are not so many.
func (m *memory) take(bytes int) error {
	if m.left -= bytes; m.left >= 0 {
		return nil
	}
	return &rollcall.Invalid{
		Field: "by", Code: "too_many_rows",
		Reason: fmt.Sprintf("would take more than %d MiB of memory; ask for fewer days, segments, services or dimensions", maxBytes>>20),
	}
}

func tooManyRows() error {
	return &rollcall.Invalid{Field: "by", Reason: fmt.Sprintf("would give more than %d rows; ask for fewer days, segments or dimensions", maxRows), Code: "too_many_rows"}
}
