package audience

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"rollcall"
)

const (
	objectVersion  = 1
	clusterVersion = 2 // of a roster with households or strata
)

// rosterObject is the stored roster: JSON, panelists in order of pseudonym, so
// that the same roster always has the same hash. Version 2 has households and
// strata; a roster with neither is written as version 1, as it always was.
type rosterObject struct {
	Format    int              `json:"format"`
	Key       string           `json:"key"` // 16 hexadecimal digits
	Columns   []string         `json:"columns"`
	Panelists []panelistObject `json:"panelists"`
}

type panelistObject struct {
	ID         rollcall.Visitor  `json:"id"` // 16 hexadecimal digits
	Metered    rollcall.Location `json:"metered"`
	BaseWeight float64           `json:"base_weight"`
	Categories []string          `json:"categories"`
	Household  *rollcall.Visitor `json:"household,omitempty"` // 16 hexadecimal digits; nil: the person's own
	Stratum    *rollcall.Visitor `json:"stratum,omitempty"`   // likewise; nil: the whole population
}

// EncodeRoster gives the canonical bytes of a roster; the roster's own order
// does not matter.
func EncodeRoster(r *rollcall.Roster) ([]byte, error) {
	out := rosterObject{Format: objectVersion, Key: r.Key.String(), Columns: orEmpty(r.Columns), Panelists: make([]panelistObject, len(r.Panelists))}
	for i, p := range r.Panelists {
		out.Panelists[i] = panelistObject{ID: p.ID, Metered: p.Metered, BaseWeight: p.BaseWeight, Categories: orEmpty(p.Categories),
			Household: orNone(rollcall.Visitor(p.Household)), Stratum: orNone(rollcall.Visitor(p.Stratum))}
		if p.Household != 0 || p.Stratum != 0 {
			out.Format = clusterVersion
		}
	}
	slices.SortFunc(out.Panelists, func(a, b panelistObject) int { return compareVisitors(a.ID, b.ID) })
	b, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode a roster of %d: %w", len(r.Panelists), err)
	}
	return b, nil
}

// DecodeRoster reads what EncodeRoster wrote. Everything malformed, a person
// given twice or out of order included, is ErrInvalid.
func DecodeRoster(b []byte) (*rollcall.Roster, error) {
	var in rosterObject
	if err := decodeStrict(b, &in); err != nil {
		return nil, fmt.Errorf("stored roster: %w", err)
	}
	key, err := rollcall.ParseKeyID(in.Key)
	if err != nil || in.Format != objectVersion && in.Format != clusterVersion {
		return nil, fmt.Errorf("stored roster: format %d, key %q: %w", in.Format, in.Key, rollcall.ErrInvalid)
	}
	out := &rollcall.Roster{Key: key, Columns: in.Columns, Panelists: make([]rollcall.Panelist, len(in.Panelists))}
	for i, p := range in.Panelists {
		if i > 0 && in.Panelists[i-1].ID >= p.ID || !p.sound(len(in.Columns), in.Format) {
			return nil, fmt.Errorf("stored roster: panelist %d (%s): %w", i+1, p.ID, rollcall.ErrInvalid)
		}
		out.Panelists[i] = rollcall.Panelist{ID: p.ID, Metered: p.Metered, BaseWeight: p.BaseWeight, Categories: p.Categories}
		if p.Household != nil {
			out.Panelists[i].Household = rollcall.Household(*p.Household)
		}
		if p.Stratum != nil {
			out.Panelists[i].Stratum = rollcall.Stratum(*p.Stratum)
		}
	}
	return out, nil
}

func (p *panelistObject) sound(columns, format int) bool {
	known := rollcall.Home | rollcall.Work
	for _, id := range []*rollcall.Visitor{p.Household, p.Stratum} {
		if id != nil && (format < clusterVersion || *id == 0) {
			return false
		}
	}
	return p.Metered&^known == 0 && p.BaseWeight > 0 && !math.IsInf(p.BaseWeight, 0) && len(p.Categories) == columns
}

// orNone gives a pseudonym, or nil for 0.
func orNone(id rollcall.Visitor) *rollcall.Visitor {
	if id == 0 {
		return nil
	}
	return &id
}

func compareVisitors(a, b rollcall.Visitor) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// universeObject is the stored universe, version 1: JSON, margins in the
// study's order, which matters (the first sets the total).
type universeObject struct {
	Format  int            `json:"format"`
	Margins []marginObject `json:"margins"`
}

type marginObject struct {
	Name       string  `json:"margin"`
	Category   string  `json:"category"`
	Population float64 `json:"population"`
	Source     string  `json:"source"`
	SourceDate string  `json:"source_date"`
}

// EncodeUniverse gives the bytes of a universe.
func EncodeUniverse(p *rollcall.Population) ([]byte, error) {
	out := universeObject{Format: objectVersion, Margins: make([]marginObject, len(p.Margins))}
	for i, m := range p.Margins {
		out.Margins[i] = marginObject(m)
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode a universe of %d margins: %w", len(p.Margins), err)
	}
	return b, nil
}

// DecodeUniverse reads what EncodeUniverse wrote; what is malformed is ErrInvalid.
func DecodeUniverse(b []byte) (*rollcall.Population, error) {
	var in universeObject
	if err := decodeStrict(b, &in); err != nil {
		return nil, fmt.Errorf("stored universe: %w", err)
	}
	if in.Format != objectVersion || len(in.Margins) == 0 {
		return nil, fmt.Errorf("stored universe: format %d, %d margins: %w", in.Format, len(in.Margins), rollcall.ErrInvalid)
	}
	out := &rollcall.Population{Margins: make([]rollcall.Margin, len(in.Margins))}
	for i, m := range in.Margins {
		if m.Name == "" || !(m.Population >= 0) || math.IsInf(m.Population, 0) {
			return nil, fmt.Errorf("stored universe: margin %d (%q): %w", i+1, m.Name, rollcall.ErrInvalid)
		}
		out.Margins[i] = rollcall.Margin(m)
	}
	return out, nil
}

// decodeStrict reads one JSON value and refuses unknown fields and leftovers.
func decodeStrict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", rollcall.ErrInvalid, err)
	}
	if d.More() {
		return fmt.Errorf("something follows the object: %w", rollcall.ErrInvalid)
	}
	return nil
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// Simulated reports whether a margin's source says that there is no such
// population.
func Simulated(margins []rollcall.Margin) bool {
	return slices.ContainsFunc(margins, func(m rollcall.Margin) bool { return strings.Contains(strings.ToLower(m.Source), "simulat") })
}
