package mcp

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"rollcall"
	"rollcall/internal/jsondepth"
)

// tool is one question that an assistant may ask.
type tool struct {
	name, description string
	path              string // of the route that answers it
	arguments         []argument
}

// argument is one that a tool takes: a parameter of its route.
type argument struct {
	name, doc string
	required  bool
	oneOf     []string // empty: any text
}

func tools() []tool {
	return []tool{
		{"ranking", "Unique audience, reach, use and rank of the services of a panel in a month, and their changes from the month before.", "/v1/reports/ranking", panelled(month())},
		{"trend", "Unique audience, reach and use of services, month by month: the 12 before a month and its own.", "/v1/reports/trend", panelled(month())},
		{
			"compare", "A month's ranking against another month: changes of audience with their intervals, and whether each is more than chance.", "/v1/reports/ranking",
			panelled(month(), argument{name: "compare", doc: "previous, year (the same month a year before), or one of the 12 months before, YYYY-MM", required: true}),
		},
		{"markets", "One service in every market whose month is published: unique audience, reach and rank in each, and whether two markets differ by more than chance.", "/v1/reports/markets", []argument{
			{name: "service", doc: "one service's id", required: true}, month(),
			{name: "panel", doc: "panel ids joined by commas, where a market has several panels"},
			{name: "location", doc: "home, work, home+work (default), both, home-only or work-only"}, credit(),
		}},
		{"census", "Unique accounts (not persons) of services on any days, counted from all events by sketches.", "/v1/census", []argument{
			market(),
			{name: "from", doc: "first day, YYYY-MM-DD, or month, YYYY-MM", required: true},
			{name: "to", doc: "last day or month", required: true},
			services(),
			{name: "location", doc: "home, work, elsewhere or several joined by +, any (default), or of home and work both, home-only or work-only"},
			{name: "platform", doc: "computer, phone, tablet, web, other or none, joined by commas"},
			{name: "segment", doc: "ids joined by commas, or none"},
			{name: "by", doc: "what rows are of beside a service, joined by commas: platform, segment, location, kind, and one of day, week, month, quarter, year"},
			{name: "window", doc: "a row for each day, of the accounts of the window that ends on it: 1d, 7d, 28d, 30d or month"},
			credit(),
		}},
		{"method", "What there is to ask for, and what figures mean: the columns of all reports with their units and definitions, or the markets, services, segments, panels or months.", "", []argument{
			{name: "about", doc: "columns (default), markets, services, segments, panels or months", oneOf: abouts()},
		}},
	}
}

// abouts are what the method is told of; the first where nothing is said.
func abouts() []string {
	return []string{"columns", "markets", "services", "segments", "panels", "months"}
}

func market() argument {
	return argument{name: "market", doc: "market id, such as FR", required: true}
}

func month() argument { return argument{name: "month", doc: "YYYY-MM", required: true} }

func services() argument {
	return argument{name: "service", doc: "narrows the rows to these ids, joined by commas"}
}

func credit() argument { return argument{name: "credit", doc: "presence (default) or use"} }

// panelled are the arguments of a panel's report.
func panelled(own ...argument) []argument {
	first := []argument{market(), {name: "panel", doc: "panel id", required: true}}
	return slices.Concat(first, own, []argument{
		{name: "location", doc: "home, work, home+work (default), both, home-only or work-only"},
		services(), credit(),
		{name: "target", doc: "persons with these demographics, such as age=15-24,sex=F"},
		{name: "version", doc: "a published version; the latest where absent"},
	})
}

// described is the tool as assistants are told of it.
func (t tool) described() *sdk.Tool {
	properties, required := map[string]any{}, []string{}
	for _, a := range t.arguments {
		p := map[string]any{"type": "string", "description": a.doc}
		if len(a.oneOf) > 0 {
			p["enum"] = a.oneOf
		}
		properties[a.name] = p
		if a.required {
			required = append(required, a.name)
		}
	}
	closed := false
	return &sdk.Tool{
		Name: t.name, Description: t.description, Annotations: &sdk.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true, OpenWorldHint: &closed},
		InputSchema: map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false},
	}
}

// call answers one call. It is in a goroutine of the protocol's own, where a
// panic would end the process.
func (t tool) call(by asker, given json.RawMessage) (r *sdk.CallToolResult) {
	defer func() {
		if cause := recover(); cause != nil {
			by.log.Error("an assistant's question failed", "tool", t.name, "error", cause, "stack", string(debug.Stack()))
			r = failed(http.StatusText(http.StatusInternalServerError))
		}
	}()
	return t.answer(by, given)
}

// answer gives the API's answer, or why there is none.
func (t tool) answer(by asker, given json.RawMessage) *sdk.CallToolResult {
	asked, faults := t.read(given)
	if len(faults) > 0 {
		return failed(strings.Join(faults, "\n"))
	}
	path := t.path
	if path == "" {
		path = "/v1/" + cmp.Or(strings.Replace(asked.Get("about"), "columns", "metrics", 1), "metrics")
		asked.Del("about")
	}
	a := by.ask(path, asked)
	switch {
	case a.size > mostAnswered:
		return failed(fmt.Sprintf("The answer has %d bytes, over %d: ask for less, such as fewer services (service) or a shorter time.", a.size, mostAnswered))
	case a.failed():
		return failed(a.why(), a.body.String())
	}
	return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: words(path, a.body.Bytes())}, &sdk.TextContent{Text: a.body.String()}}}
}

// failed tells an assistant what it did wrong.
func failed(texts ...string) *sdk.CallToolResult {
	r := &sdk.CallToolResult{IsError: true}
	for _, text := range texts {
		r.Content = append(r.Content, &sdk.TextContent{Text: text})
	}
	return r
}

// read makes parameters of arguments, or says everything that is wrong with
// their names and kinds; their values are the API's to judge.
func (t tool) read(given json.RawMessage) (url.Values, []string) {
	values := map[string]json.RawMessage{}
	if len(given) > 0 {
		if err := jsondepth.Unmarshal(given, &values); err != nil {
			return nil, []string{"arguments: want an object of texts"}
		}
	}
	asked, faults := url.Values{}, []string{}
	names := make([]string, 0, len(t.arguments))
	for _, a := range t.arguments {
		names = append(names, a.name)
		value, ok := values[a.name]
		delete(values, a.name)
		text, fault := a.text(value)
		switch {
		case fault != "":
			faults = append(faults, a.name+": "+fault)
		case a.required && (!ok || text == ""):
			faults = append(faults, a.name+": is missing: "+a.doc)
		case text != "":
			asked.Set(a.name, text)
		}
	}
	for name := range values {
		faults = append(faults, fmt.Sprintf("%s: is no argument of %s%s", strconv.Quote(name), t.name, nearest(name, names)))
	}
	slices.Sort(faults)
	return asked, faults
}

// text gives an argument's value as a parameter.
func (a argument) text(value json.RawMessage) (text, fault string) {
	var one string
	var number json.Number
	var several []string
	switch {
	case len(value) == 0 || string(value) == "null":
		return "", ""
	case json.Unmarshal(value, &one) == nil:
	case json.Unmarshal(value, &number) == nil:
		one = number.String()
	case json.Unmarshal(value, &several) == nil:
		one = strings.Join(several, ",")
	default:
		return "", "is not a text: " + a.doc
	}
	if len(a.oneOf) > 0 && one != "" && !slices.Contains(a.oneOf, one) {
		return "", fmt.Sprintf("%s is not one of %s%s", strconv.Quote(one), strings.Join(a.oneOf, ", "), nearest(one, a.oneOf))
	}
	return one, ""
}

// nearest says which of the names are the nearest.
func nearest(name string, names []string) string {
	return "; the nearest is " + strings.Join(rollcall.Nearest(name, names), " or ")
}
