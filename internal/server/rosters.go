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
	list     func(context.Context) ([]rollcall.PanelObjects, error)
	log      *slog.Logger
	followed bool // follow alone asks: no request waits for a store that is away

	mu    sync.Mutex                   // guards the rest
	known map[rollcall.PanelMonth]bool // nil: not known
	at    time.Time                    // when the list was asked for
	away  bool                         // the last answer was an error
}

// has reports whether a panel has a roster; of what is not known nobody is
// warned. The list is asked for again, for a panel that has none, once in
// followEvery: who loads one sees it soon.
func (r *rosters) has(market rollcall.MarketID, panel rollcall.PanelID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := rollcall.PanelMonth{Market: market, Panel: panel}
	if !r.known[of] && !r.followed && time.Since(r.at) >= followEvery {
		r.note(r.ask(context.Background()))
	}
	return r.known[of] || r.known == nil
}

// follow asks again and again, until ctx ends.
func (r *rosters) follow(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		all, err := r.ask(ctx)
		r.mu.Lock()
		r.note(all, err)
		r.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

func (r *rosters) ask(ctx context.Context) ([]rollcall.PanelObjects, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	return r.list(ctx)
}

// note keeps an answer, and an older one where there is none. mu is held.
func (r *rosters) note(all []rollcall.PanelObjects, err error) {
	r.at = time.Now()
	if err != nil && !r.away {
		r.log.Warn("which panels have a roster is not known now", "error", err)
	}
	if r.away = err != nil; r.away {
		return
	}
	r.known = make(map[rollcall.PanelMonth]bool, len(all))
	for _, o := range all {
		if o.Roster != (rollcall.Hash{}) {
			r.known[rollcall.PanelMonth{Market: o.Market, Panel: o.Panel}] = true
		}
	}
}
