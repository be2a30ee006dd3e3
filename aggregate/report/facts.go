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

// Ages is what the store knows of facts that it no longer has, the earliest
// month first.
type Ages interface {
	Ageings(ctx context.Context) ([]rollcall.Ageing, error)
}

// Attic is where facts grow old.
type Attic interface {
	Ages
	Record
	Removal
}

// Record is what an attic notes and lists.
type Record interface {
	AddAgeing(ctx context.Context, a rollcall.Ageing) error
	ListPanelFiles(ctx context.Context) ([]rollcall.PanelFiles, error)
}

// Removal takes facts away for good. Rosters gives every roster that the months
// before ever had; RemoveFacts removes those months' cells, diaries and
// exclusions. Both removals give how much they removed, and one that broke off
// is completed by the next.
type Removal interface {
	Rosters(ctx context.Context, before rollcall.Month) ([]rollcall.Hash, error)
	RemoveObjects(ctx context.Context, hashes []rollcall.Hash) (removed int, err error)
	RemoveFacts(ctx context.Context, before rollcall.Month) (rows int, err error)
}

// Census is what the store knows of accounts.
type Census interface {
	Ages
	Cells(ctx context.Context, q rollcall.CellQuery) iter.Seq2[rollcall.CellRow, error]
}
