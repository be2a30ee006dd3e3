package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"time"

	"rollcall"
	"rollcall/internal/arrowipc"
	"rollcall/internal/jsondepth"

	"github.com/segmentio/kafka-go"
)

// batcher turns a partition's records into batches. What can't be used is
// gathered in rejects: a row of a stream by itself, or the record whole.
type batcher struct {
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
	raw      *rawBatch        // that holds it
	ofRaw    int              // records and rows of it that were refused
	rawMark  int              // of rejects, the record batch's first
	record   kafka.Message    // itself: a pointer would take memory for each
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
	rowRejects   = 10000          // of one record; beyond, the record is kept whole
	batchRejects = 2 * rowRejects // of one record batch; beyond, it is kept whole
	rejectBytes  = 4 << 20        // gathered before they are written
	fewGroups    = 8              // of a batch are faster looked through than hashed
)

func newBatcher(s *Source, id int) *batcher {
	return &batcher{source: s, id: id, batch: s.newBatch(), codes: make(map[rollcall.Group]verdict), decoder: arrowipc.NewDecoder()}
}

// full reports that the batch should be handed on.
func (b *batcher) full() bool {
	return b.batch.Len() >= batchRows || b.records >= batchRecords || b.bytes >= rejectBytes
}

// drop forgets the batch and what was refused: it will be read again.
func (b *batcher) drop() {
	b.batch.Reset()
	b.forget()
	b.rejects, b.bytes = b.rejects[:0], 0
}

func (b *batcher) forget() {
	clear(b.codes)
	b.records = 0
}

// give hands the batch out and begins another.
func (b *batcher) give() *rollcall.Batch {
	done := b.batch
	b.batch = b.source.newBatch()
	b.forget()
	b.first = 0
	return done
}

// begin is called before a record batch's first record.
func (b *batcher) begin(raw *rawBatch) { b.raw, b.ofRaw, b.rawMark = raw, 0, len(b.rejects) }

// open begins a record, and reports whether read has more of it to do.
func (b *batcher) open(m *kafka.Message) bool {
	b.source.stats.Records.Add(1)
	b.records++
	b.record, b.rows, b.first, b.refused, b.mark = *m, 0, b.batch.Len(), 0, len(b.rejects)
	b.kind, b.backfill, b.resent = headersOf(m)
	err := checkTimestamp(m.Time)
	if err == nil && b.kind != arrowipc.ContentType {
		b.single()
		return false
	}
	if err == nil {
		err = b.decoder.Open(m.Value)
	}
	if err != nil {
		b.refuseRecord(err)
	}
	return err == nil
}

// checkTimestamp judges what the events' ages are judged by. Some producers
// send none; one in microseconds is thousands of years away.
func checkTimestamp(t time.Time) error {
	switch {
	case t.IsZero():
		return &rollcall.Invalid{Field: "record", Reason: "the record has no timestamp", Code: "timestamp"}
	case !rollcall.InYears(t):
		return &rollcall.Invalid{
			Field: "record's timestamp", Value: t.Format(time.RFC3339),
			Reason: "is not between 1990 and 2200: Kafka's are in milliseconds since 1970", Code: "timestamp",
		}
	}
	return nil
}

// jsonType is the content type of one event as its source writes it.
const jsonType = "application/json"

// headersOf reads a record's content type, whether it is a backfill, and
// whether it was refused before. Many producers send no headers: what begins
// like a JSON object is one.
func headersOf(m *kafka.Message) (kind string, backfill, resent bool) {
	for _, h := range m.Headers {
		switch h.Key {
		case headerType:
			kind = mediaType(h.Value)
		case headerBackfill:
			backfill = string(h.Value) == "1"
		case headerResent:
			resent = string(h.Value) == "1"
		}
	}
	if kind == "" && bytes.HasPrefix(bytes.TrimLeft(m.Value, " \t\r\n"), []byte("{")) {
		kind = jsonType
	}
	return kind, backfill, resent
}

// mediaType is a content type without its parameters. Those that are read here
// mostly have none, and then take no memory.
func mediaType(value []byte) string {
	switch string(value) {
	case arrowipc.ContentType:
		return arrowipc.ContentType
	case jsonType:
		return jsonType
	}
	text := string(value)
	if plain, _, err := mime.ParseMediaType(text); err == nil {
		return plain
	}
	return text
}

// single takes a record of one event, or of one that was cut in two.
func (b *batcher) single() {
	var err error
	b.batch.Stamp(b.record.Time.UnixMilli())
	if b.events, err = b.decode(b.events[:0]); err == nil {
		err = b.add(b.events)
	}
	if err != nil {
		b.batch.Truncate(b.first)
		b.refuseRecord(err)
	}
}

func (b *batcher) add(events []rollcall.Event) error {
	for i := range events {
		e := &events[i]
		code, err := b.code(&e.Group) // which checks it
		if err == nil {
			err = b.checkTime(e)
		}
		if err != nil {
			return err
		}
		b.batch.AddRow(code, e.Time.UnixNano(), untilNano(e.Until), uint64(e.Visitor))
	}
	return nil
}

func (b *batcher) decode(to []rollcall.Event) ([]rollcall.Event, error) {
	m := &b.record
	switch deep := jsondepth.Check(m.Value); {
	case b.kind == "":
		return to, &rollcall.Invalid{Field: "header " + headerType, Reason: "is missing", Code: "content_type"}
	case deep != nil: // whatever it is called, it will be read as JSON
		return to, deep
	case b.kind == arrowipc.RowType:
		e, err := arrowipc.ParseRow(m.Value)
		return append(to, e), err
	case b.source.opt.Decode == nil:
		return to, &rollcall.Invalid{Field: "header " + headerType, Value: b.kind, Reason: "is not read here", Code: "content_type"}
	}
	return b.source.opt.Decode(to, m.Value, b.kind, m.Time, b.backfill)
}

func untilNano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// checkTime judges an event's times by themselves and by its record's timestamp.
func (b *batcher) checkTime(e *rollcall.Event) error {
	if err := e.ValidateTimes(); err != nil || b.backfill {
		return err
	}
	return e.Age(b.record.Time)
}

// read takes more of a record of Arrow, and reports whether the batch is full
// with some of the record left.
func (b *batcher) read() (more bool) {
	b.batch.Stamp(b.record.Time.UnixMilli())
	for b.batch.Len() < batchRows {
		b.lines = b.lines[:0]
		from := b.batch.Len()
		n, err := b.decoder.Read(b.batch, batchRows-from, arrowipc.Sink{Code: b.code, Bad: b.bad})
		if err != nil {
			if !errors.Is(err, io.EOF) {
				b.batch.Truncate(b.first)
				b.refuseRecord(err)
			}
			return false
		}
		b.checkTimes(from)
		b.rows += n
	}
	return true
}

// code gives a group its code in the batch, or why it is refused.
func (b *batcher) code(g *rollcall.Group) (uint32, error) {
	if n := b.batch.Len(); n > 0 && b.batch.Groups[b.batch.Code[n-1]] == *g { // single events are often of the group before
		return b.batch.Code[n-1], nil
	}
	if len(b.batch.Groups) <= fewGroups {
		if i := slices.Index(b.batch.Groups, *g); i >= 0 {
			return uint32(i), nil
		}
	}
	v, ok := b.codes[*g]
	if !ok {
		if v.err = b.checkGroup(g); v.err == nil {
			v.code = uint32(len(b.batch.Groups))
			b.batch.Groups = append(b.batch.Groups, *g)
		}
		b.codes[*g] = v
	}
	return v.code, v.err
}

func (b *batcher) checkGroup(g *rollcall.Group) error {
	e := rollcall.Event{Group: *g, Time: time.Unix(1e9, 0)} // a time that is right
	if err := e.Validate(); err != nil || b.source.opt.Check == nil {
		return err
	}
	return b.source.opt.Check(g)
}

// checkTimes refuses the rows from the batch's given one whose times are wrong,
// and closes the gaps. Nearly every row passes the first comparison, which is
// the same as checkTime's.
func (b *batcher) checkTimes(from int) {
	rows, sure := b.batch, b.sureTimes()
	to, line := from, lineCounter{next: b.rows + 1, refused: b.lines}
	for i := from; i < rows.Len(); i++ {
		at, until := rows.Time[i], rows.Until[i]
		number := line.take()
		if at < sure.from || at > sure.to || until != 0 && (until < at || until-at > int64(rollcall.MaxEvent) || until > sure.to || rows.Groups[rows.Code[i]].Precision == rollcall.ToDay) {
			e := rows.Event(i)
			if err := b.checkTime(&e); err != nil {
				b.refuseRow(number, arrowipc.RowOf(&e), err)
				continue
			}
		}
		rows.Code[to], rows.Time[to], rows.Until[to], rows.Visitor[to] = rows.Code[i], at, until, rows.Visitor[i]
		to++
	}
	rows.Truncate(to)
}

// sureTimes gives the times, in Unix nanoseconds, that no check refuses.
func (b *batcher) sureTimes() (sure struct{ from, to int64 }) {
	sure.from = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	sure.to = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano() - 1
	if !b.backfill {
		sure.from = max(sure.from, b.record.Time.Add(-rollcall.MaxAge).UnixNano())
		sure.to = min(sure.to, b.record.Time.Add(rollcall.MaxAhead).UnixNano())
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
func (b *batcher) bad(line int, row arrowipc.Row, err error) {
	b.lines = append(b.lines, line)
	b.refuseRow(line, row, err)
}

// refuseRow keeps one row of the record. A record with very many of them is
// kept whole instead, so that a small one can't fill the log with rejects.
func (b *batcher) refuseRow(line int, row arrowipc.Row, err error) {
	b.refused++
	switch {
	case b.refused <= rowRejects:
		b.refuse(rollcall.Rejected{Line: line, Type: arrowipc.RowType, Body: row.JSON()}, err)
	case b.refused == rowRejects+1:
		b.unrefuse(b.mark)
		b.refuseRecord(fmt.Errorf("more than %d rows can't be used; the last seen: %w", rowRejects, err))
	}
}

// unrefuse forgets what was refused, but for the first n.
func (b *batcher) unrefuse(n int) {
	for i := range b.rejects[n:] {
		b.bytes -= len(b.rejects[n+i].Body)
	}
	b.rejects = b.rejects[:n]
}

// refuseRecord keeps the record whole.
func (b *batcher) refuseRecord(err error) {
	b.refuse(rollcall.Rejected{Type: b.kind, Body: b.record.Value}, err)
}

// refuseBatch keeps a record batch whole.
func (b *batcher) refuseBatch(err error) {
	b.record, b.backfill, b.resent = kafka.Message{Offset: b.raw.first}, false, false
	b.refuse(rollcall.Rejected{Type: batchType, Body: b.raw.bytes}, err)
}

// batchType is the content type of a whole record batch, as Kafka has it.
const batchType = "application/vnd.apache.kafka.batch"

// refuse keeps an input. A few KB can be a batch of millions that can't be used:
// beyond a number the batch is kept in their place, and they are only counted.
func (b *batcher) refuse(r rollcall.Rejected, err error) {
	b.source.stats.Rejected.Add(1)
	if b.resent {
		return
	}
	if b.ofRaw++; b.raw != nil && b.ofRaw > batchRejects {
		if b.ofRaw > batchRejects+1 {
			return
		}
		b.unrefuse(b.rawMark)
		r = rollcall.Rejected{Type: batchType, Body: b.raw.bytes}
		err = fmt.Errorf("more than %d records and rows of a batch can't be used; the last seen: %w", batchRejects, err)
	}
	r.Time, r.Backfill = b.source.opt.Now(), b.backfill
	r.Body = bytes.Clone(r.Body) // else a few bytes would hold a whole batch in memory
	r.Source = fmt.Sprintf("%d@%d", b.id, b.record.Offset)
	r.Code, r.Reason = "unreadable", err.Error()
	if e := new(rollcall.Invalid); errors.As(err, &e) {
		r.Code = e.Code
	}
	b.rejects = append(b.rejects, r)
	b.bytes += len(r.Body)
}

// reject writes what was refused to rollcall.rejected, however long that takes:
// the offset must not move on before.
func (b *batcher) reject(ctx context.Context) error {
	for len(b.rejects) > 0 && !b.again {
		err := b.source.rejects.Reject(ctx, b.rejects)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		b.source.opt.Log.Error("refused records can't be kept; reading waits", "partition", b.id, "err", err)
		pause(ctx, joinBackoff)
	}
	clear(b.rejects) // their bodies are whole messages
	b.rejects, b.bytes, b.mark, b.rawMark = b.rejects[:0], 0, 0, 0
	return nil
}
