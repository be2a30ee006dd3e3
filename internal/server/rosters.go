package server

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"rollcall"
)

// rosters knows which panels have been given a roster, of any month.
type rosters struct {
	store rollcall.Store
	log   *slog.Logger

	mu    sync.Mutex // guards the rest
	known map[rollcall.PanelMonth]bool
	at    time.Time // when the store was asked
}

// has reports whether a panel has a roster. The store is asked again, for a
// panel that has none, once in followEvery: who loads one sees it soon.
func (r *rosters) has(market rollcall.MarketID, panel rollcall.PanelID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := rollcall.PanelMonth{Market: market, Panel: panel}
	if r.known[of] || time.Since(r.at) < followEvery {
		return r.known[of]
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTime)
	defer cancel()
	all, err := r.store.ListPanelObjects(ctx)
	r.at = time.Now()
	if err != nil {
		r.log.Warn("which panels have a roster is not known", "error", err)
		return true // nobody is warned of what is not known
	}
	r.known = make(map[rollcall.PanelMonth]bool, len(all))
	for _, o := range all {
		r.known[rollcall.PanelMonth{Market: o.Market, Panel: o.Panel}] = o.Roster != rollcall.Hash{}
	}
	return r.known[of]
}
