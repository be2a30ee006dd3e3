package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/simulate"
	"rollcall/internal/server"
)

type simulateCmd struct {
	Seed   uint64           `help:"Seed of the simulated panel." default:"2002"`
	Months []rollcall.Month `help:"These months only, of 2002-09 to 2003-10." placeholder:"YYYY-MM,..."`
	server.Engine
}

// Run loads the demonstration's markets through the stages, and closes the
// panel's months.
func (c *simulateCmd) Run(ctx context.Context, s *streams) error {
	months, err := c.months()
	if err != nil {
		return server.UsageError{Err: err}
	}
	return with(ctx, &c.Engine, s, func(api *client) error {
		l, err := newSimulation(api, s.err, c.Seed, months)
		if err != nil {
			return err
		}
		if len(c.Brokers) > 0 {
			l.followed = 3 * time.Second
		}
		if _, err := l.missing(ctx); err != nil {
			return err
		}
		return errors.Join(l.load(ctx), printCounts(s.out, s.err, "simulate", &l.to.Counts))
	})
}

// months gives the months asked for, in order and each once; all where none is.
func (c *simulateCmd) months() ([]rollcall.Month, error) {
	all := simulate.Months()
	if len(c.Months) == 0 {
		return all, nil
	}
	for _, m := range c.Months {
		if !slices.Contains(all, m) {
			return nil, fmt.Errorf("--months %s: the demonstration has %s to %s", m, all[0], all[len(all)-1])
		}
	}
	slices.Sort(c.Months)
	return slices.Compact(c.Months), nil
}

// simulation carries the demonstration through the stages: as a recruiter loads
// rosters, as meters and servers send sightings, as an analyst closes months.
type simulation struct {
	api    *client
	to     *sender
	seed   uint64
	made   *simulate.Demonstration
	months []rollcall.Month
	bar    *progressbar.ProgressBar

	followed  time.Duration // by when every role of a cluster has read what was added to the catalogue
	exactFrom time.Time     // when all roles count exactly what is counted so
}

func newSimulation(api *client, progress io.Writer, seed uint64, months []rollcall.Month) (*simulation, error) {
	made, err := simulate.New(seed)
	if err != nil {
		return nil, err
	}
	return &simulation{
		api: api, to: newSender(api, "simulate", true), seed: seed, made: made, months: months,
		bar: steps(progress, "simulating", 2*len(months)),
	}, nil
}

// steps draws so many steps on a terminal, and nothing elsewhere.
func steps(w io.Writer, name string, n int) *progressbar.ProgressBar {
	if !isTerminal(w) {
		return progressbar.DefaultSilent(int64(n))
	}
	return progressbar.NewOptions(n, progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(name), progressbar.OptionClearOnFinish())
}

// load sends all, waits until the store has it, and closes each month that is
// not closed. What was loaded before counts once, so a load that was cut short
// can be begun again.
func (l *simulation) load(ctx context.Context) error {
	for _, m := range l.months {
		if err := l.month(ctx, m); err != nil {
			return fmt.Errorf("simulate %s: %w", m, err)
		}
		_ = l.bar.Add(1) // a bar that can't be drawn is no reason to stop
	}
	if err := l.to.settle(ctx); err != nil {
		return err
	}
	open, err := l.missing(ctx)
	if err != nil {
		return err
	}
	for _, m := range open {
		if err := l.close(ctx, m); err != nil {
			return fmt.Errorf("close %s: %w", m, err)
		}
		_ = l.bar.Add(1)
	}
	if err := l.calibrate(ctx); err != nil {
		return fmt.Errorf("close %s calibrated: %w", simulate.CalibratedMonth, err)
	}
	return l.bar.Finish()
}

// calibrate closes one month again, calibrated to a service's own census, beside
// the version that it has: the months after it were closed with that one.
func (l *simulation) calibrate(ctx context.Context) error {
	if !slices.Contains(l.months, simulate.CalibratedMonth) {
		return nil
	}
	list, err := l.published(ctx)
	if err != nil || slices.ContainsFunc(list, func(p rollcall.Publication) bool { return p.Month == simulate.CalibratedMonth && p.Version > 1 }) {
		return err
	}
	in := map[string]any{
		"market": string(simulate.Place().ID), "panel": string(simulate.PanelID), "month": simulate.CalibratedMonth.String(),
		"status": string(rollcall.Restated), "reason": "calibrated to MSN's own census, simulated",
		"calibrate": []rollcall.ServiceID{simulate.OwnService}, "accounts_per_person": simulate.AccountsPerPerson(),
	}
	return l.api.do(ctx, http.MethodPost, "/v1/publications", in, nil)
}

// missing gives the months that are not published yet, in the markets that it
// adds if need be. A real market is refused, and a panel published from another
// seed: two demonstrations would be one panel of two.
func (l *simulation) missing(ctx context.Context) ([]rollcall.Month, error) {
	if err := l.markets(ctx); err != nil {
		return nil, err
	}
	list, err := l.published(ctx)
	if err != nil {
		return nil, err
	}
	closed := make(map[rollcall.Month]bool)
	for _, p := range list {
		if p.Internal || closed[p.Month] {
			continue
		}
		if len(closed) == 0 {
			if err := l.checkSeed(ctx, p.Month); err != nil {
				return nil, err
			}
		}
		closed[p.Month] = true
	}
	var missing []rollcall.Month
	for _, m := range l.months {
		if !closed[m] {
			missing = append(missing, m)
		}
	}
	return missing, nil
}

// markets adds the markets that are not there. Segments are named, and one
// service's accounts are counted exactly, unless the folder has a real market too,
// whose segments and accounts they would be as well.
func (l *simulation) markets(ctx context.Context) error {
	had, err := rows[rollcall.Market](ctx, l.api, "/v1/markets")
	if err != nil {
		return err
	}
	of := func(id rollcall.MarketID) func(rollcall.Market) bool {
		return func(m rollcall.Market) bool { return m.ID == id }
	}
	world := slices.ContainsFunc(had, of(simulate.World().ID))
	if panel := slices.IndexFunc(had, of(simulate.Place().ID)); !world && panel >= 0 && had[panel].Simulated {
		return fmt.Errorf("%w: this folder has the demonstration of an earlier version, whose census was in market %s; give another folder with --data", rollcall.ErrConflict, simulate.Place().ID)
	}
	if !world && !slices.ContainsFunc(had, func(m rollcall.Market) bool { return !m.Simulated }) {
		if err := errors.Join(l.nameSegments(ctx), l.countExactly(ctx)); err != nil {
			return err
		}
	}
	for _, m := range []rollcall.Market{simulate.World(), simulate.Place()} {
		if err := l.api.do(ctx, http.MethodPost, "/v1/markets", m, nil); err != nil {
			return err
		}
	}
	return nil
}

func (l *simulation) nameSegments(ctx context.Context) error {
	for _, segment := range simulate.Regions() {
		if err := l.api.do(ctx, http.MethodPost, "/v1/segments", segment, nil); err != nil {
			return err
		}
	}
	return nil
}

func (l *simulation) countExactly(ctx context.Context) error {
	var v rollcall.Service
	if err := l.api.do(ctx, http.MethodGet, "/v1/services/"+string(simulate.CountedExactly), nil, &v); err != nil {
		return err
	}
	v.Census, l.exactFrom = rollcall.Exactly, time.Now().Add(l.followed)
	return l.api.do(ctx, http.MethodPost, "/v1/services", v, nil)
}

// published gives the panel's versions: none in a folder that knows nothing of the
// market yet, which is no fault here.
func (l *simulation) published(ctx context.Context) ([]rollcall.Publication, error) {
	place := simulate.Place().ID
	markets, err := rows[rollcall.Market](ctx, l.api, "/v1/markets")
	if err != nil || !slices.ContainsFunc(markets, func(m rollcall.Market) bool { return m.ID == place }) {
		return nil, err
	}
	query := url.Values{"market": {string(place)}}
	list, err := rows[rollcall.Publication](ctx, l.api, "/v1/publications?"+query.Encode())
	return slices.DeleteFunc(list, func(p rollcall.Publication) bool { return p.Panel != simulate.PanelID }), err
}

// checkSeed reads the seed off a published month.

func (l *simulation) checkSeed(ctx context.Context, published rollcall.Month) error {
	t, err := readRanking(ctx, l.api, published)
	if err != nil {
		return err
	}
	source := ""
	if t.Meta.Universe != nil {
		source = t.Meta.Universe.Source
	}
	switch seed, ok := simulate.SeedOf(source); {
	case !ok:
		return fmt.Errorf("%s of panel %s is published here and was not simulated; give another folder with --data", published, simulate.PanelID)
	case seed != l.seed:
		return fmt.Errorf("this folder has the demonstration of seed %d, not %d; give another with --data", seed, l.seed)
	}
	return nil
}

func (l *simulation) month(ctx context.Context, at rollcall.Month) error {
	m, err := l.made.Month(at)
	if err != nil {
		return err
	}
	if err := l.files(ctx, at, m); err != nil {
		return err
	}
	if err := l.send(ctx, m.Sightings()); err != nil {
		return err
	}
	if err := sleepUntil(ctx, l.exactFrom); err != nil {
		return err
	}
	return errors.Join(l.send(ctx, l.made.Census(at)), l.send(ctx, l.made.OwnCensus(at)))
}

func sleepUntil(ctx context.Context, at time.Time) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(at)):
		return nil
	}
}

// files loads the month's roster and universe.
func (l *simulation) files(ctx context.Context, at rollcall.Month, m *simulate.Month) error {
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	err := errors.Join(
		part(parts, "roster", "simulated panelists.csv", m.WriteRoster),
		part(parts, "universe", "simulated universe.csv", m.WriteUniverse),
		parts.Close())
	if err != nil {
		return err
	}
	path := fmt.Sprintf("/v1/panels/%s/months/%s?market=%s", simulate.PanelID, at, simulate.Place().ID)
	answer, err := l.api.send(ctx, http.MethodPut, path, "multipart/mixed; boundary="+parts.Boundary(), &body)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

func part(parts *multipart.Writer, name, file string, write func(io.Writer) error) error {
	w, err := parts.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf("form-data; name=%q; filename=%q", name, file)},
		"Content-Type":        {"text/csv"},
	})
	if err != nil {
		return err
	}
	return write(w)
}

// send posts sightings as NDJSON. A refused one is a fault of ours: the
// figures would not be those that were aimed at.
func (l *simulation) send(ctx context.Context, sightings iter.Seq[ingest.Sighting]) error {
	var body []byte
	for seen := range sightings {
		body = append(seen.AppendJSON(body), '\n')
		if len(body) < postSize {
			continue
		}
		if err := l.to.post(ctx, body, onFrom(l.to.Read)); err != nil {
			return err
		}
		body = body[:0]
	}
	if len(body) > 0 {
		if err := l.to.post(ctx, body, onFrom(l.to.Read)); err != nil {
			return err
		}
	}
	if refused := l.to.Refused(); refused > 0 {
		return fmt.Errorf("%d simulated sightings were refused, the first: %s", refused, l.to.Errors[0].Reason)
	}
	return nil
}

func (l *simulation) close(ctx context.Context, at rollcall.Month) error {
	in := map[string]string{
		"market": string(simulate.Place().ID), "panel": string(simulate.PanelID), "month": at.String(), "status": string(rollcall.Final),
	}
	return l.api.do(ctx, http.MethodPost, "/v1/publications", in, nil)
}
