package server

import (
	"os"
	"runtime/debug"

	"rollcall/aggregate"
	"rollcall/aggregate/publish"
	"rollcall/ingest/collect/web"
)

// What each role may hold is the sum of its own bounds: bodies under way, what
// is folded and not flushed, months kept loaded and requests under way. The
// garbage collector is told that sum, and works harder as it comes near; without,
// garbage would double it. The limit is the collector's aim and no wall: what
// keeps a role below it are those bounds.

// IdleMemory is what a role takes beside its bounds: the program, its
// connections, the buffers of the log's and the store's clients.
const IdleMemory = 256 << 20

// ServeMemory is what a role that answers may take: the months kept loaded,
// those that are worked on, and the rest.
const ServeMemory = publish.DefaultMemory + 512<<20 + IdleMemory

// RunMemory is what all roles in one process may take.
const RunMemory = ServeMemory + web.DefaultMemory + 2*aggregate.DefaultBytes

// LimitMemory tells the garbage collector a limit, unless the environment has one.
func LimitMemory(bytes int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(bytes)
	}
}
