package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// TestExamples sends every example of the description to a server, which has what
// they are about, and holds request and answer to their schemas.
func TestExamples(t *testing.T) {
	o := exampled(t)
	doc, err := openapi3.NewLoader().LoadFromFile(descriptionFile)
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	paths := slices.Sorted(maps.Keys(doc.Paths.Map()))
	last := func(path string) int {
		if takesEvents(path) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(paths, func(a, b string) int { return last(a) - last(b) })                      // nobody folds them here, for which a settling would wait
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete} { // what changes something last
		for _, path := range paths {
			op := doc.Paths.Value(path).GetOperation(method)
			if op == nil {
				continue
			}
			t.Run(method+" "+path, func(t *testing.T) {
				example(t, o, refusals()[method+" "+path], &routers.Route{Spec: doc, Path: path, PathItem: doc.Paths.Value(path), Method: method, Operation: op})
			})
			sent++
		}
	}
	if sent < 45 {
		t.Errorf("%d examples were sent", sent)
	}
}

// exampled is a server of what the examples are about: panel nn in FR, two
// versions of 2002-10, and a saved target.
func exampled(t *testing.T) *analyst {
	t.Helper()
	o := newAnalyst(t, &Engine{Data: t.TempDir()})
	o.must(http.MethodPost, "/v1/markets", `{"market":"FR","name":"France","zone":"Europe/Paris"}`)
	o.must(http.MethodPost, "/v1/targets", `{"target":"young","expression":"age=15-24"}`)
	o.must(http.MethodPost, "/v1/segments", `{"segment":"lyon","name":"Lyon"}`)
	o.must(http.MethodPost, "/v1/services", `{"service":"mychat","name":"MyChat","brand":"","owner":"","census":"exact"}`)
	o.loadPanel("FR", "2002-10")
	o.closeMonth("FR", "2002-10", `"status":"preliminary"`)
	o.closeMonth("FR", "2002-10", `"confidence":0.9`)
	return o
}

// refusals are the answers to examples of what this server has not: an issuer,
// keys, a person of that name, a census.
func refusals() map[string]int {
	return map[string]int{
		"GET /v1/oidc/callback": http.StatusNotFound, "GET /v1/oidc/login": http.StatusNotFound,
		"POST /v1/session": http.StatusConflict, "POST /v1/erasures": http.StatusNotFound,
		"POST /v1/census/removals": http.StatusNotFound,
	}
}

// example sends one, and holds what comes to the description.
func example(t *testing.T, o *analyst, refusal int, route *routers.Route) {
	t.Helper()
	path, query, parameters := route.Path, url.Values{}, map[string]string{}
	for _, p := range route.Operation.Parameters {
		value := fmt.Sprint(p.Value.Example)
		switch {
		case p.Value.Example == nil:
		case p.Value.In == openapi3.ParameterInPath:
			parameters[p.Value.Name] = value
			path = strings.ReplaceAll(path, "{"+p.Value.Name+"}", url.PathEscape(value))
		case p.Value.In == openapi3.ParameterInQuery:
			query.Set(p.Value.Name, value)
		}
	}
	body, contentType := exampleBody(t, route.Operation)
	r, err := http.NewRequestWithContext(t.Context(), route.Method, path+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	in := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, ExcludeRequestBody: !strings.HasSuffix(contentType, "/json")},
	}
	if err := openapi3filter.ValidateRequest(t.Context(), in); err != nil {
		t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	w := httptest.NewRecorder()
	o.handler.ServeHTTP(w, r)
	if w.Code != refusal && (refusal != 0 || w.Code >= http.StatusMultipleChoices) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: w.Code, Header: w.Header(), Body: io.NopCloser(bytes.NewReader(w.Body.Bytes()))}
	out.Options = &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json")}
	if err := openapi3filter.ValidateResponse(t.Context(), out); err != nil {
		t.Errorf("%d: %v", w.Code, err)
	}
}

// exampleBody gives the body of an operation's example, and its content type.
func exampleBody(t *testing.T, op *openapi3.Operation) (body []byte, contentType string) {
	t.Helper()
	if op.RequestBody == nil {
		return nil, "application/json"
	}
	for contentType, media := range op.RequestBody.Value.Content {
		switch value := media.Example.(type) {
		case nil:
			continue
		case string:
			return []byte(value), contentType
		default:
			if contentType == "multipart/mixed" {
				return multipartOf(t, value.(map[string]any))
			}
			text, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			return text, contentType
		}
	}
	return []byte("{}"), "application/json"
}

func multipartOf(t *testing.T, named map[string]any) (body []byte, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, text := range named {
		part, err := w.CreateFormFile(name, name+".csv")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(text.(string))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), "multipart/mixed; boundary=" + w.Boundary()
}
