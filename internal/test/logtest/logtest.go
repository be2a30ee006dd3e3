// Package logtest is what every log must do, whatever broker is behind it.
// internal/kafka/conformance_test.go runs it on the embedded broker and on Apache
// Kafka.
package logtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/arrowipc"
	"rollcall/internal/kafka"
)

// Partitions that open must give rollcall.events, at least.
const Partitions = 2

// patience bounds what a test waits for: a join of a group on a cluster takes
// seconds.
const patience = 60 * time.Second

// Run runs the suite. Each test opens a log of its own: open gives a cluster
// whose topics exist, with at least Partitions partitions, and are empty; what
// it started it ends with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) *kafka.Cluster) {
	for name, test := range map[string]func(*log){
		"events come back as they were":         eventsComeBack,
		"age is judged by the record":           ageIsJudged,
		"a backfill has no age":                 backfillHasNoAge,
		"single events":                         singleEvents,
		"records without a header":              headless,
		"what can't be read does not stop":      unreadable,
		"bad rows go, good rows stay":           badRows,
		"groups are checked":                    groupsAreChecked,
		"what is not committed comes again":     comesAgain,
		"an append twice is read twice":         twice,
		"records without events move on":        noEvents,
		"settling waits":                        settling,
		"rejected inputs are kept":              rejectedAreKept,
		"large rejected inputs are cut":         largeRejected,
		"a rejected input is replayed":          replayed,
		"the rejected are chosen from":          chosen,
		"a replay begins within the log":        replayWithin,
		"topics are ensured again and again":    ensuredAgain,
		"two members read everything":           twoMembers,
		"a large append is several messages":    largeAppend,
		"a source is closed while batches wait": closedEarly,
	} {
		t.Run(name, func(t *testing.T) { test(newLog(t, open(t))) })
	}
}

// log is one test's log.
type log struct {
	*testing.T
	ctx     context.Context //nolint:containedctx // one test's, with its deadline
	cluster *kafka.Cluster
	group   string
}

func newLog(t *testing.T, c *kafka.Cluster) *log {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return &log{T: t, ctx: ctx, cluster: c, group: "rollcall-" + strconv.FormatInt(time.Now().UnixNano(), 36)}
}

// Now is the suite's clock: a day in 2002.
func Now() time.Time { return time.Date(2002, 10, 3, 20, 0, 0, 0, time.UTC) }

func (l *log) options() kafka.Options {
	return kafka.Options{Log: slog.New(slog.NewTextHandler(l.Output(), nil)), Now: Now}
}

func (l *log) writer(backfill bool) *kafka.Writer {
	w := kafka.NewWriter(l.cluster, kafka.WriterOptions{Options: l.options(), Backfill: backfill})
	l.Cleanup(func() { l.must(w.Close()) })
	return w
}

func (l *log) source(opt kafka.SourceOptions) *kafka.Source {
	l.Helper()
	opt.Options = l.options()
	s, err := kafka.NewSource(l.cluster, l.group, opt)
	l.must(err)
	l.Cleanup(func() { l.must(s.Close()) })
	return s
}

func (l *log) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// append writes events.
func (l *log) append(list ...rollcall.Event) {
	l.Helper()
	l.must(l.writer(false).Append(l.ctx, rollcall.BatchOf(list...)))
}

// raw writes records as any producer might.
func (l *log) raw(contentType string, values ...[]byte) {
	l.Helper()
	w := l.writer(false)
	for _, v := range values {
		l.must(w.Replay(l.ctx, rollcall.Rejected{Time: Now(), Type: contentType, Body: v}))
	}
}

// read takes batches until n events came, without committing, and gives the offsets after them.
func (l *log) read(s *kafka.Source, n int) rollcall.Offsets {
	l.Helper()
	offsets := rollcall.Offsets{}
	for got := 0; got < n; {
		b, err := s.Next(l.ctx)
		if err != nil {
			l.Fatalf("after %d of %d events: %v", got, n, err)
		}
		got += b.Len()
		offsets[b.Partition] = b.Next
	}
	return offsets
}

// drain reads and commits until the group has settled.
func (l *log) drain(s *kafka.Source) (got []rollcall.Event) {
	l.Helper()
	ctx, cancel := context.WithCancel(l.ctx)
	settled := make(chan error, 1)
	go func() {
		defer cancel()
		settled <- kafka.Settle(l.ctx, l.cluster, l.group)
	}()
	for {
		b, err := s.Next(ctx)
		if ctx.Err() != nil {
			break
		}
		l.must(err)
		for i := range b.Len() {
			got = append(got, b.Event(i))
		}
		l.must(s.Commit(l.ctx, rollcall.Offsets{b.Partition: b.Next}))
	}
	l.must(<-settled)
	return got
}

// rejected gives what rollcall.rejected holds.
func (l *log) rejected() (list []rollcall.Rejected) {
	l.Helper()
	for r, err := range kafka.ReadRejected(l.ctx, l.cluster, kafka.Wanted{}) {
		l.must(err)
		list = append(list, r)
	}
	return list
}

// codes counts rejected inputs by code.
func (l *log) codes() map[string]int {
	l.Helper()
	n := make(map[string]int)
	for _, r := range l.rejected() {
		n[r.Code]++
	}
	return n
}

func (l *log) expectCodes(want map[string]int) {
	l.Helper()
	if got := l.codes(); !maps.Equal(got, want) {
		l.Errorf("rejected by code: %v, not %v", got, want)
	}
}

// sample makes n events of several groups; visitors count from first.
func sample(first, n int) []rollcall.Event {
	services := []rollcall.ServiceID{"msn", "aim", "icq"}
	list := make([]rollcall.Event, n)
	for i := range list {
		e := &list[i]
		e.Group = rollcall.Group{
			Market: "FR", Service: services[i%3], Location: rollcall.Location(1 << (i % 3)),
			Kind: rollcall.Kind(1 + i%5), Key: rollcall.KeyID(1 + i%2),
		}
		e.Time = Now().Add(-time.Duration(i) * 1234567 * time.Microsecond)
		e.Visitor = rollcall.Visitor(first + i)
		if i%4 == 0 {
			e.Panel = "nn"
		}
		if i%2 == 0 {
			e.Until = e.Time.Add(time.Duration(i%600) * time.Second)
		}
	}
	return list
}

func byVisitor(list []rollcall.Event) {
	slices.SortFunc(list, func(a, b rollcall.Event) int { return int(int64(a.Visitor) - int64(b.Visitor)) })
}

func (l *log) expectEvents(got, want []rollcall.Event) {
	l.Helper()
	byVisitor(got)
	if len(got) != len(want) {
		l.Fatalf("%d events came, not %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			l.Fatalf("event %d is %v, not %v", i, got[i], want[i])
		}
	}
}

func arrow(t testing.TB, list ...rollcall.Event) []byte {
	t.Helper()
	enc := arrowipc.NewEncoder()
	for i := range list {
		enc.Add(&list[i])
	}
	b, err := enc.Stream()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func eventsComeBack(l *log) {
	want := sample(0, 15000)
	for part := range slices.Chunk(want, 1700) {
		l.append(part...)
	}
	l.expectEvents(l.drain(l.source(kafka.SourceOptions{})), want)
	l.expectCodes(nil)
}

func ageIsJudged(l *log) {
	list := sample(0, 6)
	list[1].Time = Now().Add(-rollcall.MaxAge - time.Second)
	list[1].Until = time.Time{}
	list[2].Time, list[2].Until = Now().Add(rollcall.MaxAhead), time.Time{}
	list[3].Time, list[3].Until = Now().Add(rollcall.MaxAhead+time.Second), time.Time{}
	list[4].Until = Now().Add(rollcall.MaxAhead + time.Second)
	l.append(list...)
	got := l.drain(l.source(kafka.SourceOptions{}))
	l.expectEvents(got, []rollcall.Event{list[0], list[2], list[5]})
	l.expectCodes(map[string]int{"too_old": 1, "future": 2})
}

func backfillHasNoAge(l *log) {
	list := sample(0, 3)
	list[1].Time, list[1].Until = Now().Add(-10*rollcall.MaxAge), time.Time{}
	list[2].Time, list[2].Until = time.Date(1989, 12, 31, 23, 0, 0, 0, time.UTC), time.Time{}
	l.must(l.writer(true).Append(l.ctx, rollcall.BatchOf(list...)))
	l.expectEvents(l.drain(l.source(kafka.SourceOptions{})), list[:2])
	l.expectCodes(map[string]int{"time": 1})
}

// decode reads the suite's single events: "visitor N"; "pair N" is two, and
// "half N" two of which the second has no time.
func decode(to []rollcall.Event, value []byte, contentType string, record time.Time, backfill bool) ([]rollcall.Event, error) {
	kind, number, _ := strings.Cut(string(value), " ")
	n, err := strconv.Atoi(number)
	if err != nil || contentType != "application/json" || !record.Equal(Now()) || backfill {
		return to, &rollcall.Invalid{Field: "event", Value: string(value), Reason: "is not one", Code: "json"}
	}
	both := sample(n, 2)
	switch kind {
	case "visitor":
		both = both[:1]
	case "half":
		both[1].Time = time.Time{}
	}
	return append(to, both...), nil
}

func singleEvents(l *log) {
	l.raw("application/json; charset=UTF-8", []byte("visitor 0"), []byte("visitor x"))
	l.raw("application/xml", []byte("<visitor/>"))
	l.raw("application/json", []byte("half 30"), []byte("pair 40"))
	l.raw("", []byte("visitor 1"))
	row := arrowipc.RowOf(&sample(2, 1)[0])
	l.raw(arrowipc.RowType, row.JSON(), []byte("{"))
	got := l.drain(l.source(kafka.SourceOptions{Decode: decode}))
	l.expectEvents(got, slices.Concat(sample(0, 1), sample(2, 1), sample(40, 2)))
	l.expectCodes(map[string]int{"json": 3, "time": 1, "content_type": 1})
}

// headless records are those of producers that send no headers.
func headless(l *log) {
	l.raw("", []byte(`{"visitor": 7}`), []byte(" \n{}"), []byte("[]"), nil)
	opt := kafka.SourceOptions{Decode: func(to []rollcall.Event, value []byte, contentType string, _ time.Time, _ bool) ([]rollcall.Event, error) {
		if contentType != "application/json" {
			l.Errorf("%s is read as %q", value, contentType)
		}
		if string(value) != `{"visitor": 7}` {
			return to, &rollcall.Invalid{Field: "event", Reason: "is not one", Code: "json"}
		}
		return append(to, sample(7, 1)...), nil
	}}
	l.expectEvents(l.drain(l.source(opt)), sample(7, 1))
	l.expectCodes(map[string]int{"json": 1, "content_type": 2})
}

func unreadable(l *log) {
	good := arrow(l, sample(0, 3000)...)
	bad := [][]byte{
		nil, []byte("x"), []byte("ARROW1\x00\x00"), bytes.Repeat([]byte{0xff}, 100), good[:len(good)/2], good[:100],
		append(bytes.Clone(good[:len(good)-8]), bytes.Repeat([]byte{0xff, 0xff, 0xff, 0x7f}, 8)...),
		bytes.Repeat([]byte{0}, 1000<<10),
	}
	l.raw(arrowipc.ContentType, bad...)
	l.append(sample(5000, 1)...)
	got := l.drain(l.source(kafka.SourceOptions{}))
	l.expectEvents(got, sample(5000, 1))
	kept := l.rejected()
	for _, r := range kept {
		if r.Code != "arrow" || r.Type != arrowipc.ContentType || r.Source == "" || r.Reason == "" {
			l.Errorf("rejected as %+v", r)
		}
	}
	for i, b := range bad {
		if !slices.ContainsFunc(kept, func(r rollcall.Rejected) bool { return bytes.Equal(b, r.Body) }) {
			l.Errorf("unreadable record %d is not kept", i)
		}
	}
	if len(kept) != len(bad) {
		l.Errorf("%d unreadable records are kept, not %d", len(kept), len(bad))
	}
}

func badRows(l *log) {
	list := sample(0, 10)
	list[2].Until = list[2].Time.Add(-time.Second)
	list[4].Until = list[4].Time.Add(25 * time.Hour)
	list[6].Market = "no such market!"
	list[8].Service = ""
	l.append(list...)
	got := l.drain(l.source(kafka.SourceOptions{}))
	want := []rollcall.Event{list[0], list[1], list[3], list[5], list[7], list[9]}
	l.expectEvents(got, want)
	l.expectCodes(map[string]int{"until_before_time": 1, "too_long": 1, "market": 1, "service_missing": 1})
	for _, r := range l.rejected() {
		wantLine := map[string]int{"until_before_time": 3, "too_long": 5, "market": 7, "service_missing": 9}[r.Code]
		row := arrowipc.RowOf(&list[wantLine-1])
		if r.Line != wantLine || r.Type != arrowipc.RowType || !bytes.Equal(r.Body, row.JSON()) {
			l.Errorf("%s: line %d of type %s is kept as %s", r.Code, r.Line, r.Type, r.Body)
		}
	}
}

func groupsAreChecked(l *log) {
	l.append(sample(0, 3000)...)
	asked := make(map[rollcall.Group]int)
	s := l.source(kafka.SourceOptions{Check: func(g *rollcall.Group) error {
		if asked[*g]++; g.Service == "icq" {
			return &rollcall.Invalid{Field: "service", Value: "icq", Reason: "is not in the catalogue", Code: "unknown_service"}
		}
		return nil
	}})
	got := l.drain(s)
	if len(got) != 2000 {
		l.Errorf("%d events came, not 2000", len(got))
	}
	l.expectCodes(map[string]int{"unknown_service": 1000})
	for g, n := range asked {
		if n != 1 {
			l.Errorf("the group %v was checked %d times in one batch", g, n)
		}
	}
}

func comesAgain(l *log) {
	l.append(sample(0, 100)...)
	first := l.source(kafka.SourceOptions{})
	l.read(first, 100)
	l.must(first.Close())
	second := l.source(kafka.SourceOptions{})
	l.expectEvents(l.drain(second), sample(0, 100))
	l.must(second.Close())

	l.append(sample(100, 1)...)
	l.expectEvents(l.drain(l.source(kafka.SourceOptions{})), sample(100, 1))
}

func twice(l *log) {
	l.append(sample(0, 10)...)
	l.append(sample(0, 10)...)
	if got := l.drain(l.source(kafka.SourceOptions{})); len(got) != 20 {
		l.Errorf("%d events came, not 20", len(got))
	}
}

func noEvents(l *log) {
	l.raw(arrowipc.ContentType, arrow(l), arrow(l))
	l.raw("application/xml", []byte("x"))
	if got := l.drain(l.source(kafka.SourceOptions{Decode: decode})); len(got) != 0 {
		l.Errorf("%d events came of none", len(got))
	}
}

func settling(l *log) {
	l.must(kafka.Settle(l.ctx, l.cluster, l.group)) // an empty log is settled
	l.append(sample(0, 10)...)
	s := l.source(kafka.SourceOptions{})
	offsets := l.read(s, 10)
	short, cancel := context.WithTimeout(l.ctx, 100*time.Millisecond)
	defer cancel()
	if err := kafka.Settle(short, l.cluster, l.group); !errors.Is(err, context.DeadlineExceeded) {
		l.Errorf("before the commit, settling gave %v", err)
	}
	l.must(s.Commit(l.ctx, offsets))
	l.must(kafka.Settle(l.ctx, l.cluster, l.group))
}

func rejectedAreKept(l *log) {
	var want []rollcall.Rejected
	for i := range 5 {
		want = append(want, rollcall.Rejected{
			Time: Now().Add(time.Duration(i) * time.Nanosecond), Source: fmt.Sprint("file", i), Line: i, Code: "c", Reason: "why",
			Type: "text/plain", Body: fmt.Appendf(nil, "body %d", i),
		})
	}
	w := l.writer(false)
	l.must(w.Reject(l.ctx, nil))
	l.must(w.Reject(l.ctx, want))
	same := func(a, b rollcall.Rejected) bool {
		body := bytes.Equal(a.Body, b.Body)
		a.Body, b.Body = nil, nil
		return body && fmt.Sprint(a) == fmt.Sprint(b)
	}
	if got := l.rejected(); !slices.EqualFunc(got, want, same) {
		l.Errorf("kept %v, not %v", got, want)
	}
	n := 0
	for r, err := range kafka.ReadRejected(l.ctx, l.cluster, kafka.Wanted{Most: 2}) {
		l.must(err)
		if !same(r, want[n]) {
			l.Errorf("the oldest are %v", r)
		}
		n++
	}
	if n != 2 {
		l.Errorf("%d came of at most 2", n)
	}
}

func largeRejected(l *log) {
	for _, size := range []int{900 << 10, 1 << 20, 3 << 20} {
		l.must(l.writer(false).Reject(l.ctx, []rollcall.Rejected{{Time: Now(), Code: "c", Body: make([]byte, size)}}))
	}
	got := l.rejected()
	if len(got) != 3 || len(got[0].Body) != 900<<10 || len(got[1].Body) != 1<<20 || len(got[2].Body) != 1<<20 {
		l.Errorf("%d large inputs are kept", len(got))
	}
}

func replayed(l *log) {
	l.append(sample(0, 30)...)
	known := false
	refuse := func(*rollcall.Group) error {
		if !known {
			return &rollcall.Invalid{Field: "market", Value: "FR", Reason: "is not known", Code: "unknown_market"}
		}
		return nil
	}
	opt := kafka.SourceOptions{Options: l.options(), Check: refuse}
	s := l.source(opt)
	if got := l.drain(s); len(got) != 0 {
		l.Fatalf("%d events came of an unknown market", len(got))
	}
	l.must(s.Close())
	if n := l.resend(opt); n != 0 || len(l.rejected()) != 30 {
		l.Fatalf("before the fix %d inputs are valid, and %d refused, want 0 and 30", n, len(l.rejected()))
	}
	known = true
	if n := l.resend(opt); n != 30 || len(l.rejected()) != 0 {
		l.Errorf("after the fix %d inputs are valid, and %d still refused, want 30 and 0", n, len(l.rejected()))
	}
	l.expectEvents(l.drain(l.source(opt)), sample(0, 30))
	marked := 0
	for r, err := range kafka.ReadRejected(l.ctx, l.cluster, kafka.Wanted{Replayed: true}) {
		if marked++; err != nil || !r.Replayed.Equal(Now()) {
			l.Errorf("marked %v: %v", r.Replayed, err)
		}
	}
	if marked != 30 {
		l.Errorf("%d inputs are marked, not 30", marked)
	}
	l.must(l.writer(false).Reject(l.ctx, []rollcall.Rejected{{Time: Now(), Code: "c", Source: "later"}}))
	if left := l.rejected(); len(left) != 1 || left[0].Source != "later" {
		l.Errorf("what was refused later is listed as %+v", left)
	}
}

// resend sends what is valid now through the log again, and says how much it is.
func (l *log) resend(opt kafka.SourceOptions) int {
	l.Helper()
	w, judge := l.writer(false), kafka.NewJudge(opt)
	var valid []rollcall.Rejected
	for _, r := range l.rejected() {
		if err := judge.Judge(&r); err != nil {
			if !errors.Is(err, rollcall.ErrInvalid) {
				l.Fatal(err)
			}
			continue
		}
		l.must(w.Replay(l.ctx, r))
		valid = append(valid, r)
	}
	l.must(w.Mark(l.ctx, valid))
	return len(valid)
}

// chosen asks for a part of what was refused.
func chosen(l *log) {
	var list []rollcall.Rejected
	for i, code := range []string{"json", "too_old", "json", "json"} {
		list = append(list, rollcall.Rejected{Time: Now(), Code: code, Source: []string{"file a", "file b"}[i%2], Line: i})
	}
	l.must(l.writer(false).Reject(l.ctx, list))
	for name, c := range map[string]struct {
		want  kafka.Wanted
		lines []int
	}{
		"all":        {kafka.Wanted{}, []int{0, 1, 2, 3}},
		"a code":     {kafka.Wanted{Code: "json"}, []int{0, 2, 3}},
		"a source":   {kafka.Wanted{Source: "file b"}, []int{1, 3}},
		"sources":    {kafka.Wanted{Source: "file"}, []int{0, 1, 2, 3}},
		"both":       {kafka.Wanted{Source: "file b", Code: "json"}, []int{3}},
		"the oldest": {kafka.Wanted{Code: "json", Most: 2}, []int{0, 2}},
	} {
		var lines []int
		for r, err := range kafka.ReadRejected(l.ctx, l.cluster, c.want) {
			l.must(err)
			lines = append(lines, r.Line)
		}
		if !slices.Equal(lines, c.lines) {
			l.Errorf("%s: lines %v, not %v", name, lines, c.lines)
		}
	}
}

// replayWithin refuses what the log can have nothing of.
func replayWithin(l *log) {
	l.append(sample(0, 10)...)
	opt := kafka.SourceOptions{Options: l.options()}
	for name, start := range map[string]kafka.Start{
		"1600":                    {Time: time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC)},
		"2400":                    {Time: time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC)},
		"an offset far ahead":     {Offsets: rollcall.Offsets{0: 1 << 40}},
		"a partition of no topic": {Offsets: rollcall.Offsets{99: 0}},
	} {
		r, err := kafka.NewReplay(l.ctx, l.cluster, start, opt)
		if !errors.Is(err, rollcall.ErrInvalid) {
			l.Errorf("%s: %v", name, err)
		}
		if err == nil {
			l.must(r.Close())
		}
	}
}

func ensuredAgain(l *log) {
	l.append(sample(0, 10)...)
	for range 2 {
		l.must(l.cluster.EnsureTopics(l.ctx, Partitions))
	}
	l.expectEvents(l.drain(l.source(kafka.SourceOptions{})), sample(0, 10))
}

func twoMembers(l *log) {
	first, second := l.source(kafka.SourceOptions{}), l.source(kafka.SourceOptions{})
	const n = 30000
	l.append(sample(0, n)...)
	seen := make(map[rollcall.Visitor]bool)
	batches := make(chan []rollcall.Event)
	ctx, cancel := context.WithCancel(l.ctx)
	for _, s := range []*kafka.Source{first, second} {
		go l.follow(ctx, s, batches)
	}
	for len(seen) < n {
		select {
		case list := <-batches:
			for i := range list {
				seen[list[i].Visitor] = true
			}
		case <-l.ctx.Done():
			l.Fatalf("%d of %d visitors came", len(seen), n)
		}
	}
	cancel()
}

// follow reads and commits until ctx ends.
func (l *log) follow(ctx context.Context, s *kafka.Source, to chan<- []rollcall.Event) {
	for {
		b, err := s.Next(ctx)
		if err != nil {
			return
		}
		list := make([]rollcall.Event, b.Len())
		for i := range list {
			list[i] = b.Event(i)
		}
		next := rollcall.Offsets{b.Partition: b.Next}
		select {
		case to <- list:
		case <-ctx.Done():
			return
		}
		if err := s.Commit(ctx, next); err != nil {
			return
		}
	}
}

func largeAppend(l *log) {
	const n = 300000
	l.append(sample(0, n)...)
	s := l.source(kafka.SourceOptions{})
	if got := l.drain(s); len(got) != n {
		l.Errorf("%d events came, not %d", len(got), n)
	}
	if records := s.Stats().Records.Load(); records < n*40/(300<<10) {
		l.Errorf("%d events are in %d records", n, records)
	}
}

func closedEarly(l *log) {
	const n = 200000
	l.append(sample(0, n)...)
	s := l.source(kafka.SourceOptions{})
	l.read(s, 1)
	l.must(s.Close())
	if got := l.drain(l.source(kafka.SourceOptions{})); len(got) != n {
		l.Errorf("%d events came, not %d", len(got), n)
	}
}
