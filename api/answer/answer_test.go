package answer

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestCodingOf(t *testing.T) {
	for accept, want := range map[string]string{
		"": "", "identity": "", "br": "", "gzip": "gzip", "x-gzip": "gzip", "gzip, zstd": "zstd", "zstd, gzip": "zstd", "GZIP;q=1, zstd;q=0.5": "gzip",
		"gzip;q=0": "", "gzip;q=none": "", "zstd;q=0, gzip;q=0.1": "gzip", ";;,": "",
	} {
		if got := codingOf(accept); got != want {
			t.Errorf("%q: %q, want %q", accept, got, want)
		}
	}
}

// TestCache: what is kept is bounded in bytes, the last asked for stay, and nothing
// is given that is old or was made before a change.
func TestCache(t *testing.T) {
	now := time.Unix(1e9, 0)
	c := NewCache(4*(overhead+100), func() time.Time { return now })
	answer := func(key string, size int) *kept { return &kept{key: key, body: []byte(strings.Repeat("x", size))} }
	has := func(key string) bool { k, _ := c.get(key); return k != nil }
	for _, key := range []string{"a", "b", "c"} {
		c.put(answer(key, 90), 0)
	}
	if !has("a") { // asked for last: b goes first
		t.Error("a is not kept")
	}
	c.put(answer("d", 90), 0)
	c.put(answer("e", 90), 0)
	if has("b") || !has("a") || !has("d") || !has("e") || c.size > c.limit {
		t.Errorf("b %v, a %v, d %v, e %v, of %d bytes", has("b"), has("a"), has("d"), has("e"), c.size)
	}
	c.put(answer("whale", 2000), 0)
	if has("whale") || !has("e") {
		t.Error("one answer has taken the room of all")
	}
	c.Forget()
	c.put(answer("before the change", 1), 0)
	if has("e") || has("before the change") || c.size != 0 {
		t.Errorf("what was made before a change is given, or counted: %d bytes", c.size)
	}
	_, era := c.get("f")
	c.put(answer("f", 1), era)
	now = now.Add(FreshTime - 1)
	if !has("f") {
		t.Error("f is not kept")
	}
	now = now.Add(1)
	if has("f") || c.size != 0 {
		t.Error("what is old is given, or counted")
	}
}

// TestAlters: what an assistant asks, or who signs in, changes no figure, so that
// the kept answers stay.
func TestAlters(t *testing.T) {
	for asked, want := range map[string]bool{"POST /mcp": false, "POST /v1/session": false, "GET /v1/markets": false, "POST /v1/markets": true} {
		method, path, _ := strings.Cut(asked, " ")
		if got := alters(httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)); got != want {
			t.Errorf("%s alters: %v", asked, got)
		}
	}
}
