package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall/internal/test/engines"
)

// TestProducers has each program send events of its own accounts to the topic of a
// real Kafka, as docs/sources.md says. All are counted, once, and nothing is refused.
func TestProducers(t *testing.T) {
	c := newCluster(t)
	await(t, c.aggregator().ready)
	const plain = "application/json"
	for name, of := range map[string]struct {
		send   func(*producer)
		header string
	}{
		"kafkajs":             {(*producer).kafkajs, plain},
		"kafkajs-cloudevents": {(*producer).kafkajsCloudEvents, "application/cloudevents+json"},
		"kcat":                {(*producer).kcat, plain},
		"rsyslog-file":        {(*producer).rsyslogFile, ""},
		"rsyslog-socket":      {(*producer).rsyslogSocket, ""},
		"connect":             {(*producer).connect, plain},
	} {
		t.Run(name, func(t *testing.T) {
			c := *c
			c.T = t
			c.countsAll(name, of.send)
			c.requireHeader(name, of.header)
		})
	}
	c.settle()
	if refused := c.recordsOf("rollcall.rejected", 1); refused != "" {
		t.Errorf("these were refused: %s", refused)
	}
}

// producer is a program that sends to the topic.
type producer struct {
	*testing.T
	broker string
	name   string
	times  []string // of each account's events
}

// accountsOfProducer is how many a program has.
const accountsOfProducer = 211

// countsAll holds the census of a service, all of whose events a program sends, to
// the accounts that it has.
func (c *cluster) countsAll(name string, send func(*producer)) {
	c.Helper()
	c.run("service", "add", name, "--name", name, "--census", "exact")
	now := time.Now().UTC()
	send(&producer{T: c.T, broker: c.kafka.Addr(), name: name, times: []string{now.Format(time.RFC3339), now.Add(-time.Minute).Format(time.RFC3339)}})
	census := append([]string{"census", "--market", "FR", "--service", name, "--min-accounts", "0", "--format", "json"}, around()...)
	awaitCensus(c.T, accountsOfProducer, accountsOfProducer, func() string { return c.run(census...) })
}

// requireHeader holds the headers of a program's records to the one that they have,
// or have not.
func (c *cluster) requireHeader(name, header string) {
	c.Helper()
	records := regexp.MustCompile(`account-of-`+name+`-\d+"}+(application/[a-z+]+)?`).FindAllStringSubmatch(c.recordsOf("rollcall.events", 4), -1)
	if len(records) < 2*accountsOfProducer {
		c.Errorf("the topic has %d records of %s", len(records), name)
	}
	for _, r := range records {
		if r[1] != header {
			c.Fatalf("a record of %s has the header %q, not %q", name, r[1], header)
		}
	}
}

// lines are two events of each account, where %s stand for its time and itself.
func (p *producer) lines(form string) string {
	var all strings.Builder
	for _, at := range p.times {
		for _, account := range accountsOfApp(p.name, accountsOfProducer) {
			fmt.Fprintf(&all, form+"\n", at, account)
		}
	}
	return all.String()
}

// events are the lines of plain events.
func (p *producer) events() string {
	return p.lines(`{"time":%q,"market":"FR","service":"` + p.name + `","location":"elsewhere","kind":"use","account":%q}`)
}

// file writes a text to a file of the test's.
func (p *producer) file(name, text string) string {
	p.Helper()
	path := filepath.Join(p.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.Fatal(err)
	}
	return path
}

// documented gives what docs/sources.md says for a program, in a block of a
// language, with the names that the page has in it replaced by the test's.
func (p *producer) documented(program, language string, replace ...string) string {
	p.Helper()
	_, text, found := strings.Cut(readFile(p.T, "docs/sources.md"), "\n**"+program+"**")
	block := regexp.MustCompile("(?ms)^```" + language + "\n(.*?)^```$").FindStringSubmatch(text)
	if !found || block == nil {
		p.Fatalf("docs/sources.md has no %s for %s", language, program)
	}
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(block[1], replace[i]) {
			p.Fatalf("docs/sources.md has no %q for %s", replace[i], program)
		}
	}
	return strings.NewReplacer(replace...).Replace(block[1])
}

// reader ends once it has read so many events of a program's with their header.
const reader = `
import kafkajs from 'kafkajs'
const consumer = new kafkajs.Kafka({ brokers: ['BROKER'], logLevel: kafkajs.logLevel.NOTHING }).consumer({ groupId: 'reader' })
await consumer.connect()
await consumer.subscribe({ topics: ['rollcall.events'], fromBeginning: true })
let left = COUNT
await new Promise((done) => consumer.run({ eachMessage: async ({ message: { value, headers } }) => {
  if (/account-of-NAME-\d/.test(value) && headers['content-type'] == 'application/json' && --left == 0) done()
} }))
await consumer.disconnect()
`

// kafkajs writes to the topic, and reads there what it wrote.
func (p *producer) kafkajs() {
	events := p.file("events.ndjson", p.events())
	engines.RunProducer(p.T, p.documented("kafkajs", "js", "broker:9092", p.broker, "events.ndjson", events))
	engines.RunProducer(p.T, strings.NewReplacer("BROKER", p.broker, "NAME", p.name, "COUNT", strconv.Itoa(2*accountsOfProducer)).Replace(reader))
}

func (p *producer) kafkajsCloudEvents() {
	events := p.file("events.ndjson", p.lines(`{"specversion":"1.0","id":"1","source":"/app","type":"message.sent","time":%q,`+
		`"data":{"market":"FR","service":"`+p.name+`","location":"elsewhere","account":%q}}`))
	engines.RunProducer(p.T, p.documented("kafkajs", "js", "broker:9092", p.broker, "events.ndjson", events,
		"application/json", "application/cloudevents+json"))
}

func (p *producer) kcat() {
	engines.Require(p, engines.Kcat)
	cmd := exec.CommandContext(p.Context(), "kcat", "-P", "-b", p.broker, "-t", "rollcall.events", "-H", "content-type=application/json")
	cmd.Stdin = strings.NewReader(p.events())
	if out, err := cmd.CombinedOutput(); err != nil {
		p.Fatalf("kcat: %v\n%s", err, out)
	}
}

// rsyslogFile has rsyslog read a file.
func (p *producer) rsyslogFile() {
	engines.Rsyslog(p, p.documented("rsyslog", "rsyslog", "broker:9092", p.broker, "/var/log/app/events.ndjson", p.file("events.ndjson", p.events())))
}

// rsyslogSocket has rsyslog listen to what an application logs; each message has a
// space before it.
func (p *producer) rsyslogSocket() {
	socket := filepath.Join(p.TempDir(), "log")
	engines.Rsyslog(p, p.documented("rsyslog", "rsyslog", "broker:9092", p.broker,
		`module(load="imfile")`, `module(load="imuxsock" SysSock.Use="off")`,
		`type="imfile" file="/var/log/app/events.ndjson" tag="app"`, `type="imuxsock" Socket="`+socket+`"`))
	await(p.T, func() bool { _, err := os.Stat(socket); return err == nil })
	cmd := exec.CommandContext(p.Context(), "logger", "--socket", socket, "--tag", "app")
	cmd.Stdin = strings.NewReader(p.events())
	if out, err := cmd.CombinedOutput(); err != nil {
		p.Fatalf("logger: %v\n%s", err, out)
	}
}

func (p *producer) connect() {
	worker := p.documented("Kafka Connect", "ini", "broker:9092", p.broker, "plugin.path=/opt/connectors\n", "",
		"/var/lib/connect/offsets", filepath.Join(p.TempDir(), "offsets"))
	connector := p.documented("Kafka Connect", "properties", "/var/log/app/events.ndjson", p.file("events.ndjson", p.events()))
	engines.Connect(p, worker, connector)
}
