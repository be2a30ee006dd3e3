package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// TestRotationOnCluster: the master key is rotated where none of the processes
// reads its file. They say that they lack it, and refuse the events of its days
// for now, and no others; given the file, they go on without a restart, and what
// was refused is counted.
func TestRotationOnCluster(t *testing.T) {
	c := newCluster(t)
	collector := c.spawn("collect", "http", "--spool", filepath.Join(c.dir, "spool"))
	aggregator := c.aggregator()
	c.await(func() bool { return collector.ready() && aggregator.ready() })

	before, soon := daysToCome()
	send := func(day time.Time) int { return collector.post(eventOf(day, "a@example.org")) }
	elsewhere := c.elsewhere()
	out := elsewhere.run("key", "rotate", "--from", soon.Format(time.DateOnly))
	if !strings.Contains(out, "is for the days from "+soon.Format(time.DateOnly)) {
		t.Errorf("rotated: %s", out)
	}
	c.await(func() bool { return collector.lacksKey() && aggregator.lacksKey() })
	if code := send(before); code != http.StatusOK {
		t.Errorf("an event of a day before: %d", code)
	}
	if code := send(soon); code != http.StatusServiceUnavailable {
		t.Errorf("an event of its day: %d", code)
	}
	c.put(eventOf(soon, "b@example.org"))
	c.settle()
	if list := c.run("rejected", "list"); !strings.Contains(list, "refused: 1 (1 key_missing)") {
		t.Errorf("of the event that came by Kafka: %s", list)
	}

	text, err := os.ReadFile(elsewhere.keyFile())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.keyFile(), text, 0o600); err != nil {
		t.Fatal(err)
	}
	c.await(func() bool { return !collector.lacksKey() && !aggregator.lacksKey() })
	if code := send(soon); code != http.StatusOK {
		t.Errorf("an event of its day, the key being there: %d", code)
	}
	if done := c.run("rejected", "replay"); !strings.Contains(done, "sent again: 1 of 1 inputs") {
		t.Errorf("replayed: %s", done)
	}
	c.settle()
	for day, want := range map[time.Time]string{before: ",msn,1,", soon: ",msn,2,"} {
		on := day.Format(time.DateOnly)
		if got := c.run("census", "--market", "FR", "--from", on, "--to", on, "--min-accounts", "0", "--format", "csv"); !strings.Contains(got, want) {
			t.Errorf("on %s: %s; want %s", on, got, want)
		}
	}
	if list := c.run("key", "list"); strings.Count(list, "\n") != 3 || !strings.Contains(list, "to come") || strings.Contains(list, "missing") {
		t.Errorf("the keys are\n%s", list)
	}
}

// daysToCome are two days of one year that follow each other.
func daysToCome() (before, soon time.Time) {
	soon = time.Now().UTC().AddDate(0, 0, 30)
	if soon.YearDay() == 1 {
		soon = soon.AddDate(0, 0, 1)
	}
	return soon.AddDate(0, 0, -1), soon
}

func eventOf(day time.Time, account string) string {
	return `{"time":"` + day.Format(time.DateOnly) + `T12:00:00Z","market":"FR","service":"msn","location":"home","kind":"use","account":"` + account + `"}`
}

// post sends one event, and gives the answer's status.
func (p *child) post(event string) int {
	p.t.Helper()
	answer, err := p.api.Post("http://localhost/v1/events?backfill=true", "application/x-ndjson", strings.NewReader(event))
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// elsewhere is the same cluster as another machine sees it: with a copy of the
// key file of its own.
func (c *cluster) elsewhere() *cluster {
	c.Helper()
	other := c.empty(c.database)
	other.dir = c.TempDir()
	text, err := os.ReadFile(c.keyFile())
	if err != nil {
		c.Fatal(err)
	}
	if err := os.WriteFile(other.keyFile(), text, 0o600); err != nil {
		c.Fatal(err)
	}
	return other
}

// lacksKey reports whether the process says that a master key is missing.
func (p *child) lacksKey() bool {
	answer, err := p.api.Get("http://localhost/readyz")
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return err == nil && answer.StatusCode == http.StatusOK && bytes.Contains(text, []byte("lacks master keys that the store knows"))
}

// put puts one JSON event on the topic, as a producer of anybody's does.
func (c *cluster) put(event string) {
	c.Helper()
	w := &kafkago.Writer{Addr: kafkago.TCP(c.kafka.Addr()), Topic: "rollcall.events", RequiredAcks: kafkago.RequireAll}
	err := w.WriteMessages(c.Context(), kafkago.Message{Value: []byte(event), Headers: []kafkago.Header{{Key: "backfill", Value: []byte("1")}}})
	if err := w.Close(); err != nil {
		c.Error(err)
	}
	if err != nil {
		c.Fatal(err)
	}
}
