package server

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"rollcall"
	"rollcall/aggregate/markets"
	"rollcall/aggregate/report"
	"rollcall/internal/traces"
	"rollcall/schemas"
)

// lists is where the deployment's own markets, services and segments are read: the
// store, or a collector's copy of it.
type lists interface {
	Markets(ctx context.Context) ([]rollcall.Market, error)
	Services(ctx context.Context) ([]rollcall.Service, error)
	Segments(ctx context.Context, market rollcall.MarketID) ([]rollcall.Segment, error)
}

// catalogue is the deployment's: the services that Rollcall comes with, and what
// the deployment added.
type catalogue struct {
	own lists
	log *slog.Logger

	adding sync.Mutex // held by who adds a service or a segment: of two segments at once one could be merged into the other, and that one into it

	mu  sync.RWMutex // guards the rest
	now *rollcall.Catalogue
	at  time.Time // when now was asked for
}

func openCatalogue(ctx context.Context, own lists, log *slog.Logger) (*catalogue, error) {
	c := &catalogue{own: own, log: log}
	return c, c.load(ctx)
}

// How often a catalogue that other processes change is read again: always, and
// at most when something is not in it.
const (
	followEvery = 2 * time.Second
	askAgain    = 250 * time.Millisecond
)

// follow reads what other processes add, until ctx ends. While the store is
// away the last catalogue stands.
func (c *catalogue) follow(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	away := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := c.load(ctx)
		if err != nil && !away && ctx.Err() == nil {
			c.log.Warn("the catalogue can't be read; the last one stands", "error", err)
		}
		away = err != nil
	}
}

func (c *catalogue) load(ctx context.Context) error {
	asked := time.Now()
	markets, err := c.own.Markets(ctx)
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	own, err := c.own.Services(ctx)
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	segments, err := c.own.Segments(ctx, "")
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	common, err := schemas.Services()
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	now, err := rollcall.NewCatalogue(markets, override(common, own), segments...)
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.at = now, asked
	return nil
}

// override puts the deployment's own services in place of common ones of the
// same id, and after the others.
func override(common, own []rollcall.Service) []rollcall.Service {
	at := make(map[rollcall.ServiceID]int, len(common))
	for i, s := range common {
		at[s.ID] = i
	}
	for _, s := range own {
		if i, ok := at[s.ID]; ok {
			common[i] = s
			continue
		}
		common = append(common, s)
	}
	return common
}

// Catalogue gives today's markets and services.
func (c *catalogue) Catalogue() *rollcall.Catalogue {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.now
}

// check refuses a group of an unknown market or service, after it has looked
// whether another process has just added it.
func (c *catalogue) check(g *rollcall.Group) error {
	return c.twice(context.Background(), func(now *rollcall.Catalogue) error { return now.Check(g) })
}

// knows refuses a question of an unknown market or service, as check does.
func (c *catalogue) knows(ctx context.Context, m rollcall.MarketID, services []rollcall.ServiceID) error {
	return c.twice(ctx, func(now *rollcall.Catalogue) error { return now.Knows(m, services...) })
}

// twice asks the catalogue, and once more what is in the store where the answer
// is an error and the catalogue is old.
func (c *catalogue) twice(ctx context.Context, ask func(*rollcall.Catalogue) error) error {
	err := ask(c.Catalogue())
	if err == nil || !c.old() {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	if failed := c.load(ctx); failed != nil {
		c.log.Warn("the catalogue can't be read; the last one stands", "error", failed)
	}
	return ask(c.Catalogue())
}

func (c *catalogue) old() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return time.Since(c.at) > askAgain
}

func (c *catalogue) calendar(id rollcall.MarketID) (*rollcall.Calendar, error) {
	return c.Catalogue().Calendar(id)
}

// exactly reports whether a service's accounts are counted exactly.
func (c *catalogue) exactly(id rollcall.ServiceID) bool {
	s, err := c.Catalogue().Service(id)
	return err == nil && s.Census == rollcall.Exactly
}

// changeable is a catalogue with the store that its changes go to.
type changeable struct {
	*catalogue
	store         rollcall.Store
	settle        func(context.Context) error // nil: there is no log
	followed      bool                        // other processes may read it
	demonstration bool                        // of a folder whose pseudonyms hide nobody
}

// AddMarket adds or changes a market, and gives it as it is then. An empty name
// or zone stays what it was. Whether it is simulated stays for ever; its zone,
// and without rename its name, once there are facts.
func (c changeable) AddMarket(ctx context.Context, m rollcall.Market, rename bool) (rollcall.Market, error) {
	if err := c.load(ctx); err != nil { // another process may have added it
		return m, err
	}
	had, known := c.market(m.ID)
	if rename && !known {
		return m, c.knows(ctx, m.ID, nil)
	}
	m.Name, m.Zone = cmp.Or(m.Name, had.Name, string(m.ID)), cmp.Or(m.Zone, had.Zone)
	if _, err := m.Calendar(); err != nil {
		return m, err
	}
	if c.demonstration && !m.Simulated {
		return m, fmt.Errorf("%w: this folder is the demonstration's, whose pseudonyms hide nobody: give a folder of its own to market %s", rollcall.ErrConflict, m.ID)
	}
	if known {
		if err := c.allow(ctx, had, m, rename); err != nil {
			return m, err
		}
	}
	if err := rollcall.CheckLine("name", m.Name); err != nil {
		return m, err
	}
	if err := c.store.PutMarket(ctx, m); err != nil {
		return m, err
	}
	return m, c.load(ctx)
}

// allow refuses a change that would make other figures of the market's facts.
func (c changeable) allow(ctx context.Context, had, m rollcall.Market, rename bool) error {
	switch {
	case had.Simulated && !m.Simulated:
		return fmt.Errorf("%w: market %s is simulated; a real one needs another id, or another folder", rollcall.ErrConflict, m.ID)
	case m.Simulated && !had.Simulated:
		return fmt.Errorf("%w: market %s is real, and nothing simulated may enter it; give another folder with --data", rollcall.ErrConflict, m.ID)
	case had.Zone == m.Zone && (had.Name == m.Name || rename):
		return nil
	}
	facts, err := c.hasFacts(ctx, m.ID)
	switch {
	case err != nil || !facts:
		return err
	case had.Zone != m.Zone:
		return fmt.Errorf("%w: market %s has facts, whose days are those of %s; a zone can't be changed then", rollcall.ErrConflict, m.ID, had.Zone)
	}
	return fmt.Errorf("%w: market %s has facts, and is called %q; --rename gives it another name", rollcall.ErrConflict, m.ID, had.Name)
}

// settleTime is how long a change waits for what the log still holds.
const settleTime = 10 * time.Second

// hasFacts reports whether the market has facts, or has had them.
func (c changeable) hasFacts(ctx context.Context, id rollcall.MarketID) (bool, error) {
	if c.settle != nil {
		ctx, cancel := context.WithTimeout(ctx, settleTime)
		defer cancel()
		if err := c.settle(ctx); err != nil {
			return false, fmt.Errorf("%w: the log may hold events of market %s that are not in the store yet; try again when they are", rollcall.ErrConflict, id)
		}
	}
	published, err := c.store.Publications(ctx, id, "")
	if err != nil || len(published) > 0 {
		return err == nil, err
	}
	return c.store.HasFacts(ctx, id)
}

// market finds a market; false where there is none of the id.
func (c *catalogue) market(id rollcall.MarketID) (rollcall.Market, bool) {
	for _, m := range c.Catalogue().Markets {
		if m.ID == id {
			return m, true
		}
	}
	return rollcall.Market{}, false
}

// noteSimulated gives the table, or where the people of its market do not exist
// a copy with a note of it: the table itself is shared. A nil table stays nil.
func (c *catalogue) noteSimulated(t *rollcall.Table, market rollcall.MarketID) *rollcall.Table {
	m, _ := c.market(market)
	if t == nil || !m.Simulated || t.Meta.Simulated {
		return t
	}
	own := *t
	own.Meta.Simulated = true
	own.Meta.Notes = append(slices.Clip(own.Meta.Notes), "The market is simulated: these are not measurements of real people.")
	return &own
}

// reports are the panels' reports; each says whether its market is simulated.
type reports struct {
	*report.Reporter
	markets   *markets.Reporter
	catalogue *catalogue
	traces    *traces.Traces
}

// Report computes one report.
func (r reports) Report(ctx context.Context, q rollcall.Query) (*rollcall.Table, error) {
	ctx, end := r.traces.Begin(ctx, "report", "report", q.Report, "market", string(q.Of.Market))
	t, err := r.Reporter.Report(ctx, q)
	end(err)
	return r.catalogue.noteSimulated(t, q.Of.Market), err
}

// Markets computes one service's report of several markets.
func (r reports) Markets(ctx context.Context, q rollcall.MarketsQuery) (*rollcall.Table, error) {
	ctx, end := r.traces.Begin(ctx, "report", "report", "markets", "service", string(q.Service))
	t, err := r.markets.Markets(ctx, q)
	end(err)
	return t, err
}

// Diff compares two versions.
func (r reports) Diff(ctx context.Context, q rollcall.Query, first, second int) (*rollcall.Table, error) {
	t, err := r.Reporter.Diff(ctx, q, first, second)
	return r.catalogue.noteSimulated(t, q.Of.Market), err
}

// AddService adds or changes a service, and gives it as it is now, and whether it
// is new. Where another way of counting its accounts is new, it returns once every
// process knows of it: what is loaded then is counted so.
func (c changeable) AddService(ctx context.Context, change rollcall.ServiceChange) (s rollcall.Service, isNew bool, err error) {
	had, s, err := c.putService(ctx, change)
	if err != nil {
		return s, false, err
	}
	isNew = had.ID == ""
	if err := c.load(ctx); err != nil || s.Census == had.Census || !c.followed {
		return s, isNew, err
	}
	select {
	case <-ctx.Done():
		return s, isNew, ctx.Err()
	case <-time.After(followEvery + readyTime): // a reader's tick, and its reading
		return s, isNew, nil
	}
}

// putService stores a service, and gives it as it was and as it is. What was not
// there is the zero Service.
func (c changeable) putService(ctx context.Context, change rollcall.ServiceChange) (had, s rollcall.Service, err error) {
	if err := change.Of(rollcall.Service{}).ValidateNew(); err != nil {
		return had, s, err
	}
	c.adding.Lock()
	defer c.adding.Unlock()
	if err := c.load(ctx); err != nil { // another process may have added it
		return had, s, err
	}
	had, err = c.Catalogue().Service(change.ID)
	if err != nil {
		had = rollcall.Service{}
	}
	s = change.Of(had)
	if had.ID != "" && had.Epoch != s.Epoch {
		if err := c.allowEpoch(ctx, had); err != nil {
			return had, s, err
		}
	}
	if s.Colour == 0 {
		s.Colour = freeColour(c.Catalogue().Services)
	}
	return had, s, c.store.PutService(ctx, s)
}

// allowEpoch refuses another epoch for a service that has facts: their
// pseudonyms are made under the one that it has.
func (c changeable) allowEpoch(ctx context.Context, had rollcall.Service) error {
	for _, m := range c.Catalogue().Markets {
		for _, err := range c.store.Cells(ctx, rollcall.CellQuery{Market: m.ID, Services: []rollcall.ServiceID{had.ID}, From: math.MinInt32, To: math.MaxInt32}) {
			if err != nil {
				return err
			}
			return fmt.Errorf("%w: service %s has facts, whose accounts are known by the pseudonyms of its epoch, %s, which can't be changed then: leave epoch (--epoch) out", rollcall.ErrConflict, had.ID, had.Epoch.Word())
		}
	}
	return nil
}

// freeColour gives the lowest slot that the fewest services have.
func freeColour(services []rollcall.Service) int {
	var taken [rollcall.Colours + 1]int
	for _, s := range services {
		taken[s.Colour]++
	}
	best := 1
	for slot := 2; slot <= rollcall.Colours; slot++ {
		if taken[slot] < taken[best] {
			best = slot
		}
	}
	return best
}

// AddSegment adds or changes a segment, and says whether it is new. Merges are
// flat: into what is itself merged, or of what others are merged into, there is
// none.
func (c changeable) AddSegment(ctx context.Context, s rollcall.Segment) (isNew bool, err error) {
	if err := s.Validate(); err != nil {
		return false, err
	}
	c.adding.Lock()
	defer c.adding.Unlock()
	if err := c.load(ctx); err != nil { // another process may have added it
		return false, err
	}
	if s.Into != "" {
		if err := c.allowMerge(ctx, s); err != nil {
			return false, err
		}
	}
	isNew = !slices.ContainsFunc(c.Catalogue().Segments, func(has rollcall.Segment) bool { return has.ID == s.ID })
	if err := c.store.PutSegment(ctx, s); err != nil {
		return false, err
	}
	return isNew, c.load(ctx)
}

// allowMerge refuses a merge that would not be flat, or into what is not known.
func (c changeable) allowMerge(ctx context.Context, s rollcall.Segment) error {
	var sources []string
	known := false
	for _, has := range c.Catalogue().Segments {
		if has.ID == s.Into {
			known = true
			if has.Into != "" {
				return fmt.Errorf("%w: segment %s is merged into %s itself: merge %s into %s", rollcall.ErrConflict, has.ID, has.Into, s.ID, has.Into)
			}
		}
		if has.Into == s.ID && has.ID != s.ID {
			sources = append(sources, string(has.ID))
		}
	}
	if len(sources) > 0 {
		return fmt.Errorf("%w: %s merged into segment %s: merge first each of them into %s, or into none", rollcall.ErrConflict, areMerged(sources), s.ID, s.Into)
	}
	if known {
		return nil
	}
	return c.sawSegment(ctx, s.Into)
}

// areMerged names segments; of many the first.
func areMerged(ids []string) string {
	const most = 3
	switch more := len(ids) - most; {
	case len(ids) == 1:
		return ids[0] + " is"
	case more > 0:
		return fmt.Sprintf("%s and %d more are", strings.Join(ids[:most], ", "), more)
	}
	return strings.Join(ids, ", ") + " are"
}

// sawSegment refuses a segment that is neither in the catalogue nor in any facts.
func (c changeable) sawSegment(ctx context.Context, id rollcall.SegmentID) error {
	var markets []rollcall.MarketID
	for _, m := range c.Catalogue().Markets {
		markets = append(markets, m.ID)
	}
	all, err := c.Segments(ctx, markets)
	if err != nil {
		return err
	}
	var known []rollcall.SegmentID
	for _, s := range all {
		if s.ID == id {
			return nil
		}
		known = append(known, s.ID)
	}
	return &rollcall.Unknown{Kind: "segment", Name: string(id), Near: rollcall.Alike(string(id), known), Advice: "add it first, with `rollcall segment add`"}
}

// Segments gives the catalogue's, and those that the facts of some markets have,
// by id.
func (c changeable) Segments(ctx context.Context, markets []rollcall.MarketID) ([]rollcall.Segment, error) {
	found := make(map[rollcall.SegmentID]rollcall.Segment)
	for _, market := range append(slices.Clone(markets), "") {
		all, err := c.store.Segments(ctx, market)
		if err != nil {
			return nil, err
		}
		for _, s := range all {
			found[s.ID] = s
		}
	}
	list := slices.Collect(maps.Values(found))
	slices.SortFunc(list, func(a, b rollcall.Segment) int { return cmp.Compare(a.ID, b.ID) })
	return list, nil
}
