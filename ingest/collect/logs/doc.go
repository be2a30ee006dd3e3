// Package logs reads the logs of servers that people run, whole or as they are
// written. A profile says what a line tells of a connection, and a tracker
// (package session) makes stays of that.
//
// Read log.go first (lines into sightings), then lines.go (a file into lines),
// read.go (whole files) and follow.go with state.go (a file that is written).
package logs
