package api

import (
	"errors"
	"net/url"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
	"rollcall/internal/problem"
)

// What is wrong with a request is found by the inputs' Resolve methods, which
// all run: so every fault of a request is told at once.

// Plain is in every route's input. It refuses parameters that the route doesn't
// have, and those that are given more than once.
type Plain struct{}

// Resolve finds the faults.
func (Plain) Resolve(ctx huma.Context) (faults []error) {
	var known []string
	for _, p := range ctx.Operation().Parameters {
		if p.In == inQuery {
			known = append(known, p.Name)
		}
	}
	u := ctx.URL()
	for _, f := range problem.Parameters(u.RawQuery, known...) {
		faults = append(faults, inputFault{f})
	}
	return faults
}

// Where a request's fault may be.
const (
	inQuery = "query"
	inPath  = "path"
	inBody  = "body"
)

func contradiction(name, why string) []error {
	return []error{inputFault{&problem.Fault{Location: inQuery + "." + name, Code: "contradiction", Message: why}}}
}

func missing(name, why string) []error {
	return []error{inputFault{&problem.Fault{Location: inQuery + "." + name, Code: codeMissing, Message: why}}}
}

// Period is what days a report is of: a month, or from a day to a day.
type Period struct {
	Month string `query:"month" doc:"YYYY-MM, the market's local month; or else from and to"`
	Span
}

// Resolve finds what can't be read, is missing or contradicts.
func (p Period) Resolve(ctx huma.Context) []error {
	faults := p.Span.Resolve(ctx)
	_, err := optionalMonth(p.Month)
	faults = append(faults, located(inQuery, err)...)
	switch {
	case p.Month != "" && (p.From != "" || p.To != ""):
		faults = append(faults, contradiction("month", "contradicts from and to: give a month, or from and to")...)
	case p.Month == "" && p.From == "" && p.To == "":
		faults = append(faults, missing("month", "is missing; or give from and to")...)
	case p.Month == "" && p.From == "":
		faults = append(faults, missing("from", "is missing beside to")...)
	case p.Month == "" && p.To == "":
		faults = append(faults, missing("to", "is missing beside from")...)
	}
	return faults
}

func optionalMonth(s string) (rollcall.Month, error) {
	if s == "" {
		return 0, nil
	}
	return rollcall.ParseMonth(s)
}

// Span is two days, or months, both included.
type Span struct {
	From string `query:"from" doc:"first day, YYYY-MM-DD, or month, YYYY-MM, of a period"`
	To   string `query:"to" doc:"its last day or month"`
}

// Resolve finds what can't be read.
func (s Span) Resolve(huma.Context) []error {
	from, err := firstDay(s.From)
	to, failed := lastDay(s.To)
	faults := slices.Concat(located(inQuery, err), located(inQuery, failed))
	if len(faults) == 0 && from != 0 && to != 0 && from > to {
		swapped := rollcall.Swapped(s.From, s.To)
		faults = []error{inputFault{&problem.Fault{Location: inQuery + "." + swapped.Field, Code: "contradiction", Message: swapped.Reason, Value: swapped.Value}}}
	}
	return faults
}

// days gives the two days, 0 where there is none.
func (s Span) days() (from, to rollcall.Day, err error) {
	if from, err = firstDay(s.From); err != nil {
		return 0, 0, err
	}
	to, err = lastDay(s.To)
	return from, to, err
}

func firstDay(s string) (rollcall.Day, error) {
	if m, err := rollcall.ParseMonth(s); err == nil {
		return m.First(), nil
	}
	return dayButMonth("from", s)
}

func lastDay(s string) (rollcall.Day, error) {
	if m, err := rollcall.ParseMonth(s); err == nil {
		return m.Last(), nil
	}
	return dayButMonth("to", s)
}

// optionalDay reads a day that the user calls name.
func optionalDay(name, s string) (rollcall.Day, error) {
	if s == "" {
		return 0, nil
	}
	return namedDay(name, s)
}

// namedDay is optionalDay of one that must be there.
func namedDay(name, s string) (rollcall.Day, error) {
	d, err := rollcall.ParseDay(s)
	if why := new(rollcall.Invalid); errors.As(err, &why) {
		named := *why
		named.Field = name
		return 0, &named
	}
	return d, err
}

// dayButMonth is optionalDay where a month may stand too, which this is not.
func dayButMonth(name, s string) (rollcall.Day, error) {
	d, err := optionalDay(name, s)
	if why := new(rollcall.Invalid); errors.As(err, &why) && why.Reason != rollcall.NoSuchDate {
		why.Reason += " or a month YYYY-MM"
	}
	return d, err
}

// Which is the version that is asked for.
type Which struct {
	Version int  `query:"version" minimum:"1" doc:"a published version; the latest where absent"`
	Live    bool `query:"live" doc:"compute now from a month that may not be closed; provisional"`
}

// Resolve finds a contradiction.
func (w Which) Resolve(huma.Context) []error {
	if w.Live && w.Version != 0 {
		return contradiction("live", "contradicts version: what is computed now is no published version")
	}
	return nil
}

// Page is which part of a list that can grow is asked for.
type Page struct {
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"1000" doc:"rows at most"`
	After string `query:"after" doc:"begin behind this row: Link rel=next says which"`

	asked url.URL
}

// Resolve keeps the address, of which the next part's is made.
func (p *Page) Resolve(ctx huma.Context) []error {
	p.asked = ctx.URL()
	return nil
}

// paged is one part of a list, and where the next is.
type paged[T any] struct {
	Link string `header:"Link" doc:"the next part of the list, rel=next; absent: this is the last"`
	Body rowsOf[T]
}

func pageOf[T any](rows []T, next string) *paged[T] {
	return &paged[T]{Link: next, Body: listOf(rows).Body}
}

// part gives the rows that are asked for of all, and the Link to those behind
// them; key names a row.
func part[T any](in Page, all []T, key func(T) string) (rows []T, next string, err error) {
	if in.After != "" {
		at := slices.IndexFunc(all, func(row T) bool { return key(row) == in.After })
		if at < 0 {
			return nil, "", &rollcall.Invalid{Field: "after", Value: in.After, Reason: "is no row of this list", Code: "after"}
		}
		all = all[at+1:]
	}
	if len(all) <= in.Limit {
		return all, "", nil
	}
	query := in.asked.Query()
	query.Set("after", key(all[in.Limit-1]))
	return all[:in.Limit], "<" + in.asked.Path + "?" + query.Encode() + `>; rel="next"`, nil
}
