package web

import (
	"cmp"
	"io"
	"net/http"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/tracker"
)

// trackers are the routes of trackers' APIs, and what is posted there.
var trackers = map[string]tracker.Request{
	"/v1/batch":    {Form: tracker.Calls},
	"/v1/import":   {Form: tracker.Calls, Past: true},
	"/v1/track":    {Form: tracker.Call, Type: "track"},
	"/v1/page":     {Form: tracker.Call, Type: "page"},
	"/v1/screen":   {Form: tracker.Call, Type: "screen"},
	"/v1/identify": {Form: tracker.Call, Type: "identify"},
	"/v1/group":    {Form: tracker.Call, Type: "group"},
	"/v1/alias":    {Form: tracker.Call, Type: "alias"},

	"/batch": {Form: tracker.PostHog}, "/batch/": {Form: tracker.PostHog},
	"/capture": {Form: tracker.PostHog}, "/capture/": {Form: tracker.PostHog},
	"/i/v1/analytics/events": {Form: tracker.PostHog},
}

// Trackers' clients try a whole batch again after some statuses, and drop it after
// the others. All of them try again after 429; RudderStack's drops it after 408, and
// Segment's gives up after three times 503, but heeds Retry-After with 429, some
// twenty times. After 413 PostHog's halves the batch. A batch of which some events
// were refused must not come again: the good ones are kept, so it is answered with
// 422, after which none does.
const trackersRetry = "10" // seconds

// patient is the status that tells a tracker to send again, where one does.
func patient(status int) int {
	if status == http.StatusServiceUnavailable || status == http.StatusRequestTimeout {
		return http.StatusTooManyRequests
	}
	return status
}

// takeCalls takes a body of a tracker's. RudderStack's client calls its JSON a form,
// and browsers' call it text.
func (c *Collector) takeCalls(r *http.Request, mine *share, request tracker.Request) (ingest.Counts, error) {
	switch contentType(r) {
	case "application/json", "text/plain", "application/x-www-form-urlencoded", "":
	default:
		return ingest.Counts{}, errCalls
	}
	text, err := c.whole(r, mine)
	if err != nil {
		return ingest.Counts{}, err
	}
	request.Sent, request.Received = r.Header.Get("Posthog-Request-Timestamp"), c.Converter.Now()
	if request.Platform = c.Platform; request.Platform == nil {
		request.Platform = func(string) rollcall.Platform { return rollcall.NoPlatform }
	}
	body, broken := request.Parse(text)
	if broken != nil {
		body = new(tracker.Body) // whoever has no key is told of that first
	}
	in, err := c.batcher(r, mine, body.Key, body.Past)
	if err := cmp.Or(err, broken); err != nil {
		return ingest.Counts{}, err
	}
	err = request.Take(r.Context(), in, body)
	if err == nil && c.PassedOver != nil { // else it comes again
		for why, n := range in.PassedOver {
			c.PassedOver(why, n)
		}
	}
	return in.Counts, err
}

// whole reads a body whole: when it was sent is often its last field.
func (c *Collector) whole(r *http.Request, mine *share) ([]byte, error) {
	unpacked, err := unpack(r, min(c.MaxBody, tracker.MaxBody))
	if err != nil {
		return nil, err
	}
	defer unpacked.Close()
	return io.ReadAll(&shared{Reader: unpacked, share: mine, kind: "application/json", encoding: coding(r)})
}
