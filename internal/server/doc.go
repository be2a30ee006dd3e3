// Package server is the running process: it wires the stages, which never
// import each other, to a log and a store, and is the one package under
// internal/ that imports them.
//
// Read server.go first, for the picture; then role.go (what each command of a
// cluster starts), connect.go (how a command reaches a folder that is in use),
// engine.go and login.go (where log and store are), folder.go, socket.go and
// key.go (what is in the data folder), store.go, catalogue.go, log.go and
// lag.go (the middle of the picture), collector.go (its left), api.go and
// listen.go (its right), and last schedule.go, retention.go and memory.go.
package server
