package report

import (
	"context"
	"iter"

	"rollcall"
)

// Facts is what the store knows of panels.
type Facts interface {
	Diaries(ctx context.Context, q rollcall.DiaryQuery) iter.Seq2[rollcall.DiaryRow, error]
	PanelFiles(ctx context.Context, of rollcall.PanelMonth) (rollcall.PanelFiles, error)
	Exclusions(ctx context.Context, of rollcall.PanelMonth) ([]rollcall.Exclusion, error)
}

// Registry takes what a panel's month is computed with. PutPanelFiles replaces
// the month's files; the objects they name are kept.
type Registry interface {
	PutPanelFiles(ctx context.Context, files rollcall.PanelFiles) error
	AddExclusion(ctx context.Context, e rollcall.Exclusion) error
}

// Objects keeps bytes by their hash: putting them twice changes nothing.
type Objects interface {
	PutObject(ctx context.Context, body []byte) (rollcall.Hash, error)
	Object(ctx context.Context, of rollcall.Hash) ([]byte, error)
}

// Shelf keeps what was published. AddPublication fails with
// rollcall.ErrConflict where the version is taken. Publications come in any
// order.
type Shelf interface {
	Objects
	AddPublication(ctx context.Context, p rollcall.Publication) error
	Publications(ctx context.Context, market rollcall.MarketID, panel rollcall.PanelID) ([]rollcall.Publication, error)
}

// Census is what the store knows of accounts.
type Census interface {
	Cells(ctx context.Context, q rollcall.CellQuery) iter.Seq2[rollcall.CellRow, error]
}
