package delivery

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"rollcall"
)

// Schedule closes months by the clock and tells of them. Its fields are set once,
// before its first use; one goroutine uses it.
type Schedule struct {
	Store        rollcall.Store
	Deliveries   rollcall.DeliveryLog
	Catalogue    func() *rollcall.Catalogue
	Close        func(context.Context, rollcall.ClosePlan) (rollcall.Publication, error)
	Publications func(context.Context, rollcall.MarketID, rollcall.PanelID) ([]rollcall.Publication, error)
	Report       func(context.Context, rollcall.Query) (*rollcall.Table, error)
	Settle       func(context.Context) error // until what the log holds is in the store; nil: there is no log
	Now          func() time.Time
	Alone        bool // no other process has the store: what one has held before is free
	Software     string
	Log          *slog.Logger
	Metrics      *Metrics

	plan   *Plan
	holder string    // this process
	next   time.Time // when the first errand is free that is not yet; zero: there is none
}

// By gives the schedule of a plan.
func (s Schedule) By(p *Plan) *Schedule {
	s.plan, s.holder = p, rand.Text()
	return &s
}

// every is how often the schedule looks at the clock and the store at least.
const every = time.Minute

// Run looks again and again, until ctx ends.
func (s *Schedule) Run(ctx context.Context) {
	for {
		if err := s.Round(ctx); err != nil && ctx.Err() == nil {
			s.Metrics.failures.WithLabelValues("round").Inc()
			s.Log.Error("the scheduled close can't go on", "error", err, "again in", every)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.pause()):
		}
	}
}

// pause is until an errand is free, or a minute: others may have begun some.
func (s *Schedule) pause() time.Duration {
	const least = time.Second // whatever the clock does
	if s.next.IsZero() {
		return every
	}
	return min(max(s.next.Sub(s.Now()), least), every)
}

// Round does all that is to be done now: first it closes, then it tells. Its
// error is the store's; what else fails is an errand's, and tried again.
func (s *Schedule) Round(ctx context.Context) error {
	s.next = time.Time{}
	due, err := s.due(ctx, s.Now())
	if err != nil {
		return err
	}
	for _, of := range due {
		if err := s.begin(ctx, rollcall.Errand{PanelMonth: of, To: closing}, ""); err != nil {
			return err
		}
	}
	pending := map[string]int{}
	if err := s.work(ctx, s.closer(), pending); err != nil {
		return err
	}
	if due, err = s.due(ctx, s.Now()); err != nil { // what is left
		return err
	}
	s.Metrics.open.Set(float64(len(due)))
	for _, d := range s.plan.destinations {
		if err := s.work(ctx, d, pending); err != nil {
			return err
		}
	}
	for kind, n := range pending {
		s.Metrics.pending.WithLabelValues(kind).Set(float64(n))
	}
	s.Metrics.done.Set(float64(s.Now().Unix()))
	return nil
}

// begin puts an errand in the store, unless it is there.
func (s *Schedule) begin(ctx context.Context, e rollcall.Errand, text string) error {
	now := s.Now().UTC()
	err := s.Deliveries.AddDelivery(ctx, rollcall.Delivery{
		Errand: e, Step: 1, State: rollcall.Waiting, Until: now, Since: now, Time: now, Holder: s.holder, Text: text,
	})
	if errors.Is(err, rollcall.ErrConflict) {
		return nil
	}
	return err
}

// destination is where errands of one kind go, and how.
type destination struct {
	name    string // in the store, without any secret
	kind    string // in the metrics
	shown   string // in the log, without any secret
	notices bool   // it is told of months that were not closed, too
	timeout time.Duration
	do      func(ctx context.Context, s *Schedule, d rollcall.Delivery) error
}

// lease is how long a process has an errand for itself. It gives up before, by
// as much as clocks may differ.
func (d *destination) lease() time.Duration { return d.timeout + 10*time.Second }

// work does the errands of a destination that are free now, and adds those that
// are not done then to its kind's.
func (s *Schedule) work(ctx context.Context, to *destination, pending map[string]int) error {
	all, err := s.Deliveries.Deliveries(ctx)
	if err != nil {
		return err
	}
	pending[to.kind] += 0 // it is told where there is none, too
	for _, d := range all {
		if d.To != to.name {
			continue
		}
		if s.free(to, d) {
			if d, err = s.try(ctx, to, d); err != nil {
				return err
			}
		}
		if d.State == rollcall.Waiting || d.State == rollcall.Held {
			pending[to.kind]++
			if s.next.IsZero() || d.Until.Before(s.next) {
				s.next = d.Until
			}
		}
	}
	return nil
}

// free reports whether an errand may be taken. A time that is further ahead than
// any pause is from before the clock was set back.
func (s *Schedule) free(to *destination, d rollcall.Delivery) bool {
	ahead, longest := d.Until.Sub(s.Now()), longestPause
	if d.State == rollcall.Held {
		if d.Holder == s.holder || s.Alone {
			return true // by nobody that still works at it
		}
		longest = to.lease()
	}
	return ahead <= 0 || ahead > longest
}

// try takes an errand, does it, and says in the store how that went. It gives
// the errand as it is then, as far as this process knows.
func (s *Schedule) try(ctx context.Context, to *destination, d rollcall.Delivery) (rollcall.Delivery, error) {
	d.Step, d.State, d.Holder, d.Time = d.Step+1, rollcall.Held, s.holder, s.Now().UTC()
	d.Until, d.Tries = d.Time.Add(to.lease()), d.Tries+1
	if err := s.Deliveries.AddDelivery(ctx, d); err != nil {
		if errors.Is(err, rollcall.ErrConflict) { // another process was first
			return d, nil
		}
		return d, err
	}
	failed := s.within(ctx, to, d)
	s.conclude(&d, failed, ctx.Err() != nil)
	s.report(to, d, failed)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	if err := s.Deliveries.AddDelivery(last, d); err != nil && !errors.Is(err, rollcall.ErrConflict) {
		return d, err // the errand stays held, and is done once more
	}
	return d, ctx.Err()
}

// noteTime is how long the store has to note how an errand went, at a stop too.
const noteTime = 5 * time.Second

func (s *Schedule) within(ctx context.Context, to *destination, d rollcall.Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, to.timeout)
	defer cancel()
	return to.do(ctx, s, d)
}

// conclude fills in the step after a try.
func (s *Schedule) conclude(d *rollcall.Delivery, failed error, stopped bool) {
	now := s.Now().UTC()
	d.Step, d.Time, d.Until, d.Error = d.Step+1, now, now, ""
	switch {
	case failed == nil:
		d.State = rollcall.Delivered
		return
	case stopped: // by this process's end, which is nobody's failure
		d.State, d.Tries = rollcall.Waiting, d.Tries-1
		return
	}
	d.State, d.Error = rollcall.Waiting, short(failed.Error())
	switch {
	case errors.As(failed, new(*refusal)):
		d.Until = now.Add(refusedPause)
	case d.To == closing: // what is away here is the deployment's own, and soon back
		d.Until = now.Add(min(pauseAfter(d.Tries), closePause))
	case errors.Is(failed, errGone), now.Sub(d.Since) > mostPatience:
		d.State = rollcall.GivenUp
	default:
		d.Until = now.Add(pauseAfter(d.Tries))
	}
}

// Pauses between tries.
const (
	closePause   = 10 * time.Minute    // between tries to close, at most
	refusedPause = time.Hour           // until a month that can't be closed is looked at again
	longestPause = 6 * time.Hour       // between any two tries
	mostPatience = 30 * 24 * time.Hour // with a destination: by then the next month is due
)

// errGone ends an errand: the receiver, or whoever withdrew the version, has said
// that nobody is to be told.
var errGone = errors.New("no more of this is wanted")

// pauseAfter gives the pause after so many tries that failed.
func pauseAfter(tries int) time.Duration {
	pauses := [...]time.Duration{
		5 * time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, time.Hour, time.Hour, 3 * time.Hour,
	}
	if tries <= len(pauses) {
		return pauses[max(tries, 1)-1]
	}
	return longestPause
}

// report says in log and metrics how a try went.
func (s *Schedule) report(to *destination, d rollcall.Delivery, failed error) {
	log := s.Log.With("market", d.Market, "panel", d.Panel, "month", d.Month, "version", d.Version, "to", to.shown)
	switch {
	case d.State == rollcall.Delivered:
		s.Metrics.delivered.WithLabelValues(to.kind).Inc()
		log.Info(sentence(d.Errand)+": done", "tries", d.Tries)
	case errors.As(failed, new(*refusal)):
		log.Warn(sentence(d.Errand)+": it is not closed", "why", d.Error, "again at", d.Until)
	case d.State == rollcall.GivenUp:
		s.Metrics.failures.WithLabelValues(to.kind).Inc()
		s.Metrics.givenUp.WithLabelValues(to.kind).Inc()
		log.Error(sentence(d.Errand)+": given up", "error", d.Error, "tries", d.Tries)
	case d.Error != "":
		s.Metrics.failures.WithLabelValues(to.kind).Inc()
		log.Warn(sentence(d.Errand)+": failed", "error", d.Error, "tries", d.Tries, "again at", d.Until)
	}
}

// sentence says what an errand is, for the log.
func sentence(e rollcall.Errand) string {
	if e.To == closing {
		return fmt.Sprintf("close %s of panel %s in %s", e.Month, e.Panel, e.Market)
	}
	return fmt.Sprintf("tell of %s of panel %s in %s", e.Month, e.Panel, e.Market)
}

// short cuts a text that others may have written.
func short(text string) string {
	const most = 500
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "..."
	}
	return text
}
