package server

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rollcall"
)

// TestRosters: a panel that has none is known as such, of what is not known
// nobody is warned, and who loads a roster sees it soon.
func TestRosters(t *testing.T) {
	nn := rollcall.PanelMonth{Market: "FR", Panel: "nn"}
	for name, followed := range map[string]bool{"asked": false, "followed": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var all atomic.Pointer[[]rollcall.PanelObjects] // nil: the store is away
				r := &rosters{followed: followed, log: slog.New(slog.DiscardHandler), list: func(context.Context) ([]rollcall.PanelObjects, error) {
					if known := all.Load(); known != nil {
						return *known, nil
					}
					return nil, errors.New("away")
				}}
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				if followed {
					go r.follow(ctx)
				}
				later := func() { time.Sleep(followEvery + time.Second); synctest.Wait() } // of the bubble's clock
				synctest.Wait()
				for range 2 { // the second is answered from memory
					if !r.has("FR", "nn") {
						t.Error("a panel of which nothing is known has none")
					}
				}
				all.Store(&[]rollcall.PanelObjects{{PanelMonth: rollcall.PanelMonth{Market: "FR", Panel: "other"}, Roster: rollcall.Hash{1}}, {PanelMonth: nn}})
				later()
				if r.has("FR", "nn") || !r.has("FR", "other") || r.has("DE", "other") {
					t.Error("nn, which has none, or another, which has one")
				}
				with := append([]rollcall.PanelObjects{{PanelMonth: nn, Roster: rollcall.Hash{2}}}, *all.Load()...) // and a month without one after it
				all.Store(&with)
				later()
				if !r.has("FR", "nn") {
					t.Error("nn has one by now")
				}
				all.Store(nil)
				later()
				if !r.has("FR", "nn") || r.has("FR", "x") {
					t.Error("what was known is forgotten")
				}
			})
		})
	}
}
