package api

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
)

// form gives a table as the user asked for it. It is written to memory first,
// so that a fault becomes a problem and not half a table.
func (s *Server) form(t *rollcall.Table, format string) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		var b bytes.Buffer
		contentType, err := encode(&b, t, format)
		if t.Meta.Internal && isReader(ctx.Context()) {
			err = fmt.Errorf("version %d: %w", t.Meta.Version, rollcall.ErrNotFound)
		}
		if err != nil {
			status, detail := s.judge("encode "+format, err)
			ctx.SetHeader("Content-Type", problemType)
			ctx.SetStatus(status)
			writeProblem(ctx.BodyWriter(), status, detail)
			return
		}
		ctx.SetHeader("Content-Type", contentType)
		_, _ = ctx.BodyWriter().Write(b.Bytes()) // the client has gone: nobody is left to tell
	}}
}

func encode(w io.Writer, t *rollcall.Table, format string) (contentType string, err error) {
	if format == "csv" {
		return "text/csv; charset=utf-8; header=present", writeCSV(w, t)
	}
	return "application/json", json.NewEncoder(w).Encode(t)
}

// measureParts are the flat columns of a measure, after its own name.
var measureParts = [...]string{"", "_se", "_low", "_high", "_n", "_status"}

// writeCSV writes RFC 4180: CRLF, a header, a measure over six columns, a list
// joined by spaces. A text that a spreadsheet would take for a formula is defused.
func writeCSV(w io.Writer, t *rollcall.Table) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	var record []string
	for _, c := range t.Columns {
		record = appendHeader(record, c)
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for _, row := range t.Rows {
		record = record[:0]
		for i, c := range t.Columns {
			record = appendCell(record, c, row[i])
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func isMeasure(c rollcall.Column) bool { return c.Role == "measure" }

func appendHeader(record []string, c rollcall.Column) []string {
	if !isMeasure(c) {
		return append(record, c.Name)
	}
	for _, part := range measureParts {
		record = append(record, c.Name+part)
	}
	return record
}

func appendCell(record []string, c rollcall.Column, cell any) []string {
	if m, ok := cell.(rollcall.Measure); ok {
		return appendMeasure(record, m)
	}
	if isMeasure(c) {
		return append(record, "", "", "", "", "", "")
	}
	return append(record, plain(cell))
}

func plain(cell any) string {
	switch v := cell.(type) {
	case string:
		return defuse(v)
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	case []string:
		return defuse(strings.Join(v, " "))
	}
	return ""
}

// defuse keeps a spreadsheet from running a text as a formula.
func defuse(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func appendMeasure(record []string, m rollcall.Measure) []string {
	if m.Status.Withheld() {
		return append(record, "", "", "", "", "", string(m.Status))
	}
	return append(record, number(m.Value), number(m.SE), number(m.Low), number(m.High), strconv.Itoa(m.N), string(m.Status))
}

func number(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}
