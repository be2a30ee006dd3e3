// Package web is the HTTP collector: POST /v1/events takes NDJSON, a JSON array
// of events, CloudEvents or an Arrow IPC stream, and answers once the log has them
// durably.
package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/columnar"
	"rollcall/ingest/collect/tracker"
	"rollcall/internal/gunzip"
	"rollcall/internal/problem"
)

// Collector serves POST /v1/events, and the routes of trackers.
type Collector struct {
	Converter *ingest.Converter
	// Log gives the log for ordinary events, or for backfill: those whose age
	// is not judged.
	Log func(backfill bool) ingest.Log
	// MaxBody bounds a body in bytes, as sent and again after decompression.
	MaxBody int64
	// Memory bounds the memory, in bytes, that the bodies under way are reckoned
	// to take; 0: DefaultMemory.
	Memory int64
	// Sender says who sends: each has a part of the memory, and so many refused
	// lines. It may be nil; then it is the address that a request came from.
	Sender func(*http.Request) string
	// Admit gives the defaults of whoever sends a request, by the key that came in
	// its body where none came in its headers; a *problem.Details refuses it. nil:
	// everybody may send, and nobody has any.
	Admit func(r *http.Request, key string) (rollcall.Defaults, error)
	// Platform tells the platform of a user agent; nil: of none.
	Platform func(agent string) rollcall.Platform
	// PassedOver counts what trackers sent that says nothing of an audience; nil:
	// nobody counts.
	PassedOver func(why string, n int)

	budget   budget
	refusals refusals
	tables   columnar.Streams
}

// ServeHTTP takes one body: see takeEvents and takeCalls.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mine := &share{budget: &c.budget, most: c.most(), sender: c.sender(r)}
	route, tracked := trackers[r.URL.Path]
	if !mine.grow(weigh("", "", 0)) {
		answer(w, ingest.Counts{}, errBusy, tracked)
		return
	}
	defer mine.release()
	if faults := misasked(r.URL.RawQuery, tracked); len(faults) > 0 {
		problem.Invalid(faults).Write(w)
		return
	}
	r.Body = pace(w, r.Body)
	if tracked {
		counts, err := c.takeCalls(r, mine, route)
		answer(w, counts, err, true)
		return
	}
	counts, err := c.takeEvents(r, mine)
	answer(w, counts, err, false)
}

// takeEvents takes a body of events. Good events are kept whatever stands beside them:
// 200 with counts where all were good, 422 with counts and the first refused
// lines where some were not, 400 where the body itself is broken, 413 where it
// is too long, 408 where it comes too slowly, 429 where the log is full, or so
// many bodies are under way that there is no memory for it: what was taken of it
// counts once when it is sent again.
func (c *Collector) takeEvents(r *http.Request, mine *share) (ingest.Counts, error) {
	in, err := c.batcher(r, mine, "", false)
	if err != nil {
		return ingest.Counts{}, err
	}
	err = c.take(r.Context(), in, r, mine)
	return in.Counts, err
}

// batcher begins what carries a body to the log, whose sender brought a key in it,
// or in its headers; past lifts the age as the parameter does.
func (c *Collector) batcher(r *http.Request, mine *share, key string, past bool) (*ingest.Batcher, error) {
	var (
		defaults rollcall.Defaults
		err      error
	)
	if c.Admit != nil {
		if defaults, err = c.Admit(r, key); err != nil {
			return nil, err
		}
	}
	backfill, _ := strconv.ParseBool(r.URL.Query().Get("backfill"))
	source := cmp.Or(r.URL.Query().Get("source"), "http")
	in := ingest.NewBatcher(c.Converter, c.Log(backfill || past), source, backfill || past)
	in.MayReject = func() bool { return c.refusals.allow(mine.sender, c.Converter.Now()) }
	in.Defaults = defaults
	in.Numbers, err = ingest.ParseNumbers(r.URL.Query().Get("lines"))
	return in, err
}

// misasked gives the faults of the parameters. A tracker sends what is of the past
// to a route of its own.
func misasked(query string, tracked bool) []*problem.Fault {
	if tracked {
		return problem.Parameters(query, "source")
	}
	faults := problem.Parameters(query, "source", "backfill", "lines")
	values, err := url.ParseQuery(query)
	if err != nil {
		return faults // which say so
	}
	if lift := values.Get("backfill"); values.Has("backfill") {
		if _, err := strconv.ParseBool(lift); err != nil {
			faults = append(faults, &problem.Fault{Location: "query.backfill", Code: "not_one_of", Message: "is neither 1 nor 0", Value: lift})
		}
	}
	if _, err := ingest.ParseNumbers(values.Get("lines")); err != nil {
		faults = append(faults, &problem.Fault{Location: "query.lines", Code: "malformed", Message: err.Error(), Value: values.Get("lines")})
	}
	return faults
}

// sender names who sent a request.
func (c *Collector) sender(r *http.Request) string {
	if c.Sender != nil {
		return c.Sender(r)
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (c *Collector) take(ctx context.Context, in *ingest.Batcher, r *http.Request, mine *share) error {
	unpacked, err := unpack(r, c.MaxBody)
	if err != nil {
		return err
	}
	defer unpacked.Close()
	body := &shared{Reader: unpacked, share: mine, kind: contentType(r), encoding: coding(r)}
	if head := envelope(r.Header); head != nil {
		return binaryEvent(ctx, in, body, head)
	}
	switch body.kind {
	case "application/x-ndjson", "application/jsonl":
		return ingest.NDJSON(ctx, in, body)
	case cloudEvent:
		return ingest.CloudEvent(ctx, in, body, nil)
	case cloudEvents:
		return ingest.CloudEvents(ctx, in, body)
	case "application/json", "text/plain":
		return ingest.Lines(ctx, in, body)
	case columnar.ContentType:
		return c.tables.Take(ctx, in, body)
	}
	return errType
}

var (
	errType     = errors.New("content-type is not application/x-ndjson, application/json, application/cloudevents+json, application/cloudevents-batch+json or " + columnar.ContentType)
	errCalls    = errors.New("content-type is not application/json")
	errEncoding = errors.New("content-encoding is not gzip or zstd")
)

func contentType(r *http.Request) string {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return t
}

// The content codings (RFC 9110, 8.4.1). A body of several gzip members or zstd
// frames is one text.
const (
	codingGzip = "gzip"
	codingZstd = "zstd"
)

// coding names the content coding: names are without case, x-gzip is gzip, and identity
// is none. Several codings are a list, in one field or more.
func coding(r *http.Request) string {
	var names []string
	for name := range strings.SplitSeq(strings.Join(r.Header.Values("Content-Encoding"), ","), ",") {
		switch name = strings.ToLower(strings.TrimSpace(name)); name {
		case "", "identity":
		case "x-gzip":
			names = append(names, codingGzip)
		default:
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// unpack undoes the content encoding; both sides of it are bounded.
func unpack(r *http.Request, most int64) (io.ReadCloser, error) {
	sent := http.MaxBytesReader(nil, r.Body, most)
	var unpack func(io.Reader) (io.ReadCloser, error)
	encoding := coding(r)
	switch encoding {
	case "":
		return sent, nil
	case codingGzip:
		unpack = func(r io.Reader) (io.ReadCloser, error) { return gunzip.NewReader(r) }
	case codingZstd:
		unpack = unpackZstd
	default:
		return nil, errEncoding
	}
	p := &packed{encoding: encoding, sent: source{Reader: sent}}
	z, err := unpack(&p.sent)
	if err != nil {
		return nil, p.fault(err)
	}
	p.z = z
	return http.MaxBytesReader(nil, p, most), nil
}

// maxWindow is the most memory that a zstd body's own window may take: what the
// format asks every decoder to allow.
const maxWindow = 8 << 20

func unpackZstd(r io.Reader) (io.ReadCloser, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return z.IOReadCloser(), nil
}

// refused is a problem with the counts beside it. The refused lines are its
// faults.
type refused struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	ingest.Counts
}

// answer answers with the counts. A tracker is told to send again by the one status
// after which each of them does, and later: see patient.
func answer(w http.ResponseWriter, counts ingest.Counts, err error, tracked bool) {
	var refusal *problem.Details
	if errors.As(err, &refusal) {
		refusal.Write(w)
		return
	}
	if counts.Rejected == nil {
		counts.Rejected = map[string]int{}
	}
	status, detail := outcome(counts, err)
	again := "1"
	if tracked {
		status, again = patient(status), trackersRetry
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", again)
	}
	if errors.Is(err, errEncoding) {
		w.Header().Set("Accept-Encoding", codingGzip+", "+codingZstd)
	}
	if status == http.StatusOK {
		write(w, "application/json", status, counts)
		return
	}
	p := problem.New(status, detail)
	write(w, problem.ContentType, status, refused{p.Type, p.Title, p.Status, p.Code, p.Detail, counts})
}

func outcome(counts ingest.Counts, err error) (status int, detail string) {
	var tooLong *http.MaxBytesError
	switch {
	case err == nil && counts.Refused() == 0:
		return http.StatusOK, ""
	case err == nil:
		return http.StatusUnprocessableEntity, fmt.Sprintf("%d of %d events refused; the others were kept", counts.Refused(), counts.Read)
	case errors.Is(err, rollcall.ErrFull):
		return http.StatusTooManyRequests, "the log is full; send the body again later"
	case errors.Is(err, ingest.ErrKeyMissing):
		return http.StatusServiceUnavailable, "this server was not given the master key of an event's day yet; send the body again later"
	case errors.Is(err, errBusy):
		return http.StatusTooManyRequests, err.Error()
	case errors.Is(err, errSlow):
		return http.StatusRequestTimeout, errSlow.Error()
	case errors.Is(err, tracker.ErrSize):
		return http.StatusRequestEntityTooLarge, err.Error()
	case errors.As(err, &tooLong):
		return http.StatusRequestEntityTooLarge, fmt.Sprintf("body is over %d bytes", tooLong.Limit)
	case errors.Is(err, errType) || errors.Is(err, errEncoding) || errors.Is(err, errData) || errors.Is(err, errCalls):
		return http.StatusUnsupportedMediaType, err.Error()
	case errors.Is(err, rollcall.ErrInvalid), errors.Is(err, io.ErrUnexpectedEOF):
		return http.StatusBadRequest, err.Error()
	}
	return http.StatusServiceUnavailable, "the log could not take the events; send the body again later"
}

func write(w http.ResponseWriter, contentType string, status int, body any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone: nobody is left to tell
}
