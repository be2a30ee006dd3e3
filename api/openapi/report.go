package openapi

import (
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
)

// Report is a panel report: its name, and the columns that a row of it has.
type Report struct {
	Name, Summary, Description string
	Columns                    []string
}

// Reports gives every panel report, in the order that they are listed.
func Reports() []Report {
	return []Report{
		{"ranking", "Services by unique audience", "A row is a service, in rank order, withheld ones last; then any service, brands and owners.", []string{
			"service", "level", "unique_audience", "gross", "services_per_user", "multi_service", "reach", "coverage", "sessions_per_person",
			"minutes_per_person", "days_per_person", "audience_share", "time_share", "exclusive", "loyalty", "change", "change_percent", "rank", "rank_low", "rank_high",
			"rank_change", "tied_with", "tie_group", "significant",
		}},
		{"trend", "Services month by month", "A row is a month and a service, or any.", []string{
			"month", "service", "version", "unique_audience", "reach", "coverage", "sessions_per_person", "minutes_per_person", "change", "change_percent", "rank",
		}},
		{"duplication", "Audiences that services share", "A row is an ordered pair of services.", []string{"service", "other", "duplication", "share_of_a", "index"}},
		{"combinations", "Sets of services that persons use", "A row is a set of services that somebody used, exactly these; the largest first.", []string{"services", "unique_audience"}},
		{"incremental", "What each service adds to those above", "A row is a service, in the order given or by rank.", []string{"service", "unique_audience", "incremental"}},
		{"profile", "Who uses a service", "A row is a service and a category of each demographic column, or the target.", []string{
			"service", "target", "unique_audience", "composition", "target_reach", "index",
		}},
		{"frequency", "On how many days a service is used", "A row is a service and a band of days.", []string{"service", "days", "unique_audience", "share", "k_plus"}},
		{"curve", "The audience as it builds up", "A row is a service and a day.", []string{"service", "day", "date", "unique_audience", "period_reach"}},
		{"loyalty", "Who comes, comes back and goes", "A row is a service.", []string{"service", "new", "returned", "retained", "lapsed", "daily_audience", "stickiness"}},
		{"quality", "The weights against the population", "A row is a category of a margin.", []string{"margin", "category", "target", "achieved"}},
		{"consistency", "The rules that the figures obey", "A row is a rule of coherence.", []string{"rule", "checked", "violations"}},
	}
}

// Names gives what a report may be asked for by, that of every market among them.
func Names() []string {
	names := []string{"markets"}
	for _, known := range Reports() {
		names = append(names, known.Name)
	}
	return names
}

// tables are the tables that are not a panel's report.
func tables() []Report {
	return []Report{
		{Name: "census", Columns: []string{"service", "unique_accounts", "account_minutes", "exact"}},
		{Name: "markets", Description: "A row is a market, in order of reach, those without a reach that can be shown last.", Columns: []string{
			"market", "panel", "version", "status", "unique_audience", "reach", "rank", "rank_low", "rank_high", "difference", "differs", "tied_markets",
		}},
		{Name: "diff", Columns: []string{"figure", "before", "after"}},
	}
}

// With names the reports, and the census, that have a column.
func With(column string) []string {
	names := []string{}
	for _, r := range append(Reports(), tables()...) {
		for _, c := range r.Columns {
			if r.Name == "quality" && c == "target" { // a measure, unlike profile's
				c = "target_population"
			}
			if c == column {
				names = append(names, r.Name)
			}
		}
	}
	if column == "location" {
		names = append(names, "ranking")
	}
	return names
}

// tableSchema gives the schema of a report's answer, and puts that of its rows in the
// registry.
func tableSchema(r Report, in huma.Registry) *huma.Schema {
	name := strings.ToUpper(r.Name[:1]) + r.Name[1:]
	row := &huma.Schema{Type: huma.TypeObject, Description: r.Description, Properties: map[string]*huma.Schema{}}
	for _, column := range r.Columns {
		row.Properties[column] = cell(r.Name, column)
		row.Required = append(row.Required, column)
	}
	if r.Name == "ranking" { // of all places at once
		row.Properties["location"] = &huma.Schema{Type: huma.TypeString}
	}
	if r.Name == "census" { // what was asked for by
		for _, column := range []string{"platform", "segment", "location", "kind", "day", "week", "month", "quarter", "year"} {
			row.Properties[column] = &huma.Schema{Type: huma.TypeString}
		}
	}
	if r.Name == "diff" { // its rows are named by what names a row of the report compared
		for _, column := range []string{"location", "service", "other", "month", "target", "level", "margin", "category"} {
			row.Properties[column] = &huma.Schema{Type: huma.TypeString, Nullable: true}
		}
	}
	in.Map()[name+"Row"] = row
	in.Map()[name+"Report"] = &huma.Schema{
		Type: huma.TypeObject, Required: []string{"meta", "columns", "rows"},
		Properties: map[string]*huma.Schema{
			"meta": ref("Meta"), "columns": listOf(ref("Column")), "rows": listOf(ref(name + "Row")),
		},
	}
	return ref(name + "Report")
}

// cell gives the schema of a column's cells: the dictionary of columns is
// GET /v1/metrics.
func cell(report, column string) *huma.Schema {
	switch column {
	case "rank", "rank_low", "rank_high", "rank_change", "tie_group":
		return &huma.Schema{Type: huma.TypeInteger, Nullable: true}
	case "day", "checked":
		return &huma.Schema{Type: huma.TypeInteger}
	case "version": // a trend has none of a month that is computed live
		return &huma.Schema{Type: huma.TypeInteger, Nullable: report == "trend"}
	case "services", "violations":
		return listOf(&huma.Schema{Type: huma.TypeString})
	case "tied_with", "tied_markets":
		return &huma.Schema{Type: huma.TypeArray, Nullable: true, Items: &huma.Schema{Type: huma.TypeString}}
	case "significant", "exact", "differs":
		return &huma.Schema{Type: huma.TypeBoolean, Nullable: true}
	case "level":
		return ref("Level")
	case "status":
		return ref("PublicationStatus")
	case "location":
		return &huma.Schema{Type: huma.TypeString}
	case "before", "after":
		return &huma.Schema{Description: "A measure, a number, a text, a list of texts, or null."}
	case "target":
		if report == "quality" {
			return ref("Measure")
		}
	}
	if slices.Contains([]string{"service", "other", "month", "target", "days", "date", "margin", "category", "rule", "figure", "market", "panel"}, column) {
		return &huma.Schema{Type: huma.TypeString}
	}
	if slices.Contains([]string{"unique_audience", "unique_accounts", "duplication", "target", "achieved"}, column) {
		return ref("Measure")
	}
	return &huma.Schema{AnyOf: []*huma.Schema{ref("Measure"), {Type: "null"}}}
}

func ref(schema string) *huma.Schema { return &huma.Schema{Ref: "#/components/schemas/" + schema} }

func listOf(items *huma.Schema) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: items}
}

// Measure describes rollcall.Measure, which writes itself.
type Measure struct {
	Value  *float64 `json:"value" required:"true" nullable:"true" doc:"unrounded, in the column's unit, but for a reader's census; null where it is withheld"`
	SE     *float64 `json:"se" required:"true" nullable:"true" doc:"standard error, in the same unit; null in a reader's census"`
	Low    *float64 `json:"low" required:"true" nullable:"true" doc:"of the interval at meta.confidence"`
	High   *float64 `json:"high" required:"true" nullable:"true" doc:"of the interval"`
	N      *int     `json:"n" required:"true" nullable:"true" doc:"raw persons behind the figure; null in a reader's census"`
	Status string   `json:"status"`
}

// words gives the enumerations.
func words() map[string]*huma.Schema {
	var names []string
	for _, r := range Reports() {
		names = append(names, r.Name)
	}
	var places []string
	for _, p := range rollcall.Places() {
		places = append(places, string(p))
	}
	return map[string]*huma.Schema{
		"ReportName":        enum("Name of a panel report.", names...),
		"Location":          enum("Where the persons used the service; home+work is either, each person once.", places...),
		"RankingLocation":   enum("A place, or all: home, work and home+work in one table.", append(places, "all")...),
		"Credit":            enum("The rule by which events count.", string(rollcall.ByPresence), string(rollcall.ByUse)),
		"Level":             enum("What a ranking's row is of.", "service", "any", "brand", "owner"),
		"MeasureStatus":     enum("Whether a measure may be read; those after caution withhold it.", string(rollcall.OK), string(rollcall.Caution), string(rollcall.Below), string(rollcall.Undefined), string(rollcall.BelowDetection)),
		"PublicationStatus": enum("What a version is for.", string(rollcall.Preliminary), string(rollcall.Final), string(rollcall.Restated)),
		"Format":            enum("Form of an answer.", "json", "csv", "xlsx", "parquet", "arrow"),
		"ColumnRole":        enum("Whether a column names the row or measures it.", "dimension", "measure"),
	}
}

func enum(description string, values ...string) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString, Description: description}
	for _, v := range values {
		s.Enum = append(s.Enum, v)
	}
	return s
}
