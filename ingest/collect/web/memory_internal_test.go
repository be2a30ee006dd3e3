package web

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
)

// TestBusyStaysBusy: what was read when there was no memory is lost, so a body
// that was refused once is refused to its end, though there is memory then. Who
// looks at its first bytes without heeding the error must not read on behind
// them.
func TestBusyStaysBusy(t *testing.T) {
	b := &budget{}
	others := &share{budget: b, most: 1 << 20, sender: "others"}
	if !others.grow(1 << 20) {
		t.Fatal("a body alone finds no memory")
	}
	body := &shared{Reader: strings.NewReader("first\nsecond\n"), share: &share{budget: b, most: 1 << 20, sender: "one"}}
	br := bufio.NewReaderSize(body, 16)
	if _, err := br.Peek(3); !errors.Is(err, errBusy) {
		t.Fatalf("the first bytes: %v", err)
	}
	others.release()
	if rest, err := io.ReadAll(br); !errors.Is(err, errBusy) || len(rest) > 0 {
		t.Errorf("then %q, %v", rest, err)
	}
}
