package api

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
	"rollcall/api/access"
	"rollcall/api/export"
)

type publicationInput struct {
	Key  string `header:"Idempotency-Key" maxLength:"255" doc:"of the request: sent again under the same within a day, it is answered as it was, and nothing is done; 422 where its body is another"`
	Body struct {
		Market  string `json:"market"`
		Panel   string `json:"panel"`
		Month   string `json:"month"`
		Status  string `json:"status,omitempty" enum:"preliminary,final,restated" default:"preliminary"`
		Reason  string `json:"reason,omitempty" maxLength:"1000"`
		Low     *int   `json:"low,omitempty" minimum:"0"`
		Caution *int   `json:"caution,omitempty" minimum:"0"`

		Confidence *float64       `json:"confidence,omitempty" minimum:"0.5" exclusiveMaximum:"1" doc:"of the intervals; 0.95 where absent"`
		Trim       *rollcall.Trim `json:"trim,omitempty" doc:"bounds of the weights, in multiples of their mean"`

		Calibrate []string `json:"calibrate,omitempty" maxItems:"128" doc:"services to whose own census of the month the panel is calibrated; each needs a line in accounts_per_person"`
		PerPerson string   `json:"accounts_per_person,omitempty" maxLength:"100000" doc:"a CSV file's text: service,accounts_per_person,se,source,source_date and, where accounts elsewhere than at home and work count, location (home+work or any)"`
	}
	Plain
}

// Resolve finds what can't be read.
func (in *publicationInput) Resolve(ctx huma.Context) []error {
	_, err := rollcall.ParseMonth(in.Body.Month)
	faults := append(in.Plain.Resolve(ctx), located(inBody, err)...)
	if in.Body.Trim != nil {
		faults = append(faults, located(inBody, in.Body.Trim.Validate())...)
	}
	return faults
}

// calibrate gives the services to whose census the panel is calibrated.
func (in *publicationInput) calibrate() []rollcall.ServiceID {
	var ids []rollcall.ServiceID
	for _, id := range in.Body.Calibrate {
		ids = append(ids, rollcall.ServiceID(id))
	}
	return ids
}

func (s *Server) postPublication(ctx context.Context, in *publicationInput) (*made[rollcall.Publication], error) {
	of, err := About{Market: in.Body.Market, Panel: in.Body.Panel, Month: in.Body.Month}.panelMonth()
	if err != nil {
		return nil, s.fault("close", err)
	}
	p, err := s.Publications.Close(ctx, rollcall.ClosePlan{
		Of: of, Status: rollcall.PublicationStatus(in.Body.Status), Reason: in.Body.Reason, Low: in.Body.Low, Caution: in.Body.Caution,
		Confidence: in.Body.Confidence, Trim: in.Body.Trim, Calibrate: in.calibrate(), PerPerson: in.Body.PerPerson,
	})
	if err != nil {
		return nil, s.fault("close", err)
	}
	if !p.Unchanged {
		s.audited(ctx, "publish", p.Market, p.Words())
	}
	return madeAt(address("publications", string(p.Market), string(p.Panel), p.Month.String(), strconv.Itoa(p.Version)), p, !p.Unchanged), nil
}

type publicationsInput struct {
	Market string `query:"market" required:"true"`
	Panel  string `query:"panel"`
	Page
	Late bool `query:"late" doc:"count the diary days that came since each version was closed: it reads every month's diaries"`
	Plain
}

func (s *Server) getPublications(ctx context.Context, in *publicationsInput) (*paged[rollcall.Publication], error) {
	of := rollcall.PanelMonth{Market: rollcall.MarketID(in.Market), Panel: rollcall.PanelID(in.Panel)}
	hidden := access.Of(ctx).OfSegments()
	if hidden {
		of.Panel = "" // whether there is one is not told either
	}
	if err := s.Publications.Known(ctx, of); err != nil {
		return nil, s.fault("publications", err)
	}
	list, err := s.Publications.Publications(ctx, of.Market, of.Panel)
	if err != nil {
		return nil, s.fault("publications", err)
	}
	if access.Of(ctx).IsReader() {
		list = slices.DeleteFunc(list, func(p rollcall.Publication) bool { return p.Internal || hidden })
	}
	rows, next, err := part(in.Page, list, func(p rollcall.Publication) string { return fmt.Sprintf("%s.%s.%d", p.Month, p.Panel, p.Version) })
	if err != nil {
		return nil, s.fault("publications", err)
	}
	if err := s.Publications.Calibrations(ctx, rows); err != nil {
		return nil, s.fault("publications", err)
	}
	if in.Late {
		if err := s.Publications.CountLate(ctx, rows); err != nil {
			return nil, s.fault("publications", err)
		}
	}
	return pageOf(rows, next), nil
}

// Edition names one version, in the path.
type Edition struct {
	Market  string `path:"market"`
	Panel   string `path:"panel"`
	Month   string `path:"month"`
	Version int    `path:"version" minimum:"1"`
}

// Resolve finds a month that is none.
func (e Edition) Resolve(huma.Context) []error {
	_, err := rollcall.ParseMonth(e.Month)
	return located(inPath, err)
}

func (e Edition) about() About { return About{Market: e.Market, Panel: e.Panel, Month: e.Month} }

type diffInput struct {
	Edition
	Other  int    `path:"other" minimum:"1"`
	Report string `query:"report" doc:"the report to compare; the rankings at home+work, home and work where absent"`
	Span
	Cut
	Shape
	Plain
}

func (s *Server) getDiff(ctx context.Context, in *diffInput) (*huma.StreamResponse, error) {
	q, err := in.query(in.Report, in.about(), in.Span)
	if err != nil {
		return nil, s.fault("diff", err)
	}
	table, err := s.Reports.Diff(ctx, q, in.Version, in.Other)
	if err != nil {
		return nil, s.fault("diff", err)
	}
	return s.form(table, in.Shape), nil
}

type verifyInput struct {
	Edition
	Plain
}

func (s *Server) getVerify(ctx context.Context, in *verifyInput) (*struct{}, error) {
	of, err := in.about().panelMonth()
	if err != nil {
		return nil, s.fault("verify", err)
	}
	if err := in.hidden(ctx, s.Publications); err != nil {
		return nil, s.fault("verify", err)
	}
	if err := s.Publications.Verify(ctx, of, in.Version); err != nil {
		return nil, s.fault("verify", err)
	}
	return nil, nil
}

type withdrawInput struct {
	Edition
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"1000" doc:"told to whoever asks for the version"`
	}
	Plain
}

func (s *Server) postWithdrawal(ctx context.Context, in *withdrawInput) (*body[rollcall.Publication], error) {
	of, err := in.about().panelMonth()
	if err != nil {
		return nil, s.fault("withdraw", err)
	}
	if err := s.Publications.Known(ctx, of); err != nil {
		return nil, s.fault("withdraw", err)
	}
	p, err := s.Publications.Withdraw(ctx, rollcall.Withdrawal{PanelMonth: of, Version: in.Version, Reason: in.Body.Reason, Time: time.Now().UTC()})
	if err != nil {
		return nil, s.fault("withdraw", err)
	}
	s.audited(ctx, "withdraw", p.Market, p.Words())
	return &body[rollcall.Publication]{Body: p}, nil
}

// replicates gives weights with which anyone computes standard errors, and what
// the people did.
type replicates struct{ *Server }

type replicatesInput struct {
	Edition
	From string `query:"from" doc:"the first month of the file, as YYYY-MM: several months are drawn as one sample, for the errors of their changes and means; the version's own where absent"`
	N    int    `query:"n" minimum:"2" maximum:"2000" default:"200" doc:"replicates; the error of a standard error is 1/sqrt(2n) of it"`
	Seed int64  `query:"seed" minimum:"0" doc:"of the draws: the same version and seed give the same bytes"`
	Plain
}

// Resolve finds a month that is none.
func (in *replicatesInput) Resolve(ctx huma.Context) []error {
	return append(in.Plain.Resolve(ctx), fromMonth(in.From)...)
}

type usesInput struct {
	Edition
	From string `query:"from" doc:"the first month of the file, as YYYY-MM; the version's own where absent"`
	Plain
}

// Resolve finds a month that is none.
func (in *usesInput) Resolve(ctx huma.Context) []error {
	return append(in.Plain.Resolve(ctx), fromMonth(in.From)...)
}

func fromMonth(from string) []error {
	if from == "" {
		return nil
	}
	_, err := rollcall.ParseMonth(from)
	return located(inQuery, err)
}

func (s replicates) getWeights(ctx context.Context, in *replicatesInput) (*huma.StreamResponse, error) {
	return s.wide(ctx, in.Edition, in.From, "replicates", func(of rollcall.PanelMonth, first rollcall.Month) (*rollcall.Wide, error) {
		return s.Replicates.Weights(ctx, of, in.Version, first, in.N, uint64(in.Seed))
	})
}

func (s replicates) getUses(ctx context.Context, in *usesInput) (*huma.StreamResponse, error) {
	return s.wide(ctx, in.Edition, in.From, "uses", func(of rollcall.PanelMonth, first rollcall.Month) (*rollcall.Wide, error) {
		return s.Replicates.Uses(ctx, of, in.Version, first)
	})
}

// bytesAbout is the header of an answer whose length is known only about, in
// bytes.
const bytesAbout = "Rollcall-Bytes-About"

// wide writes a table as it is made, as it may be too large to hold: a fault on
// the way breaks the answer off.
func (s replicates) wide(ctx context.Context, e Edition, from, what string, table func(of rollcall.PanelMonth, first rollcall.Month) (*rollcall.Wide, error)) (*huma.StreamResponse, error) {
	of, err := e.about().panelMonth()
	if err != nil {
		return nil, s.fault(what, err)
	}
	if err := e.hidden(ctx, s.Publications); err != nil {
		return nil, s.fault(what, err)
	}
	var first rollcall.Month
	if from != "" {
		if first, err = rollcall.ParseMonth(from); err != nil {
			return nil, s.fault(what, err)
		}
	}
	t, err := table(of, first)
	if err != nil {
		return nil, s.fault(what, err)
	}
	return &huma.StreamResponse{Body: func(to huma.Context) {
		name := fmt.Sprintf("rollcall-%s-%s-%s-v%d-%s.parquet", e.Market, e.Panel, e.Month, e.Version, what)
		to.SetHeader("Cache-Control", "no-store")
		to.SetHeader("Content-Type", export.Parquet.ContentType())
		to.SetHeader("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
		to.SetHeader(bytesAbout, strconv.Itoa(8*t.Rows*len(t.Columns)))
		if to.Method() == http.MethodHead {
			return
		}
		if err := export.WriteWide(to.BodyWriter(), t); err != nil {
			s.Logger.Warn("a table was not sent whole", "file", name, "error", err)
			panic(http.ErrAbortHandler) // what is there is no file
		}
	}}, nil
}

// hidden says of an internal version to a reader what is said of one that isn't
// there.
func (e Edition) hidden(ctx context.Context, from Publications) error {
	if !access.Of(ctx).IsReader() {
		return nil
	}
	list, err := from.Publications(ctx, rollcall.MarketID(e.Market), rollcall.PanelID(e.Panel))
	if err != nil {
		return err
	}
	for _, p := range list {
		if p.Month.String() == e.Month && p.Version == e.Version && p.Internal {
			return rollcall.NoVersion(p.PanelMonth, p.Version, list)
		}
	}
	return nil
}
