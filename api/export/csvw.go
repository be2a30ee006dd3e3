package export

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"rollcall"
)

// SidecarEnding is added to a CSV file's name for the file that describes it.
const SidecarEnding = ".json"

// WriteSidecar writes what the columns of a table's CSV are, as "CSV on the Web"
// metadata (W3C Recommendation of 17 December 2015), with the report's meta. file
// is the CSV's own name.
func WriteSidecar(w io.Writer, t *rollcall.Table, file string, o Options) error {
	f, err := flatten(t, o.Locale)
	if err != nil {
		return err
	}
	defer f.record.Release()
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(f.sidecar(file, o.Locale))
}

// sidecar is the document's form.
type sidecar struct {
	Context     [2]any          `json:"@context"`
	URL         string          `json:"url"`
	Title       string          `json:"dc:title"`
	Description string          `json:"dc:description"`
	Spatial     string          `json:"dc:spatial"`
	Temporal    string          `json:"dc:temporal"`
	Dialect     dialect         `json:"dialect"`
	Schema      sidecarSchema   `json:"tableSchema"`
	Notes       []rollcall.Meta `json:"notes"`
}

type dialect struct {
	Delimiter       string   `json:"delimiter"`
	Encoding        string   `json:"encoding"`
	Header          bool     `json:"header"`
	LineTerminators []string `json:"lineTerminators"`
	QuoteChar       string   `json:"quoteChar"`
	DoubleQuote     bool     `json:"doubleQuote"`
}

type sidecarSchema struct {
	Columns []sidecarColumn `json:"columns"`
}

type sidecarColumn struct {
	Name        string `json:"name"`
	Titles      string `json:"titles"`
	Description string `json:"dc:description,omitempty"`
	Unit        string `json:"schema:unitText,omitempty"`
	Datatype    any    `json:"datatype"`
	Separator   string `json:"separator,omitempty"`
	Null        string `json:"null"`
}

func (f *flat) sidecar(file string, l Locale) sidecar {
	s := sidecar{
		Context: [2]any{"http://www.w3.org/ns/csvw", map[string]string{"@language": string(l.orEnglish())}},
		URL:     file, Title: l.words().title(f.meta), Description: l.words().csvNote,
		Spatial: spatial(f.meta), Temporal: period(f.meta),
		Dialect: dialect{Delimiter: string(l.separator()), Encoding: "utf-8", Header: true, LineTerminators: []string{"\r\n"}, QuoteChar: `"`, DoubleQuote: true},
		Notes:   []rollcall.Meta{l.spoken(f.meta)},
	}
	for i, from := range f.fields {
		column := sidecarColumn{Name: from.name, Titles: from.name, Unit: from.unit(), Datatype: datatype(f.record.Column(i).DataType(), l)}
		if from.column.Label != "" {
			column.Description = l.words().describe(from)
		}
		if a, ok := f.record.Column(i).(*array.List); ok {
			column.Separator = listSeparator(a)
		}
		s.Schema.Columns = append(s.Schema.Columns, column)
	}
	return s
}

// spatial is the market, or the markets, by id.
func spatial(m *rollcall.Meta) string {
	if len(m.Markets) == 0 {
		return string(m.Market)
	}
	var ids []string
	for _, one := range m.Markets {
		ids = append(ids, string(one.Market))
	}
	return strings.Join(ids, ", ")
}

// datatype names a field's type in the terms of XML Schema.
func datatype(t arrow.DataType, l Locale) any {
	switch t.ID() {
	case arrow.INT64:
		return "integer"
	case arrow.BOOL:
		return "boolean"
	case arrow.FLOAT64:
		if l.comma() == ',' {
			return map[string]any{"base": "double", "format": map[string]string{"decimalChar": ","}}
		}
		return "double"
	}
	return "string"
}
