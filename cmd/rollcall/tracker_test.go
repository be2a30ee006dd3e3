package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"rollcall/internal/test/engines"
)

// trackers are the clients that applications have built in, in the forms that
// they send.
func trackers() []string {
	return []string{"segment", "rudderstack", "posthog", "posthog-v1", "cloudevents-binary", "cloudevents-structured", "cloudevents-batch"}
}

// secret is told to the clients of every person, and belongs nowhere.
const secret = "trait-7f3a"

// accountsOfApp are n accounts of whoever sends.
func accountsOfApp(sender string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("account-of-%s-%03d", sender, i)
	}
	return list
}

// keyOf makes a key of an application's, with defaults, and gives it.
func keyOf(t *testing.T, tokens string) string {
	t.Helper()
	return strings.TrimSpace(printed(t, "token", "new", "--name", "an app", "--role", "ingest", "--tokens", tokens,
		"--default-market", "FR", "--default-service", "app", "--default-location", "elsewhere"))
}

// printed runs a command in this process, and gives what it prints.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	var out, logs bytes.Buffer
	if err := run(t.Context(), args, nil, &out, &logs); err != nil {
		t.Fatalf("rollcall %s: %v\n%s", strings.Join(args, " "), err, logs.String())
	}
	return out.String()
}

// around are yesterday and today where the market is.
func around() []string {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err) // it is built in
	}
	today := time.Now().In(paris)
	return []string{"--from", today.AddDate(0, 0, -1).Format(time.DateOnly), "--to", today.Format(time.DateOnly)}
}

// accountsIn reads a census's accounts.
func accountsIn(t *testing.T, census string) float64 {
	t.Helper()
	var table struct {
		Rows []struct {
			Accounts struct{ Value float64 } `json:"unique_accounts"`
		}
	}
	if err := json.Unmarshal([]byte(census), &table); err != nil {
		t.Fatalf("%v: %s", err, census)
	}
	if len(table.Rows) != 1 {
		return 0
	}
	return table.Rows[0].Accounts.Value
}

func censusOfApp() []string {
	return append([]string{"census", "--market", "FR", "--service", "app", "--min-accounts", "0", "--format", "json"}, around()...)
}

// TestTrackers: each client as it is sends its accounts, all of them are counted,
// once, and no file and no line of the log has an account or a trait of theirs.
func TestTrackers(t *testing.T) {
	engines.Require(t, engines.Trackers)
	data, tokens := t.TempDir(), filepath.Join(t.TempDir(), "tokens")
	rollcallRun(t, "market", "add", "FR", "--zone", "Europe/Paris", "--data", data)
	rollcallRun(t, "service", "add", "app", "--name", "App", "--census", "exact", "--data", data)
	key := keyOf(t, tokens)
	p := spawn(t, "run", "--debug", "--data", data, "--listen", "127.0.0.1:0", "--tokens", tokens)
	var sent []string
	for _, client := range trackers() {
		accounts := accountsOfApp(client, 7)
		taken := engines.Tracker{Client: client, URL: "http://" + p.addr, Key: key, Trait: secret}.Send(t, accounts)
		slices.Sort(taken)
		if !slices.Equal(taken, accounts) {
			t.Errorf("%s says that these were taken: %v", client, taken)
		}
		sent = append(sent, accounts...)
	}
	rest := "account-of-nobody"
	if taken := (engines.Tracker{Client: "segment", URL: "http://" + p.addr, Key: "rc_wrong", Trait: secret}).Send(t, []string{rest}); len(taken) > 0 {
		t.Errorf("with a wrong key these were taken: %v", taken)
	}
	awaitCensus(t, len(sent), len(sent), func() string { return printed(t, append(censusOfApp(), "--data", data)...) })
	p.stop()
	requireNowhere(t, map[string]string{"the log of the process": p.logs.String()}, append(sent, rest, secret, "mail.example", key))
	requireNotIn(t, data, append(sent, rest, secret, "mail.example", key))
}

// TestTrackersLogAway kills the broker while a tracker's client sends. Every
// account that it was told was taken is counted, and none twice; and none stands in a
// topic, a table, the spool or a log.
func TestTrackersLogAway(t *testing.T) {
	engines.Require(t, engines.Trackers)
	c := newCluster(t)
	c.run("service", "add", "app", "--name", "App", "--census", "exact")
	dir := t.TempDir()
	tokens, spool := filepath.Join(dir, "tokens"), filepath.Join(dir, "spool")
	key := keyOf(t, tokens)
	collector := c.spawn("collect", "http", "--debug", "--tokens", tokens, "--spool", spool)
	collector.api.Transport = withKey{collector.api.Transport, administrator(t, tokens)}
	aggregator := c.aggregator("--debug")
	await(t, aggregator.ready)

	accounts := accountsOfApp("segment", 400)
	sent := make(chan []string, 1)
	go func() {
		client := engines.Tracker{Client: "segment", URL: "http://" + collector.addr, Key: key, Trait: secret, Env: []string{"PAUSE=20"}}
		sent <- client.Send(t, accounts)
	}()
	const often = 50 * time.Millisecond // a key may send 100 requests a second
	awaitEvery(t, often, func() bool { return collector.metric("rollcall_http_requests_total") > 10 })
	c.kafka.Kill()
	awaitEvery(t, often, func() bool { return collector.metric("rollcall_spool_bytes") > 0 })
	words := append(slices.Clone(accounts), secret, "mail.example", key)
	requireNotIn(t, spool, words)
	c.kafka.Restart()
	taken := <-sent
	if len(taken) < len(accounts)/2 {
		t.Errorf("%d of %d accounts were taken: the spool was no help", len(taken), len(accounts))
	}
	awaitEvery(t, often, func() bool {
		return collector.metric("rollcall_spool_bytes") == 0 && collector.metric("rollcall_spool_log_away") == 0
	})
	c.settle()
	awaitCensus(t, len(taken), len(accounts), func() string { return c.run(censusOfApp()...) })
	texts := c.everything()
	texts["the collector's log"], texts["the aggregator's log"] = collector.logs.String(), aggregator.logs.String()
	requireNowhere(t, texts, words)
}

// everything is what the cluster's topics and tables hold, by their names.
func (c *cluster) everything() map[string]string {
	c.Helper()
	texts := map[string]string{}
	for topic, partitions := range map[string]int{"rollcall.events": 4, "rollcall.rejected": 1} {
		texts["the topic "+topic] = c.recordsOf(topic, partitions)
	}
	for _, name := range strings.Fields(c.server.Query("SELECT name FROM system.tables WHERE database = '" + c.database + "' AND engine LIKE '%MergeTree'")) {
		texts["the table "+name] = c.server.Query("SELECT * FROM " + c.database + "." + name + " FORMAT JSONEachRow")
	}
	if len(texts) < 8 || !strings.Contains(texts["the topic rollcall.events"], "elsewhere") {
		c.Errorf("%d texts were looked at, and the events' topic has %d bytes", len(texts), len(texts["the topic rollcall.events"]))
	}
	return texts
}

// withKey sends a key with every request.
type withKey struct {
	http.RoundTripper
	key string
}

// RoundTrip sends on.
func (k withKey) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+k.key)
	return k.RoundTripper.RoundTrip(r)
}

func administrator(t *testing.T, tokens string) string {
	t.Helper()
	return strings.TrimSpace(printed(t, "token", "new", "--name", "who looks", "--role", "admin", "--tokens", tokens))
}

// recordsOf gives all that a topic's records hold, one after the other.
func (c *cluster) recordsOf(topic string, partitions int) string {
	c.Helper()
	var all strings.Builder
	for partition := range partitions {
		c.readPartition(&all, topic, partition)
	}
	return all.String()
}

// readPartition reads a partition to its end.
func (c *cluster) readPartition(to *strings.Builder, topic string, partition int) {
	c.Helper()
	conn, err := kafkago.DialLeader(c.Context(), "tcp", c.kafka.Addr(), topic, partition)
	if err != nil {
		c.Fatal(err)
	}
	defer conn.Close()
	first, last, err := conn.ReadOffsets()
	if err != nil {
		c.Fatal(err)
	}
	for before := first - 1; before < first && first < last; {
		before = first
		batch := conn.ReadBatch(1, 16<<20)
		for {
			m, err := batch.ReadMessage()
			if err != nil {
				break // the batch's end
			}
			to.Write(m.Key)
			to.Write(m.Value)
			for _, h := range m.Headers {
				to.Write(h.Value)
			}
			first = m.Offset + 1
		}
		if err := batch.Close(); err != nil {
			c.Fatal(err)
		}
	}
}

// awaitCensus waits until the census counts the least that it must, and wants no
// more than the most.
func awaitCensus(t *testing.T, least, most int, ask func() string) {
	t.Helper()
	var got float64
	await(t, func() bool { got = accountsIn(t, ask()); return got >= float64(least) })
	if got > float64(most) {
		t.Errorf("%v accounts are counted, of %d", got, most)
	}
}

// requireNotIn looks for words in every file of a folder.
func requireNotIn(t *testing.T, folder string, words []string) {
	t.Helper()
	texts := textsOf(t, folder)
	if !slices.ContainsFunc(slices.Collect(maps.Values(texts)), func(text string) bool { return strings.Contains(text, "elsewhere") }) {
		t.Errorf("no file of %s has the events' place: they are not looked at as they are", folder)
	}
	requireNowhere(t, texts, words)
}

// filesOf reads every file of a folder.
func textsOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		texts[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// requireNowhere looks for words in texts, by their names.
func requireNowhere(t *testing.T, texts map[string]string, words []string) {
	t.Helper()
	for name, text := range texts {
		for _, word := range words {
			if strings.Contains(text, word) {
				t.Errorf("%q stands in %s", word, name)
			}
		}
	}
}
