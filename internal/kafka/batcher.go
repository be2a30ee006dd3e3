package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"time"

	"rollcall"
	"rollcall/internal/arrowipc"

	"github.com/segmentio/kafka-go"
)

// intake turns a partition's records into batches. What can't be used is
// gathered in rejects: a row of a stream by itself, or the record whole.
type intake struct {
	source  *Source
	id      int
	batch   *rollcall.Batch
	codes   map[rollcall.Group]verdict
	decoder *arrowipc.Decoder
	rejects []rollcall.Rejected
	bytes   int  // of the rejects' bodies
	records int  // in the batch
	again   bool // the source is a replay: what is refused is in rollcall.rejected already

	// of the record being read
	record   *kafka.Message
	events   []rollcall.Event // of one that is not Arrow
	kind     string           // its content type, without parameters
	backfill bool
	resent   bool  // it was refused before, and is in rollcall.rejected already
	rows     int   // read of it
	first    int   // of the batch's rows, the record's first
	refused  int   // rows of it
	mark     int   // of rejects, the record's first
	lines    []int // refused in the decoder's last Read
}

// verdict is what a batch says of a group: its code, or why it is refused.
type verdict struct {
	code uint32
	err  error
}

const (
	rowRejects  = 10000   // of one record; beyond, the record is kept whole
	rejectBytes = 4 << 20 // gathered before they are written
)

func newIntake(s *Source, id int) *intake {
	return &intake{source: s, id: id, batch: s.newBatch(), codes: make(map[rollcall.Group]verdict), decoder: arrowipc.NewDecoder()}
}

// full reports that the batch should be handed on.
func (in *intake) full() bool {
	return in.batch.Len() >= batchRows || in.records >= batchRecords || in.bytes >= rejectBytes
}

// drop forgets the batch and what was refused: it will be read again.
func (in *intake) drop() {
	in.batch.Reset()
	in.forget()
	in.rejects, in.bytes = in.rejects[:0], 0
}

func (in *intake) forget() {
	clear(in.codes)
	in.records = 0
}

// give hands the batch out and begins another.
func (in *intake) give() *rollcall.Batch {
	b := in.batch
	in.batch = in.source.newBatch()
	in.forget()
	in.first = 0
	return b
}

// open begins a record, and reports whether read has more of it to do.
func (in *intake) open(m *kafka.Message) bool {
	in.source.stats.Records.Add(1)
	in.records++
	in.record, in.rows, in.first, in.refused, in.mark = m, 0, in.batch.Len(), 0, len(in.rejects)
	in.kind, in.backfill, in.resent = headersOf(m)
	if in.kind != arrowipc.ContentType {
		in.single()
		return false
	}
	if err := in.decoder.Open(m.Value); err != nil {
		in.refuseRecord(err)
		return false
	}
	return true
}

// headersOf reads a record's content type, whether it is a backfill, and
// whether it was refused before.
func headersOf(m *kafka.Message) (kind string, backfill, resent bool) {
	for _, h := range m.Headers {
		switch h.Key {
		case headerType:
			kind = string(h.Value)
			if plain, _, err := mime.ParseMediaType(kind); err == nil {
				kind = plain
			}
		case headerBackfill:
			backfill = string(h.Value) == "1"
		case headerResent:
			resent = string(h.Value) == "1"
		}
	}
	return kind, backfill, resent
}

// single takes a record of one event, or of one that was cut in two.
func (in *intake) single() {
	var err error
	if in.events, err = in.decode(in.events[:0]); err == nil {
		err = in.add(in.events)
	}
	if err != nil {
		truncate(in.batch, in.first)
		in.refuseRecord(err)
	}
}

func (in *intake) add(events []rollcall.Event) error {
	for i := range events {
		e := &events[i]
		if err := in.check(e); err != nil {
			return err
		}
		code, err := in.code(&e.Group)
		if err != nil {
			return err
		}
		in.batch.AddRow(code, e.Time.UnixNano(), untilNano(e.Until), uint64(e.Visitor))
	}
	return nil
}

func (in *intake) decode(to []rollcall.Event) ([]rollcall.Event, error) {
	m := in.record
	switch {
	case in.kind == "":
		return to, &rollcall.Invalid{Field: "header " + headerType, Reason: "is missing", Code: "content_type"}
	case in.kind == arrowipc.RowType:
		e, err := arrowipc.ParseRow(m.Value)
		return append(to, e), err
	case in.source.opt.Decode == nil:
		return to, &rollcall.Invalid{Field: "header " + headerType, Value: in.kind, Reason: "is not read here", Code: "content_type"}
	}
	return in.source.opt.Decode(to, m.Value, in.kind, m.Time, in.backfill)
}

func untilNano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// check judges an event by itself and by its record's timestamp.
func (in *intake) check(e *rollcall.Event) error {
	if err := e.Validate(); err != nil || in.backfill {
		return err
	}
	return e.Age(in.record.Time)
}

// read takes more of a record of Arrow, and reports whether the batch is full
// with some of the record left.
func (in *intake) read() (more bool) {
	for in.batch.Len() < batchRows {
		in.lines = in.lines[:0]
		from := in.batch.Len()
		n, err := in.decoder.Read(in.batch, batchRows-from, arrowipc.Sink{Code: in.code, Bad: in.bad})
		if err != nil {
			if !errors.Is(err, io.EOF) {
				truncate(in.batch, in.first)
				in.refuseRecord(err)
			}
			return false
		}
		in.checkTimes(from)
		in.rows += n
	}
	return true
}

// code gives a group its code in the batch, or why it is refused.
func (in *intake) code(g *rollcall.Group) (uint32, error) {
	v, ok := in.codes[*g]
	if !ok {
		if v.err = in.checkGroup(g); v.err == nil {
			v.code = uint32(len(in.batch.Groups))
			in.batch.Groups = append(in.batch.Groups, *g)
		}
		in.codes[*g] = v
	}
	return v.code, v.err
}

func (in *intake) checkGroup(g *rollcall.Group) error {
	e := rollcall.Event{Group: *g, Time: time.Unix(1e9, 0)} // a time that is right
	if err := e.Validate(); err != nil || in.source.opt.Check == nil {
		return err
	}
	return in.source.opt.Check(g)
}

// checkTimes refuses the rows from the batch's given one whose times are wrong,
// and closes the gaps. Nearly every row passes the first comparison, which is
// the same as check's.
func (in *intake) checkTimes(from int) {
	b, sure := in.batch, in.sureTimes()
	to, line := from, lineCounter{next: in.rows + 1, refused: in.lines}
	for i := from; i < b.Len(); i++ {
		at, until := b.Time[i], b.Until[i]
		number := line.take()
		if at < sure.from || at > sure.to || until != 0 && (until < at || until-at > int64(rollcall.MaxEvent) || until > sure.to) {
			e := b.Event(i)
			if err := in.check(&e); err != nil {
				in.refuseRow(number, arrowipc.RowOf(&e), err)
				continue
			}
		}
		b.Code[to], b.Time[to], b.Until[to], b.Visitor[to] = b.Code[i], at, until, b.Visitor[i]
		to++
	}
	truncate(b, to)
}

// truncate leaves the batch its first n rows.
func truncate(b *rollcall.Batch, n int) {
	b.Code, b.Time, b.Until, b.Visitor = b.Code[:n], b.Time[:n], b.Until[:n], b.Visitor[:n]
}

// sureTimes gives the times, in Unix nanoseconds, that no check refuses.
func (in *intake) sureTimes() (sure struct{ from, to int64 }) {
	sure.from = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	sure.to = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano() - 1
	if !in.backfill {
		sure.from = max(sure.from, in.record.Time.Add(-rollcall.MaxAge).UnixNano())
		sure.to = min(sure.to, in.record.Time.Add(rollcall.MaxAhead).UnixNano())
	}
	return sure
}

// lineCounter numbers a Read's good rows, knowing those that were refused.
type lineCounter struct {
	next    int
	refused []int // ascending
}

func (l *lineCounter) take() int {
	for len(l.refused) > 0 && l.refused[0] == l.next {
		l.refused = l.refused[1:]
		l.next++
	}
	l.next++
	return l.next - 1
}

// bad takes a row that the decoder refuses.
func (in *intake) bad(line int, row arrowipc.Row, err error) {
	in.lines = append(in.lines, line)
	in.refuseRow(line, row, err)
}

// refuseRow keeps one row of the record. A record with very many of them is
// kept whole instead, so that a small one can't fill the log with rejects.
func (in *intake) refuseRow(line int, row arrowipc.Row, err error) {
	in.refused++
	switch {
	case in.refused <= rowRejects:
		in.refuse(rollcall.Rejected{Line: line, Type: arrowipc.RowType, Body: row.JSON()}, err)
	case in.refused == rowRejects+1:
		for i := range in.rejects[in.mark:] {
			in.bytes -= len(in.rejects[in.mark+i].Body)
		}
		in.rejects = in.rejects[:in.mark]
		in.refuseRecord(fmt.Errorf("more than %d rows can't be used; the last seen: %w", rowRejects, err))
	}
}

// refuseRecord keeps the record whole.
func (in *intake) refuseRecord(err error) {
	in.refuse(rollcall.Rejected{Type: in.kind, Body: in.record.Value}, err)
}

// refuseBatch keeps a batch that was never opened.
func (in *intake) refuseBatch(b *rawBatch, err error) {
	in.record, in.backfill, in.resent = &kafka.Message{Offset: b.first}, false, false
	in.refuse(rollcall.Rejected{Type: batchType, Body: b.bytes}, err)
}

// batchType is the content type of a whole record batch, as Kafka has it.
const batchType = "application/vnd.apache.kafka.batch"

func (in *intake) refuse(r rollcall.Rejected, err error) {
	in.source.stats.Rejected.Add(1)
	if in.resent {
		return
	}
	r.Time, r.Backfill = in.source.opt.Now(), in.backfill
	r.Source = fmt.Sprintf("%d@%d", in.id, in.record.Offset)
	r.Code, r.Reason = "unreadable", err.Error()
	if e := new(rollcall.Invalid); errors.As(err, &e) {
		r.Code = e.Code
	}
	in.rejects = append(in.rejects, r)
	in.bytes += len(r.Body)
}

// reject writes what was refused to rollcall.rejected, however long that takes:
// the offset must not move on before.
func (in *intake) reject(ctx context.Context) error {
	for len(in.rejects) > 0 && !in.again {
		err := in.source.rejects.Reject(ctx, in.rejects)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		in.source.opt.Log.Error("refused records can't be kept; reading waits", "partition", in.id, "err", err)
		pause(ctx, joinBackoff)
	}
	clear(in.rejects) // their bodies are whole messages
	in.rejects, in.bytes, in.mark = in.rejects[:0], 0, 0
	return nil
}
