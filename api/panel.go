package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

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
	loaded, err := s.load(r)
	if err != nil {
		s.refuse(w, r, "load panel", err)
		return
	}
	s.audited(r.Context(), "load panel", loaded.Market, fmt.Sprintf("panel %s, %s", loaded.Panel, loaded.Month))
	writeJSON(w, loaded)
}

func (s panels) load(r *http.Request) (rollcall.Loaded, error) {
	if faults := problem.Parameters(r.URL.RawQuery, "market"); len(faults) > 0 {
		return rollcall.Loaded{}, problem.Invalid(faults)
	}
	a := About{Market: r.URL.Query().Get("market"), Panel: chi.URLParam(r, "panel"), Month: chi.URLParam(r, "month")}
	of, err := a.panelMonth()
	if err != nil {
		return rollcall.Loaded{}, err
	}
	files, err := panelParts(r)
	if err != nil {
		return rollcall.Loaded{}, err
	}
	leave, err := s.work.enter(r.Context(), senderOf(r))
	if err != nil {
		return rollcall.Loaded{}, err
	}
	defer leave()
	return s.Panels.LoadPanel(r.Context(), of, files)
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
		f.Roster, f.RosterName = bytes.NewReader(text), rollcall.OneLine(part.FileName())
	case "universe":
		f.Universe, f.UniverseName = bytes.NewReader(text), rollcall.OneLine(part.FileName())
	}
	return nil
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

func (s *Server) postExclusion(ctx context.Context, in *exclusionInput) (*struct{}, error) {
	of, err := About{Market: in.Body.Market, Panel: in.Body.Panel, Month: in.Body.Month}.panelMonth()
	if err != nil {
		return nil, s.fault("exclude", err)
	}
	day, err := optionalDay("day", in.Body.Day)
	if err != nil {
		return nil, s.fault("exclude", err)
	}
	rule := rollcall.Exclusion{PanelMonth: of, Service: rollcall.ServiceID(in.Body.Service), Day: day, Reason: in.Body.Reason}
	if err := s.Panels.Exclude(ctx, rule, in.Body.Panelist); err != nil {
		return nil, s.fault("exclude", err)
	}
	s.audited(ctx, "exclude", of.Market, fmt.Sprintf("panel %s, %s", of.Panel, of.Month))
	return nil, nil
}

type erasureInput struct {
	Body struct {
		Panel    string `json:"panel"`
		Panelist string `json:"panelist" minLength:"1"`
	}
	Plain
}

type erased struct {
	Diaries int `json:"diaries"`
}

func (s *Server) postErasure(ctx context.Context, in *erasureInput) (*body[erased], error) {
	n, err := s.Panels.Erase(ctx, rollcall.PanelID(in.Body.Panel), in.Body.Panelist)
	if err != nil {
		return nil, s.fault("erase", err)
	}
	s.audited(ctx, "erase", "", fmt.Sprintf("a panelist of panel %s, %d diaries", in.Body.Panel, n))
	return &body[erased]{Body: erased{n}}, nil
}
