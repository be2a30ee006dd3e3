package main

import (
	"bytes"
	"strings"
	"sync"
)

// lockedBuffer takes a process's log while the test reads it.
type lockedBuffer struct {
	mu  sync.Mutex // guards the rest
	all bytes.Buffer
}

// Write appends.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

// tail is the last that was written; of what a process died of, from its first line.
func (b *lockedBuffer) tail() string {
	const most = 6000
	s := b.String()
	for _, first := range []string{"WARNING: DATA RACE", "fatal error: ", "panic: "} {
		if at := strings.Index(s, first); at >= 0 {
			at = max(0, at-500) // the runtime says why before it
			return s[at:min(len(s), at+most)]
		}
	}
	return s[max(0, len(s)-most):]
}
