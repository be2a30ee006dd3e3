package rollcall

import (
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"time"
)

// Deltas is what one flush brings to the store. Each value is united with what
// the store has, so the same deltas twice change nothing. Values are valid
// until the next step of their sequence.
type Deltas struct {
	Cells   iter.Seq2[Cell, CellState]
	Diaries iter.Seq2[Diary, *Minutes]
}

// From gives the deltas of the days from first on, and counts the others in
// late as they are passed over.
func (d Deltas) From(first Day, late *int) Deltas {
	cells, diaries := d.Cells, d.Diaries
	if cells != nil {
		d.Cells = func(yield func(Cell, CellState) bool) {
			for c, state := range cells {
				if c.Day < first {
					*late++
				} else if !yield(c, state) {
					return
				}
			}
		}
	}
	if diaries != nil {
		d.Diaries = func(yield func(Diary, *Minutes) bool) {
			for key, minutes := range diaries {
				if key.Day < first {
					*late++
				} else if !yield(key, minutes) {
					return
				}
			}
		}
	}
	return d
}

// CellQuery asks for a market's cells of the days From to To, both included.
type CellQuery struct {
	Market    MarketID
	Services  []ServiceID // empty: all
	From, To  Day
	Locations Location // 0: all
}

// CellRow is one stored cell.
type CellRow struct {
	Cell
	CellState
}

// DiaryQuery asks for a panel's diaries of the days From to To, both included.
type DiaryQuery struct {
	Market   MarketID
	Panel    PanelID
	From, To Day
}

// DiaryRow is one stored diary.
type DiaryRow struct {
	Diary
	Minutes Minutes
}

// Hash is the SHA-256 of a stored object: its name and its proof.
type Hash [sha256.Size]byte

// HashOf hashes an object's bytes.
func HashOf(body []byte) Hash { return sha256.Sum256(body) }

// String gives 64 hexadecimal digits, or "" for no object.
func (h Hash) String() string {
	if h == (Hash{}) {
		return ""
	}
	return hex.EncodeToString(h[:])
}

// ParseHash reads what String writes.
func ParseHash(s string) (h Hash, err error) {
	if s == "" {
		return h, nil
	}
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(h) {
		return h, &Invalid{Field: "hash", Value: s, Reason: "is not 64 hexadecimal digits", Code: "hash"}
	}
	return Hash(b), nil
}

// MarshalText writes String.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads String.
func (h *Hash) UnmarshalText(b []byte) (err error) {
	*h, err = ParseHash(string(b))
	return err
}

// PanelMonth is what a report is about: one panel's month in one market.
type PanelMonth struct {
	Market MarketID `json:"market"`
	Panel  PanelID  `json:"panel"`
	Month  Month    `json:"month"`
}

// PanelFiles are the objects that a panel's month is weighted with.
type PanelFiles struct {
	PanelMonth
	Roster   Hash `json:"roster"`
	Universe Hash `json:"universe"`
}

// PublicationStatus says what a version is for.
type PublicationStatus string

// The statuses. An internal version was closed with limits under the market's
// own and is never served to readers.
const (
	Preliminary PublicationStatus = "preliminary"
	Final       PublicationStatus = "final"
	Restated    PublicationStatus = "restated"
)

// Publication is one immutable version of a panel's month.
type Publication struct {
	PanelMonth
	Version  int               `json:"version"` // 1, 2, ...
	Status   PublicationStatus `json:"status"`
	Internal bool              `json:"internal"`
	Reason   string            `json:"reason,omitempty"`
	Time     time.Time         `json:"time"`
	Document Hash              `json:"document"` // the object that every figure of the version is computed from

	AgedOut time.Time `json:"aged_out,omitzero"` // when its facts were removed; zero: they are there. Not kept: an Ageing says it
}

// Ageing records that the facts of every market's months before Before were
// removed, at Time, and never come back.
type Ageing struct {
	Before Month
	Time   time.Time
}

// Exclusion is a recorded rule: what must not count, and why. Empty fields
// match everything.
type Exclusion struct {
	PanelMonth
	Panelist Visitor   `json:"panelist,omitempty"`
	Service  ServiceID `json:"service,omitempty"`
	Day      Day       `json:"day,omitempty"`
	Reason   string    `json:"reason"`
	Time     time.Time `json:"time"`
}
