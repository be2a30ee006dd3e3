package report

import (
	"encoding/json"
	"fmt"
	"slices"

	"rollcall"
)

const documentVersion = 1

// Settings are the choices that a version is computed with; they are printed
// on its reports.
type Settings struct {
	Low        int     `json:"low"`     // persons under which a figure is withheld
	Caution    int     `json:"caution"` // persons under which it is flagged
	Confidence float64 `json:"confidence"`
	TrimFloor  float64 `json:"trim_floor,omitempty"` // times the mean weight; 0: no trimming
	TrimCap    float64 `json:"trim_cap,omitempty"`
}

// DefaultSettings are METHOD's: 45 and 100 persons, 95 %.
func DefaultSettings() Settings { return Settings{Low: 45, Caution: 100, Confidence: 0.95} }

// document is the small object that a publication names: everything that its
// figures are computed from, the large parts by their hash.
type document struct {
	Format     int                  `json:"format"`
	Of         rollcall.PanelMonth  `json:"of"`
	Market     rollcall.Market      `json:"market"`
	Services   []rollcall.Service   `json:"services"`
	Starts     []int64              `json:"starts"` // first UTC minute of each day, and of the next month
	Roster     rollcall.Hash        `json:"roster"`
	Universe   rollcall.Hash        `json:"universe"`
	Diaries    rollcall.Hash        `json:"diaries"`
	Exclusions []rollcall.Exclusion `json:"exclusions"`
	Compared   *compared            `json:"compared"`
	Settings   Settings             `json:"settings"`
	Dropped    dropped              `json:"dropped"`
}

// compared pins the version that changes are measured from.
type compared struct {
	Month    rollcall.Month `json:"month"`
	Version  int            `json:"version"`
	Document rollcall.Hash  `json:"document"`
}

// dropped counts diaries that are kept in the store and count in no figure.
type dropped struct {
	NotInTab  int `json:"not_in_tab"`
	Unmetered int `json:"unmetered"`
	Unknown   int `json:"unknown_service"`
}

func (d *document) encode() ([]byte, error) {
	slices.SortFunc(d.Exclusions, compareExclusions)
	b, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("document of %s: %w", d.Of.Month, err)
	}
	return b, nil
}

func decodeDocument(b []byte) (*document, error) {
	d := new(document)
	if err := json.Unmarshal(b, d); err != nil {
		return nil, fmt.Errorf("publication's document: %w", err)
	}
	if d.Format != documentVersion {
		return nil, fmt.Errorf("publication's document: format %d, want %d: %w", d.Format, documentVersion, rollcall.ErrInvalid)
	}
	if len(d.Starts) != d.Of.Month.Days()+1 || !slices.IsSorted(d.Starts) {
		return nil, fmt.Errorf("publication's document: days of %s are broken: %w", d.Of.Month, rollcall.ErrInvalid)
	}
	return d, nil
}

func compareExclusions(a, b rollcall.Exclusion) int { return a.Time.Compare(b.Time) }

// starts gives the first UTC minute of each local day of the month and of the
// month after. A day that does not exist begins where the next one does.
func starts(c *rollcall.Calendar, m rollcall.Month) []int64 {
	out := make([]int64, m.Days()+1)
	for i := range out {
		out[i] = int64(c.Start(m.First() + rollcall.Day(i)))
	}
	return out
}
