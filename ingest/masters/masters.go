package masters

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"rollcall"
	"rollcall/ingest"
)

// Masters are the master keys of one process. Its fields are set once, before
// its first use; then it is safe for concurrent use.
type Masters struct {
	Place     Place
	Keys      *ingest.Keys                                     // made from them; nil: of a process that needs none
	List      func(context.Context) ([]rollcall.Master, error) // those that the store knows
	Store     rollcall.Store                                   // nil: nothing can be recorded
	Catalogue func() *rollcall.Catalogue
	Makes     bool // the first key of an empty store is made here
	Now       func() time.Time
	Log       *slog.Logger

	mu    sync.Mutex        // guards the rest, and is held by one rotation at a time
	held  []ingest.Master   // what was ever read: a process loses no key
	known []rollcall.Master // by the store, the last time
	told  string            // the fault that was last logged
}

// Start reads the place, and refuses keys that the store's facts were not made
// under: everybody would count twice. Only for an empty store that may make one
// a key is made; an empty store of a cluster takes the first ones that come.
func (m *Masters) Start(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, err := m.List(ctx)
	if err != nil && m.Store == nil {
		m.Log.Warn("the master key can't be compared with the store's", "error", err)
	} else if err != nil {
		return err
	}
	own, err := m.Place.Read()
	if err != nil {
		return err
	}
	if len(own) == 0 {
		if own, err = m.make(ctx, known); err != nil {
			return err
		}
	}
	if len(known) == 0 && m.Store != nil {
		if known, err = m.recordAll(ctx, own); err != nil {
			return err
		}
	}
	if known, err = m.accept(ctx, own, known); err != nil {
		return err
	}
	return m.take(own, known)
}

// make makes the first key, unless the store has pseudonyms already.
func (m *Masters) make(ctx context.Context, known []rollcall.Master) ([]ingest.Master, error) {
	used, err := m.used(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(known) > 0:
		return nil, fmt.Errorf("%w: %s is missing, and the store has pseudonyms that were made under it (id %s): put it back, or name its file with --key-file; if it is lost: `rollcall key rotate --from DAY --lost`", rollcall.ErrConflict, m.Place.Name, rollcall.InForce(known)[0].ID)
	case used:
		return nil, fmt.Errorf("%w: %s is missing, and the store has pseudonyms that were made under it: put it back, or name its file with --key-file; if it is lost: `rollcall key rotate --from DAY --lost`", rollcall.ErrConflict, m.Place.Name)
	case !m.Makes:
		return nil, fmt.Errorf("%w: %s is missing", rollcall.ErrConflict, m.Place.Name)
	}
	if err := Create(m.Place.Path, NewSecret()); err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	return m.Place.Read()
}

// used reports whether any market has facts.
func (m *Masters) used(ctx context.Context) (bool, error) {
	if m.Store == nil {
		return false, nil
	}
	for _, market := range m.Catalogue().Markets {
		if has, err := m.Store.HasFacts(ctx, market.ID); has || err != nil {
			return has, err
		}
	}
	return false, nil
}

// recordAll records the keys of a store that knows none yet.
func (m *Masters) recordAll(ctx context.Context, own []ingest.Master) ([]rollcall.Master, error) {
	if err := m.prove(ctx, own); err != nil {
		return nil, err
	}
	for i := range own {
		if err := m.record(ctx, &own[i]); err != nil {
			return nil, err
		}
	}
	known, err := m.List(ctx)
	if len(known) > 0 { // of two processes at once, one was first
		known = rollcall.InForce(known)
	}
	return known, err
}

func (m *Masters) record(ctx context.Context, own *ingest.Master) error {
	return m.Store.AddMaster(ctx, rollcall.Master{ID: own.ID(), From: own.From, Lost: own.Lost, Time: m.Now()})
}

// accept refuses keys that are not the store's, and a place that lacks one of a
// day that has begun. A rotation that broke off, or that was written into the
// place by hand, is completed.
func (m *Masters) accept(ctx context.Context, own []ingest.Master, known []rollcall.Master) ([]rollcall.Master, error) {
	if len(known) == 0 {
		return nil, nil
	}
	inForce := rollcall.InForce(known)
	if !slices.ContainsFunc(own, func(o ingest.Master) bool { return has(inForce, o.ID()) }) {
		return nil, fmt.Errorf("%w: the master key in %s is another (id %s) than the store's pseudonyms were made under (id %s): put that one there, or name its file with --key-file; if it is lost: `rollcall key rotate --from DAY --lost`",
			rollcall.ErrConflict, m.Place.Name, own[0].ID(), inForce[0].ID)
	}
	recorded := false
	for i := range own {
		o := &own[i]
		switch {
		case has(inForce, o.ID()) || m.Store == nil:
			continue
		case has(known, o.ID()):
			return nil, fmt.Errorf("%w: master key %s in %s came too late: the store knows another one from %s on; take its line out, and put that one there", rollcall.ErrConflict, o.ID(), m.Place.Name, o.From)
		}
		if err := m.mayBegin(ctx, o.From, o.Lost, known); err != nil {
			return nil, fmt.Errorf("%w: master key %s in %s is none that the store knows, and can't begin on %s: %w", rollcall.ErrConflict, o.ID(), m.Place.Name, o.From, err)
		}
		if err := m.record(ctx, o); err != nil {
			return nil, err
		}
		m.Log.Info("a new master key is recorded", "id", o.ID().String(), "from", o.From.String())
		recorded = true
	}
	if !recorded {
		return known, nil
	}
	return m.List(ctx)
}

func has(all []rollcall.Master, id rollcall.KeyID) bool {
	return slices.ContainsFunc(all, func(m rollcall.Master) bool { return m.ID == id })
}

// take makes pseudonyms under the keys from now on, but refuses where one is
// missing whose days have begun.
func (m *Masters) take(own []ingest.Master, known []rollcall.Master) error {
	m.held = united(m.held, own)
	m.known = known
	if err := m.Keys.Set(m.held, known); err != nil {
		return err
	}
	if err := m.Lacks(); err != nil {
		return fmt.Errorf("%w: %w", rollcall.ErrConflict, err)
	}
	if missing := m.missing(); missing != "" {
		m.Log.Warn(missing)
		m.told = missing
	}
	return nil
}

// united gives all keys of both, each once.
func united(all, more []ingest.Master) []ingest.Master {
	all = slices.Clone(all)
	for _, m := range more {
		if !holds(all, m.ID()) {
			all = append(all, m)
		}
	}
	return all
}

func holds(all []ingest.Master, id rollcall.KeyID) bool {
	return slices.ContainsFunc(all, func(m ingest.Master) bool { return m.ID() == id })
}

// Lacks says which master key is missing though its days have begun; nil: none
// is.
func (m *Masters) Lacks() error {
	today, _ := m.today()
	for _, lacks := range m.Keys.Missing() {
		if lacks.From <= today {
			return fmt.Errorf("%s lacks the master key %s, which is for the days from %s on: put its line there, as it is where it was made", m.Place.Name, lacks.ID, dayWords(lacks.From))
		}
	}
	return nil
}

// dayWords names a key's first day within a sentence.
func dayWords(day rollcall.Day) string {
	if day == 0 {
		return "the first"
	}
	return day.String()
}

// Degraded says which master keys are missing, whose days are to come.
func (m *Masters) Degraded() []string {
	if text := m.missing(); text != "" {
		return []string{text}
	}
	return nil
}

func (m *Masters) missing() string {
	var missing []string
	for _, lacks := range m.Keys.Missing() {
		missing = append(missing, fmt.Sprintf("%s (from %s on)", lacks.ID, dayWords(lacks.From)))
	}
	if missing == nil {
		return ""
	}
	return fmt.Sprintf("%s lacks master keys that the store knows: %s; put their lines there before their days begin", m.Place.Name, strings.Join(missing, ", "))
}

// Every is how often Follow looks.
const Every = 2 * time.Second

// Follow takes keys that are put into the place, and those that the store is
// told of, until ctx ends. What was read once stays.
func (m *Masters) Follow(ctx context.Context) {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.follow(ctx)
		}
	}
}

func (m *Masters) follow(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, err := m.List(ctx)
	if err != nil || len(known) == 0 {
		return // the store is away: what was known stands
	}
	own, err := m.Place.Read()
	if err != nil {
		m.tell(err.Error())
		return
	}
	before := len(m.held)
	m.held = united(m.held, own)
	if len(m.held) == before && slices.Equal(known, m.known) {
		return
	}
	if err := m.Keys.Set(m.held, known); err != nil {
		m.tell(err.Error())
		return
	}
	m.known = known
	m.Log.Info("the master keys are read again", "known", len(known))
	m.tell(m.missing())
}

// tell logs a fault, once.
func (m *Masters) tell(fault string) {
	if fault != "" && fault != m.told {
		m.Log.Warn(fault)
	}
	m.told = fault
}

// today is the latest local day of any market, and that market.
func (m *Masters) today() (latest rollcall.Day, in rollcall.MarketID) {
	now := m.Now()
	latest = rollcall.DayOf(now.UTC().Date())
	c := m.Catalogue()
	for i, market := range c.Markets {
		calendar, err := c.Calendar(market.ID)
		if err != nil {
			continue // a market without a calendar has no events
		}
		if day := calendar.Day(now); i == 0 || day > latest {
			latest, in = day, market.ID
		}
	}
	return latest, in
}
