// Package session follows connections and makes stays of them. What a log says
// of a connection, or what two snapshots of a server's sessions differ in, is a
// Step; a Tracker takes steps in the order of their times and gives sightings:
// a login, the presence from its opening to its end, a refusal.
//
// Read step.go first (what happens to a connection), then tracker.go (what each
// step does) and stay.go (what is remembered between steps, and said at the end).
package session
