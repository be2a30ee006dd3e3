package openapi

import (
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/internal/problem"
)

// failure is an answer that is not the one asked for, always RFC 9457's.
type failure struct {
	status      int
	description string
}

func failures() []failure {
	return []failure{
		{http.StatusBadRequest, "A body that can't be read"},
		{http.StatusUnauthorized, "No key, or an unknown one"},
		{http.StatusForbidden, "The guard of a loopback address, or the key's role"},
		{http.StatusNotFound, "A market, panel, month, version, service or target that is not known, or a month that is not closed"},
		{http.StatusRequestTimeout, "The body came too slowly"},
		{http.StatusConflict, "The state forbids it"},
		{http.StatusGone, "The facts were removed because of their age"},
		{http.StatusRequestEntityTooLarge, "The body is too long"},
		{http.StatusUnsupportedMediaType, "Another content type"},
		{http.StatusUnprocessableEntity, "A parameter or a value that can't be right; the detail names it"},
		{http.StatusTooManyRequests, "Full, or too many requests: ask again later"},
		{http.StatusInternalServerError, "A fault of the server; its log says which"},
		{http.StatusServiceUnavailable, "Not ready, or too many requests wait: ask again later"},
		{http.StatusGatewayTimeout, "It took too long"},
	}
}

// problems gives the answers by name.
func problems() map[string]*huma.Response {
	out := map[string]*huma.Response{}
	for _, p := range failures() {
		out[problemName(p.status)] = &huma.Response{
			Description: p.description,
			Content:     map[string]*huma.MediaType{problem.ContentType: {Schema: ref("Problem"), Example: problem.New(p.status, p.description)}},
		}
	}
	return out
}

// problemSchemas puts in what problems look like, in place of huma's own.
func problemSchemas(in huma.Registry) {
	in.Map()["Problem"] = huma.SchemaFromType(in, reflect.TypeFor[problem.Details]())
	in.Map()["Problem"].Properties["type"].Format = "uri"
	in.Map()["Problem"].Properties["code"] = ref("ProblemCode")
	in.Map()["Problem"].AdditionalProperties, in.Map()["Fault"].AdditionalProperties = true, true
	in.Map()["ProblemCode"] = enum("What kind of failure it is: docs/api.md.", problem.Codes()...)
	delete(in.Map(), "ErrorModel")
	delete(in.Map(), "ErrorDetail")
}

// problemName names an answer: NotFound.
func problemName(status int) string {
	return strings.ReplaceAll(http.StatusText(status), " ", "")
}

// statusesOf gives the failures that an operation may answer with.
func statusesOf(op *huma.Operation) []int {
	if op.Path == "/healthz" {
		return []int{http.StatusForbidden}
	}
	out := []int{http.StatusForbidden, http.StatusServiceUnavailable}
	if op.Path == "/readyz" {
		return out
	}
	out = append(out, http.StatusUnauthorized, http.StatusInternalServerError, http.StatusUnprocessableEntity, http.StatusTooManyRequests)
	if op.Method != http.MethodGet {
		out = append(out, http.StatusBadRequest, http.StatusNotFound, http.StatusRequestTimeout, http.StatusConflict, http.StatusGone, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusGatewayTimeout)
	} else if computed(op.Path) {
		out = append(out, http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusGatewayTimeout)
	}
	if strings.HasPrefix(op.Path, "/v1/oidc/") {
		out = append(out, http.StatusBadRequest, http.StatusNotFound)
	}
	slices.Sort(out)
	return out
}

// computed says whether a path's answer is computed from facts.
func computed(path string) bool {
	return slices.ContainsFunc([]string{"/v1/reports", "/v1/census", "/v1/publications", "/v1/months", "/v1/panels", "/v1/rejected", "/v1/exclusions", "/v1/markets/", "/v1/services/", "/v1/targets/"}, func(p string) bool { return strings.HasPrefix(path, p) })
}
