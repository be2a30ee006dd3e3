package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall"
	"rollcall/internal/sqlite"
	"rollcall/internal/test/engines"
)

// october is a month with one version.
var october = rollcall.Publication{
	PanelMonth: rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: rollcall.MonthOf(2002, time.October)},
	Version:    1, Status: rollcall.Preliminary, Time: time.Date(2002, 11, 10, 5, 0, 1, 0, time.UTC),
}

// scheduleWith is a schedule over an empty store of a market, where october was
// published.
func scheduleWith(t *testing.T, o Options) *Schedule {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"), sqlite.Options{K: 12, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := rollcall.NewCatalogue([]rollcall.Market{{ID: "FR", Name: "France", Zone: "Europe/Paris"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.CloseDay, o.CloseTime = 10, "06:00"
	plan, err := o.Plan()
	if err != nil {
		t.Fatal(err)
	}
	return Schedule{
		Store: store, Deliveries: store, Catalogue: func() *rollcall.Catalogue { return c }, Now: time.Now, Software: "test",
		Publications: func(context.Context, rollcall.MarketID, rollcall.PanelID) ([]rollcall.Publication, error) {
			return []rollcall.Publication{october}, nil
		},
		Log: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry()),
	}.By(plan)
}

// send tells a schedule's first destination of an errand.
func send(s *Schedule, e rollcall.Errand, text string) error {
	to := s.plan.destinations[0]
	e.PanelMonth, e.To = october.PanelMonth, to.name
	return s.within(context.Background(), to, rollcall.Delivery{Errand: e, Text: text, Since: time.Unix(1e9, 0)})
}

// receiver is a webhook's other end, which keeps what it is sent.
type receiver struct {
	*httptest.Server
	got []received // by one request at a time
}

type received struct {
	Headers map[string]string
	Body    string
}

func newReceiver(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := new(receiver)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		one := received{Headers: map[string]string{}, Body: string(body)}
		for name := range q.Header {
			one.Headers[name] = q.Header.Get(name)
		}
		r.got = append(r.got, one)
		answer(w, q)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) options(t *testing.T, secrets string) Options {
	return Options{Webhook: []string{r.URL + "/hidden?token=hidden"}, WebhookSecretFile: file(t, secrets)}
}

// TestPendingOfEveryReceiver: what a receiver that is away has not taken is told,
// though the one after it has taken all.
func TestPendingOfEveryReceiver(t *testing.T) {
	away := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	there := newReceiver(t, func(http.ResponseWriter, *http.Request) {})
	o := away.options(t, secretText)
	o.Webhook = append(o.Webhook, there.URL)
	s := scheduleWith(t, o)
	metrics := prometheus.NewRegistry()
	s.Metrics = NewMetrics(metrics)
	if err := s.tell(t.Context(), rollcall.Errand{PanelMonth: october.PanelMonth, Version: 1}, ""); err != nil {
		t.Fatal(err)
	}
	if err := s.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	pending := map[string]float64{}
	for _, f := range families {
		if f.GetName() == "rollcall_deliveries_pending" {
			for _, m := range f.GetMetric() {
				pending[m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
			}
		}
	}
	if want := map[string]float64{closing: 0, "webhook": 1}; !maps.Equal(pending, want) {
		t.Errorf("%v, want %v", pending, want)
	}
}

// verifyProgram has the public library verify what was received.
const verifyProgram = `
import json, sys
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
given = json.load(sys.stdin)
for secret in given["secrets"]:
    verified = []
    for one in given["received"]:
        try:
            verified.append(Webhook(secret).verify(one["Body"], one["Headers"]))
        except WebhookVerificationError as e:
            verified.append(str(e))
    print(json.dumps(verified))
`

// TestWebhookIsVerified: the library that receivers use takes what is sent, by
// each secret, and refuses it by another or where a byte was changed.
func TestWebhookIsVerified(t *testing.T) {
	r := newReceiver(t, func(http.ResponseWriter, *http.Request) {})
	second, other := "whsec_"+strings.Repeat("QUJD", 8), "whsec_"+strings.Repeat("QUJE", 8)
	s := scheduleWith(t, r.options(t, secretText+"\n"+second))
	for text, e := range map[string]rollcall.Errand{"": {Version: 1}, "panel nn has no roster": {Cause: "files"}} {
		if err := send(s, e, text); err != nil {
			t.Fatal(err)
		}
	}
	slices.SortFunc(r.got, func(a, b received) int { return len(b.Body) - len(a.Body) })
	changed := r.got[0]
	changed.Body = strings.Replace(changed.Body, "2002-10", "2002-11", 1)
	given, err := json.Marshal(map[string]any{"secrets": []string{secretText, second, other}, "received": append(r.got, changed)})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(engines.Python(t, given, "-c", verifyProgram)), "\n")
	for i, line := range lines[:3] {
		var verified []any
		if err := json.Unmarshal([]byte(line), &verified); err != nil {
			t.Fatal(err)
		}
		for k, v := range verified {
			_, taken := v.(map[string]any)
			if want := i < 2 && k < 2; taken != want {
				t.Errorf("secret %d, message %d: %v", i+1, k+1, v)
			}
		}
	}
	requireEvents(t, r.got)
}

// requireEvents: one of a version and one of a month that was not closed, in the
// members that are documented.
func requireEvents(t *testing.T, got []received) {
	t.Helper()
	const closed = `{"type":"month.closed","timestamp":"2002-11-10T05:00:01Z","data":{"market":"FR","market_name":"France","panel":"nn","month":"2002-10",` +
		`"version":1,"status":"preliminary","report":"/v1/reports/ranking?market=FR&panel=nn&month=2002-10&version=1","folder":"/v1/publications/FR/nn/2002-10/1/folder.zip"}}`
	const open = `{"type":"month.not_closed","timestamp":"2001-09-09T01:46:40Z","data":{"market":"FR","market_name":"France","panel":"nn","month":"2002-10",` +
		`"code":"files","reason":"panel nn has no roster"}}`
	for i, want := range []string{closed, open} {
		if got[i].Body != want || got[i].Headers["Content-Type"] != "application/json" || got[i].Headers["User-Agent"] != "Rollcall/test" {
			t.Errorf("sent %+v\nwant %s", got[i], want)
		}
	}
	if got[0].Headers["Webhook-Id"] == got[1].Headers["Webhook-Id"] {
		t.Error("both have one id")
	}
}

// TestReceiversThatRefuse: what each kind of answer means, and that none of them
// shows the URL.
func TestReceiversThatRefuse(t *testing.T) {
	elsewhere := newReceiver(t, func(http.ResponseWriter, *http.Request) {})
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   string // of the error
		gone   bool
	}{
		"204": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, "", false},
		"500": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, "answered 500", false},
		"410": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }, "answered 410", true},
		"307": {func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, elsewhere.URL, http.StatusTemporaryRedirect)
		}, "redirects are not followed", false},
		"hang": {func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() }, "deadline", false},
		"huge": {func(w http.ResponseWriter, q *http.Request) {
			for q.Context().Err() == nil { // until the sender goes
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, "", false},
		"huge head": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) }, "server response headers exceeded", false},
		"no HTTP": {func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, err = io.WriteString(c, "220 mail.example.org ESMTP\r\n")
			}
			if err = errors.Join(err, c.Close()); err != nil {
				t.Error(err)
			}
		}, "malformed HTTP", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t, tt.answer)
			s := scheduleWith(t, r.options(t, secretText))
			if name == "hang" {
				s.plan.destinations[0].timeout = 500 * time.Millisecond
			}
			err := send(s, rollcall.Errand{Version: 1}, "")
			if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hidden")) || errors.Is(err, errGone) != tt.gone {
				t.Errorf("%v", err)
			}
			r.Close() // and its requests are at their end
			if len(r.got) != 1 {
				t.Errorf("%d requests", len(r.got))
			}
		})
	}
	if len(elsewhere.got) > 0 {
		t.Error("a redirect was followed")
	}
	away := newReceiver(t, func(http.ResponseWriter, *http.Request) {})
	s := scheduleWith(t, away.options(t, secretText))
	away.Close()
	if err := send(s, rollcall.Errand{Version: 1}, ""); err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("nobody listens: %v", err)
	}
}
