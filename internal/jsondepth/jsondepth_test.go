package jsondepth_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"rollcall"
	"rollcall/internal/jsondepth"
)

func TestCheck(t *testing.T) {
	nested := func(n int, open, inner, end string) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(end, n)
	}
	for _, tt := range []struct {
		name, text string
		deep       bool
	}{
		{"an event", `{"time":"2002-10-03T18:22:05Z"}`, false},
		{"64 arrays", nested(64, "[", "", "]"), false},
		{"65 arrays", nested(65, "[", "", "]"), true},
		{"64 objects", nested(64, `{"a":`, "1", "}"), false},
		{"65 objects", nested(65, `{"a":`, "1", "}"), true},
		{"both in turn", nested(33, `[{"a":`, "1", "}]"), true},
		{"two million", strings.Repeat("[", 2_000_000), true},
		{"not ended", strings.Repeat("[", 65), true},
		{"many beside each other", "[" + strings.Repeat("[],", 1000) + "{}]", false},
		{"in a string", `{"a":"` + strings.Repeat("[", 100) + `"}`, false},
		{"behind an escaped quote", `{"a":"\"` + strings.Repeat("[", 100) + `"}`, false},
		{"behind a string that ends in a backslash", `{"a":"\\","b":` + strings.Repeat("[", 64) + "}", true},
		{"after ends too many", "]]]]" + nested(65, "[", "", "]"), true},
		{"nothing", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := jsondepth.Check([]byte(tt.text))
			if (err != nil) != tt.deep || err != nil && !errors.Is(err, rollcall.ErrInvalid) {
				t.Errorf("Check: %v", err)
			}
			read, err := io.ReadAll(jsondepth.Reader(iotest.OneByteReader(strings.NewReader(tt.text))))
			if (err != nil) != tt.deep || err == nil && string(read) != tt.text {
				t.Errorf("Reader: %d of %d bytes, %v", len(read), len(tt.text), err)
			}
		})
	}
}

// FuzzCheck: of a document that is JSON, Check says what its nesting is; of
// anything, Reader says the same as Check.
func FuzzCheck(f *testing.F) {
	for _, text := range []string{"", "[[", `{"a":["\"[",{}]}`, strings.Repeat("[", 70) + strings.Repeat("]", 70), `"\\"[`, "3e333"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		err := jsondepth.Check(text)
		if _, read := io.ReadAll(jsondepth.Reader(iotest.HalfReader(strings.NewReader(string(text))))); (read == nil) != (err == nil) {
			t.Errorf("Check %v, Reader %v", err, read)
		}
		if json.Valid(text) && (depth(t, text) > jsondepth.Most) != (err != nil) {
			t.Errorf("nested %d deep: %v", depth(t, text), err)
		}
	})
}

// depth counts the levels of a document that is JSON by its tokens.
func depth(t *testing.T, text []byte) (most int) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber() // some are too large for a float
	for open := 0; ; most = max(most, open) {
		token, err := dec.Token()
		if err == io.EOF {
			return most
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			open++
		case json.Delim(']'), json.Delim('}'):
			open--
		}
	}
}
