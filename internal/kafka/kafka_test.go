package kafka

import (
	"log/slog"
	"testing"
	"time"

	"rollcall"
)

// now is the tests' clock.
func now() time.Time { return time.Date(2002, 10, 3, 20, 0, 0, 0, time.UTC) }

func options(t *testing.T) Options {
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	return Options{Log: log, Now: now}
}

// events makes n events whose visitors count from first.
func events(first, n int) []rollcall.Event {
	list := make([]rollcall.Event, n)
	for i := range list {
		list[i] = rollcall.Event{
			Group: rollcall.Group{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Key: 7},
			Time:  now().Add(-time.Duration(i) * time.Second), Visitor: rollcall.Visitor(first + i),
		}
	}
	return list
}
