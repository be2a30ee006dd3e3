// Command rollcall measures the audience of messaging services: it collects
// events, folds them, closes months and serves the reports. See docs/ and
// `rollcall --help`.
//
// Read main.go first, then client.go: a command is flags, a call over REST, and
// a print. run.go and demo.go start a process (internal/server); collect.go,
// simulate.go and events.go send events; catalogue.go, panel.go, publication.go,
// report.go, census.go, target.go, log.go, store.go and token.go are a noun each;
// table.go prints a report; check.go and sketch.go need no server.
package main
