package panel

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"rollcall"
)

// Recruits is a month's roster as the recruiter's file has it, under clear ids.
// It stays in the command that loads it; what is stored is its Roster.
type Recruits struct {
	File    string
	Columns []string // the demographic columns, in the file's order
	People  []Recruit
}

// Recruit is one line of the file. Its Panelist has no ID yet.
type Recruit struct {
	Line      int    // from 1
	Name      string // the clear id
	Household string // the clear id; "" where the file has no such column
	Stratum   string // likewise
	rollcall.Panelist
}

// ReadRoster reads panelists.csv:
//
//	panelist,home,work,base_weight,household,stratum,<any demographic columns>
//
// in any order of columns. base_weight may be absent and is 1 then; household
// and stratum may be absent, and every person is a household, and all are of
// one stratum then. The error joins every fault (20 at most), each a rollcall.Invalid that names the file,
// line, column and value, or is the reader's own.
func ReadRoster(r io.Reader, file string) (*Recruits, error) {
	t, err := openTable(r, file)
	if err != nil {
		return nil, err
	}
	in := &rosterReader{table: t, roster: &Recruits{File: file}, lines: map[string]int{}}
	if !in.readHeader() {
		return nil, t.end()
	}
	for t.next() {
		in.readRow()
	}
	if len(in.roster.People) == 0 && t.faults.none() {
		t.faultAt(0, "", "", "has no panelist", "panelist")
	}
	if err := t.end(); err != nil {
		return nil, err
	}
	return in.roster, nil
}

// rosterReader turns rows into recruits.
type rosterReader struct {
	*table
	roster *Recruits
	lines  map[string]int // the line of each id seen
	at     []int          // the field of each demographic column
}

func (in *rosterReader) readHeader() bool {
	for i, name := range in.header {
		if slices.Contains([]string{"panelist", "home", "work", "base_weight", "household", "stratum"}, name) {
			continue
		}
		if strings.ContainsAny(name, "*=,") {
			in.faultAt(in.line, "", name, "is a column name with '*', '=' or ','", "header")
		}
		in.roster.Columns = append(in.roster.Columns, name)
		in.at = append(in.at, i)
	}
	return in.require("panelist", "home", "work")
}

func (in *rosterReader) readRow() {
	person := Recruit{Line: in.line, Name: in.readName()}
	person.Metered = in.readMeter("home", rollcall.Home) | in.readMeter("work", rollcall.Work)
	person.BaseWeight = in.readBaseWeight()
	person.Household, person.Stratum = in.readUnit("household"), in.readUnit("stratum")
	person.Categories = make([]string, len(in.at))
	for k, i := range in.at {
		if strings.Contains(in.fields[i], "*") {
			in.fault(in.header[i], in.fields[i], "has a '*', which joins the categories of two columns")
		}
		person.Categories[k] = in.fields[i]
	}
	in.roster.People = append(in.roster.People, person)
}

func (in *rosterReader) readName() string {
	name, _ := in.value("panelist")
	if name == "" {
		in.fault("panelist", "", "is empty")
		return name
	}
	if first, ok := in.lines[name]; ok {
		in.fault("panelist", name, where("repeats that of", first, ""))
		return name
	}
	in.lines[name] = in.line
	return name
}

// readUnit reads where a person was sampled: any id, in every row or in none.
func (in *rosterReader) readUnit(column string) string {
	id, ok := in.value(column)
	if ok && id == "" {
		in.fault(column, "", "is empty")
	}
	return id
}

func (in *rosterReader) readMeter(column string, place rollcall.Location) rollcall.Location {
	switch value, _ := in.value(column); value {
	case "1":
		return place
	case "0":
	default:
		in.fault(column, value, "is not 0 or 1")
	}
	return 0
}

func (in *rosterReader) readBaseWeight() float64 {
	value, ok := in.value("base_weight")
	if !ok {
		return 1
	}
	weight, ok := number(value)
	if !ok || weight <= 0 {
		in.fault("base_weight", value, "is not a number above 0")
	} else if !soundWeight(weight) {
		in.fault("base_weight", value, beyondWeight)
	}
	return weight
}

// beyondWeight says what soundWeight refuses.
const beyondWeight = "is not between 1e-9 and 1e9"

// soundWeight takes base weights that products and sums of a panel's size leave
// exact to many digits.
func soundWeight(w float64) bool { return w >= 1e-9 && w <= 1e9 }

// Roster gives the roster under the pseudonyms of pseudonym, in the file's
// order: households and strata get pseudonyms too. Two clear ids with one
// pseudonym are refused: they would be one person, household or stratum.
func (r *Recruits) Roster(pseudonym func(name string) rollcall.Visitor) (*rollcall.Roster, error) {
	out := &rollcall.Roster{Columns: r.Columns, Panelists: make([]rollcall.Panelist, len(r.People))}
	seen := make(map[rollcall.Visitor]int, len(r.People))
	households := namer{pseudonym: pseudonym, file: r.File, column: "household"}
	strata := namer{pseudonym: pseudonym, file: r.File, column: "stratum"}
	for i, person := range r.People {
		id := pseudonym(person.Name)
		if line, ok := seen[id]; ok {
			return nil, &rollcall.Invalid{Field: where(r.File, person.Line, "column panelist"), Value: person.Name,
				Reason: where("has the pseudonym of", line, ""), Code: "pseudonym"}
		}
		seen[id] = person.Line
		out.Panelists[i] = person.Panelist
		out.Panelists[i].ID = id
		out.Panelists[i].Household = rollcall.Household(households.name(person.Household, person.Line))
		out.Panelists[i].Stratum = rollcall.Stratum(strata.name(person.Stratum, person.Line))
	}
	return out, errors.Join(households.err, strata.err)
}

// namer gives the ids of a column their pseudonyms, which are others than
// panelists of the same ids have.
type namer struct {
	pseudonym    func(name string) rollcall.Visitor
	file, column string
	byName       map[string]rollcall.Visitor
	byID         map[rollcall.Visitor]string
	err          error
}

// name gives an id's pseudonym: 0 for none.
func (n *namer) name(id string, line int) rollcall.Visitor {
	if id == "" {
		return 0
	}
	if out, ok := n.byName[id]; ok {
		return out
	}
	if n.byName == nil {
		n.byName, n.byID = map[string]rollcall.Visitor{}, map[rollcall.Visitor]string{}
	}
	out := n.pseudonym(n.column + " " + id)
	if other, ok := n.byID[out]; n.err == nil && (ok || out == 0) {
		n.err = &rollcall.Invalid{Field: where(n.file, line, "column "+n.column), Value: id, Reason: "has the pseudonym of " + strconv.Quote(other), Code: "pseudonym"}
	}
	n.byName[id], n.byID[out] = out, id
	return out
}

// panelists gives the recruits as the frame needs them, households and strata
// under numbers of no other meaning.
func (r *Recruits) panelists() []rollcall.Panelist {
	out := make([]rollcall.Panelist, len(r.People))
	households, strata := map[string]rollcall.Household{"": 0}, map[string]rollcall.Stratum{"": 0}
	for i, person := range r.People {
		out[i] = person.Panelist
		out[i].Household = numbered(households, person.Household)
		out[i].Stratum = numbered(strata, person.Stratum)
	}
	return out
}

func numbered[N ~uint64](seen map[string]N, id string) N {
	n, ok := seen[id]
	if !ok {
		n = N(len(seen))
		seen[id] = n
	}
	return n
}
