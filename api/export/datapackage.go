package export

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"rollcall"
)

// dataPackage writes datapackage.json: a Data Package (Frictionless, version 1)
// whose resources are the folder's CSV files, with the flag of every cell that
// has one. The other forms of a table are named beside it.
func (m *Month) dataPackage(w io.Writer, files []folderFile) error {
	meta := &m.Tables[0].Meta
	spoken := m.Locale.spoken(meta)
	p := packageJSON{
		Profile: "tabular-data-package", Name: strings.ToLower(m.FolderName()), Title: m.Locale.words().monthTitle(meta),
		Description: m.Locale.words().about(meta), Version: m.Publication.Version, Created: m.Publication.Time.UTC().Format(time.RFC3339),
		Flags: m.Locale.words().flags, Meta: &spoken,
	}
	if meta.Universe != nil {
		p.Sources = []packageSource{{Title: spoken.Universe.Source}}
	}
	if meta.Simulated {
		p.Description += ". " + m.Locale.words().simulated
	}
	for _, t := range m.Tables {
		r, err := m.resource(t, files)
		if err != nil {
			return err
		}
		p.Resources = append(p.Resources, r)
	}
	out := json.NewEncoder(w)
	out.SetIndent("", " ")
	out.SetEscapeHTML(false)
	return out.Encode(p)
}

type packageJSON struct {
	Profile     string            `json:"profile"`
	Name        string            `json:"name"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Version     int               `json:"version,string"`
	Created     string            `json:"created"`
	Sources     []packageSource   `json:"sources,omitempty"`
	Resources   []resource        `json:"resources"`
	Flags       map[string]string `json:"flagLegend"`
	Meta        *rollcall.Meta    `json:"meta"`
}

type packageSource struct {
	Title string `json:"title"`
}

// resource is one table. Flags and others are beyond the standard, which lets
// them be.
type resource struct {
	Profile   string            `json:"profile"`
	Name      string            `json:"name"`
	Title     string            `json:"title"`
	Path      string            `json:"path"`
	Format    string            `json:"format"`
	MediaType string            `json:"mediatype"`
	Encoding  string            `json:"encoding"`
	Bytes     int               `json:"bytes"`
	Hash      string            `json:"hash"`
	Dialect   resourceDialect   `json:"dialect"`
	Schema    resourceSchema    `json:"schema"`
	Others    map[string]string `json:"others"`
	TableFlag string            `json:"tableFlag,omitempty"`
	Flags     []cellFlag        `json:"flags"`
}

type resourceDialect struct {
	Delimiter      string `json:"delimiter"`
	LineTerminator string `json:"lineTerminator"`
	QuoteChar      string `json:"quoteChar"`
	DoubleQuote    bool   `json:"doubleQuote"`
	Header         bool   `json:"header"`
}

type resourceSchema struct {
	Fields        []resourceField `json:"fields"`
	MissingValues []string        `json:"missingValues"`
}

type resourceField struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Unit        string `json:"unit,omitempty"`
	DecimalChar string `json:"decimalChar,omitempty"`
}

// cellFlag is the flag of one measure in one row; rows count from 1.
type cellFlag struct {
	Row   int    `json:"row"`
	Field string `json:"field"`
	Flag  string `json:"flag"`
}

// Flags, as Eurostat uses them.
const (
	flagUnreliable   = "u"
	flagConfidential = "c"
	flagZero         = "n"
	flagInapplicable = "z"
	flagProvisional  = "p"
	flagRevised      = "r"
)

func (m *Month) resource(t *rollcall.Table, files []folderFile) (resource, error) {
	f, err := flatten(t, m.Locale)
	if err != nil {
		return resource{}, err
	}
	defer f.record.Release()
	w, name := m.Locale.words(), tableFile(&t.Meta)
	r := resource{
		Profile: "tabular-data-resource", Name: strings.ToLower(name), Title: w.title(&t.Meta), Path: name + ".csv",
		Format: "csv", MediaType: "text/csv", Encoding: "utf-8",
		Dialect: resourceDialect{Delimiter: string(m.Locale.separator()), LineTerminator: "\r\n", QuoteChar: `"`, DoubleQuote: true, Header: true},
		Schema:  resourceSchema{MissingValues: []string{""}},
		Others:  map[string]string{"parquet": name + ".parquet", "arrow": name + ".arrow", "csvw": name + ".csv" + SidecarEnding},
		Flags:   f.flags(), TableFlag: tableFlag(t.Meta.Status),
	}
	for _, file := range files {
		if file.name == r.Path {
			r.Bytes, r.Hash = len(file.content), "sha256:"+file.sum()
		}
	}
	for i, from := range f.fields {
		field := resourceField{Name: from.name, Type: fieldTypeName(f.record.Column(i).DataType()), Unit: w.unitName(from.unit())}
		if from.column.Label != "" {
			field.Title, field.Description = w.heading(from), w.describe(from)
		}
		if field.Type == "number" && m.Locale.comma() != '.' {
			field.DecimalChar = string(m.Locale.comma())
		}
		r.Schema.Fields = append(r.Schema.Fields, field)
	}
	return r, nil
}

// fieldTypeName is a type in Table Schema's terms. A list is a text there.
func fieldTypeName(t arrow.DataType) string {
	switch t.ID() {
	case arrow.INT64:
		return "integer"
	case arrow.FLOAT64:
		return "number"
	case arrow.BOOL:
		return "boolean"
	}
	return "string"
}

func tableFlag(status string) string {
	switch status {
	case "preliminary", "provisional":
		return flagProvisional
	case "restated":
		return flagRevised
	}
	return ""
}

// flags are those of every measure, row by row.
func (f *flat) flags() []cellFlag {
	flags := []cellFlag{}
	for row := range int(f.record.NumRows()) {
		for i, from := range f.fields {
			if from.part != value {
				continue
			}
			if flag := flagOf(f.statuses(i)(row), f.meta.Report); flag != "" {
				flags = append(flags, cellFlag{row + 1, from.name, flag})
			}
		}
	}
	return flags
}

func flagOf(status, report string) string {
	switch {
	case status == statusBelow && report == "census":
		return flagConfidential
	case status == statusBelow, status == statusCaution:
		return flagUnreliable
	case status == statusDetection:
		return flagZero
	case status == "undefined":
		return flagInapplicable
	}
	return ""
}

// quoted JSON is YAML too.
func yamlText(s string) string {
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	if out.Encode(s) != nil {
		return `""`
	}
	return strings.TrimSpace(b.String())
}
