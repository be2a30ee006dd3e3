package ingest_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"rollcall"
	"rollcall/ingest"
	"rollcall/schemas"
)

// A secret stands where an account or a panelist is; no reason may hold it.
const secret = "s3cret@example.org"

// census is a good line with some fields replaced; "" takes a field out.
func census(replace ...string) string {
	return object(map[string]string{
		"time": "2002-10-03T18:22:05Z", "market": "FR", "service": "msn", "location": "home", "kind": "use", "account": secret,
	}, replace)
}

func panelLine(replace ...string) string {
	return object(map[string]string{
		"time": "2002-10-03T18:22:05Z", "market": "FR", "service": "msn", "location": "home", "kind": "use", "panel": "nn", "panelist": secret,
	}, replace)
}

func object(fields map[string]string, replace []string) string {
	for i := 0; i < len(replace); i += 2 {
		fields[replace[i]] = replace[i+1]
		if replace[i+1] == "" {
			delete(fields, replace[i])
		}
	}
	b, err := json.Marshal(fields)
	if err != nil {
		return ""
	}
	return string(b)
}

// raw replaces a field's value by other JSON.
func raw(line, field, value string) string {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		return ""
	}
	fields[field] = json.RawMessage(value)
	b, err := json.Marshal(fields)
	if err != nil {
		return ""
	}
	return string(b)
}

// verdict is what must be said of a line.
type verdict struct {
	name, line string
	want       string // the refusal; empty: an event
	beyond     bool   // a refusal that a schema can't express
}

// verdicts is what ParseJSON and Converter say, and the schema with them.
// reason: one table.
func verdicts() []verdict {
	const badTime = ": is not an RFC 3339 time such as 2002-10-03T18:22:05Z"
	long := strings.Repeat("é", 1025)
	return []verdict{
		{"census", census(), "", false},
		{"panel", panelLine("until", "2002-10-03T18:52:00Z"), "", false},
		{"everything", census("id", "E01", "source", "log", "client", "MSNMSGR 4.6", "evidence", "USR OK", "colour", "red"), "", false},
		{"lower case", census("time", "2002-10-03t18:22:05z"), "", false},
		{"a leap second", census("time", "2002-10-31T23:59:60Z"), "", false},
		{"a leap second in another zone", census("time", "2002-11-01T00:59:60.5+01:00"), "", false},
		{"a leap second at noon", census("time", "2002-10-31T12:59:60Z"), "time" + badTime, false},
		{"a leap second in a month's middle", census("time", "2002-10-03T23:59:60Z"), "time" + badTime, true},
		{"an account as the time", census("time", secret), "time" + badTime, false},
		{"an account as the market", census("market", "s3cret"), "market: is not known; add it with `rollcall market add`", true},
		{"an account as the service", census("service", "s3cret"), "service: is not known; add it with `rollcall service add`", true},
		{"an account as the location", census("location", secret), "location: is not home, work or elsewhere", false},
		{"an account as the kind", census("kind", secret), "kind: is not login, presence, use, logout or login_failed", false},
		{"an account as the panel", panelLine("panel", secret), "panel: has a character other than letters, digits, '.', '_' and '-'", false},
		{"an offset", census("time", "2002-10-03T20:22:05.123456789+02:00"), "", false},
		{"until is time", census("until", "2002-10-03T18:22:05Z"), "", false},
		{"the longest account", census("account", long[:2048]), "", false},
		{"an escaped account", raw(census(), "account", `"\u0073om\u0065one\"@x"`), "", false},
		{"null is absent", raw(census(), "until", "null"), "", false},
		{"no panel in many words", raw(raw(census(), "panel", "null"), "panelist", `""`), "", false},
		{"no account in many words", raw(panelLine(), "account", "null"), "", false},

		{"a device", census("platform", "phone", "segment", "paris-1"), "", false},
		{"none of them in words", census("platform", "none", "segment", "none", "precision", "minute"), "", false},
		{"a day", census("precision", "day"), "", false},
		{"a day ahead", census("precision", "day", "time", "2002-11-02T01:59:00Z"), "", false},
		{"two days ahead", census("precision", "day", "time", "2002-11-02T02:00:01Z"), `time "2002-11-02T02:00:01Z": is a day more than 26 hours ahead`, true},
		{"a day until", census("precision", "day", "until", "2002-10-03T18:52:00Z"), `until "2002-10-03T18:52:00Z": stands beside precision day, which knows of no minute`, true},
		{"a strange device", census("platform", "fridge"), "platform: is not computer, phone, tablet, web, other or none", false},
		{"an account as the segment", census("segment", secret), "segment: has a character other than letters, digits, '.', '_' and '-'", false},
		{"an hour", census("precision", "hour"), "precision: is not day or minute", false},
		{"a panelist's device", panelLine("platform", "phone"), "panel: stands beside a platform, a segment or a precision: those go with an account", false},
		{"a panelist's plan", panelLine("segment", "paid"), "panel: stands beside a platform, a segment or a precision: those go with an account", false},
		{"a panelist's day", panelLine("precision", "day"), "panel: stands beside a platform, a segment or a precision: those go with an account", false},

		{"no time", census("time", ""), "time: is missing", false},
		{"null time", raw(census(), "time", "null"), "time: is missing", false},
		{"no market", census("market", ""), "market: is missing", false},
		{"no service", census("service", ""), "service: is missing", false},
		{"no location", census("location", ""), "location: is missing", false},
		{"no kind", census("kind", ""), "kind: is missing", false},
		{"nobody", census("account", ""), "account: is missing (or give panel and panelist)", false},
		{"both", census("panel", "nn", "panelist", secret), "account: stands beside a panelist; give one of them", false},
		{"half a panelist", panelLine("panelist", ""), "panelist: is missing", false},
		{"the other half", panelLine("panel", ""), "panel: is missing", false},
		{"another case", strings.Replace(census(), `"time"`, `"Time"`, 1), `line: is not a JSON event: field "time" is there in another case; write its name as it is here`, false},
		{"another case beside", strings.Replace(census(), `{`, `{"Segment":"paris",`, 1), `line: is not a JSON event: field "segment" is there in another case; write its name as it is here`, true},
		{"twice", strings.Replace(census(), `{`, `{"account":"another",`, 1), `line: is not a JSON event: field "account" is there twice; leave one out`, true},
		{"twice the same", strings.Replace(census(), `{`, `{"kind":"login",`, 1), `line: is not a JSON event: field "kind" is there twice; leave one out`, true},
		{"not UTF-8", strings.Replace(census("account", "caf?"), "?", "\xe9", 1), `line: is not a JSON event: field "account" is not UTF-8 text; write it in UTF-8`, true},
		{"not UTF-8 beside", strings.Replace(census("colour", "roug?"), "?", "\xe9", 1), `line: is not a JSON event: a name, or a field that is not known, is not UTF-8 text; write it in UTF-8`, true},
		{"half a sign", raw(census(), "account", `"ann\ud83d"`), `line: is not a JSON event: field "account" has half of a sign, such as \ud83d alone; write its other half too`, true},
		{"a sign in two halves", raw(census(), "account", `"ann\ud83d\ude00"`), "", false},

		{"a date", census("time", "2002-10-03"), "time" + badTime, false},
		{"no zone", census("time", "2002-10-03T18:22:05"), "time" + badTime, false},
		{"a space", census("time", "2002-10-03 18:22:05Z"), "time" + badTime, false},
		{"one digit", census("time", "2002-10-03T8:22:05Z"), "time" + badTime, false},
		{"a comma", census("time", "2002-10-03T18:22:05,5Z"), "time" + badTime, false},
		{"an offset of a day", census("time", "2002-10-03T18:22:05+24:00"), "time" + badTime, false},
		{"30 February", census("time", "2002-02-30T18:22:05Z"), `time "2002-02-30": is a date that does not exist`, false},
		{"30 February in another form", census("time", "1900-02-29t18:22:05.5+02:00"), `time "1900-02-29": is a date that does not exist`, false},
		{"31 November until", census("until", "2002-11-31T18:22:05Z"), `until "2002-11-31": is a date that does not exist`, false},
		{"32 October", census("time", "2002-10-32T18:22:05Z"), `time "2002-10-32": is a date that does not exist`, false},
		{"the 31st month", census("time", "2002-31-10T18:22:05Z"), "time" + badTime, false},
		{"30 February at one digit", census("time", "2002-02-30T8:22:05Z"), "time" + badTime, false},
		{"30 February and no time", census("time", "2002-02-30T"+secret), "time" + badTime, false},
		{"until is no time", census("until", "soon"), "until" + badTime, false},
		{"a moon", census("location", "moon"), `location: is not home, work or elsewhere`, false},
		{"two places", census("location", "home+work"), `location: is not home, work or elsewhere`, false},
		{"a chat", census("kind", "chat"), `kind: is not login, presence, use, logout or login_failed`, false},
		{"a bad market", census("market", "F R"), `market: has a character other than letters, digits, '.', '_' and '-'`, false},
		{"a bad panel", panelLine("panel", "n/n"), `panel: has a character other than letters, digits, '.', '_' and '-'`, false},
		{"a long account", census("account", long), "account: is longer than 1024 characters", false},
		{"a long panelist", panelLine("panelist", long[:514]), "panelist: is longer than 256 characters", false},

		{"a number", raw(census(), "market", "33"), `line: is not a JSON event: field "market" is not text`, false},
		{"a numeric account", raw(census(), "account", "123456789"), `line: is not a JSON event: field "account" is not text`, false},
		{"an array", "[" + census() + "]", "line: is not a JSON event: bad syntax", false},
		{"a string", `"` + secret + `"`, "line: is not a JSON event: bad syntax", false},

		{"64 levels", raw(census(), "colour", strings.Repeat("[", 63)+strings.Repeat("]", 63)), "", false},
		{"65 levels", raw(census(), "colour", strings.Repeat("[", 64)+strings.Repeat("]", 64)), "line: is not a JSON event: nested more than 64 levels deep", true},
		{"not JSON", secret, "line: is not a JSON event: bad syntax", true},
		{"half", census()[:60], "line: is not a JSON event: bad syntax", true},
		{"two", census() + census(), "line: is not a JSON event: text after the object", true},
		{"until before time", census("until", "2002-10-03T18:22:04Z"), `until "2002-10-03T18:22:04Z": is before time`, true},
		{"over a day", census("until", "2002-10-04T18:22:06Z"), `until "2002-10-04T18:22:06Z": is more than 24 hours after time`, true},
		{"another market", census("market", "XX"), "market: is not known; add it with `rollcall market add`", true},
		{"another service", census("service", "irc"), "service: is not known; add it with `rollcall service add`", true},
		{"old", census("time", "2001-09-26T23:59:59Z"), `time "2001-09-26T23:59:59Z": is more than 400 days old`, true},
		{"ahead", census("time", "2002-11-01T00:10:01Z"), `time "2002-11-01T00:10:01Z": is more than 10 minutes ahead`, true},
		{"an age ago", census("time", "1989-10-03T18:22:05Z"), `time "1989-10-03T18:22:05Z": is outside the years 1990 to 2199`, true},
		{"an account of two lines", census("account", "ann\nbob"), "account: has a control character", true},
		{"an account with an escape", census("account", "ann\x1b[2J"), "account: has a control character", true},
		{"a panelist with a zero", panelLine("panelist", "P\x001"), "panelist: has a control character", true},
		{"a blank account", census("account", "  \t"), "account: is blank", true},
		{"a blank panelist", panelLine("panelist", "  "), "panelist: is blank", true},
	}
}

func TestParseJSONAndConverter(t *testing.T) {
	converter := benchConverter(t)
	for _, v := range verdicts() {
		t.Run(v.name, func(t *testing.T) {
			s, err := ingest.ParseJSON([]byte(v.line))
			if err == nil {
				_, err = converter.Append(nil, &s, converter.Now(), false)
			}
			switch {
			case v.want == "" && err != nil:
				t.Errorf("error %v", err)
			case v.want != "" && (err == nil || err.Error() != v.want || !errors.Is(err, rollcall.ErrInvalid)):
				t.Errorf("error %v; want %s", err, v.want)
			}
		})
	}
}

// TestSchemaAgrees holds schemas/event.schema.json to the same verdicts.
func TestSchemaAgrees(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(schemas.EventSchema)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("event.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts() {
		if v.beyond {
			continue
		}
		event, err := jsonschema.UnmarshalJSON(strings.NewReader(v.line))
		if err != nil {
			t.Fatalf("%s: %v", v.name, err)
		}
		if err := schema.Validate(event); (err == nil) != (v.want == "") {
			t.Errorf("%s: the schema says %v; the converter says %q", v.name, err, v.want)
		}
	}
}

// TestDeepNesting: a parser that follows two million levels ends the process.
func TestDeepNesting(t *testing.T) {
	const want = "line: is not a JSON event: nested more than 64 levels deep"
	line := strings.TrimSuffix(census(), "}") + `,"colour":` + strings.Repeat("[", 2_000_000)
	if _, err := ingest.ParseJSON([]byte(line)); err == nil || err.Error() != want {
		t.Error(err)
	}
}

func TestRefusalsKeepNames(t *testing.T) {
	log := &slice{}
	in := ingest.NewBatcher(benchConverter(t), log, "test", false)
	refused := 0
	for i, v := range verdicts() {
		if err := in.Line(t.Context(), i+1, []byte(v.line)); err != nil {
			t.Fatal(err)
		}
		if v.want != "" {
			refused++
		}
	}
	if err := in.Flush(t.Context()); err != nil || len(log.rejected) != refused || in.Refused() != refused {
		t.Fatal(in.Counts, err)
	}
	for _, r := range log.rejected {
		if strings.Contains(r.Reason, "s3cret") || strings.Contains(r.Reason, "\n") || r.Code == "" {
			t.Errorf("refusal %q (%s)", r.Reason, r.Code)
		}
		if string(r.Body) != verdicts()[r.Line-1].line {
			t.Errorf("line %d was kept as %s", r.Line, r.Body)
		}
	}
	for _, e := range in.Errors {
		if strings.Contains(e.Reason, "s3cret") {
			t.Errorf("error %q", e.Reason)
		}
	}
}

// TestEventsKeepNoLine writes over the lines after they were read.
func TestEventsKeepNoLine(t *testing.T) {
	log := &slice{}
	in := ingest.NewBatcher(benchConverter(t), log, "test", false)
	for i, text := range []string{census(), panelLine()} {
		line := []byte(text)
		if err := in.Line(t.Context(), i+1, line); err != nil {
			t.Fatal(err)
		}
		for j := range line {
			line[j] = '?'
		}
	}
	if err := in.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(log.events[0].Market, log.events[0].Service, log.events[1].Panel); got != "FRmsnnn" {
		t.Errorf("events of %q", got)
	}
	s, err := ingest.ParseJSON([]byte(census()))
	if err != nil || s.Account != secret || s.Market != "FR" {
		t.Error(s, err)
	}
}

func TestParseCloudEvent(t *testing.T) {
	at := time.Date(2002, 10, 3, 18, 22, 5, 0, time.UTC)
	for _, tt := range []struct{ name, text, want string }{
		{"whole", `{"specversion":"1.0","id":"E01","source":"/meter/17","type":"sighting","data":` + census("id", "mine", "source", "log") + `}`, ""},
		{"envelope's own", `{"specversion":"1.0","id":"mine","source":"log","type":"sighting","time":"2002-10-03T18:22:05Z","data":` + census("time", "") + `}`, ""},
		{"no version", `{"id":"E01","data":` + census() + `}`, "specversion: is not 1.0"},
		{"another version", `{"specversion":"0.3","data":` + census() + `}`, `specversion: is not 1.0`},
		{"no data", `{"specversion":"1.0","id":"E01"}`, "data: is missing"},
		{"null data", `{"specversion":"1.0","data":null}`, "data: is missing"},
		{"data is text", `{"specversion":"1.0","data":"` + secret + `"}`, `line: is not a CloudEvent: field "data" is not an object`},
		{"no time at all", `{"specversion":"1.0","data":` + census("time", "") + `}`, "time: is missing"},
		{"no base 64", `{"specversion":"1.0","data_base64":"{}"}`, "data_base64: is not base 64"},
		{"another case", `{"SpecVersion":"1.0","data":{}}`, `line: is not a CloudEvent: field "specversion" is there in another case; write its name as it is here`},
		{"data twice", `{"specversion":"1.0","data":null,"data":` + census() + `}`, `line: is not a CloudEvent: field "data" is there twice; leave one out`},
		{"a place and its location", `{"specversion":"1.0","id":"mine","source":"log","data":` + strings.Replace(census(), "{", `{"place":"work",`, 1) + `}`, ""},
		{"an array", `[]`, "line: is not a CloudEvent: bad syntax"},
		{"two million levels", `{"specversion":"1.0","data":` + strings.Repeat("[", 2_000_000), "line: is not a CloudEvent: nested more than 64 levels deep"},
		{"nothing", ``, "line: is not a CloudEvent: bad syntax"},
	} {
		s, err := ingest.ParseCloudEvent([]byte(tt.text))
		if tt.want != "" {
			if err == nil || err.Error() != tt.want {
				t.Errorf("%s: error %v; want %s", tt.name, err, tt.want)
			}
			continue
		}
		if err != nil || s.ID != "mine" || s.Source != "log" || !s.Time.Equal(at) || s.Account != secret {
			t.Errorf("%s: %+v, %v", tt.name, s, err)
		}
	}
}

// TestOneVerdict: what is wrong with an event's text is the same wherever it comes
// in, and the good event beside it is taken.
func TestOneVerdict(t *testing.T) {
	const head = `{"specversion":"1.0","id":"1","source":"x","type":"y",`
	converter := benchConverter(t)
	single := func(text string, cloudEvent bool) string {
		_, err := converter.Single().Read([]byte(text), cloudEvent)
		return fmt.Sprint(err)
	}
	taken := func(good int, take func(in *ingest.Batcher) error) string {
		in := ingest.NewBatcher(converter, &slice{}, "test", false)
		if err := take(in); err != nil || in.Accepted != good || len(in.Errors) != 1 {
			t.Errorf("%+v, %v", in.Counts, err)
			return ""
		}
		return in.Errors[0].Reason
	}
	for _, v := range verdicts() {
		_, fault, bad := strings.Cut(v.want, "is not a JSON event: ")
		if !bad || !strings.Contains(fault, "field") {
			continue
		}
		good, cloud, packed := census(), head+`"data":`+v.line+`}`, head+`"data_base64":"`+base64.StdEncoding.EncodeToString([]byte(v.line))+`"}`
		for door, got := range map[string]string{
			"a line": taken(1, func(in *ingest.Batcher) error {
				return ingest.Lines(t.Context(), in, strings.NewReader(v.line+"\n"+good))
			}),
			"an element": taken(1, func(in *ingest.Batcher) error {
				return ingest.Lines(t.Context(), in, strings.NewReader("["+v.line+","+good+"]"))
			}),
			"a CloudEvent": taken(0, func(in *ingest.Batcher) error {
				return ingest.CloudEvent(t.Context(), in, strings.NewReader(cloud), nil)
			}),
			"in base 64": taken(0, func(in *ingest.Batcher) error {
				return ingest.CloudEvent(t.Context(), in, strings.NewReader(packed), nil)
			}),
			"apart": taken(0, func(in *ingest.Batcher) error {
				return ingest.CloudEvent(t.Context(), in, strings.NewReader(v.line), &ingest.Envelope{SpecVersion: "1.0"})
			}),
			"CloudEvents": taken(1, func(in *ingest.Batcher) error {
				return ingest.CloudEvents(t.Context(), in, strings.NewReader("["+cloud+","+head+`"data":`+good+`}]`))
			}),
			"a record":      single(v.line, false),
			"another one":   single(cloud, true),
			"one in base64": single(packed, true),
		} {
			if !strings.HasSuffix(got, ": "+fault) {
				t.Errorf("%s, %s: %s; want %s", v.name, door, got, fault)
			}
		}
	}
}

// TestRefusedCloudEventsAreReadAgain: what is kept of a CloudEvent that was refused
// is the same event when it is read again, its envelope's words among it.
func TestRefusedCloudEventsAreReadAgain(t *testing.T) {
	head := ingest.Envelope{SpecVersion: "1.0", ID: "E7", Source: "/agent/4", Type: "message.sent", Time: "2002-10-03T18:22:05Z"}
	const data = `{"market":"FR","service":"later","place":"home","account":"ann"}`
	structured := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":%q,"time":%q,"data":%s}`, head.ID, head.Source, head.Type, head.Time, data)
	want := ingest.Sighting{ID: head.ID, Source: head.Source, Time: time.Date(2002, 10, 3, 18, 22, 5, 0, time.UTC), Market: "FR", Service: "later", Location: rollcall.Home, Kind: rollcall.Use, Account: "ann"}
	for name, take := range map[string]func(in *ingest.Batcher) error{
		"structured": func(in *ingest.Batcher) error {
			return ingest.CloudEvent(t.Context(), in, strings.NewReader(structured), nil)
		},
		"apart": func(in *ingest.Batcher) error {
			return ingest.CloudEvent(t.Context(), in, strings.NewReader(data), &head)
		},
		"in a batch": func(in *ingest.Batcher) error {
			return ingest.CloudEvents(t.Context(), in, strings.NewReader("["+structured+"]"))
		},
		"with defaults": func(in *ingest.Batcher) error {
			in.Defaults = rollcall.Defaults{Market: "FR"}
			return ingest.CloudEvent(t.Context(), in, strings.NewReader(structured), nil)
		},
	} {
		log, converter := &slice{}, benchConverter(t)
		if err := take(ingest.NewBatcher(converter, log, "test", true)); err != nil || len(log.rejected) != 1 {
			t.Fatalf("%s: %v, %v", name, log.rejected, err)
		}
		kept := log.rejected[0]
		got, err := converter.Single().Read(kept.Body, kept.Type == "application/cloudevents+json")
		if err != nil || *got != want {
			t.Errorf("%s: kept as %s %s, which is %+v, %v; want %+v", name, kept.Type, kept.Body, got, err, want)
		}
	}
}

func FuzzParseJSON(f *testing.F) {
	for _, v := range verdicts() {
		f.Add([]byte(v.line))
	}
	converter := benchConverter(f)
	f.Fuzz(func(t *testing.T, line []byte) {
		s, err := ingest.ParseJSON(line)
		if err == nil {
			var events []rollcall.Event
			events, err = converter.Append(nil, &s, converter.Now(), false)
			for _, e := range events {
				if e.Validate() != nil {
					t.Errorf("an event that is not valid: %v", e)
				}
			}
		}
		if err != nil && (!errors.Is(err, rollcall.ErrInvalid) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("error %v", err)
		}
	})
}

func FuzzParseCloudEvent(f *testing.F) {
	for _, v := range verdicts() {
		f.Add([]byte(`{"specversion":"1.0","id":"E01","source":"x","type":"y","data":` + v.line + `}`))
		f.Add([]byte(v.line))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := ingest.ParseCloudEvent(text); err != nil && !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("error %v", err)
		}
	})
}
