package web_test

import (
	"net/http"
	"strings"
	"testing"

	"rollcall"
	"rollcall/ingest"
)

// TestKeyMissing: an event of a day whose master key this process was not given
// is told to come back, and is neither kept nor refused for good.
func TestKeyMissing(t *testing.T) {
	log := &slice{}
	c := collector(t, func(bool) ingest.Log { return log })
	own := ingest.Master{Secret: []byte(strings.Repeat("k", ingest.MasterSize))}
	known := []rollcall.Master{{ID: own.ID()}, {ID: 7, From: rollcall.DayOf(2002, 10, 3)}}
	if err := c.Converter.Keys.Set([]ingest.Master{own}, known); err != nil {
		t.Fatal(err)
	}
	before := strings.Replace(good, "10-03", "10-02", 1)
	if w := send(c, ndjson, strings.NewReader(before)); w.Code != http.StatusOK {
		t.Errorf("of the day before: %d, %s", w.Code, w.Body)
	}
	w := send(c, ndjson, strings.NewReader(good))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "master key") {
		t.Errorf("of its day: %d, Retry-After %q, %s", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
	if len(log.events) != 1 || len(log.rejected) != 0 {
		t.Errorf("%d events and %d refused ones are in the log", len(log.events), len(log.rejected))
	}
}
