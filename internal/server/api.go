package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/census"
	"rollcall/aggregate/census/active"
	"rollcall/aggregate/correct"
	"rollcall/aggregate/markets"
	"rollcall/aggregate/publish"
	"rollcall/aggregate/replicate"
	"rollcall/aggregate/report"
	"rollcall/api"
	"rollcall/dashboards"
	"rollcall/ingest"
	"rollcall/ingest/collect/web"
	"rollcall/internal/kafka"
	"rollcall/internal/sqlite"
)

// targets are the store's.
type targets struct{ rollcall.Store }

// SaveTarget saves a target that can be understood.
func (s targets) SaveTarget(ctx context.Context, t rollcall.Target) error {
	if err := rollcall.CheckID("name", t.Name); err != nil {
		return err
	}
	if err := s.understood(ctx, t); err != nil {
		return err
	}
	return s.Store.SaveTarget(ctx, t.Name, t.Expression)
}

// understood refuses a target that is empty, names one that isn't saved, or comes
// back to itself.
func (s targets) understood(ctx context.Context, t rollcall.Target) error {
	if strings.TrimSpace(t.Expression) == "" {
		return &rollcall.Invalid{Field: "expression", Reason: "is empty; want one such as age=15-24", Code: "target"}
	}
	_, err := audience.ParseTarget(t.Expression, func(name string) (string, error) {
		if name == t.Name {
			return "", &rollcall.Invalid{Field: "target", Value: "@" + name, Reason: "is the one that is being saved: a target can't be made of itself", Code: "target"}
		}
		return s.expression(ctx, name)
	})
	return err
}

// Targets lists them by name.
func (s targets) Targets(ctx context.Context) ([]rollcall.Target, error) {
	saved, err := s.Store.Targets(ctx)
	var list []rollcall.Target
	for _, name := range slices.Sorted(maps.Keys(saved)) {
		list = append(list, rollcall.Target{Name: name, Expression: saved[name]})
	}
	return list, err
}

// expression finds a saved target's text.
func (s targets) expression(ctx context.Context, name string) (string, error) {
	saved, err := s.Store.Targets(ctx)
	if err != nil {
		return "", err
	}
	text, ok := saved[name]
	if !ok {
		return "", &rollcall.Unknown{
			Kind: "target", Name: "@" + name, Near: rollcall.Nearest(name, slices.Collect(maps.Keys(saved))),
			Advice: "save it with `rollcall target save`",
		}
	}
	return text, nil
}

// backup copies the embedded store into the folder's backups, under a name of
// its own where none is given.
func (p *Process) backup(ctx context.Context, name string) (path string, err error) {
	embedded, ok := p.store.engineStore.(*sqlite.Store)
	if !ok {
		return "", fmt.Errorf("%w: ClickHouse has a BACKUP of its own (docs/operating.md)", rollcall.ErrConflict)
	}
	if name == "" {
		name = "sent-" + rand.Text() + ".db"
	}
	if err := rollcall.CheckID("file", name); err != nil {
		return "", err
	}
	if strings.HasPrefix(name, ".") {
		return "", &rollcall.Invalid{Field: "file", Value: name, Reason: "begins with a dot", Code: "file"}
	}
	dir := filepath.Join(p.engine.Data, "backups")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("backup: %w", err)
	}
	path = filepath.Join(dir, name)
	return path, embedded.Backup(ctx, path)
}

// errNoLog says that this process was given no log.
var errNoLog = fmt.Errorf("%w: this needs the log (--brokers)", rollcall.ErrConflict)

// correctorOf gives what undoes mistakes in the census, but for accounts.
func correctorOf(p *Process) *correct.Corrector {
	return &correct.Corrector{Store: p.store, Catalogue: p.catalogue.Catalogue, Now: time.Now}
}

type eventLog struct{ *Process }

// Replay folds a part of the log again.
func (l eventLog) Replay(ctx context.Context, from api.ReplayFrom) (int64, error) {
	if l.cluster == nil {
		return 0, errNoLog
	}
	if !l.replaying.TryLock() {
		return 0, fmt.Errorf("%w: another replay is under way", rollcall.ErrConflict)
	}
	defer l.replaying.Unlock()
	return l.replay(ctx, kafka.Start{Time: from.Time, Offsets: from.Offsets}, from.WithRemoved)
}

// Settle waits until the store has what the log holds. This process's aggregator
// flushes for it at once; on a cluster others may have to be waited for.
func (l eventLog) Settle(ctx context.Context) error {
	if l.cluster == nil {
		return errNoLog
	}
	defer l.waiters.Wait()()
	return kafka.Settle(ctx, l.cluster, l.group())
}

// Acknowledge takes note of what the embedded log has lost.
func (l eventLog) Acknowledge(context.Context) (api.LogDamage, error) {
	if l.broker == nil {
		return api.LogDamage{}, fmt.Errorf("%w: only the embedded log is looked after here; Kafka looks after its own", rollcall.ErrConflict)
	}
	d, err := l.broker.Acknowledge()
	return api.LogDamage{Since: d.Since, Bytes: d.Bytes, Records: d.Records}, err
}

// degraded says what somebody should look at, though the work goes on.
func (p *Process) degraded(ctx context.Context) (why []string) {
	if p.store != nil {
		ctx, cancel := context.WithTimeout(ctx, readyTime)
		defer cancel()
		aside, err := p.store.SetAside(ctx)
		if err != nil {
			p.Log.Error("what the store has set aside is not known", "error", err)
			why = append(why, "what the store has set aside as damaged is not known")
		} else if len(aside) > 0 {
			why = append(why, fmt.Sprintf("%d damaged rows of the store are set aside, and missing in its figures; `rollcall store check` lists them", len(aside)))
		}
	}
	if p.keys != nil {
		why = append(why, p.masters.Degraded()...)
	}
	return append(why, p.logDamage()...)
}

// logDamage says what the embedded log has lost.
func (p *Process) logDamage() (why []string) {
	if p.broker == nil {
		return nil
	}
	d, err := p.broker.Damage()
	switch {
	case err != nil:
		p.Log.Error("what the log has lost is not known", "error", err)
		return []string{"what the embedded log has lost by damage is not known"}
	case !d.Since.IsZero():
		return []string{"the embedded log was damaged, and has lost records; `rollcall log acknowledge` says how many, and takes note of it"}
	}
	return nil
}

type rejected struct{ *Process }

// Resend appends what was refused, and is valid now, to the log, and marks it.
func (l rejected) Resend(ctx context.Context, q api.RejectedQuery) (done api.Resent, err error) {
	done.Refused = map[string]int{}
	if l.cluster == nil {
		return done, errNoLog
	}
	if err := l.known(ctx, q.Code); err != nil {
		return done, err
	}
	judge := kafka.NewJudge(l.sourceOptions(nil))
	w := kafka.NewWriter(l.cluster, kafka.WriterOptions{Options: kafka.Options{Log: l.Log}})
	defer func() { err = errors.Join(err, w.Close()) }()
	var valid []rollcall.Rejected // not marked yet
	for r, err := range l.Rejected(ctx, q) {
		if err != nil {
			return done, err
		}
		done.Inputs++
		if err := judge.Judge(&r); err != nil {
			done.Refused[codeOf(err)]++
			continue
		}
		if err := w.Replay(ctx, r); err != nil {
			return done, errors.Join(err, w.Mark(ctx, valid))
		}
		done.Valid++
		if valid = append(valid, r); len(valid) == markEvery {
			if err := w.Mark(ctx, valid); err != nil {
				return done, err
			}
			valid = valid[:0]
		}
	}
	return done, w.Mark(ctx, valid)
}

// markEvery is how many inputs that were sent again are marked together.
const markEvery = 100

func codeOf(err error) string {
	if e := new(rollcall.Invalid); errors.As(err, &e) {
		return e.Code
	}
	return "unreadable"
}

// Rejected reads what was refused, oldest first.
func (l rejected) Rejected(ctx context.Context, q api.RejectedQuery) iter.Seq2[rollcall.Rejected, error] {
	if l.cluster == nil {
		return func(yield func(rollcall.Rejected, error) bool) { yield(rollcall.Rejected{}, errNoLog) }
	}
	if err := l.known(ctx, q.Code); err != nil {
		return func(yield func(rollcall.Rejected, error) bool) { yield(rollcall.Rejected{}, err) }
	}
	return kafka.ReadRejected(ctx, l.cluster, kafka.Wanted{Code: q.Code, Source: q.Source, Replayed: q.All, Most: maxRejected})
}

// known refuses a code that nothing can be refused with, nor was by an older version:
// an Unknown with those that it may have been meant for, or else those that were.
func (l rejected) known(ctx context.Context, code string) error {
	codes := ingest.Codes()
	if code == "" || slices.Contains(codes, code) {
		return nil
	}
	seen := map[string]bool{}
	for r, err := range kafka.ReadRejected(ctx, l.cluster, kafka.Wanted{Replayed: true}) {
		if err != nil || r.Code == code {
			return err
		}
		seen[r.Code] = true
	}
	if were := slices.Collect(maps.Keys(seen)); len(rollcall.Alike(code, codes)) == 0 && len(were) > 0 {
		codes = were
	}
	return &rollcall.Unknown{Kind: "code", Name: code, Where: "among what is refused", Near: rollcall.Nearest(code, codes)}
}

// maxRejected bounds one listing of the rejected.
const maxRejected = 100_000

// ready says what the process can't do now; nil: nothing. An engine's client may
// be late to notice that its time is over, so it is not waited for.
func (p *Process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	done := make(chan error, 1) // owned by the question's goroutine
	go func() { done <- enginesAnswer(ctx, p) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("the engines have not answered in time: %w", ctx.Err())
	}
}

func enginesAnswer(ctx context.Context, p *Process) error {
	var errs []error
	errs = append(errs, p.store.answers(ctx))
	if p.cluster != nil {
		errs = append(errs, p.cluster.Reachable(ctx))
	}
	if p.source != nil {
		errs = append(errs, p.source.Joined(), p.store.flushing())
	}
	if p.keys != nil {
		errs = append(errs, p.masters.Lacks())
	}
	return errors.Join(errs...)
}

// readyTime is how long the engines have to answer. With the half second after
// which a store that hangs is known to, a probe has its answer within two.
const readyTime = 1500 * time.Millisecond

// changeableOf is the process's catalogue with ways to change it.
func changeableOf(p *Process) changeable {
	c := changeable{catalogue: p.catalogue, store: p.store, followed: p.engine.onCluster(), demonstration: isDemonstration(p.engine.Data) && !p.engine.onCluster()}
	if p.cluster != nil {
		c.settle = eventLog{p}.Settle
	}
	return c
}

// serve makes the API's handler.
func (p *Process) serve() {
	censuses := census.NewCache(p.store, census.CacheBytes, time.Now)
	accounts := func(ctx context.Context, q rollcall.CensusQuery) (*rollcall.Table, error) {
		if err := p.catalogue.knows(ctx, q.Market, q.Services); err != nil {
			return nil, err
		}
		ctx, end := p.traces.Begin(ctx, "census", "market", string(q.Market))
		t, err := censuses.Table(ctx, q)
		end(err)
		return p.catalogue.noteSimulated(t, q.Market), err
	}
	months := func(ctx context.Context, market rollcall.MarketID, readable []rollcall.SegmentID) ([]rollcall.Month, error) {
		if err := p.catalogue.knows(ctx, market, nil); err != nil {
			return nil, err
		}
		return census.Months(ctx, p.store, market, readable)
	}
	counted := active.Facts{Store: p.store, Calendar: p.catalogue.calendar, Knows: p.catalogue.knows, Now: time.Now, Least: p.Readers.Least, Round: p.Readers.Round}
	if len(p.Gauges.Of) > 0 {
		p.background("gauges", active.NewGauges(p.metrics, p.Gauges, counted, p.Log).Run)
	}
	corrector := correctorOf(p)
	server := &api.Server{
		Reports: reports{p.reports, &markets.Reporter{Reports: p.reports}, p.catalogue, p.traces}, Census: accounts, CensusMonths: months, Usage: counted.Usage, Panels: publish.Listing{Publisher: p.months}, Publications: p.months,
		Corrections: corrector, Replicates: replicate.Source{Versions: p.months.Versions},
		Columns: append(report.Columns(), census.Columns(rollcall.ByPlatform, rollcall.BySegment, rollcall.ByLocation, rollcall.ByKind)...), Readers: p.Readers,
		Catalogue: changeableOf(p), Targets: targets{p.store}, Backup: p.backup, Store: p.store,
		Log: eventLog{p}, Rejected: rejected{p}, MasterKeys: masterKeys{p.masters},
		Page:    dashboards.NewPage(),
		Metrics: promhttp.HandlerFor(p.metrics, promhttp.HandlerOpts{}), Ready: p.ready, Degraded: p.degraded,
		Version: p.Software, Assistants: p.MCP, Logger: p.Log, Access: p.Access, Audit: p.store,
	}
	if p.keys != nil {
		corrector.Accounts = p.keys.Accounts
	}
	if p.cluster != nil {
		server.Collector = p.takeEvents(p.writers(), web.DefaultMemory)
	}
	p.handler = server.Handler()
}
