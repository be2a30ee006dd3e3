package openapi

import (
	"cmp"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
	"rollcall/api/access"
	"rollcall/api/answer"
)

// Config gives huma's configuration: nothing of it is fetched from elsewhere, no
// body has a link to its schema, and what a type writes itself is described by
// another.
func Config(version string) huma.Config {
	c := huma.DefaultConfig("Rollcall", version)
	c.DocsPath, c.SchemasPath = "", ""
	c.CreateHooks = nil
	c.Info.Description = "Audience measurement of messaging services: unique audiences of panels, unique accounts of the census, with their precision."
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.Servers = []*huma.Server{{URL: "/", Description: "The server that this description comes from"}}
	c.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[rollcall.Measure](), reflect.TypeFor[Measure]())
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key":     {Type: "http", Scheme: "bearer", Description: "An API key: `rollcall token new`. A server on a loopback address without keys needs none."},
		"session": {Type: "apiKey", In: "cookie", Name: "rollcall", Description: "A browser's session, from POST /v1/session; its cookie is called `__Host-rollcall` over HTTPS."},
	}
	return c
}

// Complete fills up what huma read off the routes. It is called once, when all of
// them are registered.
func Complete(doc *huma.OpenAPI) {
	in := doc.Components.Schemas
	schemas(in)
	for _, op := range byHand(in) {
		doc.AddOperation(op)
	}
	doc.Components.Responses = problems()
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, op := range operations(doc.Paths[path]) {
			complete(op, in)
			op.Tags = []string{tagOf(path)}
		}
	}
	doc.Tags = tags()
	doc.Security = []map[string][]string{{"key": {}}, {"session": {}}}
	for _, s := range in.Map() {
		tighten(s)
	}
}

// schemas puts in those that no route's Go type has.
func schemas(in huma.Registry) {
	for _, t := range []reflect.Type{reflect.TypeFor[rollcall.Meta](), reflect.TypeFor[rollcall.Column](), reflect.TypeFor[rollcall.Publication](), reflect.TypeFor[rollcall.Loaded](), reflect.TypeFor[rollcall.Rejected]()} {
		in.Schema(t, true, "")
	}
	maps.Copy(in.Map(), words())
	for of, properties := range map[string]map[string]string{
		"Measure":     {"status": "MeasureStatus"},
		"Column":      {"role": "ColumnRole"},
		"Publication": {"status": "PublicationStatus"},
		"Meta":        {"credit": "Credit"},
	} {
		for name, to := range properties {
			in.Map()[of].Properties[name] = ref(to)
		}
	}
	problemSchemas(in)
	for _, t := range append(Reports(), tables()...) {
		tableSchema(t, in)
	}
}

// tighten says of a schema that its lists are never null.
func tighten(s *huma.Schema) {
	for _, p := range s.Properties {
		if p.Type == huma.TypeArray && p.Items != nil && s.Properties["tied_with"] != p && s.Properties["tied_markets"] != p {
			p.Nullable = false
		}
		tighten(p)
	}
}

func operations(item *huma.PathItem) []*huma.Operation {
	return slices.DeleteFunc([]*huma.Operation{item.Get, item.Put, item.Post, item.Delete}, func(op *huma.Operation) bool { return op == nil })
}

// complete gives an operation the answers of its kind, the words that its
// parameters may have, and its example.
func complete(op *huma.Operation, in huma.Registry) {
	for _, p := range op.Parameters {
		completeParameter(op, p)
	}
	delete(op.Responses, "default")
	for _, status := range statusesOf(op) {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Ref: "#/components/responses/" + problemName(status)}
	}
	table, isTable := tableOf(op.Path)
	good := op.Responses["200"]
	if isTable {
		good.Content = forms(table)
	}
	if op.Method == http.MethodGet && op.Responses["200"] != nil && !open(op.Path) && answer.Whole(op.Path) {
		op.Responses["304"] = &huma.Response{Description: "Not modified: the answer has the ETag that If-None-Match names"}
		good.Headers = map[string]*huma.Param{"ETag": header("names the answer's bytes"), "Cache-Control": header("whether it may be kept"), "Vary": header("what else the answer depends on")}
	}
	if created := op.Responses["201"]; created != nil && !open(op.Path) { // a session is always a new one
		created.Description = "It was made"
		op.Responses["200"] = &huma.Response{Description: "It was there, or another in its place", Content: maps.Clone(created.Content)}
	}
	if open(op.Path) {
		op.Security = []map[string][]string{{}}
	}
	example(op, in)
}

func header(description string) *huma.Param {
	return &huma.Param{Description: description, Schema: &huma.Schema{Type: huma.TypeString}}
}

// completeParameter gives a parameter the enumeration of its name, and an example.
// A route takes a few other spellings besides, such as a space for a plus sign.
func completeParameter(op *huma.Operation, p *huma.Param) {
	named := map[string]string{"credit": "Credit", "format": "Format", "location": "Location", "report": "ReportName"}[p.Name]
	if named == "Location" && strings.HasSuffix(op.Path, "/ranking") {
		named = "RankingLocation"
	}
	if named != "" && !(named == "Location" && op.Path == "/v1/census") {
		p.Schema, p.Description = ref(named), cmp.Or(p.Description, p.Schema.Description)
	}
	name := p.Name
	if strings.HasSuffix(op.Path, "/reports/markets") {
		name = strings.Replace(name, "panel", "panels", 1) // of each market its own
	}
	if pattern(name, p.Schema); !p.Required && p.In == "query" && p.Schema.Pattern != "" {
		p.Schema.Pattern = "^$|" + p.Schema.Pattern // given empty, it is not given
	}
	if value, ok := parameterExamples()[p.Name]; ok && (p.Required || p.In == "path" || p.Name == "month" || p.Name == "backfill") {
		p.Example = value
	}
}

// pattern says how the value of a field is written, where its name tells. It is
// for clients: the words that refuse a value are the domain's own.
func pattern(name string, of *huma.Schema) {
	if of == nil || of.Type != huma.TypeString || of.Pattern != "" {
		return
	}
	switch name {
	case "market", "panel", "file":
		of.Pattern = "^[A-Za-z0-9._-]{1,64}$"
	case "panels":
		of.Pattern = "^[A-Za-z0-9._-]{1,64}(,[A-Za-z0-9._-]{1,64})*$"
	case "month":
		of.Pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$"
	case "from", "to":
		of.Pattern = "^[0-9]{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?$"
	case "day":
		of.Pattern = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
	}
}

// tableOf gives the table that a path answers.
func tableOf(path string) (Report, bool) {
	name, _ := strings.CutPrefix(path, "/v1/reports/")
	switch {
	case path == "/v1/census":
		name = "census"
	case strings.Contains(path, "/diff/"):
		name = "diff"
	}
	for _, t := range append(Reports(), tables()...) {
		if t.Name == name {
			return t, true
		}
	}
	return Report{}, false
}

// forms are the bodies that a table is answered in.
func forms(t Report) map[string]*huma.MediaType {
	bytes := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	name := strings.ToUpper(t.Name[:1]) + t.Name[1:]
	return map[string]*huma.MediaType{
		"application/json":                  {Schema: ref(name + "Report"), Example: tableExample(t)},
		"text/csv":                          {Schema: &huma.Schema{Type: huma.TypeString}},
		"application/vnd.apache.parquet":    {Schema: bytes},
		"application/vnd.apache.arrow.file": {Schema: bytes},
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {Schema: bytes},
	}
}

// open says whether a path needs no key.
func open(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == access.SessionPath || path == access.OIDCLoginPath || path == access.OIDCCallbackPath
}

func tagOf(path string) string {
	parts := strings.Split(path, "/")
	if parts[1] != "v1" {
		return "operation"
	}
	switch parts[2] {
	case "reports", "census":
		return parts[2]
	case "publications":
		return "publications"
	case "panels", "exclusions", "erasures", "months":
		return "panels"
	case "markets", "services", "metrics", "targets":
		return "catalogue"
	case "events", "rejected", "log":
		return "log"
	}
	return "operation"
}

func tags() []*huma.Tag {
	return []*huma.Tag{
		{Name: "reports", Description: "Figures of a panel"},
		{Name: "census", Description: "Unique accounts"},
		{Name: "publications", Description: "Versions of a month"},
		{Name: "panels", Description: "Rosters, universes, and what of them counts"},
		{Name: "catalogue", Description: "What the deployment knows"},
		{Name: "log", Description: "Events and the log of them"},
		{Name: "operation", Description: "Running a server"},
	}
}
