package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
	"rollcall/api/access"
	"rollcall/api/export"
)

// Shape is how a table is wanted, as parameters.
type Shape struct {
	Format string `query:"format" enum:"json,csv,xlsx,parquet,arrow" doc:"the form of the answer; where absent, what Accept prefers, or json"`
	Round  string `query:"round" pattern:"^-?[0-9]$" doc:"decimals to which values, standard errors and intervals are rounded, or with -3 thousands; unrounded where absent"`
	Language
}

// Language is the parameter of what is written for people.
type Language struct {
	Locale string `query:"locale" enum:"en,fr" doc:"language of labels, definitions and notes, and how a CSV writes numbers (fr: a decimal comma, and ; between fields); en where absent"`
}

// form gives a table as the user asked for it.
func (s *Server) form(t *rollcall.Table, shape Shape) *huma.StreamResponse {
	if decimals, err := strconv.Atoi(shape.Round); err == nil { // huma has held it to its pattern
		t = t.Round(decimals)
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		form := shape.form(ctx.Header("Accept"))
		ctx.AppendHeader("Vary", "Accept")
		d := download{
			contentType: contentType(form), name: export.FileName(&t.Meta, string(form)), inline: form == asJSON,
			write: func(w io.Writer) error { return encode(w, t, form, optionsOf(s.Catalogue, shape.Language)) },
		}
		d.answer(ctx, s, &t.Meta)
	}}
}

// asJSON is the form that package export leaves to this one.
const asJSON export.Form = "json"

// form is the one that was asked for by name, or that Accept prefers.
func (sh Shape) form(accept string) export.Form {
	if sh.Format != "" {
		return export.Form(sh.Format)
	}
	best, weight := asJSON, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		if form, q := preference(part); q > weight {
			best, weight = form, q
		}
	}
	return best
}

// preference reads one part of an Accept header; 0: it names no form of ours.
func preference(part string) (export.Form, float64) {
	media, parameters, err := mime.ParseMediaType(part)
	if err != nil {
		return asJSON, 0
	}
	q := 1.0
	if text, ok := parameters["q"]; ok {
		if q, err = strconv.ParseFloat(text, 64); err != nil {
			return asJSON, 0
		}
	}
	for _, form := range append(export.Forms(), asJSON) {
		if own, _, _ := strings.Cut(contentType(form), ";"); own == media {
			return form, q
		}
	}
	return asJSON, 0
}

func contentType(form export.Form) string {
	if form == asJSON {
		return "application/json"
	}
	return form.ContentType()
}

func encode(w io.Writer, t *rollcall.Table, form export.Form, o export.Options) error {
	if form == asJSON {
		return json.NewEncoder(w).Encode(o.Locale.Spoken(t))
	}
	return export.Write(w, t, form, o)
}

// optionsOf names the services of a catalogue, if there is one.
func optionsOf(c Catalogue, l Language) export.Options {
	o := export.Options{Locale: export.Locale(l.Locale)}
	if c != nil {
		o.Services, o.Segments = c.Catalogue().Services, c.Catalogue().Segments
	}
	return o
}

// download is an answer with a file's name.
type download struct {
	contentType, name string
	inline            bool // a browser may show it
	write             func(io.Writer) error
}

// answer writes a file about a report, or the problem that readers have with an
// internal version. It is written to memory first, so that a fault becomes a
// problem and not half a file.
func (d download) answer(ctx huma.Context, s *Server, m *rollcall.Meta) {
	var b bytes.Buffer
	err := d.write(&b)
	if m.Internal && access.Of(ctx.Context()).IsReader() {
		err = unseen(ctx.Context(), s.Publications, m)
	}
	if err != nil {
		answerProblem(ctx, s.fault("write "+d.name, err))
		return
	}
	how := "attachment"
	if d.inline {
		how = "inline"
	}
	ctx.SetHeader("Content-Type", d.contentType)
	ctx.SetHeader("Content-Disposition", mime.FormatMediaType(how, map[string]string{"filename": d.name}))
	_, _ = ctx.BodyWriter().Write(b.Bytes()) // the client has gone: nobody is left to tell
}

// unseen says of an internal version to a reader what is said of one that isn't there.
func unseen(ctx context.Context, from Publications, m *rollcall.Meta) error {
	month, err := rollcall.ParseMonth(cmp.Or(m.Month, m.To[:min(len(m.To), len("2002-10"))]))
	if err != nil {
		return fmt.Errorf("version %d: %w", m.Version, rollcall.ErrNotFound)
	}
	all, err := from.Publications(ctx, m.Market, m.Panel)
	if err != nil {
		return err
	}
	return rollcall.NoVersion(rollcall.PanelMonth{Market: m.Market, Panel: m.Panel, Month: month}, m.Version, all)
}
