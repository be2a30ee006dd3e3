package rollcall

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// Column says what one column of a report holds.
type Column struct {
	Name       string `json:"name"`
	Role       string `json:"role"` // "dimension" or "measure"
	Unit       string `json:"unit,omitempty"`
	Label      string `json:"label"`
	Definition string `json:"definition"`
}

// Row is one row of a table: a cell a column, in the columns' order. A cell is
// a string, an int, a bool, a []string, nil or a Measure.
type Row []any

// Table is a report: what it is about, its columns and its rows.
type Table struct {
	Meta    Meta
	Columns []Column
	Rows    []Row
}

// Round gives the table with its measures rounded to so many decimals (to tens,
// hundreds and so on where they are negative), and a note that says so. n and
// what is withheld stay.
func (t *Table) Round(decimals int) *Table {
	out := &Table{Meta: t.Meta, Columns: t.Columns, Rows: make([]Row, len(t.Rows))}
	out.Meta.Notes = append(slices.Clip(t.Meta.Notes), fmt.Sprintf("Values, standard errors and intervals are rounded to %d decimals, as was asked.", decimals))
	scale := math.Pow10(decimals)
	for i, row := range t.Rows {
		out.Rows[i] = slices.Clone(row)
		for k, cell := range row {
			if m, ok := cell.(Measure); ok {
				out.Rows[i][k] = m.round(scale)
			}
		}
	}
	return out
}

// MarshalJSON writes {"meta", "columns", "rows"}, each row an object with a
// key a column, in the columns' order.
func (t *Table) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	if err := t.writeHead(&b); err != nil {
		return nil, err
	}
	for i, row := range t.Rows {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := t.writeRow(&b, row); err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, err)
		}
	}
	b.WriteString("]}")
	return b.Bytes(), nil
}

func (t *Table) writeHead(b *bytes.Buffer) error {
	head, err := json.Marshal(struct {
		Meta    Meta     `json:"meta"`
		Columns []Column `json:"columns"`
	}{t.Meta, t.Columns})
	if err != nil {
		return err
	}
	b.Write(head[:len(head)-1])
	b.WriteString(`,"rows":[`)
	return nil
}

func (t *Table) writeRow(b *bytes.Buffer, row Row) error {
	if len(row) != len(t.Columns) {
		return fmt.Errorf("%d cells for %d columns", len(row), len(t.Columns))
	}
	b.WriteByte('{')
	for i, cell := range row {
		if i > 0 {
			b.WriteByte(',')
		}
		value, err := json.Marshal(cell)
		if err != nil {
			return fmt.Errorf("column %s: %w", t.Columns[i].Name, err)
		}
		fmt.Fprintf(b, "%q:%s", t.Columns[i].Name, value)
	}
	b.WriteByte('}')
	return nil
}

// UnmarshalJSON reads what MarshalJSON wrote. Measure columns come back as
// Measures, whole numbers as ints, lists as []string.
func (t *Table) UnmarshalJSON(data []byte) error {
	var in struct {
		Meta    Meta                         `json:"meta"`
		Columns []Column                     `json:"columns"`
		Rows    []map[string]json.RawMessage `json:"rows"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("table: %w", err)
	}
	t.Meta, t.Columns, t.Rows = in.Meta, in.Columns, make([]Row, len(in.Rows))
	for i, object := range in.Rows {
		t.Rows[i] = make(Row, len(t.Columns))
		for j, c := range t.Columns {
			cell, err := readCell(object[c.Name])
			if err != nil {
				return fmt.Errorf("row %d: column %s: %w", i+1, c.Name, err)
			}
			t.Rows[i][j] = cell
		}
	}
	return nil
}

func readCell(raw json.RawMessage) (any, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	switch raw[0] {
	case '{':
		return readAs[Measure](raw)
	case '[':
		return readAs[[]string](raw)
	case '"':
		return readAs[string](raw)
	case 't', 'f':
		return readAs[bool](raw)
	}
	return readAs[int](raw)
}

func readAs[T any](raw json.RawMessage) (any, error) {
	var v T
	err := json.Unmarshal(raw, &v)
	return v, err
}

// Break is a run of days on which a collector of a service was down: a series has
// a break there.
type Break struct {
	Service ServiceID `json:"service,omitempty" doc:"absent: every service"`
	From    Day       `json:"from"`
	To      Day       `json:"to"`
	Reason  string    `json:"reason"`
	Rows    []int     `json:"rows" doc:"the rows that it touches, from 1"`
}

// FlagColumn is the name of the column of flags that files and tables on a
// terminal have where a row has one.
const FlagColumn = "flag"

// Flagged gives the table with a column of flags, as SDMX has them, where some row
// has one: b for a break in the series.
func (t *Table) Flagged() *Table {
	if len(t.Meta.Breaks) == 0 {
		return t
	}
	out := &Table{Meta: t.Meta, Columns: slices.Clone(t.Columns), Rows: make([]Row, len(t.Rows))}
	out.Columns = append(out.Columns, Column{Name: FlagColumn, Role: "dimension", Label: "Flag", Definition: "b: a break in the series, since a collector was down on some of the row's days"})
	for i, row := range t.Rows {
		out.Rows[i] = append(slices.Clone(row), nil)
	}
	for _, b := range t.Meta.Breaks {
		for _, row := range b.Rows {
			if 1 <= row && row <= len(out.Rows) {
				out.Rows[row-1][len(t.Columns)] = "b"
			}
		}
	}
	return out
}

// Cell gives the cell of a row by its column's name, nil where there is none.
func (t *Table) Cell(row int, column string) any {
	for i, c := range t.Columns {
		if c.Name == column {
			return t.Rows[row][i]
		}
	}
	return nil
}

// Meta is what stands beside every report: what it is about, how it was made
// and how far it can be trusted.
type Meta struct {
	Report     string         `json:"report"`
	Market     MarketID       `json:"market"`            // "": of several, which Markets lists
	Service    ServiceID      `json:"service,omitempty"` // that all is of, in a report of several markets
	Panel      PanelID        `json:"panel,omitempty"`
	Month      string         `json:"month,omitempty"`
	From       string         `json:"from,omitempty"` // where the period is not a month
	To         string         `json:"to,omitempty"`
	Location   string         `json:"location"`
	Credit     string         `json:"credit"`
	Target     string         `json:"target,omitempty"`
	Pool       int            `json:"pool,omitempty"`    // months that the figures are the mean of
	Version    int            `json:"version,omitempty"` // 0: computed live, not published
	Status     string         `json:"status,omitempty"`  // preliminary, final, restated or provisional
	Simulated  bool           `json:"simulated"`         // the people whose figures these are do not exist
	Internal   bool           `json:"internal,omitempty"`
	Reason     string         `json:"reason,omitempty"`
	Universe   *UniverseMeta  `json:"universe,omitempty"`
	Sample     *SampleMeta    `json:"sample,omitempty"`
	Weights    *WeightsMeta   `json:"weights,omitempty"`
	Compared   *ComparedMeta  `json:"compared,omitempty"`
	Calibrated []Calibrated   `json:"calibrated,omitempty"` // services to whose own census the panel is calibrated
	Exclusions []string       `json:"exclusions,omitempty"`
	Confidence float64        `json:"confidence,omitempty"`
	Thresholds map[string]int `json:"thresholds,omitempty"`
	Sketch     *SketchMeta    `json:"sketch,omitempty"`
	Document   string         `json:"document,omitempty"` // the hash of what the figures are computed from
	Software   string         `json:"software,omitempty"`
	Breaks     []Break        `json:"breaks,omitempty"`  // of a census
	Markets    []MarketMeta   `json:"markets,omitempty"` // of a report of several, those with a row, by id
	Method     string         `json:"method"`
	Notes      []string       `json:"notes"`
}

// MarketMeta is what a row of a report of several markets is made of: a version, as
// the Meta of its own reports says it.
type MarketMeta struct {
	Market     MarketID       `json:"market"`
	Name       string         `json:"name"`
	Panel      PanelID        `json:"panel"`
	Version    int            `json:"version"`
	Status     string         `json:"status"`
	Simulated  bool           `json:"simulated"`
	Universe   *UniverseMeta  `json:"universe,omitempty"`
	InTab      int            `json:"in_tab"` // persons
	DF         int            `json:"df"`     // degrees of freedom: clusters less strata
	Confidence float64        `json:"confidence"`
	Thresholds map[string]int `json:"thresholds"`
	Calibrated []Calibrated   `json:"calibrated,omitempty"`
	Document   string         `json:"document"`
}

// UniverseMeta is the population that the figures stand for.
type UniverseMeta struct {
	Population float64 `json:"population"`
	Active     Measure `json:"active"` // persons with any internet use at the location
	Source     string  `json:"source"`
	SourceDate string  `json:"source_date"`
	ID         string  `json:"id"`
}

// SampleMeta is who was in tab, and what was kept but counted in no figure.
type SampleMeta struct {
	InTab     int    `json:"in_tab"` // persons
	Home      int    `json:"home"`   // metered there
	Work      int    `json:"work"`
	Silent    *int   `json:"silent,omitempty"` // persons in tab who sent no event of any kind in the month; nil: not counted
	NotInTab  int    `json:"not_in_tab"`       // diaries of persons who are not in tab
	Unmetered int    `json:"unmetered"`        // diaries at a place where the person is not metered
	Unknown   int    `json:"unknown_service"`  // diaries of a service that is not in the catalogue
	Excluded  int    `json:"excluded"`         // diaries that a recorded rule excludes
	Diaries   string `json:"diaries"`          // hash of those that count
	ID        string `json:"id"`               // hash of the roster
}

// Calibrated is a service to whose users the weights are raked: the accounts of its
// own census by those that a person has. Each is of one month.
type Calibrated struct {
	Service    ServiceID `json:"service"`
	Month      string    `json:"month"`
	Location   string    `json:"location" enum:"home+work,any" doc:"where accounts and users are counted"`
	Accounts   float64   `json:"accounts" doc:"of the service's census of the month, as they were at close"`
	AccountsSE float64   `json:"accounts_se" doc:"0: counted one by one"`
	PerPerson  float64   `json:"accounts_per_person"`
	SE         float64   `json:"accounts_per_person_se"`
	Source     string    `json:"source" doc:"of accounts_per_person"`
	SourceDate string    `json:"source_date"`
	Persons    float64   `json:"persons" doc:"users that the weights are raked to: accounts by accounts_per_person"`
	PersonsSE  float64   `json:"persons_se"`
	Own        float64   `json:"panel" doc:"users by the panel alone"`
	OwnSE      float64   `json:"panel_se"`
	Ratio      float64   `json:"ratio" doc:"persons by the panel's own"`
	Before     float64   `json:"efficiency_before" doc:"of the weights without any calibration, in percent"`
	After      float64   `json:"efficiency_after" doc:"of the month's weights, in percent"`
}

// WeightsMeta is the quality of the weights.
type WeightsMeta struct {
	N          int     `json:"n"`
	Deff       float64 `json:"deff"`
	NEff       float64 `json:"n_eff"`
	Efficiency float64 `json:"efficiency"` // percent
	MinWeight  float64 `json:"min_weight"`
	MaxWeight  float64 `json:"max_weight"`
	Iterations int     `json:"iterations"`
	Trimming   string  `json:"trimming"`
	ID         string  `json:"id"`
}

// ComparedMeta is the version that changes are measured from.
type ComparedMeta struct {
	Month    string `json:"month"`
	Version  int    `json:"version"`
	Document string `json:"document"`
}

// SketchMeta is the precision of a census figure.
type SketchMeta struct {
	K             int     `json:"k"`
	RelativeError float64 `json:"relative_error"` // of a dense sketch
	Key           string  `json:"key,omitempty"`
}

// Wide is a table of columns that are made when they are asked for: so many
// that they are not held at once.
type Wide struct {
	Rows      int
	KeyValues []KeyValue // what must be known of it
	Columns   []WideColumn
}

// KeyValue is something to know of a table, by its name.
type KeyValue struct{ Name, Value string }

// WideColumn gives the values of a column, one a row: the one of the three that
// it has.
type WideColumn struct {
	Name    string
	Texts   func() []string
	Counts  func() []int64
	Numbers func() []float64
}
