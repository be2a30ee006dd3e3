package main

import (
	"bytes"
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

func (b *lockedBuffer) tail() string {
	s := b.String()
	return s[max(0, len(s)-6000):]
}
