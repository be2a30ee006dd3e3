package openapi

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/api/access"
)

// byHand describes the routes that huma doesn't serve.
func byHand(in huma.Registry) []*huma.Operation {
	in.Map()["Health"] = &huma.Schema{
		Type: huma.TypeObject, Required: []string{"status"},
		Properties: map[string]*huma.Schema{
			"status":  enum("", "ok", "ready", "degraded"),
			"reasons": {Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}, Description: "what somebody should look at"},
		},
	}
	in.Map()["Taken"] = &huma.Schema{
		Type: huma.TypeObject, Required: []string{"read", "accepted", "rejected"},
		Properties: map[string]*huma.Schema{
			"read":     {Type: huma.TypeInteger},
			"accepted": {Type: huma.TypeInteger, Description: "the log has them durably"},
			"rejected": counts("by code"),
			"warnings": counts("of what was accepted or refused, by code"),
			"to_come": {
				Type: huma.TypeObject, Required: []string{"events", "first", "last"}, Description: "those accepted that are of days after today, which a backfill takes; absent: none is",
				Properties: map[string]*huma.Schema{
					"events": {Type: huma.TypeInteger}, "first": {Type: huma.TypeString, Format: "date"}, "last": {Type: huma.TypeString, Format: "date"},
				},
			},

			"passed_over": counts("calls of trackers that say nothing of an audience, by why"),
		},
	}
	in.Schema(reflect.TypeFor[access.Session](), true, "")
	return append(trackers(), events(), panelMonth(), rejected(), health("/healthz", "The process lives"), health("/readyz", "Store and log answer"), metrics(), getSession(), postSession(), deleteSession(), oidcRoute("login", "Sign in with an account of the organisation"), oidcRoute("callback", "Where the issuer sends the browser back to"))
}

func counts(description string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: &huma.Schema{Type: huma.TypeInteger}, Description: description}
}

func events() *huma.Operation {
	line := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Description: "an event a line: docs/formats/events.md"}, Example: eventExample}
	return &huma.Operation{
		OperationID: "post-v1-events", Method: http.MethodPost, Path: "/v1/events", Summary: "Take events in",
		Description: "What is refused goes to the rejected, and the rest goes on: the answer counts both.",
		Parameters: []*huma.Param{
			query("source", "names the sender; http where absent", &huma.Schema{Type: huma.TypeString}),
			query("backfill", "1: the events' age is not judged", enum("", "0", "1")),
			query("lines", "what the body's lines are in the file that they come from, for what is said of those that are refused: numbers and runs, such as 3-500,502,510-", &huma.Schema{Type: huma.TypeString}),
		},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/x-ndjson": line,
			"application/json":     {Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "one event, or several after another"}},

			"application/cloudevents+json":        {Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "a CloudEvent 1.0, whose data is the event"}},
			"application/cloudevents-batch+json":  {Schema: &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}, Description: "CloudEvents"}},
			"application/vnd.apache.arrow.stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		}},
		Responses: answered("Every event is in the log", "application/json", ref("Taken"), map[string]any{"read": 1, "accepted": 1, "rejected": map[string]any{}}),
	}
}

// trackers are the routes of trackers' APIs. Those that end in a slash, as some
// clients of PostHog's ask for them, are the same as without.
func trackers() []*huma.Operation {
	var list []*huma.Operation
	for _, path := range access.EventPaths() {
		if path == access.EventsPath || strings.HasSuffix(path, "/") {
			continue
		}
		api, id := "Segment", "post"+strings.ReplaceAll(path, "/", "-")
		if !strings.HasPrefix(path, "/v1/") {
			api = "PostHog"
		}
		list = append(list, &huma.Operation{
			OperationID: id, Method: http.MethodPost, Path: path, Summary: "Take what a tracker sends in " + api + "'s form",
			Description: "What of it is an event, and which status says what to a client, is in docs/collectors.md.",
			Parameters: []*huma.Param{
				query("source", "names the sender; http where absent", &huma.Schema{Type: huma.TypeString}),
			},
			RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
				"application/json": {Schema: trackerSchema(path), Example: trackerExample(path)},
			}},
			Responses: answered("Every event is in the log", "application/json", ref("Taken"), map[string]any{"read": 1, "accepted": 1, "rejected": map[string]any{}}),
		})
	}
	return list
}

func trackerSchema(path string) *huma.Schema {
	of := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
	if path == "/v1/batch" || path == "/v1/import" {
		of.Required = []string{"batch"}
		of.Properties = map[string]*huma.Schema{"batch": {Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}}}
	}
	return of
}

func trackerExample(path string) any {
	const at = "2026-11-21T23:42:46.875Z"
	call := map[string]any{"type": "track", "event": "Message Sent", "userId": "ann", "messageId": "m1", "timestamp": at, "properties": map[string]any{"market": "FR", "service": "msn"}}
	switch {
	case path == "/v1/batch" || path == "/v1/import":
		return map[string]any{"batch": []any{call}, "sentAt": at}
	case strings.HasPrefix(path, "/v1/"):
		return call
	}
	capture := map[string]any{"event": "Message Sent", "distinct_id": "ann", "uuid": "m1", "timestamp": at, "properties": map[string]any{"market": "FR", "service": "msn"}}
	return map[string]any{"batch": []any{capture}, "sent_at": at}
}

func panelMonth() *huma.Operation {
	text := &huma.Schema{Type: huma.TypeString, Description: "CSV"}
	parts := &huma.Schema{Type: huma.TypeObject, Required: []string{"roster", "universe"}, Properties: map[string]*huma.Schema{"roster": text, "universe": text}}
	return &huma.Operation{
		OperationID: "put-v1-panels-panel-months-month", Method: http.MethodPut, Path: "/v1/panels/{panel}/months/{month}", Summary: "Load a month's roster and universe",
		Description: "Each is checked against the other: docs/formats/files.md. With a key, multipart/form-data too.",
		Parameters:  []*huma.Param{inPath("panel", "panel id"), inPath("month", "YYYY-MM"), required(query("market", "market id", &huma.Schema{Type: huma.TypeString}))},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"multipart/mixed": {Schema: parts, Example: map[string]any{"roster": "panelist,home,work,base_weight,sex\nP0001,1,0,1,F\n", "universe": "margin,category,population,source,source_date\nsex,F,25000000,survey,2002-09-01\n"}},
		}},
		Responses: created(answered("What the two files held", "application/json", ref("Loaded"), map[string]any{
			"market": "FR", "panel": "nn", "month": "2002-10", "roster": hash, "universe": hash,
			"panelists": 1, "home": 1, "work": 0, "efficiency": 1, "margins": 1, "population": 25000000,
		})),
	}
}

func rejected() *huma.Operation {
	return &huma.Operation{
		OperationID: "get-v1-rejected", Method: http.MethodGet, Path: "/v1/rejected", Summary: "What was refused",
		Description: "NDJSON, oldest first. A fault in the middle ends it with a line {\"error\"}.",
		Parameters: []*huma.Param{
			query("code", "only what was refused with this code", &huma.Schema{Type: huma.TypeString}),
			query("source", "what the source begins with", &huma.Schema{Type: huma.TypeString}),
			query("all", "also what was sent again and is valid now", &huma.Schema{Type: huma.TypeBoolean}),
		},
		Responses: answered("An input a line", "application/x-ndjson", ref("Rejected"), map[string]any{
			"time": "2002-10-03T18:22:05Z", "source": "http", "line": 1, "code": "unknown_service", "reason": "service: is not known; add it with `rollcall service add`", "type": "application/json", "body": "e30K",
		}),
	}
}

func health(path, summary string) *huma.Operation {
	status := "ok"
	if path == "/readyz" {
		status = "ready"
	}
	return &huma.Operation{
		OperationID: "get-" + path[1:], Method: http.MethodGet, Path: path, Summary: summary,
		Responses: answered("So it is", "application/json", ref("Health"), map[string]any{"status": status}),
	}
}

func metrics() *huma.Operation {
	return &huma.Operation{
		OperationID: "get-metrics", Method: http.MethodGet, Path: "/metrics", Summary: "Metrics of the process, for Prometheus",
		Responses: answered("Prometheus' text format", "text/plain", &huma.Schema{Type: huma.TypeString}, "process_start_time_seconds 1.03e+09\n"),
	}
}

func getSession() *huma.Operation {
	return &huma.Operation{
		OperationID: "get-v1-session", Method: http.MethodGet, Path: "/v1/session", Summary: "Who asks, and how to sign in",
		Responses: answered("Who this request is of", "application/json", ref("Session"), map[string]any{"keys": true, "oidc": false, "signed_in": true, "name": "a dashboard", "role": "read", "markets": []string{"FR"}}),
	}
}

func postSession() *huma.Operation {
	body := &huma.Schema{Type: huma.TypeObject, Required: []string{"key"}, Properties: map[string]*huma.Schema{"key": {Type: huma.TypeString, Description: "the API key"}}}
	out := created(answered("A session has begun: its cookie stands for the key, and no script can read it", "application/json", ref("Session"), map[string]any{"keys": true, "oidc": false, "signed_in": true, "name": "a dashboard", "role": "read"}))
	return &huma.Operation{
		OperationID: "post-v1-session", Method: http.MethodPost, Path: "/v1/session", Summary: "Sign a browser in with a key",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: body, Example: map[string]any{"key": "rc_" + strings.Repeat("A", 43)}}}},
		Responses:   out,
	}
}

func deleteSession() *huma.Operation {
	return &huma.Operation{
		OperationID: "delete-v1-session", Method: http.MethodDelete, Path: "/v1/session", Summary: "Sign out",
		Responses: map[string]*huma.Response{"204": {Description: "There is no session any more"}},
	}
}

func oidcRoute(name, summary string) *huma.Operation {
	op := &huma.Operation{
		OperationID: "get-v1-oidc-" + name, Method: http.MethodGet, Path: "/v1/oidc/" + name, Summary: summary,
		Responses: map[string]*huma.Response{"303": {Description: "Go on there"}},
	}
	text := &huma.Schema{Type: huma.TypeString}
	if name == "login" {
		op.Parameters = []*huma.Param{query("to", "a path of this server, to go on at", text)}
	} else {
		op.Parameters = []*huma.Param{query("state", "as it was sent", text), query("code", "the issuer's", text), query("error", "the issuer's", text)}
	}
	return op
}

func answered(description, contentType string, schema *huma.Schema, value any) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {Description: description, Content: map[string]*huma.MediaType{contentType: {Schema: schema, Example: value}}}}
}

// created makes an answer one of what was made.
func created(answers map[string]*huma.Response) map[string]*huma.Response {
	made := answers["200"]
	made.Headers = map[string]*huma.Param{"Location": header("where what was made is")}
	return map[string]*huma.Response{"201": made}
}

func query(name, description string, schema *huma.Schema) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: description, Schema: schema}
}

func inPath(name, description string) *huma.Param {
	return required(&huma.Param{Name: name, In: "path", Description: description, Schema: &huma.Schema{Type: huma.TypeString}})
}

func required(p *huma.Param) *huma.Param {
	p.Required = true
	return p
}
