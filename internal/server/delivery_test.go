package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall"
	"rollcall/api/delivery"
	"rollcall/api/export"
	"rollcall/internal/test/engines"
)

// closingHour is when January 2003 is due in France.
var closingHour = time.Date(2003, time.February, 10, 5, 0, 0, 0, time.UTC)

// clients are who is told: a folder, a webhook's receiver and a mail server,
// each real.
type clients struct {
	testing.TB
	options delivery.Options
	during  func() // of a request, before it is answered; nil: nothing

	mu     sync.Mutex // guards what follows
	answer int        // to webhooks
	hooks  []hook     // that were taken
	missed int        // that were not
}

// hook is one request to the receiver.
type hook struct {
	id, body string
}

// newClients starts them. Without mail no Python is needed.
func newClients(t *testing.T, mail bool) *clients {
	t.Helper()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &clients{TB: t, answer: http.StatusOK}
	receiver := httptest.NewServer(c)
	t.Cleanup(receiver.Close)
	c.options = delivery.Options{
		CloseDay: 10, CloseTime: "06:00", CloseStatus: "preliminary", MinEfficiency: 50,
		ExportDir: filepath.Join(dir, "export"), Webhook: []string{receiver.URL + "/hook"}, WebhookSecretFile: secret, DeliveryLocale: "en",
	}
	if mail {
		box := filepath.Join(dir, "mail")
		if err := os.Mkdir(box, 0o700); err != nil {
			t.Fatal(err)
		}
		c.options.SMTP = "smtp://" + engines.MailServer(t, box, "plain")
		c.options.MailTo = []string{"analyst@example.org", "nobody@example.org"}
	}
	return c
}

// ServeHTTP takes a webhook.
func (c *clients) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.Error(err)
	}
	if c.during != nil {
		c.during()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answer == http.StatusOK {
		c.hooks = append(c.hooks, hook{r.Header.Get("webhook-id"), string(body)})
	} else {
		c.missed++
	}
	w.WriteHeader(c.answer)
}

// away has the receiver refuse everything, or take it again.
func (c *clients) away(yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answer = http.StatusOK; yes {
		c.answer = http.StatusServiceUnavailable
	}
}

// taken gives the webhooks that were taken.
func (c *clients) taken() []hook {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.hooks)
}

// folders lists what was exported.
func (c *clients) folders() (names []string) {
	entries, err := os.ReadDir(c.options.ExportDir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		c.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// mail is one that the server took.
type mail struct {
	Subject, From, To, ID, Date, Text, HTML string
	Defects                                 []string
	Files                                   map[string]struct {
		Type          string
		Sheets, First []string
	}
}

// mails reads what the server took, by programs that nobody here wrote.
func (c *clients) mails() (all []mail) {
	c.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(c.options.ExportDir), "mail", "*.eml"))
	if err != nil || len(files) == 0 {
		return nil
	}
	printed := engines.Python(c.TB, nil, append([]string{filepath.Join("testdata", "readmail.py")}, files...)...)
	for line := range strings.Lines(string(printed)) {
		var m mail
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			c.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// schedule is an analyst's process that closes by the clock, as one that has
// just been started.
func (o *analyst) schedule(c *clients) *delivery.Schedule {
	o.Helper()
	plan, err := c.options.Plan()
	if err != nil {
		o.Fatal(err)
	}
	o.metrics = prometheus.NewRegistry()
	s := scheduleOf(o.Process, plan)
	s.Now = func() time.Time { return o.clock }
	return s
}

// round does what is to be done at a time.
func (o *analyst) round(s *delivery.Schedule, at time.Time) {
	o.Helper()
	o.clock = at
	if err := s.Round(o.Context()); err != nil {
		o.Fatalf("at %s: %v", at, err)
	}
}

// versions lists what a market has published of a month.
func (o *analyst) versions(market rollcall.MarketID, month string) (all []rollcall.Publication) {
	o.Helper()
	list, err := o.months.Publications(o.Context(), market, "nn")
	if err != nil {
		o.Fatal(err)
	}
	for _, p := range list {
		if p.Month.String() == month {
			all = append(all, p)
		}
	}
	return all
}

// pending gives who is still to be told, or closed.
func (o *analyst) pending() (all []string) {
	o.Helper()
	list, err := o.store.Deliveries(o.Context())
	if err != nil {
		o.Fatal(err)
	}
	for _, d := range list {
		to, _, _ := strings.Cut(d.To, " ")
		all = append(all, fmt.Sprintf("%s %s %s: %s", d.Market, d.Month, to, d.Error))
	}
	return all
}

// metric reads one of the process's metrics.
func (o *analyst) metric(name, to string) float64 {
	o.Helper()
	families, err := o.metrics.Gather()
	if err != nil {
		o.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && (len(m.GetLabel()) == 0 || m.GetLabel()[0].GetValue() == to) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return 0
}

// januaries are two markets, six hours apart, whose January can be closed.
func januaries(t *testing.T, e *Engine) *analyst {
	t.Helper()
	if e.Clickhouse != "" {
		o := newAnalyst(t, e)
		fillJanuaries(o)
		return o
	}
	januariesFolder.copyTo(t, e.Data, fillJanuaries)
	o := newAnalyst(t, e)
	o.clock = o.clock.Add(time.Hour) // after what was done to make it
	return o
}

var januariesFolder madeFolder

func fillJanuaries(o *analyst) {
	o.addMarkets()
	o.folds(inOrder)
	for _, market := range bothMarkets {
		o.loadPanel(market, "2003-01")
	}
}

// TestScheduledClose: each market's month is closed at its own hour, once, and
// everybody is told once.
func TestScheduledClose(t *testing.T) {
	o, c := januaries(t, &Engine{Data: t.TempDir()}), newClients(t, true)
	s := o.schedule(c)
	o.round(s, closingHour.Add(-time.Second))
	if len(o.versions("FR", "2003-01")) > 0 || len(o.pending()) > 0 {
		t.Fatalf("before the hour: %v", o.pending())
	}
	o.round(s, closingHour)
	if fr, us := o.versions("FR", "2003-01"), o.versions("US", "2003-01"); len(fr) != 1 || fr[0].Status != rollcall.Preliminary || len(us) != 0 {
		t.Fatalf("at the hour: %+v, %+v", fr, us)
	}
	if left := o.metric("rollcall_months_overdue", ""); left != 0 {
		t.Errorf("%v months are overdue", left)
	}
	o.round(s, closingHour.Add(time.Minute))
	o.round(s, closingHour.Add(-time.Hour)) // the clock was set back
	o.round(s, closingHour.Add(6*time.Hour))
	o.round(o.schedule(c), closingHour.Add(48*time.Hour)) // of another process
	for _, market := range []rollcall.MarketID{"FR", "US"} {
		if v := o.versions(market, "2003-01"); len(v) != 1 {
			t.Errorf("%s: %+v", market, v)
		}
	}
	if got := c.folders(); !slices.Equal(got, []string{"rollcall_FR_nn_2003-01_v1", "rollcall_US_nn_2003-01_v1"}) {
		t.Errorf("folders %v", got)
	}
	hooks, mails := c.taken(), c.mails()
	if len(hooks) != 2 || len(mails) != 2 || hooks[0].id == hooks[1].id || !strings.Contains(hooks[0].body, `"market":"FR"`) {
		t.Fatalf("%d webhooks and %d mails: %v", len(hooks), len(mails), hooks)
	}
	for i, m := range mails {
		if !strings.HasPrefix(m.ID, "<"+hooks[i].id+"@") {
			t.Errorf("a webhook has the id %s, its mail %s", hooks[i].id, m.ID)
		}
	}
	requireMail(t, &mails[0])
	// One address is none: that is tried again, and in nobody's way.
	if got := o.pending(); len(got) != 2 || !strings.Contains(got[0], "no such mailbox") {
		t.Errorf("pending: %v", got)
	}
	if folder, failed := o.metric("rollcall_deliveries_pending", "folder"), o.metric("rollcall_deliveries_pending", "mail"); folder != 0 || failed == 0 {
		t.Errorf("pending folders %v, mails %v", folder, failed)
	}
}

// requireMail: the mail has the ranking as text and as a table, and the workbook.
func requireMail(t *testing.T, m *mail) {
	t.Helper()
	if m.Subject != "Audience of messaging services: FR, panel nn, January 2003, version 1 (preliminary)" || len(m.Defects) > 0 ||
		m.From != "rollcall@localhost" || m.To != "analyst@example.org" || m.Date != "2003-02-10T05:00:00+00:00" {
		t.Errorf("%q from %s to %s on %s, with %v", m.Subject, m.From, m.To, m.Date, m.Defects)
	}
	row := regexp.MustCompile(`(?m)^1 +\S.* +[0-9,]+ +[0-9,]+ – [0-9,]+ +[0-9.]+ `)
	if !row.MatchString(m.Text) || !strings.Contains(m.Text, "Version 1 (preliminary), closed on 2003-02-10.") || !strings.Contains(m.Text, "sha256:") {
		t.Errorf("text:\n%s", m.Text)
	}
	if strings.Count(m.HTML, "<tr>") != strings.Count(m.HTML, "</tr>") || strings.Count(m.HTML, "<tr>") < 4 || !strings.Contains(m.HTML, `<html lang="en">`) {
		t.Errorf("HTML:\n%s", m.HTML)
	}
	for _, cell := range strings.Fields(row.FindString(m.Text))[1:] {
		if !strings.Contains(m.HTML, cell) {
			t.Errorf("%q is in the text alone", cell)
		}
	}
	workbook, ok := m.Files["rollcall_FR_nn_2003-01_v1.xlsx"]
	if len(m.Files) != 1 || !ok || workbook.Type != "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" || len(workbook.Sheets) < 10 || workbook.Sheets[0] != "Cover" {
		t.Errorf("attached: %+v", m.Files)
	}
}

// TestFrenchMail: in French numbers and words; of a month that was not closed
// too.
func TestFrenchMail(t *testing.T) {
	o, c := januaries(t, &Engine{Data: t.TempDir()}), newClients(t, true)
	c.options.DeliveryLocale = string(export.French)
	c.options.MailTo = c.options.MailTo[:1]
	s := o.schedule(c)
	o.round(s, closingHour)
	o.round(s, closingHour.AddDate(0, 1, 0)) // February has no files
	mails := c.mails()
	if len(mails) != 3 { // with the other market's January
		t.Fatalf("%d mails", len(mails))
	}
	if m := mails[0]; !strings.Contains(m.Subject, "janvier 2003, version 1 (préliminaire)") || !strings.Contains(m.Text, "Audience unique") || !strings.Contains(m.Text, "Au moins un service") ||
		!regexp.MustCompile(`[0-9]\x{202f}[0-9]{3} – [0-9].* [0-9]+,[0-9] `).MatchString(m.Text) || !strings.Contains(m.HTML, `<html lang="fr">`) {
		t.Errorf("%s\n%s", m.Subject, m.Text)
	}
	if m := mails[2]; m.Subject != "Rollcall: France, nn, 2003-02: non clos" || !strings.Contains(m.Text, "manque : chargez-les") || !strings.Contains(m.Text, "no roster for 2003-02") {
		t.Errorf("%s\n%s", m.Subject, m.Text)
	}
}

// TestReceiverAway: a receiver and a mail server that are away for an hour are
// told when they are back, under the same ids, by a process that was started
// meanwhile.
func TestReceiverAway(t *testing.T) {
	o, c := januaries(t, &Engine{Data: t.TempDir()}), newClients(t, true)
	c.options.MailTo = c.options.MailTo[:1]
	full := filepath.Join(filepath.Dir(c.options.ExportDir), "mail", "full")
	if err := os.WriteFile(full, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.away(true)
	s := o.schedule(c)
	for m := range 60 {
		if m == 30 {
			s = o.schedule(c)
		}
		o.round(s, closingHour.Add(time.Duration(m)*time.Minute))
	}
	if len(c.taken()) > 0 || len(c.mails()) > 0 || c.missed < 4 || c.missed > 10 || o.metric("rollcall_delivery_failures_total", "webhook") == 0 {
		t.Fatalf("%d webhooks taken, %d missed, %d mails", len(c.taken()), c.missed, len(c.mails()))
	}
	c.away(false)
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	for m := range 60 {
		o.round(s, closingHour.Add(time.Hour+time.Duration(m)*time.Minute))
	}
	if hooks, mails := c.taken(), c.mails(); len(hooks) != 1 || len(mails) != 1 || !strings.HasPrefix(mails[0].ID, "<"+hooks[0].id+"@") {
		t.Errorf("%v and %v", hooks, mails)
	}
	if got := o.pending(); len(got) > 0 || len(o.versions("FR", "2003-01")) != 1 {
		t.Errorf("pending: %v", got)
	}
}

// TestReceiverGone: one that says 410 is not told again; nobody waits for it.
func TestReceiverGone(t *testing.T) {
	o, c := januaries(t, &Engine{Data: t.TempDir()}), newClients(t, false)
	c.answer = http.StatusGone
	s := o.schedule(c)
	for m := range 90 {
		o.round(s, closingHour.Add(time.Duration(m)*time.Minute))
	}
	if c.missed != 1 || len(o.pending()) > 0 || o.metric("rollcall_deliveries_given_up_total", "webhook") != 1 || len(c.folders()) != 1 {
		t.Errorf("told %d times; pending %v", c.missed, o.pending())
	}
}

// TestReceiverNeverBack: after thirty days nobody tries any more.
func TestReceiverNeverBack(t *testing.T) {
	o, c := januaries(t, &Engine{Data: t.TempDir()}), newClients(t, false)
	c.away(true)
	s := o.schedule(c)
	for h := range 24 * 27 { // then the next month is due
		o.round(s, closingHour.Add(time.Duration(h)*time.Hour))
	}
	if o.metric("rollcall_deliveries_given_up_total", "webhook") != 0 || c.missed < 80 {
		t.Errorf("given up before: %v; tried %d times", o.pending(), c.missed)
	}
	o.round(s, closingHour.AddDate(0, 0, 31))
	if o.metric("rollcall_deliveries_given_up_total", "webhook") != 2 { // of both markets' January
		t.Errorf("pending %v", o.pending())
	}
}

// TestNotClosed: a month without files, or of too poor a quality, is not closed;
// that is told once for each cause, and the month is closed when it can be.
func TestNotClosed(t *testing.T) {
	o, c := januaries(t, &Engine{Data: t.TempDir()}), newClients(t, false)
	c.options.MinEfficiency = 99.9
	s := o.schedule(c)
	for h := range 5 {
		o.round(s, closingHour.Add(time.Duration(h)*time.Hour))
	}
	hooks := c.taken()
	if len(hooks) != 1 || !strings.Contains(hooks[0].body, `"type":"month.not_closed"`) || !strings.Contains(hooks[0].body, `"code":"efficiency"`) ||
		!strings.Contains(hooks[0].body, "under the limit of 99.9 %") || len(o.versions("FR", "2003-01")) > 0 || len(c.folders()) > 0 {
		t.Fatalf("%v", hooks)
	}
	if o.metric("rollcall_months_overdue", "") != 1 {
		t.Error("no month is overdue")
	}
	c.options.MinEfficiency = 50
	s = o.schedule(c)
	o.round(s, closingHour.Add(5*time.Hour))
	if hooks = c.taken(); len(hooks) != 2 || !strings.Contains(hooks[1].body, `"type":"month.closed"`) || hooks[0].id == hooks[1].id {
		t.Fatalf("%v", hooks)
	}
	o.round(s, closingHour.AddDate(0, 1, 0))
	o.round(s, closingHour.AddDate(0, 1, 1))
	hooks = c.taken()
	if last := hooks[len(hooks)-1].body; !strings.Contains(last, `"month":"2003-02"`) || !strings.Contains(last, `"code":"files"`) {
		t.Fatalf("%s", last)
	}
	o.loadPanel("FR", "2003-02")
	o.round(s, closingHour.AddDate(0, 1, 1).Add(time.Hour))
	if v := o.versions("FR", "2003-02"); len(v) != 1 {
		t.Errorf("not closed when its files had come: %v", o.pending())
	}
}

// TestCloseWaitsForTheLog: a month is closed of all that the log holds, and not
// before that can be had.
func TestCloseWaitsForTheLog(t *testing.T) {
	o, c := newAnalyst(t, &Engine{Data: t.TempDir()}), newClients(t, false)
	o.addMarkets()
	o.loadPanel("FR", "2003-01")
	s := o.schedule(c)
	s.Settle = func(context.Context) error { return errors.New("the brokers do not answer") }
	o.round(s, closingHour)
	if got := o.pending(); len(o.versions("FR", "2003-01")) > 0 || len(got) != 1 || !strings.Contains(got[0], "the brokers do not answer") ||
		len(c.taken()) > 0 || o.metric("rollcall_delivery_failures_total", "close") != 1 {
		t.Fatalf("closed without the log: %v, %v", got, c.taken())
	}
	for m := range 24 * 60 {
		o.round(s, closingHour.Add(time.Duration(m)*time.Minute))
	}
	s.Settle = func(context.Context) error {
		o.folds(inOrder)
		return nil
	}
	o.round(s, closingHour.Add(24*time.Hour+10*time.Minute))
	a := o.do(http.MethodGet, "/v1/reports/ranking?market=FR&panel=nn&month=2003-01", "", nil)
	if a.status != http.StatusOK || !strings.Contains(a.body, `"rank":1,`) {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestWhatIsClosed: a month that somebody closed is left alone, even if he
// withdrew it; one of internal versions alone is not closed.
func TestWhatIsClosed(t *testing.T) {
	o, c := januaries(t, &Engine{Data: t.TempDir()}), newClients(t, false)
	o.closeMonth("FR", "2003-01", `"low":0,"caution":0`)
	o.closeMonth("US", "2003-01", `"status":"final"`)
	o.must(http.MethodPost, "/v1/publications/US/nn/2003-01/1/withdraw", `{"reason":"the wrong universe"}`)
	c.options.CloseStatus = "final"
	s := o.schedule(c)
	o.round(s, closingHour.Add(24*time.Hour))
	fr, us := o.versions("FR", "2003-01"), o.versions("US", "2003-01")
	if len(fr) != 2 || fr[1].Internal || fr[1].Status != rollcall.Final || len(us) != 1 || len(c.taken()) != 1 {
		t.Errorf("%+v\n%+v\n%v", fr, us, c.taken())
	}
}

// TestClosedByHandMeanwhile: a month that the schedule would not close, and that
// somebody closed himself, is told of as he closed it.
func TestClosedByHandMeanwhile(t *testing.T) {
	o, c := januaries(t, &Engine{Data: t.TempDir()}), newClients(t, false)
	c.options.MinEfficiency = 99.9
	s := o.schedule(c)
	o.round(s, closingHour)
	o.closeMonth("FR", "2003-01", `"status":"final"`)
	o.round(s, closingHour.Add(2*time.Hour))
	hooks := c.taken()
	if len(hooks) != 2 || !strings.Contains(hooks[1].body, `"version":1,"status":"final"`) || len(o.pending()) > 0 {
		t.Errorf("told %v, pending %v", hooks, o.pending())
	}
}

// TestHeldByAnother: what one server is at, another leaves alone.
func TestHeldByAnother(t *testing.T) {
	o, c := januaries(t, &Engine{Data: t.TempDir()}), newClients(t, false)
	first, second := o.schedule(c), o.schedule(c)
	first.Alone, second.Alone = false, false
	settled := 0
	second.Settle = func(context.Context) error { settled++; return nil }
	while := func() { // the first is at something
		if err := second.Round(t.Context()); err != nil {
			t.Error(err)
		}
	}
	first.Settle = func(context.Context) error { while(); return nil }
	c.during = sync.OnceFunc(while)
	o.round(first, closingHour)
	if hooks := c.taken(); len(hooks) != 1 || settled > 0 || len(o.versions("FR", "2003-01")) != 1 || len(o.pending()) > 0 {
		t.Errorf("told %d times, the second closed %d times, pending %v", len(hooks), settled, o.pending())
	}
}

// dyingLog is one whose process is killed at a step: from then on nothing is
// written.
type dyingLog struct {
	rollcall.DeliveryLog
	left int
}

var errKilled = errors.New("killed")

func (s *dyingLog) AddDelivery(ctx context.Context, d rollcall.Delivery) error {
	if s.left--; s.left < 0 {
		return errKilled
	}
	return s.DeliveryLog.AddDelivery(ctx, d)
}

// TestKilledAtEachStep: wherever a process ends, the next one goes on: the month
// is closed once, its folder is whole, and everybody is told under one id.
func TestKilledAtEachStep(t *testing.T) {
	before := t.TempDir()
	t.Run("before", func(t *testing.T) { januaries(t, &Engine{Data: before}) })
	steps := 0
	for killed := true; killed; steps++ {
		data := t.TempDir()
		if err := os.CopyFS(data, os.DirFS(before)); err != nil {
			t.Fatal(err)
		}
		o, c := newAnalyst(t, &Engine{Data: data}), newClients(t, false)
		s := o.schedule(c)
		s.Deliveries = &dyingLog{s.Deliveries, steps}
		o.clock = closingHour
		err := s.Round(o.Context())
		if killed = errors.Is(err, errKilled); err != nil && !killed {
			t.Fatal(err)
		}
		s = o.schedule(c)
		s.Alone = steps%2 == 0
		at := closingHour.Add(time.Second)
		if !s.Alone {
			at = closingHour.Add(time.Hour)
		}
		o.round(s, at)
		if v := o.versions("FR", "2003-01"); len(v) != 1 || len(o.pending()) > 0 {
			t.Errorf("killed at step %d: %d versions; pending %v", steps, len(v), o.pending())
		}
		if got := c.folders(); len(got) != 1 {
			t.Errorf("killed at step %d: folders %v", steps, got)
		}
		hooks := c.taken()
		for _, h := range hooks {
			if h != hooks[0] {
				t.Errorf("killed at step %d: told as %s, and as %s", steps, hooks[0], h)
			}
		}
		if len(hooks) < 1 || len(hooks) > 2 {
			t.Errorf("killed at step %d: told %d times", steps, len(hooks))
		}
	}
	if steps < 10 {
		t.Errorf("%d steps", steps)
	}
}

// TestTwoServersAtOnce: of two servers on one ClickHouse, whose clocks differ a
// little, one closes, and each client is told once.
func TestTwoServersAtOnce(t *testing.T) {
	e := &Engine{Clickhouse: "clickhouse://" + engines.ClickHouse(t).Addr() + "/schedule", KeyFile: filepath.Join(t.TempDir(), "key")}
	if err := os.WriteFile(e.KeyFile, []byte(strings.Repeat("5a", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	first, c := januaries(t, e), newClients(t, false)
	second := newAnalyst(t, e)
	var both sync.WaitGroup
	for i, o := range []*analyst{first, second} {
		s := o.schedule(c)
		both.Go(func() {
			for m := range 3 {
				o.clock = closingHour.Add(time.Duration(m)*time.Minute + time.Duration(i)*time.Second)
				if err := s.Round(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	both.Wait()
	if v := first.versions("FR", "2003-01"); len(v) != 1 || len(first.pending()) > 0 || len(c.taken()) != 1 || len(c.folders()) != 1 {
		t.Errorf("%d versions, told %v, folders %v, pending %v", len(v), c.taken(), c.folders(), first.pending())
	}
}
