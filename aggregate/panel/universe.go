package panel

import (
	"io"
	"slices"
	"time"

	"rollcall"
)

// Study is a universe as its file has it: the margins of one enumeration study.
type Study struct {
	File  string
	Lines []int // of each margin, from 1
	rollcall.Population
}

// ReadUniverse reads universe.csv:
//
//	margin,category,population,source,source_date
//
// in any order of columns, population in persons, source_date YYYY-MM-DD. The
// error is as ReadRoster's. What only the roster can tell is Check's.
func ReadUniverse(r io.Reader, file string) (*Study, error) {
	t, err := openTable(r, file)
	if err != nil {
		return nil, err
	}
	columns := []string{"margin", "category", "population", "source", "source_date"}
	for _, name := range t.header {
		if !slices.Contains(columns, name) {
			t.faultAt(t.line, "", name, "is not a column of a universe", "header")
		}
	}
	if !t.require(columns...) {
		return nil, t.end()
	}
	study := readStudy(t)
	if err := t.end(); err != nil {
		return nil, err
	}
	return study, nil
}

func readStudy(t *table) *Study {
	study := &Study{File: t.file}
	type place struct{ margin, category string }
	seen := map[place]int{}
	for t.next() {
		m := readMargin(t)
		at := place{m.Name, m.Category}
		if first, ok := seen[at]; ok {
			t.fault("category", m.Category, where("repeats that of", first, ""))
		}
		seen[at] = t.line
		study.Margins = append(study.Margins, m)
		study.Lines = append(study.Lines, t.line)
	}
	if len(study.Margins) == 0 && t.faults.none() {
		t.faultAt(0, "", "", "has no margin", "margin")
	}
	return study
}

// mostPersons is more than have ever lived in any market.
const mostPersons = 1e11

func readMargin(t *table) rollcall.Margin {
	m := rollcall.Margin{Name: t.filled("margin"), Category: t.filled("category"), Source: t.filled("source")}
	value := t.filled("population")
	population, ok := number(value)
	if value != "" && (!ok || population < 0) {
		t.fault("population", value, "is not a number of persons")
	} else if population > mostPersons {
		t.fault("population", value, "is above 1e11 persons")
	}
	m.Population = population
	m.SourceDate = t.filled("source_date")
	if _, err := time.Parse(time.DateOnly, m.SourceDate); m.SourceDate != "" && err != nil {
		t.fault("source_date", m.SourceDate, "is not a date YYYY-MM-DD")
	}
	return m
}

// filled gives a field that must not be empty.
func (t *table) filled(column string) string {
	value, _ := t.value(column)
	if value == "" {
		t.fault(column, "", "is empty")
	}
	return value
}
