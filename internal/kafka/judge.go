package kafka

import (
	"slices"

	"rollcall"

	"github.com/segmentio/kafka-go"
)

// Judge says of refused inputs whether they are valid now. It is for one
// goroutine.
type Judge struct {
	batcher *batcher
	codecs  codecs
}

// NewJudge makes a judge that takes what a source of the options would.
func NewJudge(opt SourceOptions) *Judge {
	opt.Options = opt.WithDefaults()
	s := &Source{opt: opt, free: make(chan *rollcall.Batch, 1)}
	return &Judge{batcher: newBatcher(s, 0)}
}

// Judge gives why the input is refused as before, or still; nil: Replay would
// have it counted.
func (j *Judge) Judge(r *rollcall.Rejected) error {
	messages, err := j.codecs.replayed(r)
	if err != nil {
		return err
	}
	for i := range messages {
		if err := j.message(&messages[i]); err != nil {
			return err
		}
	}
	return nil
}

func (j *Judge) message(m *kafka.Message) error {
	b := j.batcher
	defer b.drop()
	for more := b.open(m); more; {
		if more = b.read(); more {
			b.source.recycle(b.give())
		}
	}
	if len(b.rejects) == 0 {
		return nil
	}
	first := &b.rejects[0]
	return &rollcall.Invalid{Field: "input", Reason: first.Reason, Code: first.Code}
}

// replayed makes of an input what is sent again: itself, judged as of when it was
// refused, or of a whole batch its records as they were.
func (c *codecs) replayed(r *rollcall.Rejected) ([]kafka.Message, error) {
	if r.Type == batchType {
		return c.unpacked(r.Body)
	}
	m := kafka.Message{Value: r.Body, Time: r.Time}
	m.Headers = append(m.Headers, kafka.Header{Key: headerType, Value: []byte(r.Type)})
	if r.Backfill {
		m.Headers = append(m.Headers, kafka.Header{Key: headerBackfill, Value: []byte("1")})
	}
	return []kafka.Message{m}, nil
}

func (c *codecs) unpacked(raw []byte) (messages []kafka.Message, err error) {
	b, err := cutBatch(raw)
	if err != nil {
		return nil, err
	}
	records, err := b.open(c)
	if err != nil {
		return nil, err
	}
	for m := range records.each(0) {
		messages = append(messages, kafka.Message{Value: m.Value, Time: m.Time, Headers: slices.Clone(m.Headers)})
	}
	return messages, nil
}
