package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"rollcall"
	"rollcall/internal/arrowipc"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
)

// Writer appends to the log; it is the ingest stage's Log. It is safe for
// concurrent use.
type Writer struct {
	cluster  *Cluster
	opt      WriterOptions
	patience patience
	events   *kafka.Writer
	rejects  *kafka.Writer
	atOnce   *kafka.Writer // to rollcall.events, requests that wait for nothing to join them
	single   *kafka.Writer // to rollcall.events, each record a request of its own
	encoders sync.Pool     // of *arrowipc.Encoder
	refused  *prometheus.CounterVec
}

// WriterOptions of a writer.
type WriterOptions struct {
	Options
	Backfill bool // lift the limits on the events' age
}

// Sizes of what is written. A message over the topic's max.message.bytes (1 MiB
// by default) would fail its whole batch.
const (
	messageBytes  = 256 << 10 // where a stream of events is cut
	batchBytes    = 900 << 10 // the most of one request to a partition
	batchMessages = 400       // of one event each are more bytes; kafka-go makes space for so many
	appendBytes   = 8 << 20   // encoded before they are written, for an Append
	rejectedBytes = 1 << 20   // of a refused input; the rest is cut off
	rejectedBatch = 2<<20 - 4<<10
	rejectedMost  = 10000      // of them in a request
	replayBytes   = 1<<20 + 12 // the most that rollcall.events takes, by default
	batchTimeout  = 5 * time.Millisecond
	writeAttempts = 10
)

// Headers of the log's records.
const (
	headerType     = "content-type"
	headerBackfill = "backfill"
	headerResent   = "rollcall-resent" // written by versions that sent all that was refused again, valid or not
)

// NewWriter makes a writer. Close it before the broker.
func NewWriter(c *Cluster, opt WriterOptions) *Writer {
	opt.Options = opt.WithDefaults()
	w := &Writer{cluster: c, opt: opt, refused: refusedByCode(opt.Registerer)}
	w.events = w.topic(Events, batchBytes, batchMessages, &sticky{most: messageBytes})
	w.rejects = w.topic(Rejects, rejectedBatch, rejectedMost, &sticky{most: messageBytes})
	w.atOnce = w.topic(Events, batchBytes, batchMessages, &sticky{most: batchBytes})
	w.atOnce.BatchTimeout = time.Nanosecond // what an append has for a partition is one request's by then
	w.single = w.topic(Events, replayBytes, 1, &sticky{most: messageBytes})
	w.encoders.New = func() any { return arrowipc.NewEncoder() }
	return w
}

// topic makes kafka-go's writer. Its zero value would not wait for any
// acknowledgement, and would hold each batch back for a second.
func (w *Writer) topic(name string, bytes int64, messages int, to kafka.Balancer) *kafka.Writer {
	return &kafka.Writer{
		Addr: kafka.TCP(w.cluster.brokers...), Topic: name, Transport: w.cluster.transport, Balancer: to,
		RequiredAcks: kafka.RequireAll, BatchTimeout: batchTimeout, BatchBytes: bytes, BatchSize: messages,
		MaxAttempts: writeAttempts, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout,
		ErrorLogger: kafka.LoggerFunc(func(format string, args ...any) {
			w.opt.Log.Debug("kafka writer: " + fmt.Sprintf(format, args...))
		}),
	}
}

// Append returns when the brokers have acknowledged every event (acks=all;
// embedded: they are on disk). On an error some may be in the log all the
// same; writing all again is harmless. Where the embedded log is at its bound
// it waits until ctx ends, and the error is rollcall.ErrFull and the context's.
func (w *Writer) Append(ctx context.Context, events *rollcall.Batch) error {
	enc := w.encoder()
	defer w.encoders.Put(enc)
	for from := 0; from < events.Len(); {
		to, messages, err := w.encode(enc, events, from)
		if err != nil {
			return fmt.Errorf("kafka: append: %w", err)
		}
		if err := w.write(ctx, w.writerFor(messages), messages); err != nil {
			return fmt.Errorf("kafka: append %d events: %w", to-from, err)
		}
		from = to
	}
	return nil
}

// writerFor gives the writer for messages of events. Few events wait a moment for
// those of other appends, to be one request, and one wait for the disk, with them.
func (w *Writer) writerFor(messages []kafka.Message) *kafka.Writer {
	if sizeOf(messages) < messageBytes {
		return w.events
	}
	return w.atOnce
}

func (w *Writer) encoder() *arrowipc.Encoder { return w.encoders.Get().(*arrowipc.Encoder) }

// encode makes messages of the events from one on, about appendBytes in all. It
// gives the first that is left.
func (w *Writer) encode(enc *arrowipc.Encoder, events *rollcall.Batch, from int) (to int, messages []kafka.Message, err error) {
	total := 0
	for from < events.Len() && total < appendBytes {
		from = enc.AddRows(events, from, messageBytes)
		value, err := enc.Stream()
		if err != nil {
			return 0, nil, err
		}
		total += len(value)
		messages = append(messages, w.message(value, arrowipc.ContentType))
	}
	return from, messages, nil
}

func (w *Writer) message(value []byte, contentType string) kafka.Message {
	m := kafka.Message{Value: value, Time: w.opt.Now()}
	m.Headers = append(m.Headers, kafka.Header{Key: headerType, Value: []byte(contentType)})
	if w.opt.Backfill {
		m.Headers = append(m.Headers, kafka.Header{Key: headerBackfill, Value: []byte("1")})
	}
	return m
}

// Replay appends a refused input to rollcall.events as it was, to be read again
// after a fix (see Judge). Its age is judged as of when it was refused, or not at
// all where it was a backfill.
func (w *Writer) Replay(ctx context.Context, r rollcall.Rejected) error {
	messages, err := w.cluster.codecs.replayed(&r)
	if err == nil {
		err = w.write(ctx, w.single, messages)
	}
	if err != nil {
		return fmt.Errorf("kafka: replay %s: %w", r.Source, err)
	}
	return nil
}

func (w *Writer) write(ctx context.Context, to *kafka.Writer, messages []kafka.Message) error {
	if admit := w.cluster.local.Admit; admit != nil {
		if err := admit(ctx, sizeOf(messages)); err != nil {
			return err
		}
	}
	return firstError(w.send(ctx, to, messages))
}

// send waits for other processes' brokers no longer than patience does; a broker
// in this process has its disk to wait for.
func (w *Writer) send(ctx context.Context, to *kafka.Writer, messages []kafka.Message) error {
	if w.cluster.local.Dial != nil {
		return to.WriteMessages(ctx, messages...)
	}
	return w.patience.write(ctx, func(ctx context.Context) error { return to.WriteMessages(ctx, messages...) })
}

func sizeOf(messages []kafka.Message) (n int64) {
	for i := range messages {
		n += int64(len(messages[i].Value))
	}
	return n
}

// firstError takes the first of kafka-go's list of errors, one a message.
func firstError(err error) error {
	var list kafka.WriteErrors
	if !errors.As(err, &list) {
		return err
	}
	for _, e := range list {
		if e != nil {
			return fmt.Errorf("%d of %d messages: %w", list.Count(), len(list), e)
		}
	}
	return nil
}

// Reject writes refused inputs to rollcall.rejected. It returns when they are
// acknowledged. A body over 1 MiB is cut, and its whole size noted.
func (w *Writer) Reject(ctx context.Context, rejected []rollcall.Rejected) error {
	if len(rejected) == 0 {
		return nil
	}
	messages := make([]kafka.Message, len(rejected))
	for i := range rejected {
		messages[i] = rejectedMessage(&rejected[i], rejectedBytes)
	}
	err := w.send(ctx, w.rejects, messages)
	if tooLarge(err) { // a topic that someone made with the default limit
		for i := range rejected {
			messages[i] = rejectedMessage(&rejected[i], batchBytes/2)
		}
		err = w.send(ctx, w.rejects, messages)
	}
	if err != nil {
		return fmt.Errorf("kafka: reject %d inputs: %w", len(rejected), firstError(err))
	}
	for i := range rejected {
		w.refused.WithLabelValues(rejected[i].Code).Inc()
	}
	return nil
}

// refusedByCode is one metric for all the writers of a registerer.
func refusedByCode(r prometheus.Registerer) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rollcall_log_refused_total", Help: "Inputs kept in the rejected topic, by reason.",
	}, []string{"code"})
	if r == nil {
		return v
	}
	var there prometheus.AlreadyRegisteredError
	if err := r.Register(v); errors.As(err, &there) {
		return there.ExistingCollector.(*prometheus.CounterVec)
	}
	return v
}

func tooLarge(err error) bool {
	var client kafka.MessageTooLargeError
	return errors.As(err, &client) || errors.Is(firstError(err), kafka.MessageSizeTooLarge)
}

// Close writes what is left and closes. Appends must have returned.
func (w *Writer) Close() error {
	if err := errors.Join(w.events.Close(), w.atOnce.Close(), w.single.Close(), w.rejects.Close()); err != nil {
		return fmt.Errorf("kafka: close writer: %w", err)
	}
	return nil
}

// Headers of rollcall.rejected, beside the content type.
const (
	headerTime   = "time"
	headerSource = "source"
	headerLine   = "line"
	headerCode   = "code"
	headerReason = "reason"
	headerWhole  = "whole-size" // bytes of the body before it was cut
)

func rejectedMessage(r *rollcall.Rejected, most int) kafka.Message {
	const longest = 1 << 10
	m := kafka.Message{Value: r.Body, Time: r.Time}
	add := func(key, value string) {
		m.Headers = append(m.Headers, kafka.Header{Key: key, Value: []byte(value[:min(len(value), longest)])})
	}
	add(headerType, r.Type)
	add(headerTime, r.Time.UTC().Format(time.RFC3339Nano))
	add(headerSource, r.Source)
	if r.Line != 0 {
		add(headerLine, strconv.Itoa(r.Line))
	}
	if r.Backfill {
		add(headerBackfill, "1")
	}
	add(headerCode, r.Code)
	add(headerReason, r.Reason)
	if len(r.Body) > most {
		m.Value = r.Body[:most]
		add(headerWhole, strconv.Itoa(len(r.Body)))
	}
	return m
}

// sticky sends messages to one partition while they are no more than so many bytes,
// then to the next: small appends share a request, and one flush to disk, and large
// ones spread.
type sticky struct {
	most int

	mu   sync.Mutex // guards the rest
	at   int
	sent int
}

// Balance chooses the partition of a message.
func (s *sticky) Balance(m kafka.Message, partitions ...int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent > 0 && s.sent+len(m.Value) > s.most {
		s.at, s.sent = s.at+1, 0
	}
	s.sent += len(m.Value)
	return partitions[s.at%len(partitions)]
}
