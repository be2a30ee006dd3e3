package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
	"rollcall/internal/problem"
)

// panels takes files. They may come slowly, and come several at a time; one is
// weighed at a time.
type panels struct {
	*Server
	work *limiter
}

// put takes a month's roster and universe together, since each is checked
// against the other: multipart/mixed or form-data with the parts "roster" and
// "universe", each with its file name.
func (s panels) put(w http.ResponseWriter, r *http.Request) {
	loaded, isNew, err := s.load(r)
	if err != nil {
		s.refuse(w, r, "load panel", err)
		return
	}
	s.audited(r.Context(), "load panel", loaded.Market, fmt.Sprintf("panel %s, %s", loaded.Panel, loaded.Month))
	if isNew {
		w.Header().Set("Location", address("panels", string(loaded.Panel), "months", loaded.Month.String())+"?market="+url.QueryEscape(string(loaded.Market)))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
	}
	writeJSON(w, loaded)
}

func (s panels) load(r *http.Request) (loaded rollcall.Loaded, isNew bool, err error) {
	if faults := problem.Parameters(r.URL.RawQuery, "market"); len(faults) > 0 {
		return loaded, false, problem.Invalid(faults)
	}
	a := About{Market: r.URL.Query().Get("market"), Panel: pathValue(r, "panel"), Month: pathValue(r, "month")}
	of, err := a.panelMonth()
	if err != nil {
		return loaded, false, err
	}
	files, err := panelParts(r)
	if err != nil {
		return loaded, false, err
	}
	leave, err := s.work.enter(r.Context(), senderOf(r))
	if err != nil {
		return loaded, false, err
	}
	defer leave()
	_, missing := s.Panels.PanelObjects(r.Context(), of)
	loaded, err = s.Panels.LoadPanel(r.Context(), of, files)
	return loaded, errors.Is(missing, rollcall.ErrNotFound), err
}

// panelParts reads both parts into memory, bounded by the body's own bound.
func panelParts(r *http.Request) (rollcall.PanelFiles, error) {
	var files rollcall.PanelFiles
	parts, err := r.MultipartReader()
	if err != nil {
		return files, &rollcall.Invalid{Field: "body", Reason: "is not multipart with the parts roster and universe", Code: "body"}
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return files, broken("body", err)
		}
		if err := takePart(&files, part); err != nil {
			return files, err
		}
	}
	if files.Roster == nil || files.Universe == nil {
		return files, &rollcall.Invalid{Field: "body", Reason: "lacks the part roster or universe", Code: "body"}
	}
	return files, nil
}

// broken says why a body can't be read to its end.
func broken(field string, err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return problem.ErrSlow
	}
	return &rollcall.Invalid{Field: field, Reason: "is cut short or too long", Code: "body"}
}

func takePart(f *rollcall.PanelFiles, part *multipart.Part) error {
	text, err := io.ReadAll(part)
	if err != nil {
		return broken(part.FormName(), err)
	}
	switch part.FormName() {
	case "roster":
		f.Roster, f.RosterName = bytes.NewReader(text), fileName(part)
	case "universe":
		f.Universe, f.UniverseName = bytes.NewReader(text), fileName(part)
	}
	return nil
}

// mostName is how much of a file's name is told, in bytes: each fault repeats it.
const mostName = 255

// fileName gives the name of a part's file as it was sent, with its folder, and the end
// of one that is too long: faults of its lines name it. It opens nothing.
func fileName(part *multipart.Part) string {
	_, parameters, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	name := cmp.Or(parameters["filename"], part.FormName())
	return rollcall.OneLine(name[max(0, len(name)-mostName):])
}

type panelInput struct {
	Market string `query:"market" required:"true"`
	Panel  string `path:"panel"`
	Month  string `path:"month"`
	Plain
}

// Resolve finds a month that is none.
func (in panelInput) Resolve(ctx huma.Context) []error {
	_, err := rollcall.ParseMonth(in.Month)
	return append(in.Plain.Resolve(ctx), located(inPath, err)...)
}

// get names the roster and the universe that a month has.
func (s panels) get(ctx context.Context, in *panelInput) (*body[rollcall.PanelObjects], error) {
	of, err := About{Market: in.Market, Panel: in.Panel, Month: in.Month}.panelMonth()
	if err != nil {
		return nil, s.fault("panel", err)
	}
	files, err := s.Panels.PanelObjects(ctx, of)
	if err != nil {
		return nil, s.fault("panel", err)
	}
	return &body[rollcall.PanelObjects]{Body: files}, nil
}

// panelRow is a panel in the list of them.
type panelRow struct {
	Panel  rollcall.PanelID  `json:"panel"`
	Market rollcall.MarketID `json:"market"`
	Months int               `json:"months" doc:"that have a roster or a version"`
	First  rollcall.Month    `json:"first"`
	Last   rollcall.Month    `json:"last"`
}

// ofMarket narrows a list to a market.
type ofMarket struct {
	Market string `query:"market" doc:"of this market; of all where absent"`
	Panel  string `query:"panel" doc:"of this panel; of all where absent"`
	Page
	Plain
}

// getAll lists the panels by market and id.
func (s panels) getAll(ctx context.Context, in *ofMarket) (*paged[panelRow], error) {
	all, err := months{s.Server}.known(ctx, in)
	if err != nil {
		return nil, s.fault("panels", err)
	}
	var rows []panelRow
	for _, m := range all { // by market, panel and month
		last := len(rows) - 1
		if last < 0 || rows[last].Market != m.Market || rows[last].Panel != m.Panel {
			rows, last = append(rows, panelRow{Panel: m.Panel, Market: m.Market, First: m.Month}), last+1
		}
		rows[last].Months, rows[last].Last = rows[last].Months+1, m.Month
	}
	rows, next, err := part(in.Page, rows, func(p panelRow) string { return string(p.Market) + "." + string(p.Panel) })
	if err != nil {
		return nil, s.fault("panels", err)
	}
	return pageOf(rows, next), nil
}

// panelLimits says what of a panel's figures is shown.
type panelLimits struct{ *Server }

type limitsInput struct {
	Panel string `path:"panel"`
	Body  struct {
		Market  string `json:"market"`
		Low     *int   `json:"low,omitempty" minimum:"0" doc:"persons under which a figure is withheld; as it is where absent"`
		Caution *int   `json:"caution,omitempty" minimum:"0" doc:"persons under which a figure is flagged; as it is where absent"`
	}
	Plain
}

func (s panelLimits) post(ctx context.Context, in *limitsInput) (*body[rollcall.PanelLimits], error) {
	l, err := s.Panels.SetLimits(ctx, rollcall.MarketID(in.Body.Market), rollcall.PanelID(in.Panel), in.Body.Low, in.Body.Caution)
	if err != nil {
		return nil, s.fault("set limits", err)
	}
	s.audited(ctx, "set limits", l.Market, fmt.Sprintf("panel %s, low %d, caution %d", l.Panel, l.Low, l.Caution))
	return &body[rollcall.PanelLimits]{Body: l}, nil
}

type exclusionInput struct {
	Body struct {
		Market   string `json:"market"`
		Panel    string `json:"panel"`
		Month    string `json:"month"`
		Panelist string `json:"panelist,omitempty"`
		Service  string `json:"service,omitempty"`
		Day      string `json:"day,omitempty"`
		Reason   string `json:"reason" minLength:"1" maxLength:"1000"`
	}
	Plain
}

// Resolve finds what can't be read.
func (in *exclusionInput) Resolve(ctx huma.Context) []error {
	_, err := rollcall.ParseMonth(in.Body.Month)
	_, failed := optionalDay("day", in.Body.Day)
	return slices.Concat(in.Plain.Resolve(ctx), located(inBody, err), located(inBody, failed))
}

// exclusions records and lists the rules.
type exclusions struct{ *Server }

// rule is an exclusion as it is told: a panelist is not named.
type rule struct {
	rollcall.PanelMonth
	Panelist bool               `json:"panelist" doc:"it is of one panelist"`
	Service  rollcall.ServiceID `json:"service,omitempty" doc:"it is of this service; of all where absent"`
	Day      rollcall.Day       `json:"day,omitempty" doc:"it is of this day; of all where absent"`
	Reason   string             `json:"reason"`
}

type monthOfPanel struct {
	Market string `query:"market" required:"true"`
	Panel  string `query:"panel" required:"true"`
	Month  string `query:"month" required:"true"`
	Plain
}

// Resolve finds what can't be read.
func (in monthOfPanel) Resolve(ctx huma.Context) []error {
	_, err := rollcall.ParseMonth(in.Month)
	return append(in.Plain.Resolve(ctx), located(inQuery, err)...)
}

func (s exclusions) get(ctx context.Context, in *monthOfPanel) (*list[rule], error) {
	of, err := About{Market: in.Market, Panel: in.Panel, Month: in.Month}.panelMonth()
	if err != nil {
		return nil, s.fault("exclusions", err)
	}
	recorded, err := s.Panels.Exclusions(ctx, of)
	if err != nil {
		return nil, s.fault("exclusions", err)
	}
	var rows []rule
	for _, e := range recorded {
		rows = append(rows, ruleOf(e, e.Panelist != 0))
	}
	return listOf(rows), nil
}

func ruleOf(e rollcall.Exclusion, ofOne bool) rule {
	return rule{PanelMonth: e.PanelMonth, Panelist: ofOne, Service: e.Service, Day: e.Day, Reason: e.Reason}
}

func (s exclusions) post(ctx context.Context, in *exclusionInput) (*made[rule], error) {
	of, err := About{Market: in.Body.Market, Panel: in.Body.Panel, Month: in.Body.Month}.panelMonth()
	if err != nil {
		return nil, s.fault("exclude", err)
	}
	day, err := optionalDay("day", in.Body.Day)
	if err != nil {
		return nil, s.fault("exclude", err)
	}
	e := rollcall.Exclusion{PanelMonth: of, Service: rollcall.ServiceID(in.Body.Service), Day: day, Reason: in.Body.Reason}
	if err := s.Panels.Exclude(ctx, e, in.Body.Panelist); err != nil {
		return nil, s.fault("exclude", err)
	}
	s.audited(ctx, "exclude", of.Market, fmt.Sprintf("panel %s, %s", of.Panel, of.Month))
	query := url.Values{"market": {in.Body.Market}, "panel": {in.Body.Panel}, "month": {of.Month.String()}}
	return madeAt(address("exclusions")+"?"+query.Encode(), ruleOf(e, in.Body.Panelist != ""), true), nil
}

type erasureInput struct {
	Body struct {
		Panel    string `json:"panel"`
		Panelist string `json:"panelist" minLength:"1"`
		DryRun   bool   `json:"dry_run,omitempty" doc:"true: the answer says what would be erased, and nothing is"`
	}
	Plain
}

func (s *Server) postErasure(ctx context.Context, in *erasureInput) (*body[rollcall.Erasure], error) {
	if err := caughtUp(ctx, s.Log); err != nil { // or a later flush would bring it back
		return nil, s.fault("erase", err)
	}
	erase, action := s.Panels.Erase, "erase"
	if in.Body.DryRun {
		erase, action = s.Panels.PreviewErasure, "dry run of erase"
	}
	done, err := erase(ctx, rollcall.PanelID(in.Body.Panel), in.Body.Panelist)
	if err == nil || in.Body.DryRun { // whose refusal tells of the person too
		s.audited(ctx, action, "", "a panelist of panel "+in.Body.Panel)
	}
	if err != nil {
		return nil, s.fault("erase", err)
	}
	return &body[rollcall.Erasure]{Body: done}, nil
}
