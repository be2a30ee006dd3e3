package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/test/engines"
)

// everyCollector has each collector that reads something bring accounts of its own,
// with the flags of an engine. It gives the accounts, those whose events were refused,
// and all that the commands wrote of it. TestTrackers is about what comes by HTTP.
type everyCollector struct {
	*testing.T
	dir      string
	flags    []string
	accounts []string
	refused  []string
	texts    map[string]string // by the command
}

// now is when an account of a collector's was seen.
func (e *everyCollector) now() string { return time.Now().UTC().Add(-time.Minute).Format(time.RFC3339) }

// account makes one, of which nothing may be found.
func (e *everyCollector) account(of string) string {
	name := "account-of-" + of + "@mail.example"
	e.accounts = append(e.accounts, name)
	return name
}

func (e *everyCollector) file(name, text string) string {
	e.Helper()
	path := filepath.Join(e.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		e.Fatal(err)
	}
	return path
}

// command runs one, until it has ended or done holds.
func (e *everyCollector) command(done func() bool, args ...string) {
	e.Helper()
	ctx, stop := context.WithCancel(e.Context())
	defer stop()
	out, ended := new(lockedBuffer), make(chan error, 1)
	go func() { ended <- run(ctx, append(args, e.flags...), new(bytes.Buffer), out, out) }()
	if done != nil {
		await(e.T, done)
		stop()
	}
	if err := <-ended; err != nil {
		e.Errorf("rollcall %s: %v", strings.Join(args, " "), err)
	}
	e.texts["what rollcall "+strings.Join(args[:2], " ")+" says"] += out.String()
}

// collect has them all collect.
func (e *everyCollector) collect() {
	e.Helper()
	if slices.Contains(e.flags, "--data") { // a cluster has it
		e.command(nil, "market", "add", "FR", "--zone", "Europe/Paris")
	}
	event := `{"time":%q,"market":"FR","service":%q,"location":"elsewhere","kind":"use","account":%q}` + "\n"
	of := func(account, service string) string { return fmt.Sprintf(event, e.now(), service, account) }
	e.refused = []string{"account-of-refused@mail.example"}
	e.command(nil, "events", "load", e.file("events.ndjson", of(e.account("load"), "msn")+of(e.refused[0], "nosuch")))
	e.command(nil, "events", "load", "--source", "tchap", "--market", "FR", e.file("visits.csv",
		"user_id,device_id,visit_ts,user_agent,instance,domain\n"+e.account("table")+",d,"+time.Now().Format(time.DateOnly)+" 00:00:00+00,curl,a,b\n"))
	line := `{"time":%q,"service":"msn","account":%q}` + "\n"
	e.command(nil, "collect", "logs", "--source", "json", "--market", "FR", e.file("chat.log", fmt.Sprintf(line, e.now(), e.account("log"))))
	state := filepath.Join(e.dir, "state")
	e.command(func() bool { files, _ := filepath.Glob(filepath.Join(state, "*.json")); return len(files) > 0 },
		"collect", "logs", "--source", "json", "--market", "FR", "--follow", "--state", state,
		e.file("followed.log", fmt.Sprintf(line, e.now(), e.account("follow"))))
	asked := e.file("poll.txt", e.account("poll")+"/home\tc2s_tls\t127.0.0.1\t5\t0\tnode\t60\tavailable\thome\t\n")
	e.command(func() bool { _, err := os.Stat(asked + ".twice"); return err == nil },
		"collect", "poll", "--source", "ejabberd", "--market", "FR", "--every", "1s",
		"--command", "cd "+e.dir+" && cat poll.txt && if test -e poll.txt.once; then touch poll.txt.twice; else touch poll.txt.once; fi")
	for capture, accounts := range map[string][]string{
		"oscar_bitlbee351": {"annpanel", "bobpanel"}, "msn8_ymsg10_bitlbee128_escargot": {"t1h@hotmail.com", "t2h@hotmail.com"}, "xmpp_prosody0.12": {"annpanel"},
	} {
		e.accounts = append(e.accounts, accounts...)
		e.command(nil, "collect", "pcap", "../../testdata/replay/"+capture+".pcap", "--market", "FR", "--location", "home")
	}
	panelist := "panelist-9f2c"
	e.accounts = append(e.accounts, panelist)
	e.command(nil, "panel", "load", "--market", "FR", "--panel", "nn", "--month", "2026-11",
		"--panelists", e.file("panelists.csv", "panelist,home,work,base_weight,sex\n"+panelist+",1,0,1,F\n"),
		"--universe", e.file("universe.csv", "margin,category,population,source,source_date\nsex,F,1000,study,2026-01-01\n"))
	e.command(nil, "collect", "pcap", "../../testdata/replay/oscar_bitlbee351.pcap", "--market", "FR", "--location", "home", "--panel", "nn", "--panelist", panelist)
}

// requireSaid holds that the collectors brought something, and that nothing which they
// wrote has an account.
func (e *everyCollector) requireSaid() {
	e.Helper()
	for _, name := range []string{"events load", "collect logs", "collect poll", "collect pcap"} {
		text := e.texts["what rollcall "+name+" says"]
		if n := len(regexp.MustCompile(`accepted [1-9]`).FindAllString(text, -1)); n == 0 || strings.Contains(text, "accepted 0") {
			e.Errorf("%s brought too little: %s", name, text)
		}
	}
	requireNowhere(e.T, e.texts, append(slices.Clone(e.accounts), e.refused...))
	requireNowhere(e.T, textsOf(e.T, filepath.Join(e.dir, "state")), e.accounts)
}

// TestAccountsNowhere: no file of a data folder has an account or a panelist that a
// collector brought. What was refused is whole in one place, from where it can be sent again.
func TestAccountsNowhere(t *testing.T) {
	engines.Long(t, "runs every collector")
	data := t.TempDir()
	e := &everyCollector{T: t, dir: t.TempDir(), flags: []string{"--data", data}, texts: map[string]string{}}
	e.collect()
	e.requireSaid()
	requireNotIn(t, data, e.accounts)
	e.requireOnlyIn(textsOf(t, data), "rollcall.rejected")
}

// TestAccountsNowhereInACluster: nor has a topic or a table.
func TestAccountsNowhereInACluster(t *testing.T) {
	engines.Long(t, "runs every collector")
	c := newCluster(t)
	aggregator := c.aggregator("--debug")
	await(t, aggregator.ready)
	e := &everyCollector{T: t, dir: t.TempDir(), flags: c.flags(), texts: map[string]string{}}
	e.collect()
	c.settle()
	e.texts["the aggregator's log"] = aggregator.logs.String()
	e.requireSaid()
	texts := c.everything()
	e.requireOnlyIn(texts, "rollcall.rejected")
	requireNowhere(t, texts, e.accounts)
}

// requireOnlyIn holds that what was refused is in the texts of one name, and in no others.
func (e *everyCollector) requireOnlyIn(texts map[string]string, name string) {
	e.Helper()
	found := 0
	for where, text := range texts {
		if !strings.Contains(where, name) {
			requireNowhere(e.T, map[string]string{where: text}, e.refused)
		} else if strings.Contains(text, e.refused[0]) {
			found++
		}
	}
	if found == 0 {
		e.Errorf("what was refused is nowhere in %v", slices.Sorted(maps.Keys(texts)))
	}
}
