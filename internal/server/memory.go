package main

import (
	"os"
	"runtime/debug"

	"rollcall/aggregate"
	"rollcall/aggregate/report"
	"rollcall/ingest/collect/web"
)

// What each role may hold is the sum of its own bounds: bodies under way, what
// is folded and not flushed, months kept loaded and requests under way. The
// garbage collector is told that sum, and works harder as it comes near; without,
// garbage would double it. The limit is the collector's aim and no wall: what
// keeps a role below it are those bounds.

// idleMemory is what a role takes beside its bounds: the program, its
// connections, the buffers of the log's and the store's clients.
const idleMemory = 256 << 20

// serveMemoryBytes is what a role that answers may take: the months kept loaded,
// those that are worked on, and the rest.
const serveMemoryBytes = report.DefaultMemory + 512<<20 + idleMemory

// runMemoryBytes is what all roles in one process may take.
const runMemoryBytes = serveMemoryBytes + web.DefaultMemory + 2*aggregate.DefaultBytes

// limitMemory sets the limit, unless the environment has one.
func limitMemory(bytes int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(bytes)
	}
}
