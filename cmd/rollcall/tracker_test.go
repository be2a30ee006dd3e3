package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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
		taken := engines.Track(t, client, "http://"+p.addr, key, secret, accounts)
		slices.Sort(taken)
		if !slices.Equal(taken, accounts) {
			t.Errorf("%s says that these were taken: %v", client, taken)
		}
		sent = append(sent, accounts...)
	}
	rest := "account-of-nobody"
	if taken := engines.Track(t, "segment", "http://"+p.addr, "rc_wrong", secret, []string{rest}); len(taken) > 0 {
		t.Errorf("with a wrong key these were taken: %v", taken)
	}
	awaitCensus(t, len(sent), func() string { return printed(t, append(censusOfApp(), "--data", data)...) })
	p.stop()
	requireNowhere(t, map[string]string{"the log of the process": p.logs.String()}, append(sent, rest, secret, "mail.example", key))
	requireNotIn(t, data, append(sent, rest, secret, "mail.example", key))
}

// awaitCensus waits until the census counts so many accounts, and wants no more.
func awaitCensus(t *testing.T, want int, ask func() string) {
	t.Helper()
	var got float64
	await(t, func() bool { got = accountsIn(t, ask()); return got >= float64(want) })
	if got != float64(want) {
		t.Errorf("%v accounts are counted, of %d", got, want)
	}
}

// requireNotIn looks for words in every file of a folder.
func requireNotIn(t *testing.T, folder string, words []string) {
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
	if !slices.ContainsFunc(slices.Collect(maps.Values(texts)), func(text string) bool { return strings.Contains(text, "elsewhere") }) {
		t.Errorf("no file of %s has the events' place: they are not looked at as they are", folder)
	}
	requireNowhere(t, texts, words)
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
