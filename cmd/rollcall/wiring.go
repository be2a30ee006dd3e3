package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"rollcall"
	"rollcall/aggregate/panel"
	"rollcall/aggregate/report"
	"rollcall/api"
	"rollcall/internal/kafka"
	"rollcall/internal/sqlite"
)

// What follows turns the API's questions into the stages' own: the stages
// never import each other.

type reports struct {
	office *report.Office
	store  store
}

func (r reports) Report(ctx context.Context, q api.Query) (*rollcall.Table, error) {
	return r.office.Report(ctx, request(q))
}

// request is a query in the stage's own words; the stage judges them.
func request(q api.Query) report.Request {
	return report.Request{
		Report: q.Report, Of: q.Of, From: q.From, To: q.To, Place: report.Place(q.Location), Services: q.Services,
		Credit: report.Credit(q.Credit), Target: q.Target, Version: q.Version, Live: q.Live,
	}
}

func (r reports) Census(ctx context.Context, q api.CensusQuery) (*rollcall.Table, error) {
	place, err := report.ParseCensusPlace(q.Location)
	if err != nil {
		return nil, err
	}
	credit, err := report.ParseCredit(q.Credit)
	if err != nil {
		return nil, err
	}
	return report.CensusTable(ctx, r.store, report.CensusRequest{
		Market: q.Market, Services: q.Services, From: q.From, To: q.To,
		At: place, Credit: credit, MinAccounts: q.MinAccounts, K: r.store.K(),
	})
}

type panels struct{ *deployment }

func (p panels) Load(ctx context.Context, of rollcall.PanelMonth, files api.PanelFiles) (api.Loaded, error) {
	if p.keys == nil {
		return api.Loaded{}, errNoKey
	}
	loaded, err := p.office.LoadPanel(ctx, of, report.PanelInput{
		Roster: files.Roster, Universe: files.Universe, RosterName: files.RosterName, UniverseName: files.UniverseName,
		Pseudonym: p.keys.Panelist,
	})
	if err != nil {
		return api.Loaded{}, err
	}
	return api.Loaded{
		PanelFiles: loaded.Files, Panelists: loaded.Panelists, Home: loaded.Home, Work: loaded.Work,
		Margins: loaded.Margins, Population: loaded.Universe, Efficiency: loaded.Quality.Efficiency,
	}, nil
}

func (p panels) Close(ctx context.Context, plan api.ClosePlan) (rollcall.Publication, error) {
	settings := report.DefaultSettings()
	if plan.Low != nil {
		settings.Low = *plan.Low
	}
	if plan.Caution != nil {
		settings.Caution = *plan.Caution
	}
	if plan.Confidence != nil {
		settings.Confidence = *plan.Confidence
	}
	if plan.Trim != nil {
		settings.Trim = panel.Trim(*plan.Trim)
	}
	return p.office.Close(ctx, plan.Of, report.CloseOptions{Status: plan.Status, Reason: plan.Reason, Settings: settings})
}

func (p panels) Publications(ctx context.Context, market rollcall.MarketID, panel rollcall.PanelID) ([]rollcall.Publication, error) {
	return p.office.Publications(ctx, market, panel)
}

type publications struct{ *report.Office }

func (p publications) Diff(ctx context.Context, q api.Query, first, second int) (*rollcall.Table, error) {
	return p.Office.Diff(ctx, request(q), first, second)
}

func (p publications) Verify(ctx context.Context, of rollcall.PanelMonth, version int) error {
	published, err := p.Publication(ctx, of, version)
	if err != nil {
		return err
	}
	return p.Office.Verify(ctx, published)
}

type keep struct{ *deployment }

func (k keep) SaveTarget(ctx context.Context, t api.Target) error {
	if err := rollcall.CheckID("name", t.Name); err != nil {
		return err
	}
	if err := report.CheckTarget(t.Expression); err != nil {
		return err
	}
	return k.store.SaveTarget(ctx, t.Name, t.Expression)
}

func (k keep) Targets(ctx context.Context) ([]api.Target, error) {
	saved, err := k.store.Targets(ctx)
	var list []api.Target
	for _, name := range slices.Sorted(maps.Keys(saved)) {
		list = append(list, api.Target{Name: name, Expression: saved[name]})
	}
	return list, err
}

// Backup copies the embedded store.
func (k keep) Backup(ctx context.Context, file string) error {
	embedded, ok := k.store.store.(*sqlite.Store)
	if !ok {
		return fmt.Errorf("%w: ClickHouse has a BACKUP of its own (docs/operating.md)", rollcall.ErrConflict)
	}
	return embedded.Backup(ctx, file)
}

type corrections struct{ *deployment }

func (c corrections) Exclude(ctx context.Context, e api.Exclude) error {
	rule := rollcall.Exclusion{PanelMonth: e.Of, Service: e.Service, Day: e.Day, Reason: e.Reason}
	if e.Panelist != "" {
		if c.keys == nil {
			return errNoKey
		}
		rule.Panelist, _ = c.keys.Panelist(e.Of.Panel, e.Panelist)
	}
	return c.office.Exclude(ctx, rule)
}

// Erase takes the panelist off the rosters and out of the diaries of every month
// that has no final version.
func (c corrections) Erase(ctx context.Context, panel rollcall.PanelID, panelist string) (int, error) {
	if c.keys == nil {
		return 0, errNoKey
	}
	who, _ := c.keys.Panelist(panel, panelist)
	months, err := c.open(ctx, panel)
	if err != nil {
		return 0, err
	}
	rosters, err := c.office.Erase(ctx, months, who)
	if err != nil {
		return 0, err
	}
	diaries, err := c.store.Erase(ctx, panel, who)
	if err != nil {
		return 0, err
	}
	c.log.Info("erased a panelist", "panel", panel, "panelist", who, "rosters", rosters, "diaries", diaries)
	return diaries, nil
}

// open gives a panel's months without a final version, in every market.
func (c corrections) open(ctx context.Context, panel rollcall.PanelID) ([]rollcall.PanelMonth, error) {
	files, err := c.store.ListPanelFiles(ctx)
	if err != nil {
		return nil, err
	}
	var months []rollcall.PanelMonth
	for _, f := range files {
		if f.Panel != panel {
			continue
		}
		published, err := c.office.Publications(ctx, f.Market, panel)
		if err != nil {
			return nil, err
		}
		final := slices.ContainsFunc(published, func(p rollcall.Publication) bool {
			return p.Month == f.Month && p.Status == rollcall.Final
		})
		if !final {
			months = append(months, f.PanelMonth)
		}
	}
	return months, nil
}

// What this process was not given.
var (
	errNoKey = fmt.Errorf("%w: this needs the pseudonyms' master key (--key-file)", rollcall.ErrConflict)
	errNoLog = fmt.Errorf("%w: this needs the log (--brokers)", rollcall.ErrConflict)
)

type eventLog struct{ *deployment }

// Replay folds a part of the log again.
func (l eventLog) Replay(ctx context.Context, from api.ReplayFrom) (int64, error) {
	if l.cluster == nil {
		return 0, errNoLog
	}
	if !l.replaying.TryLock() {
		return 0, fmt.Errorf("%w: another replay is under way", rollcall.ErrConflict)
	}
	defer l.replaying.Unlock()
	return l.replay(ctx, kafka.Start{Time: from.Time, Offsets: from.Offsets})
}

func (l eventLog) Settle(ctx context.Context) error {
	if l.cluster == nil {
		return errNoLog
	}
	return kafka.Settle(ctx, l.cluster, l.group())
}

type rejects struct{ *deployment }

// Resend appends everything refused to the log once more.
func (l rejects) Resend(ctx context.Context) (inputs int, err error) {
	if l.cluster == nil {
		return 0, errNoLog
	}
	w := kafka.NewWriter(l.cluster, kafka.WriterOptions{Options: kafka.Options{Log: l.log}})
	defer func() { err = errors.Join(err, w.Close()) }()
	for r, err := range l.Rejected(ctx) {
		if err != nil {
			return inputs, err
		}
		if err := w.Replay(ctx, r); err != nil {
			return inputs, err
		}
		inputs++
	}
	return inputs, nil
}

// Rejected reads what was refused, oldest first.
func (l rejects) Rejected(ctx context.Context) iter.Seq2[rollcall.Rejected, error] {
	if l.cluster == nil {
		return func(yield func(rollcall.Rejected, error) bool) { yield(rollcall.Rejected{}, errNoLog) }
	}
	return kafka.ReadRejected(ctx, l.cluster, maxRejected)
}

// savedTarget finds a saved target's text.
func (d *deployment) savedTarget(ctx context.Context, name string) (string, error) {
	saved, err := d.store.Targets(ctx)
	if err != nil {
		return "", err
	}
	text, ok := saved[name]
	if !ok {
		return "", &rollcall.Invalid{Field: "target", Value: "@" + name, Reason: "is not saved; see `rollcall target list`", Code: "target"}
	}
	return text, nil
}

// maxRejected bounds one listing of the rejected.
const maxRejected = 100_000
