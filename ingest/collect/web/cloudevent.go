package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"rollcall/ingest"
)

// The content types of CloudEvents in JSON (CloudEvents 1.0, HTTP protocol
// binding): one, and an array of them.
const (
	cloudEvent  = "application/cloudevents+json"
	cloudEvents = "application/cloudevents-batch+json"
)

var errData = errors.New("content-type: the data of a CloudEvent is read where it is application/json")

// envelope gives what the headers of a CloudEvent in binary form say; nil: it is
// none. Their values are percent-encoded where they are not ASCII.
func envelope(h http.Header) *ingest.Envelope {
	version := h.Get("Ce-Specversion")
	if version == "" {
		return nil
	}
	plain := func(name string) string {
		value := h.Get(name)
		if decoded, err := url.PathUnescape(value); err == nil {
			return decoded
		}
		return value
	}
	return &ingest.Envelope{SpecVersion: version, ID: plain("Ce-Id"), Source: plain("Ce-Source"), Type: plain("Ce-Type"), Time: plain("Ce-Time")}
}

// binaryEvent takes a CloudEvent in binary form: the body is its data.
func binaryEvent(ctx context.Context, in *ingest.Batcher, body *shared, head *ingest.Envelope) error {
	switch body.kind {
	case "application/json", "text/json", "":
		return ingest.CloudEvent(ctx, in, body, head)
	}
	return errData
}
