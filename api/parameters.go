package api

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
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
	return misspelt(u.RawQuery, known...)
}

const inQuery = "query"

// misspelt gives the faults of a query that don't depend on its values.
func misspelt(query string, known ...string) (faults []error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		faults = append(faults, &huma.ErrorDetail{Location: inQuery, Message: "is not well formed: a % stands before two hexadecimal digits, and ; is no separator"})
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch at := inQuery + "." + name; {
		case !slices.Contains(known, name):
			faults = append(faults, &huma.ErrorDetail{Location: at, Message: noParameter(name, known)})
		case len(values[name]) > 1:
			faults = append(faults, &huma.ErrorDetail{Location: at, Message: fmt.Sprintf("is given %d times, and may be given once", len(values[name]))})
		}
	}
	return faults
}

func noParameter(name string, known []string) string {
	if near := rollcall.Nearest(name, known); len(near) > 0 {
		return "is not a parameter of this; the nearest are " + strings.Join(near, ", ")
	}
	return "is not a parameter of this, which has none"
}

// fault makes an error of a value a fault of the request; nil where there is
// none.
func fault(in string, err error) []error {
	why := new(rollcall.Invalid)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &why):
		detail := &huma.ErrorDetail{Location: in + "." + why.Field, Message: why.Reason}
		if why.Value != "" {
			detail.Value = why.Value
		}
		return []error{detail}
	}
	return []error{err}
}

func contradiction(name, why string) []error {
	return []error{&huma.ErrorDetail{Location: inQuery + "." + name, Message: why}}
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
	faults = append(faults, fault(inQuery, err)...)
	switch {
	case p.Month != "" && (p.From != "" || p.To != ""):
		faults = append(faults, contradiction("month", "contradicts from and to: give a month, or from and to")...)
	case p.Month == "" && p.From == "" && p.To == "":
		faults = append(faults, contradiction("month", "is missing; or give from and to")...)
	case p.Month == "" && p.From == "":
		faults = append(faults, contradiction("from", "is missing beside to")...)
	case p.Month == "" && p.To == "":
		faults = append(faults, contradiction("to", "is missing beside from")...)
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
	faults := slices.Concat(fault(inQuery, err), fault(inQuery, failed))
	if len(faults) == 0 && from != 0 && to != 0 && from > to {
		faults = contradiction("from", "is after to")
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
	return optionalDay("from", s)
}

func lastDay(s string) (rollcall.Day, error) {
	if m, err := rollcall.ParseMonth(s); err == nil {
		return m.Last(), nil
	}
	return optionalDay("to", s)
}

// optionalDay reads a day that the user calls name.
func optionalDay(name, s string) (rollcall.Day, error) {
	if s == "" {
		return 0, nil
	}
	d, err := rollcall.ParseDay(s)
	if why := new(rollcall.Invalid); errors.As(err, &why) {
		named := *why
		named.Field = name
		return 0, &named
	}
	return d, err
}

// Which is the version that is asked for.
type Which struct {
	Version int  `query:"version" minimum:"0" doc:"a published version; the latest where absent"`
	Live    bool `query:"live" doc:"compute now from a month that may not be closed; provisional"`
}

// Resolve finds a contradiction.
func (w Which) Resolve(huma.Context) []error {
	if w.Live && w.Version != 0 {
		return contradiction("live", "contradicts version: what is computed now is no published version")
	}
	return nil
}

// inWords writes the faults of a request into its problem's detail, in one plain
// line: many a client shows nothing else.
func inWords(_ huma.Context, _ string, answer any) (any, error) {
	p, ok := answer.(*Problem)
	if !ok || len(p.Errors) == 0 {
		return answer, nil
	}
	words := make([]string, len(p.Errors))
	for i, e := range p.Errors {
		words[i] = faultInWords(e)
	}
	worded := *p
	worded.Detail = strings.Join(words, "; ")
	return &worded, nil
}

func faultInWords(e *huma.ErrorDetail) string {
	name := e.Location
	for _, in := range []string{"query.", "body.", "path."} {
		name = strings.TrimPrefix(name, in)
	}
	if text, ok := e.Value.(string); ok && text != "" {
		name += fmt.Sprintf(" %.80q", text)
	}
	if name == "" {
		return e.Message
	}
	return name + ": " + e.Message
}

// oneLine makes faults one error, for routes that huma doesn't know.
func oneLine(faults []error) error {
	words := make([]string, len(faults))
	for i, f := range faults {
		words[i] = f.Error()
		if detail := new(huma.ErrorDetail); errors.As(f, &detail) {
			words[i] = faultInWords(detail)
		}
	}
	return fmt.Errorf("%s: %w", strings.Join(words, "; "), rollcall.ErrInvalid)
}
