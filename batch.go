package rollcall

import "time"

// Batch is a columnar run of events, as the aggregator folds them. Row i is
// one event: Groups[Code[i]] says what it is of, Time[i] and Until[i] when in
// Unix nanoseconds (Until 0: one minute), Visitor[i] whose. These four columns
// have the same length.
type Batch struct {
	Groups  []Group
	Code    []uint32
	Time    []int64
	Until   []int64
	Visitor []uint64
	Stamps  []Stamp // of the log's records that the rows are of, in their order; none: rows of no log

	Partition int   // of the log
	Next      int64 // the offset after the batch's last record
	Behind    bool  // more records were waiting when the batch was read

	codes map[Group]uint32 // of Groups, where they are many
}

// Stamp is the timestamp of a log's record, or of several that follow each other.
type Stamp struct {
	Row  int   // the first that is of them
	Time int64 // in Unix milliseconds
}

// Stamp says that the rows that are added next are of a record of this time.
func (b *Batch) Stamp(at int64) {
	if n := len(b.Stamps); n == 0 || b.Stamps[n-1].Time != at {
		b.Stamps = append(b.Stamps, Stamp{Row: b.Len(), Time: at})
	}
}

// Len gives the number of events.
func (b *Batch) Len() int { return len(b.Code) }

// Reset empties the batch, keeping its memory.
func (b *Batch) Reset() {
	*b = Batch{
		Groups: b.Groups[:0], Code: b.Code[:0],
		Time: b.Time[:0], Until: b.Until[:0], Visitor: b.Visitor[:0], Stamps: b.Stamps[:0],
		codes: b.codes,
	}
	clear(b.codes)
}

// BatchOf gives the events as a batch.
func BatchOf(events ...Event) *Batch {
	b := new(Batch)
	for i := range events {
		b.Add(&events[i])
	}
	return b
}

// Truncate leaves the batch its first n events.
func (b *Batch) Truncate(n int) {
	b.Code, b.Time, b.Until, b.Visitor = b.Code[:n], b.Time[:n], b.Until[:n], b.Visitor[:n]
}

// Add appends one event. Groups are found by a scan while the batch has few of
// them, then by a map; runs of one group are long.
func (b *Batch) Add(e *Event) {
	b.AddRow(b.GroupCode(&e.Group), e.Time.UnixNano(), UntilNano(e.Until), uint64(e.Visitor))
}

// AddRow appends one event of the group that code names.
func (b *Batch) AddRow(code uint32, at, until int64, visitor uint64) {
	b.Code = append(b.Code, code)
	b.Time = append(b.Time, at)
	b.Until = append(b.Until, until)
	b.Visitor = append(b.Visitor, visitor)
}

// GroupCode gives the code of a group, which is one of the batch's from then on.
func (b *Batch) GroupCode(g *Group) uint32 {
	if n := len(b.Code); n > 0 && b.Groups[b.Code[n-1]] == *g {
		return b.Code[n-1]
	}
	if len(b.Groups) > fewGroups {
		return b.indexed(g)
	}
	for i := range b.Groups {
		if b.Groups[i] == *g {
			return uint32(i)
		}
	}
	b.Groups = append(b.Groups, *g)
	return uint32(len(b.Groups) - 1)
}

// fewGroups are faster looked through than hashed.
const fewGroups = 16

// indexed gives a group's code by the map, which holds the codes of Groups, or
// none before the first call.
func (b *Batch) indexed(g *Group) uint32 {
	if len(b.codes) == 0 {
		b.codes = make(map[Group]uint32, 4*fewGroups)
		for i, known := range b.Groups {
			b.codes[known] = uint32(i)
		}
	}
	code, ok := b.codes[*g]
	if !ok {
		code = uint32(len(b.Groups))
		b.Groups = append(b.Groups, *g)
		b.codes[*g] = code
	}
	return code
}

// UntilNano gives an event's end as a batch has it; a zero time: one minute.
func UntilNano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// Event gives row i as an event.
func (b *Batch) Event(i int) Event {
	e := Event{Group: b.Groups[b.Code[i]], Time: time.Unix(0, b.Time[i]).UTC(), Visitor: Visitor(b.Visitor[i])}
	if b.Until[i] != 0 {
		e.Until = time.Unix(0, b.Until[i]).UTC()
	}
	return e
}

// Events gives all of them.
func (b *Batch) Events() []Event {
	events := make([]Event, b.Len())
	for i := range events {
		events[i] = b.Event(i)
	}
	return events
}

// Offsets says, for each partition of the log, the offset of the next record
// to read.
type Offsets map[int]int64

// Rejected is an input that could not be read or is not valid, kept whole so
// that it can be loaded again after a fix.
type Rejected struct {
	Time   time.Time `json:"time"`   // when it was refused
	Source string    `json:"source"` // the collector, the file, or the log's "partition@offset"
	Line   int       `json:"line,omitempty"`
	Code   string    `json:"code"`   // a stable word for counting
	Reason string    `json:"reason"` // one plain line
	Type   string    `json:"type"`   // the body's content type
	// Backfill: its age was not judged, and is not when it is sent again.
	Backfill bool `json:"backfill,omitempty"`
	// Replayed: when it was found valid and sent again; zero: it was not.
	Replayed time.Time `json:"replayed,omitzero"`
	Body     []byte    `json:"body"`
}
