package tracker_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/tracker"
)

// seen is a log that looks at what it is given.
type seen struct{ t *testing.T }

func (s seen) Append(_ context.Context, events *rollcall.Batch) error {
	for _, e := range events.Events() {
		if e.Validate() != nil {
			s.t.Errorf("an event that is not valid: %v", e)
		}
	}
	return nil
}

// Reject takes what was refused: never a trait.
func (s seen) Reject(_ context.Context, rejected []rollcall.Rejected) error {
	for _, r := range rejected {
		if bytes.Contains(r.Body, []byte("traits")) || strings.Contains(r.Reason, "\n") {
			s.t.Errorf("%s is kept, for %q", r.Body, r.Reason)
		}
	}
	return nil
}

func converter(tb testing.TB, now time.Time) *ingest.Converter {
	tb.Helper()
	keys, err := ingest.NewKeys(ingest.Master{Secret: bytes.Repeat([]byte("k"), ingest.MasterSize)})
	if err != nil {
		tb.Fatal(err)
	}
	catalogue, err := rollcall.NewCatalogue(
		[]rollcall.Market{{ID: "FR", Name: "France", Zone: "Europe/Paris"}}, []rollcall.Service{{ID: "msn", Name: "MSN Messenger"}})
	if err != nil {
		tb.Fatal(err)
	}
	return &ingest.Converter{Keys: keys, Catalogue: func() *rollcall.Catalogue { return catalogue }, Now: func() time.Time { return now }}
}

// FuzzTake: no body of a tracker panics, makes an event that is not valid, or is
// refused otherwise than as an Invalid; every call of it is counted once.
func FuzzTake(f *testing.F) {
	now := time.Date(2002, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, seed := range []string{
		`{"batch":[{"type":"track","event":"Signed In","userId":"u","timestamp":"2002-10-31T23:00:00Z","sentAt":"2002-10-31T23:59:00Z","context":{"device":{"type":"ios","model":"iPad"}},"properties":{"place":"work","until":"2002-10-31T23:30:00Z"}}],"sentAt":"2002-10-31T23:59:00Z"}`,
		`{"batch":[{"type":"page","userId":17,"properties":[],"context":{"os":{"name":"iOS"},"userAgent":"x"}},3,null,"x",{"type":"identify","traits":{"email":"a@b"}}]}`,
		`{"api_key":"k","historical_migration":true,"batch":[{"event":"x","distinct_id":"u","timestamp":"1970-01-01T00:00:00Z","properties":{"$browser":"x","rollcall":{"kind":"use"}},"options":{"process_person_profile":false}}],"sent_at":""}`,
		`{"event":"x","properties":{"distinct_id":"u","$device_id":"d"}}`, `{"type":"screen","userId":"u"}`, `{}`, `[`, ``,
	} {
		for form := range 3 {
			f.Add(seed, form)
		}
	}
	keys := converter(f, now)
	f.Fuzz(func(t *testing.T, text string, form int) {
		r := tracker.Request{Form: tracker.Form(form), Type: "track", Received: now, Platform: func(string) rollcall.Platform { return rollcall.Tablet }}
		b, err := r.Parse([]byte(text))
		if err != nil {
			if !errors.Is(err, rollcall.ErrInvalid) && !errors.Is(err, tracker.ErrSize) {
				t.Errorf("refused with %v", err)
			}
			return
		}
		in := ingest.NewBatcher(keys, seen{t}, "fuzz", b.Past)
		in.Defaults = rollcall.Defaults{Market: "FR", Service: "msn"}
		if err := r.Take(t.Context(), in, b); err != nil {
			t.Fatal(err)
		}
		passed := 0
		for _, n := range in.PassedOver {
			passed += n
		}
		if in.Read != in.Accepted+in.Refused()+passed {
			t.Errorf("of %d read %d accepted, %d refused, %d passed over", in.Read, in.Accepted, in.Refused(), passed)
		}
	})
}
