package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/profile"
)

// nowhere is a log that keeps nothing.
type nowhere struct{}

func (nowhere) Append(context.Context, *rollcall.Batch) error     { return nil }
func (nowhere) Reject(context.Context, []rollcall.Rejected) error { return nil }

// BenchmarkForms takes bodies of 500 events in each form, from the request to
// events that are valid and pseudonymised; with -cpu 1 that is a core.
func BenchmarkForms(b *testing.B) {
	const n = 500
	joined := func(event, between string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = strings.NewReplacer("ID", fmt.Sprintf("%08d", i*7919), "TIME", fmt.Sprintf("2002-10-03T%02d:%02d:05Z", i%24, i%60)).Replace(event)
		}
		return strings.Join(list, between)
	}
	const (
		line  = `{"id":"ID","time":"TIME","market":"FR","service":"msn","location":"home","kind":"use","account":"someone.ID@mail.example"}`
		cloud = `{"specversion":"1.0","id":"ID","source":"/agent/42","type":"message.sent","time":"TIME","datacontenttype":"application/json","data":{"market":"FR","service":"msn","location":"home","account":"someone.ID@mail.example"}}`
		call  = `{"timestamp":"TIME","integrations":{},"event":"Message Sent","type":"track","properties":{"service":"msn","place":"home","length":17},"context":{"ip":"192.0.2.10","device":{"id":"dev-2","type":"ios","model":"iPhone14,2"},"userAgent":"App/1.0 (iPhone)","library":{"name":"@segment/analytics-node","version":"3.1.0"}},"userId":"someone.ID@mail.example","messageId":"node-next-ID","_metadata":{"nodeVersion":"v20.20.2","jsRuntime":"node"}}`
	)
	segment := `{"batch":[` + joined(call, ",") + `],"writeKey":"x","sentAt":"2002-10-31T23:59:59Z"}`
	for _, form := range []struct{ name, path, contentType, encoding, text string }{
		{"NDJSON", "/v1/events", ndjson, "", joined(line, "\n")},
		{"CloudEvents", "/v1/events", "application/cloudevents-batch+json", "", "[" + joined(cloud, ",") + "]"},
		{"Segment", "/v1/batch", "application/json", "", segment},
		{"RudderStack", "/v1/batch", "application/x-www-form-urlencoded", "gzip", gzipped(b, segment)},
	} {
		b.Run(form.name, func(b *testing.B) {
			c := collector(b, func(bool) ingest.Log { return nowhere{} })
			platforms, err := profile.BuiltinPlatforms()
			if err != nil {
				b.Fatal(err)
			}
			c.MaxBody, c.Platform = 4<<20, platforms
			c.Admit = func(*http.Request, string) (rollcall.Defaults, error) { return rollcall.Defaults{Market: "FR"}, nil }
			b.SetBytes(int64(len(form.text)))
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, form.path, strings.NewReader(form.text))
				r.Header.Set("Content-Type", form.contentType)
				r.Header.Set("Content-Encoding", form.encoding)
				w := httptest.NewRecorder()
				if c.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
