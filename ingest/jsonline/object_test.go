package jsonline_test

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/segmentio/encoding/json"

	"rollcall/ingest/jsonline"
	"rollcall/internal/jsondepth"
)

// fields are a few names: one is another's beginning, one is in two cases.
type fields struct {
	Time   string `json:"time,omitempty"`
	Times  string `json:"times,omitempty"`
	Market string `json:"market,omitempty"`
	Upper  string `json:"Market,omitempty"`
	Sign   string `json:"é,omitempty"`
}

// reader is a reader of them.
func reader(f *fields) *jsonline.Object {
	return jsonline.NewObject(jsonline.Field{Name: "time", To: &f.Time}, jsonline.Field{Name: "times", To: &f.Times},
		jsonline.Field{Name: "market", To: &f.Market}, jsonline.Field{Name: "Market", To: &f.Upper}, jsonline.Field{Name: "é", To: &f.Sign})
}

// plain is what Object.Read is held to: a parser of any JSON.
func plain(text []byte, f *fields) error {
	if jsondepth.Check(text) != nil {
		return jsonline.ErrDeep
	}
	rest, err := json.Parse(bytes.Clone(text), f, json.DontMatchCaseInsensitiveStructFields)
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &mistyped) && mistyped.Field != "":
		return jsonline.Mistyped(mistyped.Field)
	case err != nil:
		return jsonline.ErrSyntax
	case len(bytes.TrimSpace(rest)) > 0:
		return jsonline.ErrAfter
	}
	return nil
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

// compare holds a reader to what another parser says of a text.
func compare(t *testing.T, object *jsonline.Object, f *fields, text string) {
	t.Helper()
	var want fields
	*f = fields{}
	err, wanted := object.Read([]byte(text)), plain([]byte(text), &want)
	if err != wanted || err == nil && *f != want {
		t.Fatalf("%q:\n%v, %q; want\n%v, %q", text, err, *f, wanted, want)
	}
}

// FuzzObject: of whatever text, Read says what a parser of any JSON does, and what
// it takes or refuses encoding/json does too.
func FuzzObject(f *testing.F) {
	for _, text := range texts() {
		f.Add(text, `{"market":"3","time":"1"}`)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		var got fields
		object := reader(&got)
		for _, text := range []string{first, second, first} {
			compare(t, object, &got, text)
			err := object.Read([]byte(text))
			if valid := stdjson.Valid([]byte(text)); (err == nil) && !valid && strings.TrimSpace(text) == strings.Trim(text, " \t\r\n") {
				t.Errorf("%q is no JSON, and was taken", text)
			} else if err == jsonline.ErrSyntax && valid && strings.HasPrefix(strings.TrimSpace(text), "{") {
				t.Errorf("%q is JSON, and was refused", text)
			}
			if err == nil {
				sameAsStandard(t, text, &got)
			}
		}
	})
}

// sameAsStandard holds the fields to encoding/json's map of the same text.
func sameAsStandard(t *testing.T, text string, got *fields) {
	t.Helper()
	var all map[string]any
	if stdjson.Unmarshal([]byte(strings.TrimSpace(text)), &all) != nil {
		return // text after a null, or space that is not JSON's
	}
	for name, value := range map[string]string{"time": got.Time, "times": got.Times, "market": got.Market, "Market": got.Upper, "é": got.Sign} {
		if want, isText := all[name].(string); isText && want != value {
			t.Errorf("%q: %s is %q, want %q", text, name, value, want)
		}
	}
}
