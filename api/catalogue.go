package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"rollcall"
	"rollcall/api/access"
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

func (s *Server) postService(ctx context.Context, in *given[rollcall.ServiceChange]) (*made[rollcall.Service], error) {
	service, isNew, err := s.Catalogue.AddService(ctx, in.Body)
	if err != nil {
		return nil, s.fault("add service", err)
	}
	s.audited(ctx, "set service", "", string(service.ID))
	return madeAt(address("services", string(service.ID)), service, isNew), nil
}

// segments hides from a caller the segments that a key doesn't show.
type segments struct{ *Server }

// ofSegments are the routes that tell of no segment, or only of those that the
// caller may see. A panel has none, so its figures are of more than the caller
// may: the lists of panels, months and versions are empty.
func ofSegments() []string {
	return []string{
		"/v1/markets", "/v1/markets/{market}", "/v1/services", "/v1/services/{service}", "/v1/segments", "/v1/segments/{segment}",
		"/v1/panels", "/v1/months", "/v1/publications", "/v1/census", "/v1/census/months", "/v1/metrics", "/v1/version",
	}
}

// seen gives the segments that a caller may know of, and of each that is merged its
// target: the catalogue's, and those that the facts of markets have which the
// caller may see.
func (s segments) seen(ctx context.Context) ([]rollcall.Segment, rollcall.Merged, error) {
	caller := access.Of(ctx)
	var of []rollcall.MarketID
	for _, m := range markets(s).seen(caller) {
		of = append(of, m.ID)
	}
	all, err := s.Catalogue.Segments(ctx, of)
	if err != nil {
		return nil, nil, err
	}
	merged := rollcall.MergedOf(all)
	if !caller.OfSegments() {
		return all, merged, nil
	}
	may := make(map[rollcall.SegmentID]bool)
	for _, id := range caller.Segments {
		may[merged.Target(id)] = true
	}
	return slices.DeleteFunc(all, func(v rollcall.Segment) bool { return !may[merged.Target(v.ID)] }), merged, nil
}

type segmentsInput struct {
	Page
	Plain
}

func (s segments) get(ctx context.Context, in *segmentsInput) (*paged[rollcall.Segment], error) {
	all, _, err := s.seen(ctx)
	if err != nil {
		return nil, s.fault("segments", err)
	}
	rows, next, err := part(in.Page, all, func(v rollcall.Segment) string { return string(v.ID) })
	if err != nil {
		return nil, s.fault("segments", err)
	}
	return pageOf(rows, next), nil
}

type segmentInput struct {
	Segment string `path:"segment" doc:"an id; of a segment that is merged its target answers"`
	Plain
}

func (s segments) getOne(ctx context.Context, in *segmentInput) (*body[rollcall.Segment], error) {
	all, merged, err := s.seen(ctx)
	if err != nil {
		return nil, s.fault("segment", err)
	}
	var target *rollcall.Segment
	known, ids := false, make([]rollcall.SegmentID, len(all))
	for i, v := range all {
		known, ids[i] = known || v.ID == rollcall.SegmentID(in.Segment), v.ID
		if v.ID == merged.Target(rollcall.SegmentID(in.Segment)) {
			target = &all[i]
		}
	}
	if !known || target == nil {
		return nil, s.fault("segment", &rollcall.Unknown{Kind: "segment", Name: in.Segment, Near: rollcall.Alike(in.Segment, ids), Advice: "`rollcall segment list` lists those that are"})
	}
	return &body[rollcall.Segment]{Body: *target}, nil
}

func (s segments) post(ctx context.Context, in *given[rollcall.Segment]) (*made[rollcall.Segment], error) {
	isNew, err := s.Catalogue.AddSegment(ctx, in.Body)
	if err != nil {
		return nil, s.fault("add segment", err)
	}
	of := string(in.Body.ID)
	if in.Body.Into != "" {
		of += ", merged into " + string(in.Body.Into)
	}
	s.audited(ctx, "set segment", "", of)
	return madeAt(address("segments", string(in.Body.ID)), in.Body, isNew), nil
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
