package problem

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"rollcall"
)

// Fault is one thing that is wrong with a request.
type Fault struct {
	Location string `json:"location,omitempty" doc:"where, such as query.month or body.trim.floor; absent: the request as a whole"`
	Code     string `json:"code" doc:"what kind of fault it is"`
	Message  string `json:"message" doc:"a short clause, such as: is not a month YYYY-MM"`
	Value    any    `json:"value,omitempty" doc:"what was given there"`
}

// Error gives the fault in words, as one clause of a problem's detail.
func (f *Fault) Error() string {
	_, name, found := strings.Cut(f.Location, ".")
	if !found {
		name = f.Location
	}
	switch v := f.Value.(type) {
	case string:
		if v != "" {
			name += fmt.Sprintf(" %.80q", v)
		}
	case float64, bool, int, int64:
		name += fmt.Sprintf(" %v", v)
	}
	if name == "" {
		return f.Message
	}
	return name + ": " + f.Message
}

// mostFaults bounds the faults of one problem; its detail has them all.
const mostFaults = 100

// faultsOf finds every Invalid and Unknown in an error.
func faultsOf(err error) (out []*Fault) {
	switch e := err.(type) { //nolint:errorlint // the tree is walked here
	case *rollcall.Invalid:
		f := &Fault{Location: e.Field, Code: e.Code, Message: e.Reason}
		if e.Value != "" {
			f.Value = e.Value
		}
		return []*Fault{f}
	case *rollcall.Unknown:
		message := strings.TrimPrefix(e.Error(), (&rollcall.Unknown{Kind: e.Kind, Name: e.Name}).Error())
		return []*Fault{{Location: e.Kind, Code: "unknown", Message: "is not known" + message, Value: e.Name}}
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			out = append(out, faultsOf(part)...)
		}
		return out[:min(len(out), mostFaults)]
	}
	if inner := errors.Unwrap(err); inner != nil {
		return faultsOf(inner)
	}
	return nil
}

// ofFacts are the codes of faults that name a parameter though what it asks for can
// be asked: the facts that are there don't give it.
var ofFacts = [...]string{"two_keys", "several_panels", "nobody_in_tab"}

// Mistaken reports whether the question itself is at fault, and not the facts that
// it is about: some fault is of a part of the request.
func (d *Details) Mistaken() bool {
	return len(d.Errors) == 0 || slices.ContainsFunc(d.Errors, func(f *Fault) bool {
		return ofRequest(f.Location) && !slices.Contains(ofFacts[:], f.Code)
	})
}

// ofRequest reports whether a place is a part of the request.
func ofRequest(location string) bool {
	part, _, _ := strings.Cut(location, ".")
	return slices.Contains([]string{"query", "path", "body", "header"}, part)
}

// Locate says where the faults are whose place is a field's name alone: in gives
// query, path or body for it; "": it is left as it is.
func (d *Details) Locate(in func(field string) string) *Details {
	for _, f := range d.Errors {
		if ofRequest(f.Location) {
			continue
		}
		if place := in(f.Location); place != "" {
			f.Location = place + "." + f.Location
		}
	}
	return d
}

// Parameters gives the faults of a query that don't depend on its values: what is
// not known there, and what is given more than once.
func Parameters(query string, known ...string) (faults []*Fault) {
	values, err := url.ParseQuery(query)
	if err != nil {
		faults = append(faults, &Fault{Location: "query", Code: "malformed", Message: "is not well formed: a % stands before two hexadecimal digits, and ; is no separator"})
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch at := "query." + name; {
		case !slices.Contains(known, name):
			faults = append(faults, &Fault{Location: at, Code: "unknown_parameter", Message: noParameter(name, known)})
		case len(values[name]) > 1:
			faults = append(faults, &Fault{Location: at, Code: "repeated", Message: fmt.Sprintf("is given %d times, and may be given once", len(values[name]))})
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
