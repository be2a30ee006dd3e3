package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"rollcall"
	"rollcall/internal/kafka"
	"rollcall/internal/server"
)

// TestSoakThroughput measures, and judges nothing: how fast one aggregator takes
// events from a real Kafka to a real ClickHouse on this machine, what each
// process costs, and how fresh a report is at half of that.
func TestSoakThroughput(t *testing.T) {
	if os.Getenv("ROLLCALL_SOAK") == "" {
		t.Skip("only in a soak: set ROLLCALL_SOAK")
	}
	c := newCluster(t)
	millions := 12
	if n, err := strconv.Atoi(os.Getenv("ROLLCALL_MILLIONS")); err == nil {
		millions = n
	}
	b := c.bench()
	t.Logf("writing %d million events as Arrow: %s", millions, b.write(millions))
	speed := b.fold("Arrow", millions)
	b.fresh(speed / 2)
	single, some := newCluster(t).bench(), max(1, millions/2)
	t.Logf("writing %d million events as JSON: %s", some, single.writeJSON(some*1_000_000))
	single.fold("JSON", some)
}

// bench is a cluster that is measured.
type bench struct {
	*cluster
	log  *kafka.Cluster
	to   *kafka.Writer
	rand *rand.Rand
}

func (c *cluster) bench() *bench {
	b := &bench{cluster: c, log: kafka.Dial([]string{c.kafka.Addr()}, kafka.Security{}), rand: rand.New(rand.NewPCG(1, 1))}
	b.to = kafka.NewWriter(b.log, kafka.WriterOptions{Backfill: true})
	c.Cleanup(func() {
		if err := b.to.Close(); err != nil {
			c.Error(err)
		}
		b.log.Close()
	})
	return b
}

// draw makes one-minute census events: 3 services, 2 places, 7 days, 3 million
// accounts each.
func (b *bench) draw(events []rollcall.Event) {
	first := time.Date(2002, 10, 7, 0, 0, 0, 0, time.UTC)
	services := []rollcall.ServiceID{"msn", "aim", "icq"}
	places := []rollcall.Location{rollcall.Home, rollcall.Work}
	for i := range events {
		events[i] = rollcall.Event{
			Group: rollcall.Group{Market: "FR", Service: services[b.rand.IntN(3)], Location: places[b.rand.IntN(2)], Kind: rollcall.Use, Key: 1},
			Time:  first.Add(time.Duration(b.rand.IntN(7*24*3600)) * time.Second), Visitor: rollcall.Visitor(b.rand.Uint64N(3_000_000) * 0x9e3779b97f4a7c15),
		}
	}
}

func (b *bench) write(millions int) string {
	begin := time.Now()
	events := make([]rollcall.Event, 100_000)
	for range millions * 10 {
		b.draw(events)
		if err := b.to.Append(b.Context(), rollcall.BatchOf(events...)); err != nil {
			b.Fatal(err)
		}
	}
	return rate(float64(millions)*1e6, time.Since(begin))
}

// writeJSON writes one event a record.
func (b *bench) writeJSON(n int) string {
	begin := time.Now()
	const many = 8000
	events, lines := make([]rollcall.Event, many), make([]string, many)
	for i := 0; i < n; i += many {
		b.draw(events)
		for j, e := range events {
			lines[j] = fmt.Sprintf(`{"time":%q,"market":%q,"service":%q,"location":%q,"kind":"use","account":"someone.%d@example.org"}`,
				e.Time.Format(time.RFC3339), e.Market, e.Service, e.Location, e.Visitor%3_000_000)
		}
		b.records(lines)
	}
	return rate(float64(n), time.Since(begin))
}

// records writes each line as a record of its own, as any producer might.
func (b *bench) records(lines []string) {
	b.Helper()
	w := kafkago.Writer{
		Addr: kafkago.TCP(b.kafka.Addr()), Topic: kafka.Events, RequiredAcks: kafkago.RequireAll,
		BatchTimeout: 5 * time.Millisecond, BatchSize: 10_000, Balancer: &kafkago.RoundRobin{},
	}
	messages := make([]kafkago.Message, len(lines))
	for i, line := range lines {
		messages[i] = kafkago.Message{Value: []byte(line), Headers: []kafkago.Header{
			{Key: "content-type", Value: []byte("application/json")}, {Key: "backfill", Value: []byte("1")},
		}}
	}
	if err := errors.Join(w.WriteMessages(b.Context(), messages...), w.Close()); err != nil {
		b.Fatal(err)
	}
}

func rate(n float64, took time.Duration) string {
	return fmt.Sprintf("%.2f million/s", n/took.Seconds()/1e6)
}

// costs are processor seconds by process, and bytes into ClickHouse.
type costs struct {
	at                     time.Time
	aggregator, log, store float64
	received               float64
}

func (b *bench) costs(a *child) costs {
	b.Helper()
	received, _ := strconv.ParseFloat(b.server.Query("SELECT value FROM system.events WHERE event = 'NetworkReceiveBytes'"), 64)
	return costs{
		at: time.Now(), aggregator: b.seconds(a.cmd.Process.Pid), log: b.seconds(b.kafka.PID()),
		store: b.seconds(b.server.PID()), received: received,
	}
}

// seconds is the processor time that a process has used.
func (b *bench) seconds(pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100
}

// fold measures an aggregator on the whole log of so many million events, and
// gives events a second until the store has them. What was read within one
// interval between flushes waits for the interval's end: a log that is read
// sooner measures that timer, so the reading is said apart.
func (b *bench) fold(form string, millions int) float64 {
	b.Helper()
	a := b.spawn("aggregate")
	await(b.T, func() bool { return a.metric(foldedTotal) > 0 })
	early, before := a.metric(foldedTotal), b.costs(a)
	awaitEvery(b.T, 50*time.Millisecond, func() bool { return a.metric(foldedTotal) >= float64(millions)*1e6 })
	read := time.Since(before.at)
	b.settle()
	after, done := b.costs(a), a.metric(foldedTotal)-early
	took := after.at.Sub(before.at)
	m := done / 1e6
	b.Logf("%s, topic to store: %s (%.0f events in %s); read and folded: %s (in %s); processor seconds a million: aggregator %.3f, Kafka %.3f, ClickHouse %.3f; %.2f MB/s into ClickHouse; %.0f flushes",
		form, rate(done, took), done, took.Round(time.Millisecond), rate(done, read), read.Round(time.Millisecond),
		(after.aggregator-before.aggregator)/m, (after.log-before.log)/m, (after.store-before.store)/m,
		(after.received-before.received)/took.Seconds()/1e6, a.metric(flushes))
	a.stop()
	return done / took.Seconds()
}

// fresh measures the time from an event's acknowledgement to its report, while
// other events come at the given rate.
func (b *bench) fresh(perSecond float64) {
	b.Helper()
	b.spawn("aggregate")
	e := &server.Engine{Clickhouse: b.dsn()}
	to, err := server.Connect(b.Context(), e, quiet())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = to.Close() }()
	ctx, stop := context.WithCancel(b.Context())
	sent := make(chan int)
	go func() { sent <- b.load(ctx, perSecond) }()
	var delays []time.Duration
	begin := time.Now()
	for i := range 60 {
		delays = append(delays, b.probe(&client{http: to.HTTP}, i))
	}
	stop()
	took := time.Since(begin)
	slices.Sort(delays)
	b.Logf("at %s: event to report p50 %s, p99 %s, most %s", rate(float64(<-sent), took),
		delays[len(delays)/2].Round(time.Millisecond), delays[len(delays)*99/100].Round(time.Millisecond), delays[len(delays)-1].Round(time.Millisecond))
}

// load appends at a steady rate until ctx ends.
func (b *bench) load(ctx context.Context, perSecond float64) (sent int) {
	events := make([]rollcall.Event, 20_000)
	b.draw(events)
	tick := time.NewTicker(time.Duration(float64(len(events)) / perSecond * float64(time.Second)))
	defer tick.Stop()
	w := kafka.NewWriter(b.log, kafka.WriterOptions{Backfill: true})
	defer w.Close()
	for ctx.Err() == nil {
		if w.Append(ctx, rollcall.BatchOf(events...)) == nil {
			sent += len(events)
		}
		<-tick.C
	}
	return sent
}

// probe appends an event of a day and account of its own, and asks for that
// day's census until it is there.
func (b *bench) probe(api *client, i int) time.Duration {
	b.Helper()
	day := time.Date(2002, 1, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, i)
	e := rollcall.Event{
		Group: rollcall.Group{Market: "FR", Service: "jabber", Location: rollcall.Home, Kind: rollcall.Use, Key: 1},
		Time:  day, Visitor: rollcall.Visitor(i),
	}
	if err := b.to.Append(b.Context(), rollcall.BatchOf(e)); err != nil {
		b.Fatal(err)
	}
	begin := time.Now()
	date := day.Format(time.DateOnly)
	question := url.Values{"market": {"FR"}, "service": {"jabber"}, "from": {date}, "to": {date}, "min_accounts": {"0"}, "format": {"csv"}}
	awaitEvery(b.T, 50*time.Millisecond, func() bool {
		answer, err := api.get(b.Context(), "/v1/census", question)
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		var text bytes.Buffer
		_, err = text.ReadFrom(answer.Body)
		return err == nil && strings.Contains(text.String(), "jabber,1,")
	})
	return time.Since(begin)
}
