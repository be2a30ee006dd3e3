package panel

import (
	"errors"
	"io"
	"slices"

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
	m.SourceDate = t.date("source_date")
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

// PerPerson is how many accounts of a service one of its users has: a line of the
// file that a panel is calibrated with.
type PerPerson struct {
	Service    string
	Accounts   float64
	SE         float64
	Source     string
	SourceDate string // YYYY-MM-DD
	AnyPlace   bool   // accounts and users elsewhere than at home and at work count too
}

// MostPerPersonRSE is the relative standard error above which nothing is to be
// learned from a service's accounts.
const MostPerPersonRSE = 0.25

// ReadPerPerson reads a file of accounts a person:
//
//	service,accounts_per_person,se,source,source_date
//
// in any order of columns, source_date YYYY-MM-DD. The optional column location is
// home+work, as where it is absent, or any. The error is as ReadRoster's.
func ReadPerPerson(r io.Reader, file string) ([]PerPerson, error) {
	t, err := openTable(r, file)
	if err != nil {
		return nil, err
	}
	columns := []string{"service", "accounts_per_person", "se", "source", "source_date"}
	for _, name := range t.header {
		if name != "location" && !slices.Contains(columns, name) {
			t.faultAt(t.line, "", name, "is not a column of accounts a person", "header")
		}
	}
	if !t.require(columns...) {
		return nil, t.end()
	}
	var out []PerPerson
	seen := map[string]int{}
	for t.next() {
		p := readPerPerson(t)
		if first, ok := seen[p.Service]; ok {
			t.fault("service", p.Service, where("repeats that of", first, ""))
		}
		seen[p.Service] = t.line
		out = append(out, p)
	}
	return out, t.end()
}

func readPerPerson(t *table) PerPerson {
	p := PerPerson{Service: t.filled("service"), Source: t.filled("source"), SourceDate: t.date("source_date")}
	value, se := t.filled("accounts_per_person"), t.filled("se")
	accounts, known := number(value)
	if value != "" && (!known || !(accounts >= 1e-3 && accounts <= 1e6)) {
		t.fault("accounts_per_person", value, "is not a number of accounts, 0.001 to 1e6")
	}
	off, told := number(se)
	p.Accounts, p.SE = accounts, off
	if se != "" && (!told || !(off >= 0)) {
		t.fault("se", se, "is not a standard error, 0 or above")
	} else if known && told && off > MostPerPersonRSE*accounts {
		t.fault("se", se, "is more than 25 % of accounts_per_person "+value+": too much for the panel to be calibrated with")
	}
	switch place, _ := t.value("location"); place {
	case "", "home+work":
	case "any":
		p.AnyPlace = true
	default:
		t.fault("location", place, "is not home+work or any")
	}
	return p
}

// date gives a field that must be a date.
func (t *table) date(column string) string {
	value := t.filled(column)
	_, err := rollcall.ParseDay(value)
	if why := new(rollcall.Invalid); value != "" && errors.As(err, &why) {
		t.fault(column, value, why.Reason)
	}
	return value
}
