package jsonline_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"rollcall/ingest/jsonline"
	"rollcall/internal/jsondepth"
)

// fields are a few names: one is another's beginning, one is in two cases, one is an
// object.
type fields struct {
	Time, Times, Market, Upper, Sign, Data, Inner string
}

// reader is a reader of them.
func reader(f *fields) *jsonline.Object {
	return jsonline.NewObject(jsonline.Field{Name: "time", To: &f.Time}, jsonline.Field{Name: "times", To: &f.Times},
		jsonline.Field{Name: "market", To: &f.Market}, jsonline.Field{Name: "Market", To: &f.Upper}, jsonline.Field{Name: "é", To: &f.Sign},
		jsonline.Field{Name: "data", To: &f.Data, Object: jsonline.NewObject(jsonline.Field{Name: "inner", To: &f.Inner})})
}

// read is what encoding/json's reader of tokens says of a text.
type read struct {
	err    error // ErrSyntax, ErrAfter or ErrDeep
	values map[string]string
	faults map[jsonline.Fault]bool
}

// reading is the plain reading of a text that Object.Read is held to.
func reading(text []byte) read {
	r := read{values: make(map[string]string), faults: make(map[jsonline.Fault]bool)}
	if jsondepth.Check(text) != nil {
		r.err = jsonline.ErrDeep
		return r
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	var whole json.RawMessage
	if decoder.Decode(&whole) != nil || whole[0] != '{' && string(whole) != "null" {
		r.err = jsonline.ErrSyntax
		return r
	}
	if len(bytes.TrimSpace(text[decoder.InputOffset():])) > 0 {
		r.err = jsonline.ErrAfter
	}
	if whole[0] == '{' {
		r.object(whole, []string{"time", "times", "market", "Market", "é", "data"})
	}
	return r
}

// object reads the fields of an object that is JSON.
func (r *read) object(text json.RawMessage, known []string) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	_, _ = decoder.Token() // the bracket
	seen := make(map[string]bool)
	for from := decoder.InputOffset(); decoder.More(); from = decoder.InputOffset() {
		token, _ := decoder.Token()
		name, _ := token.(string)
		r.illegible("", text[from:decoder.InputOffset()])
		var value json.RawMessage
		_ = decoder.Decode(&value)
		if !slices.Contains(known, name) {
			r.illegible("", value)
			for _, other := range known {
				if strings.EqualFold(other, name) {
					r.faults[jsonline.Fault{Field: other, Reason: jsonline.Case}] = true
				}
			}
			continue
		}
		if seen[name] {
			r.faults[jsonline.Fault{Field: name, Reason: jsonline.Twice}] = true
		}
		seen[name] = true
		r.value(name, value)
	}
}

// value reads the value of a field that is looked for.
func (r *read) value(name string, value json.RawMessage) {
	switch {
	case name == "data" && value[0] == '{':
		r.values[name] = string(value)
		r.object(value, []string{"inner"})
	case name == "data" && value[0] != 'n':
		r.faults[jsonline.Fault{Field: name, Reason: jsonline.NotObject}] = true
	case value[0] == '"':
		var s string
		_ = json.Unmarshal(value, &s)
		r.values[name] = s
	case value[0] != 'n':
		r.faults[jsonline.Fault{Field: name, Reason: jsonline.NotText}] = true
	}
	r.illegible(name, value)
}

// half is an escape of one half of a sign, with what stands behind it.
var half = regexp.MustCompile(`(?i)\\(?:[^u]|u(?:d[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|(d[89a-f][0-9a-f]{2})|[0-9a-f]{4}))`)

// illegible notes what encoding/json puts U+FFFD for.
func (r *read) illegible(field string, text []byte) {
	if !utf8.Valid(text) {
		r.faults[jsonline.Fault{Field: field, Reason: jsonline.NotUTF8}] = true
	}
	for _, match := range half.FindAllSubmatch(text, -1) {
		if match[1] != nil {
			r.faults[jsonline.Fault{Field: field, Reason: jsonline.HalfSign}] = true
		}
	}
}

func texts() []string {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}` }
	return []string{
		`{"time":"1","times":"2","market":"3","Market":"4","é":"5"}`, `{"TIME":"1","tim":"2","timess":"3","É":"4"}`,
		"{\"time\":\"x\xff\xfe\",\"a\xff\":1}", `{"time":"x\ud800"}`, `{"time":"x\ud800\udc00"}`, `{"time":"x\udc00\ud800y","a":"\ud800\u0041"}`, `{"time":"\ud800\u00zz"}`,
		"{\"time\":\"x\ty\"}", "{\"a\":\"x\x01\"}", "{\"a\n\":1}", "{\"a\":\"\x7f\"}", "{\"time\":\"\xed\xa0\x80\\n\xff\"}",
		`{"a":"\q"}`, `{"time":"\q"}`, `{"time":"\/\b\f\n\r\t\"\\\u00e9\uABCD"}`, `{"\u0074ime":"z"}`, `{"time":"\u00zz"}`, `{"time":"\u00`, `{"time":"\`, `{"time":"`,
		`{"time":"1","time":"2"}`, `{"time":"1","time":null}`, `{"time":null}`, `{"time":nulll}`, `{"time":nul}`,
		`{"time":1}`, `{"time":1,"market":2}`, `{"time":1,"market":}`, `{"time":1`, `{"time":{}}`, `{"time":[1,2}`, `{"time":tru}`, `{"time":true}`, `{"time":1}x`,
		`{"a":01}`, `{"a":1.}`, `{"a":-}`, `{"a":1e5}`, `{"a":-0.5E+10}`, `{"a":.5}`, `{"a":1e}`, `{"a":+1}`, `{"a":0}`, `{"a":NaN}`, `{"a":1 2}`,
		`{"a":[1,]}`, `{"a":[,1]}`, `{"a":{"b":1,}}`, `{"a":{1:2}}`, `{"time":"1",}`, `{,}`, `{"a"}`, `{"a":}`, `{"a",1}`, `{1:2}`, `{a:1}`, `{"a":'x'}`, `{null:1}`,
		" \t\r\n{ \"time\" :  \"1\" , \"a\" : [ 1 , { \"b\" : null } ] } ", "\v{}", "{}\v", "{}\x00", "{}\u2003", "{}x", "{}{}", `{`, `}`, ``, ` `, `null`, `nullx`, `null null`, `true`, `1`, `[]`, `"s"`,
		deep(63), deep(64), "x" + deep(64), `{}` + deep(64), `{"time":1,"a":` + strings.Repeat("[", 65), `{"a":"` + strings.Repeat("[", 100) + `"}`,
		`{"data":{"inner":"1"},"time":"2"}`, `{"data":{"inner":1,"a":{"inner":[2]}}}`, `{"data":{"Inner":"1"}}`, `{"data":{"inner":"1","inner":null},"data":{}}`, `{"data":null}`, `{"data":[]}`, `{"data":"{}"}`, `{"data":{}`, `{"data":{"a":"\q"}}`, `{"data"{"inner":"1"},"time":"2"}`,
		`{"data":` + deep(63) + `}`, `{"data":` + deep(64) + `}`, `{"Time":"1","time":"2"}`, "{\"\u017fign\":1,\"TIME\u017f\":2}",
		`{"a":"12345678","time":"1234567\"9","market":"12345678é"}`,
	}
}

// TestObject reads each text twice: the second time the fields come in the order
// in which they are remembered.
func TestObject(t *testing.T) {
	var f fields
	object := reader(&f)
	for _, text := range texts() {
		for range 2 {
			compare(t, object, &f, text)
		}
	}
}

// compare holds a reader to what encoding/json says of a text.
func compare(t *testing.T, object *jsonline.Object, f *fields, text string) {
	t.Helper()
	*f = fields{}
	err, want := object.Read([]byte(text)), reading([]byte(text))
	var fault jsonline.Fault
	switch isFault := errors.As(err, &fault); {
	case isFault && !want.faults[fault]:
		t.Fatalf("%q: %v; want one of %v, or %v", text, err, want.faults, want.err)
	case isFault && want.err != nil && want.err != jsonline.ErrAfter, !isFault && err != want.err:
		t.Fatalf("%q: %v; want %v", text, err, want.err)
	case err == nil && len(want.faults) > 0:
		t.Fatalf("%q: was taken, in spite of %v", text, want.faults)
	case err == nil:
		sameAsStandard(t, text, f, want.values)
	}
}

// FuzzObject: of whatever text, Read says what encoding/json does, but for the
// faults that it names.
func FuzzObject(f *testing.F) {
	for _, text := range texts() {
		f.Add(text, `{"market":"3","time":"1"}`)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		var got fields
		object := reader(&got)
		for _, text := range []string{first, second, first} {
			compare(t, object, &got, text)
		}
	})
}

// sameAsStandard holds the fields to encoding/json's.
func sameAsStandard(t *testing.T, text string, got *fields, want map[string]string) {
	t.Helper()
	for name, value := range map[string]string{
		"time": got.Time, "times": got.Times, "market": got.Market, "Market": got.Upper, "é": got.Sign, "data": got.Data, "inner": got.Inner,
	} {
		if want[name] != value {
			t.Errorf("%q: %s is %q, want %q", text, name, value, want[name])
		}
	}
}

// TestFaults: what encoding/json takes, and what is said of it.
func TestFaults(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"Latin-1", "{\"time\":\"caf\xe9\",\"times\":1}", `field "time" is not UTF-8 text; write it in UTF-8`},
		{"behind an escape", "{\"time\":\"\\t\xe9\"}", `field "time" is not UTF-8 text; write it in UTF-8`},
		{"a half of UTF-16 in bytes", "{\"time\":\"\xed\xa0\x80\"}", `field "time" is not UTF-8 text; write it in UTF-8`},
		{"too long a form", "{\"time\":\"\xc0\xaf\"}", `field "time" is not UTF-8 text; write it in UTF-8`},
		{"in a field that is not known", "{\"time\":\"1\",\"a\":[\"\xff\"]}", `a name, or a field that is not known, is not UTF-8 text; write it in UTF-8`},
		{"in a name", "{\"a\xff\":1}", `a name, or a field that is not known, is not UTF-8 text; write it in UTF-8`},
		{"half a sign", `{"time":"\ud83d"}`, `field "time" has half of a sign, such as \ud83d alone; write its other half too`},
		{"twice", `{"time":"1","market":"2","time":"3"}`, `field "time" is there twice; leave one out`},
		{"twice, once escaped", `{"time":"1","\u0074ime":"3"}`, `field "time" is there twice; leave one out`},
		{"twice, once null", `{"time":null,"time":"3"}`, `field "time" is there twice; leave one out`},
		{"another case", `{"Time":"1"}`, `field "time" is there in another case; write its name as it is here`},
		{"both cases", `{"time":"1","TIME":1}`, `field "time" is there in another case; write its name as it is here`},
		{"in an object", `{"data":{"inner":"1","inner":"2"}}`, `field "inner" is there twice; leave one out`},
		{"an object twice", `{"data":{},"data":null}`, `field "data" is there twice; leave one out`},
		{"a text for an object", `{"data":"{}"}`, `field "data" is not an object`},
		{"an object for a text", `{"time":{}}`, `field "time" is not text`},
		{"not known, and twice", `{"a":1,"a":2,"A":3,"data":{"time":1,"time":2}}`, ""},
		{"two cases that are both known", `{"market":"1","Market":"2"}`, ""},
		{"a whole sign", `{"time":"\ud83d\ude00 \ufffd"}`, ""},
	} {
		var f fields
		err := reader(&f).Read([]byte(tt.text))
		if got := fmt.Sprint(err); err != nil && got != tt.want || err == nil && tt.want != "" {
			t.Errorf("%s: %v; want %s", tt.name, err, tt.want)
		}
	}
}
