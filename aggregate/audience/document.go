package audience

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"rollcall"
	"rollcall/aggregate/panel"
)

const documentVersion = 1

// Settings are the choices that a version is computed with; they are printed
// on its reports.
type Settings struct {
	panel.Thresholds               // raw persons under which a figure is withheld, or flagged
	Confidence       float64       `json:"confidence"` // 0 to 1
	Trim             rollcall.Trim `json:"trim"`
}

// DefaultSettings are METHOD's: 30 and 60 persons, 95 %, no trimming.
func DefaultSettings() Settings {
	return Settings{Thresholds: panel.Usual(), Confidence: 0.95}
}

// Validate refuses limits, a confidence or a trim that can't be meant.
func (s Settings) Validate() error {
	if err := s.Thresholds.Validate(); err != nil {
		return err
	}
	if !(s.Confidence >= 0.5 && s.Confidence < 1) {
		return &rollcall.Invalid{Field: "confidence", Value: fmt.Sprint(s.Confidence), Reason: "is not at least 0.5 and under 1", Code: "confidence"}
	}
	return s.Trim.Validate()
}

// Document is the small object that a publication names: everything that its
// figures are computed from, the large parts by their hash. It is JSON,
// version 1; the same facts and settings always give the same bytes.
type Document struct {
	Format     int                  `json:"format"`
	Of         rollcall.PanelMonth  `json:"of"`
	Market     rollcall.Market      `json:"market"`
	Services   []rollcall.Service   `json:"services"` // by id
	Starts     []int64              `json:"starts"`   // first UTC minute of each day, and of the next month
	Roster     rollcall.Hash        `json:"roster"`
	Universe   rollcall.Hash        `json:"universe"`
	Diaries    rollcall.Hash        `json:"diaries"`
	Exclusions []rollcall.Exclusion `json:"exclusions"` // by time
	Before     []Pinned             `json:"before"`     // the last 12 months' versions at close, the latest month first
	Settings   Settings             `json:"settings"`
	Dropped    Dropped              `json:"dropped"`

	// Calibrated are the services to whose users the weights are raked, by id;
	// empty: the panel stands for itself.
	Calibrated []Calibrated `json:"calibrated,omitempty"`

	// Limits are the panel's own at close, under which a version is internal; nil:
	// the usual.
	Limits *panel.Thresholds `json:"limits,omitempty"`
	// Silent counts the persons in tab who sent no event of any kind in the
	// month; nil in documents of before it was counted.
	Silent *int `json:"silent,omitempty"`
}

// Internal reports whether the document was made with limits under the panel's
// own.
func (d *Document) Internal() bool {
	own := panel.Usual()
	if d.Limits != nil {
		own = *d.Limits
	}
	return d.Settings.Under(own)
}

// Pinned is a version of an earlier month: changes, loyalty and periods over
// several months are computed from it, whatever is published of it later.
type Pinned struct {
	Month    rollcall.Month `json:"month"`
	Version  int            `json:"version"`
	Document rollcall.Hash  `json:"document"`
}

// History is how many earlier months a version pins.
const History = 12

// Dropped counts diaries that are kept in the store and count in no figure.
type Dropped struct {
	NotInTab  int `json:"not_in_tab"`
	Unmetered int `json:"unmetered"`
	Unknown   int `json:"unknown_service"`
	Damaged   int `json:"damaged,omitempty"` // set aside, as they can't be read
}

// NewDocument begins a month's document.
func NewDocument(of rollcall.PanelMonth, s Settings) *Document {
	return &Document{Format: documentVersion, Of: of, Settings: s, Exclusions: []rollcall.Exclusion{}}
}

// Pinned gives the version of an earlier month, or nil where none is pinned.
func (d *Document) Pinned(m rollcall.Month) *Pinned {
	for i := range d.Before {
		if d.Before[i].Month == m {
			return &d.Before[i]
		}
	}
	return nil
}

// dayLength gives the minutes of a day of the month, from 0.
func (d *Document) dayLength(day int) int { return int(d.Starts[day+1] - d.Starts[day]) }

// days gives the first minute of each day, and of the next month, on the
// month's own line.
func (d *Document) days() []int32 {
	out := make([]int32, len(d.Starts))
	for i, at := range d.Starts {
		out[i] = int32(at - d.Starts[0])
	}
	return out
}

// Encode gives the document's canonical bytes.
func (d *Document) Encode() ([]byte, error) {
	slices.SortFunc(d.Exclusions, compareExclusions)
	b, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("document of %s: %w", d.Of.Month, err)
	}
	return b, nil
}

// DecodeDocument reads what encode wrote; what is malformed is ErrInvalid.
func DecodeDocument(b []byte) (*Document, error) {
	d := new(Document)
	if err := decodeStrict(b, d); err != nil {
		return nil, fmt.Errorf("publication's document: %w", err)
	}
	if why := d.fault(); why != "" {
		return nil, fmt.Errorf("publication's document: %s: %w", why, rollcall.ErrInvalid)
	}
	return d, nil
}

func (d *Document) fault() string {
	switch {
	case d.Format != documentVersion:
		return fmt.Sprintf("format %d, want %d", d.Format, documentVersion)
	case d.Of.Month < 0 || d.Of.Month > 9999*12:
		return "month out of range"
	case len(d.Starts) != d.Of.Month.Days()+1 || !d.daysFit():
		return fmt.Sprintf("the days of %s are broken", d.Of.Month)
	case len(d.Services) > MostServices:
		return fmt.Sprintf("%d services, at most %d", len(d.Services), MostServices)
	case !slices.IsSortedFunc(d.Services, func(a, b rollcall.Service) int { return strings.Compare(string(a.ID), string(b.ID)) }):
		return "services out of order"
	}
	for i := range d.Calibrated {
		if c := &d.Calibrated[i]; !c.sound(d) || i > 0 && d.Calibrated[i-1].Service >= c.Service {
			return fmt.Sprintf("the calibration to %q is broken", c.Service)
		}
	}
	if err := d.Settings.Validate(); err != nil {
		return err.Error()
	}
	return ""
}

func (d *Document) daysFit() bool {
	for i := range d.Starts[1:] {
		if n := d.Starts[i+1] - d.Starts[i]; n < 0 || n > rollcall.MaxMinute {
			return false
		}
	}
	return true
}

func compareExclusions(a, b rollcall.Exclusion) int {
	return cmp.Or(a.Time.Compare(b.Time), compareVisitors(a.Panelist, b.Panelist),
		cmp.Compare(a.Service, b.Service), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Reason, b.Reason))
}

// Starts gives the first UTC minute of each local day of the month and of the
// month after. A day that does not exist begins where the next one does.
func Starts(c *rollcall.Calendar, m rollcall.Month) []int64 {
	out := make([]int64, m.Days()+1)
	for i := range out {
		out[i] = int64(c.Start(m.First() + rollcall.Day(i)))
	}
	return out
}
