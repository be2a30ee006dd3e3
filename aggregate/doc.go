// Package aggregate folds the log's events into census cells and panel
// diaries, flushes them to the store, and commits the offsets of what the
// store then has. A crash in between replays; every stored quantity is an
// idempotent union, so the replay changes nothing.
package aggregate
