package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"rollcall"
	"rollcall/api/export"
	"rollcall/api/openapi"
)

// rowsOf is the form of every list: {"rows": [...]}.
type rowsOf[T any] struct {
	Rows []T `json:"rows"`
}

type list[T any] struct{ Body rowsOf[T] }

func listOf[T any](rows []T) *list[T] {
	l := new(list[T])
	l.Body.Rows = append([]T{}, rows...)
	return l
}

type body[T any] struct {
	Body T
}

// made is the answer of a route that makes what has an address of its own: 201,
// and where it is; or 200 where it, or another in its place, was there.
type made[T any] struct {
	Status   int
	Location string `header:"Location" doc:"where what was made is"`
	Body     T
}

// madeAt says where something is that is new.
func madeAt[T any](path string, what T, isNew bool) *made[T] {
	if !isNew {
		return &made[T]{Status: http.StatusOK, Body: what}
	}
	return &made[T]{Status: http.StatusCreated, Location: path, Body: what}
}

// address is the path of what has one, such as /v1/markets/FR.
func address(noun string, names ...string) string {
	path := "/v1/" + noun
	for _, name := range names {
		path += "/" + url.PathEscape(name)
	}
	return path
}

// given is a body that a request brings.
type given[T any] struct {
	Body T
	Plain
}

// nothing is what a request brings that has neither parameters nor a body.
type nothing struct{ Plain }

func (s *Server) getServices(context.Context, *nothing) (*list[rollcall.Service], error) {
	return listOf(s.Catalogue.Catalogue().Services), nil
}

type serviceInput struct {
	Service string `path:"service"`
	Plain
}

func (s dictionary) getService(_ context.Context, in *serviceInput) (*body[rollcall.Service], error) {
	service, err := s.Catalogue.Catalogue().Service(rollcall.ServiceID(in.Service))
	if err != nil {
		return nil, s.fault("service", err)
	}
	return &body[rollcall.Service]{Body: service}, nil
}

func (s *Server) postService(ctx context.Context, in *given[rollcall.Service]) (*made[rollcall.Service], error) {
	_, unknown := s.Catalogue.Catalogue().Service(in.Body.ID)
	if err := s.Catalogue.AddService(ctx, in.Body); err != nil {
		return nil, s.fault("add service", err)
	}
	s.audited(ctx, "set service", "", string(in.Body.ID))
	return madeAt(address("services", string(in.Body.ID)), in.Body, unknown != nil), nil
}

// dictionary says what words mean: services and metrics.
type dictionary struct{ *Server }

// metric is a column of some reports.
type metric struct {
	Metric     string   `json:"metric" doc:"its column's name, but target_population, which is quality's column target"`
	Role       string   `json:"role"`
	Unit       string   `json:"unit,omitempty"`
	Label      string   `json:"label"`
	Definition string   `json:"definition"`
	Reports    []string `json:"reports" doc:"that have it"`
}

type metricsInput struct {
	Language
	Plain
}

// getMetrics defines every column of the reports and the census.
func (s dictionary) getMetrics(_ context.Context, in *metricsInput) (*list[metric], error) {
	var rows []metric
	for _, c := range export.Locale(in.Locale).Spoken(&rollcall.Table{Columns: s.Columns}).Columns {
		m := metric{Metric: c.Name, Role: c.Role, Unit: c.Unit, Label: c.Label, Definition: c.Definition, Reports: openapi.With(c.Name)}
		if !slices.ContainsFunc(rows, func(has metric) bool { return has.Metric == m.Metric }) { // the reports' definition goes before the census's
			rows = append(rows, m)
		}
	}
	return listOf(rows), nil
}
