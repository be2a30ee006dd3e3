package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"

	"github.com/go-chi/chi/v5"

	"rollcall"
)

// putPanel takes a month's roster and universe together, since each is checked
// against the other: multipart/mixed or form-data with the parts "roster" and
// "universe", each with its file name.
func (s *Server) putPanel(w http.ResponseWriter, r *http.Request) {
	loaded, err := s.loadPanel(r)
	if err != nil {
		status, detail := s.judge("load panel", err)
		problem(w, status, detail)
		return
	}
	writeJSON(w, loaded)
}

func (s *Server) loadPanel(r *http.Request) (Loaded, error) {
	a := About{Market: r.URL.Query().Get("market"), Panel: chi.URLParam(r, "panel"), Month: chi.URLParam(r, "month")}
	of, err := a.panelMonth()
	if err != nil {
		return Loaded{}, err
	}
	files, err := panelParts(r)
	if err != nil {
		return Loaded{}, err
	}
	return s.Panels.Load(r.Context(), of, files)
}

// panelParts reads both parts into memory, bounded by the body's own bound.
func panelParts(r *http.Request) (PanelFiles, error) {
	var files PanelFiles
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
			return files, &rollcall.Invalid{Field: "body", Reason: "is cut short or too long", Code: "body"}
		}
		if err := files.take(part); err != nil {
			return files, err
		}
	}
	if files.Roster == nil || files.Universe == nil {
		return files, &rollcall.Invalid{Field: "body", Reason: "lacks the part roster or universe", Code: "body"}
	}
	return files, nil
}

func (f *PanelFiles) take(part *multipart.Part) error {
	text, err := io.ReadAll(part)
	if err != nil {
		return &rollcall.Invalid{Field: part.FormName(), Reason: "is cut short or too long", Code: "body"}
	}
	switch part.FormName() {
	case "roster":
		f.Roster, f.RosterName = bytes.NewReader(text), part.FileName()
	case "universe":
		f.Universe, f.UniverseName = bytes.NewReader(text), part.FileName()
	}
	return nil
}

type publicationInput struct {
	Body struct {
		Market  string `json:"market"`
		Panel   string `json:"panel"`
		Month   string `json:"month"`
		Status  string `json:"status,omitempty" enum:"preliminary,final,restated" default:"preliminary"`
		Reason  string `json:"reason,omitempty" maxLength:"1000"`
		Low     *int   `json:"low,omitempty" minimum:"0"`
		Caution *int   `json:"caution,omitempty" minimum:"0"`

		Confidence *float64 `json:"confidence,omitempty" minimum:"0.5" exclusiveMaximum:"1" doc:"of the intervals; 0.95 where absent"`
		Trim       *Trim    `json:"trim,omitempty" doc:"bounds of the weights, in multiples of their mean"`
	}
}

func (s *Server) postPublication(ctx context.Context, in *publicationInput) (*body[rollcall.Publication], error) {
	of, err := About{Market: in.Body.Market, Panel: in.Body.Panel, Month: in.Body.Month}.panelMonth()
	if err != nil {
		return nil, s.fault("close", err)
	}
	p, err := s.Panels.Close(ctx, ClosePlan{
		Of: of, Status: rollcall.PublicationStatus(in.Body.Status), Reason: in.Body.Reason, Low: in.Body.Low, Caution: in.Body.Caution,
		Confidence: in.Body.Confidence, Trim: in.Body.Trim,
	})
	if err != nil {
		return nil, s.fault("close", err)
	}
	return &body[rollcall.Publication]{Body: p}, nil
}

type publicationsInput struct {
	Market string `query:"market" required:"true"`
	Panel  string `query:"panel"`
}

func (s *Server) getPublications(ctx context.Context, in *publicationsInput) (*list[rollcall.Publication], error) {
	p, err := s.Panels.Publications(ctx, rollcall.MarketID(in.Market), rollcall.PanelID(in.Panel))
	if err != nil {
		return nil, s.fault("publications", err)
	}
	return listOf(p), nil
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
}

func (s *Server) postExclusion(ctx context.Context, in *exclusionInput) (*struct{}, error) {
	of, err := About{Market: in.Body.Market, Panel: in.Body.Panel, Month: in.Body.Month}.panelMonth()
	if err != nil {
		return nil, s.fault("exclude", err)
	}
	day, _, err := days(in.Body.Day, "")
	if err != nil {
		return nil, s.fault("exclude", err)
	}
	e := Exclude{Of: of, Panelist: in.Body.Panelist, Service: rollcall.ServiceID(in.Body.Service), Day: day, Reason: in.Body.Reason}
	if err := s.Corrections.Exclude(ctx, e); err != nil {
		return nil, s.fault("exclude", err)
	}
	return nil, nil
}

type erasureInput struct {
	Body struct {
		Panel    string `json:"panel"`
		Panelist string `json:"panelist" minLength:"1"`
	}
}

type erased struct {
	Diaries int `json:"diaries"`
}

func (s *Server) postErasure(ctx context.Context, in *erasureInput) (*body[erased], error) {
	n, err := s.Corrections.Erase(ctx, rollcall.PanelID(in.Body.Panel), in.Body.Panelist)
	if err != nil {
		return nil, s.fault("erase", err)
	}
	return &body[erased]{Body: erased{n}}, nil
}
