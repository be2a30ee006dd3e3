package xmpp

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rollcall/ingest/collect/meter/inflate"
	"rollcall/ingest/collect/meter/wire"
	"rollcall/ingest/collect/meter/wire/wiretest"
)

// packed is what zlib itself makes of "<presence/>" and of a message to bob, by
// its several ways to flush.
var packed = map[string][2]string{
	"sync": {"\x78\xda\xb2\x29\x28\x4a\x2d\x4e\xcd\x4b\x4e\xd5\xb7\x03\x00\x00\x00\xff\xff",
		"\xb2\xc9\x4d\x2d\x2e\x4e\x4c\x4f\x55\x28\xc9\xb7\x55\x4f\xca\x4f\x72\xc8\x4a\x4c\xd2\x4b\xad\x48\xcc\x2d\xc8\x49\x55\xb7\xb3\x49\xca\x4f\xa9\xb4\xcb\xc8\xb4\xd1\x07\x33\x6c\xf4\xa1\xaa\xed\x00\x00\x00\x00\xff\xff"},
	"partial": {"\x78\xda\xb2\x29\x28\x4a\x2d\x4e\xcd\x4b\x4e\xd5\xb7\x03\x08",
		"\x20\x9b\xdc\xd4\xe2\xe2\xc4\xf4\x54\x85\x92\x7c\x5b\xf5\xa4\xfc\x24\x87\xac\xc4\x24\xbd\xd4\x8a\xc4\xdc\x82\x9c\x54\x75\x3b\x9b\xa4\xfc\x94\x4a\xbb\x8c\x4c\x1b\x7d\x30\xc3\x46\x1f\xaa\xda\x0e\x20"},
	"block": {"\x78\xda\xb2\x29\x28\x4a\x2d\x4e\xcd\x4b\x4e\xd5\xb7\x03",
		"\xc8\x26\x37\xb5\xb8\x38\x31\x3d\x55\xa1\x24\xdf\x56\x3d\x29\x3f\xc9\x21\x2b\x31\x49\x2f\xb5\x22\x31\xb7\x20\x27\x55\xdd\xce\x26\x29\x3f\xa5\xd2\x2e\x23\xd3\x46\x1f\xcc\xb0\xd1\x87\xaa\xb6\x03"},
}

// compressing is a sign-on up to zlib, which begins with the next messages.
func compressing() []string {
	return []string{streamOpen, answerOpen, "C<auth mechanism='PLAIN'>" + sasl("\x00Ann\x00secret") + "</auth>", success,
		"C<compress><method>zlib</method></compress>", "S<compressed/>"}
}

func TestFlushes(t *testing.T) {
	for name, messages := range packed {
		got, err := hear(t, whole, wire.Closed, append(compressing(), "C"+messages[0], "C"+messages[1])...)
		if want := []string{"login ann@example.org 3", "use ann@example.org 7", "presence ann@example.org 6-8", "logout ann@example.org 8"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
}

// What can't be unpacked is still somebody's session: a bomb, a gap, and bytes
// that are no zlib.
func TestBlind(t *testing.T) {
	var bomb bytes.Buffer
	w := zlib.NewWriter(&bomb)
	if _, err := w.Write(make([]byte, 10*unpackedMost)); err != nil || w.Flush() != nil {
		t.Fatal(err)
	}
	for name, messages := range map[string][]string{
		"a bomb": {"S" + bomb.String()}, "a gap": {"g", "S" + packed["sync"][1]}, "no zlib": {"S<presence/>"},
	} {
		got, err := hear(t, whole, wire.Closed, slices.Concat(compressing(), messages, []string{"C" + packed["sync"][0], "C" + packed["sync"][1]})...)
		n := float64(len(messages))
		if want := []string{"login ann@example.org 3", fmt.Sprintf("use ann@example.org %g", 7+n), fmt.Sprintf("presence ann@example.org 6-%g", 8+n), fmt.Sprintf("logout ann@example.org %g", 8+n)}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
}

// A zlib stream that ends ends what is read of its side, and not the user's stay.
func TestZlibEnds(t *testing.T) {
	const gone = "\x78\xda\xb3\x29\x28\x4a\x2d\x4e\xcd\x4b\x4e\x55\x28\xa9\x2c\x48\xb5\x55\x2f\xcd\x4b\x2c\x4b\xcc\xcc\x49\x4c\xca\x49\x55\xd7\xb7\x03\x00\xaf\xe5\x0a\xf0" // <presence type='unavailable'/>
	got, err := hear(t, whole, wire.Closed, append(compressing(), "C"+gone)...)
	if want := []string{"login ann@example.org 3", "logout ann@example.org 7"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// A second <compressed/>, in what is compressed and long, changes nothing; and
// what is held to unpack is let go of at the end.
func TestCompressedTwice(t *testing.T) {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	for range 3 {
		if _, err := w.Write([]byte("<compressed/>" + strings.Repeat("<a>b</a>", 20000))); err != nil || w.Flush() != nil {
			t.Fatal(err)
		}
	}
	budget := inflate.NewBudget(1 << 20)
	got, err := wiretest.Hear(func(s wire.Sink) wiretest.Conn {
		s.Budget = budget
		return Open(s, whole)
	}, wire.Closed, append(compressing(), "S"+b.String(), "C"+packed["sync"][0])...)
	want := []string{"login ann@example.org 3", "presence ann@example.org 7-8", "logout ann@example.org 8"}
	if err != nil || !slices.Equal(got, want) || budget.Held() != 0 {
		t.Errorf("got %q, %v, want %q; %d bytes are held", got, err, want, budget.Held())
	}
}
