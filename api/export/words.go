package export

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rollcall"
)

// Locale is a language.
type Locale string

// The locales. English is the default.
const (
	English Locale = "en"
	French  Locale = "fr"
)

func (l Locale) orEnglish() Locale {
	if l == "" {
		return English
	}
	return l
}

// separator is between a CSV's fields.
func (l Locale) separator() byte {
	if l == French {
		return ';'
	}
	return ','
}

// comma is before decimals.
func (l Locale) comma() byte {
	if l == French {
		return ','
	}
	return '.'
}

// Number writes a number for people to read, its digits in groups of three. What
// rounds to nothing has no sign.
func (l Locale) Number(x float64, decimals int) string {
	group := ","
	if l == French {
		group = "\u202f"
	}
	text := strconv.FormatFloat(math.Abs(x), 'f', decimals, 64)
	number, part, _ := strings.Cut(text, ".")
	for i := len(number) - 3; i > 0; i -= 3 {
		number = number[:i] + group + number[i:]
	}
	if part != "" {
		number += string(l.comma()) + part
	}
	if x < 0 && strings.Trim(text, "0.") != "" {
		number = "-" + number
	}
	return number
}

// words are what a workbook says, in one language.
type words struct {
	locale   Locale
	colon    string
	months   [12]string
	reports  map[string]string // the title of each report
	sheets   map[string]string // the name of each report's sheet
	places   map[string]string
	credits  map[string]string
	versions map[string]string // what a publication's status says
	units    map[string]string
	parts    map[part]string
	columns  map[string][2]string // label and definition, by name or English definition; of English the report's own
	notes    [][2]string          // the report's notes and what they are here; of English its own
	flags    map[string]string    // of a cell in a data package
	items    map[string]string    // the names of meta's members
	shorthand

	cover, contents, notesSheet, definitions, details, services, chart       string
	panel, version, simulated, live, internal, toContents, toNotes           string
	calibrated                                                               string // to the census of some services
	sheetCol, titleCol, rowsCol, columnsCol, markCol, textCol, tableCol      string
	labelCol, nameCol, unitCol, definitionCol, itemCol, valueCol             string
	segments, segmentCol                                                     string
	serviceCol, serviceName, brandCol, ownerCol                              string
	oneTable, marks, source, chartAbout, below, above, low                   string
	high, page, sourceDate, month, limits, confidence, allTables             string
	citeThus, documentHash, marksTitle, pooled, unlimited, csvNote, visitors string
}

// shorthand explains the marks that stand in cells.
type shorthand struct {
	below, census, belowDetection, undefined, caution string
}

func (l Locale) words() *words {
	if l == French {
		return frenchWords()
	}
	return englishWords()
}

func englishWords() *words {
	return &words{
		locale: English, colon: ": ",
		months: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		reports: map[string]string{
			"ranking": "Ranking of services", "trend": "Trend of services", "duplication": "Duplication between services",
			"combinations": "Combinations of services", "incremental": "Incremental audience", "profile": "Profile of audiences",
			"frequency": "Frequency of use", "curve": "Reach curve", "loyalty": "Loyalty", "quality": "Quality of the weights",
			"consistency": "Consistency of the figures", "census": "Census of accounts", "diff": "Differences of two versions",
			"markets": "A service across markets",
		},
		sheets: map[string]string{
			"ranking": "Ranking", "trend": "Trend", "duplication": "Duplication", "combinations": "Combinations",
			"incremental": "Incremental", "profile": "Profile", "frequency": "Frequency", "curve": "Reach curve", "loyalty": "Loyalty",
			"quality": "Quality", "consistency": "Consistency", "census": "Census", "diff": "Differences", "markets": "Markets",
		},
		places: map[string]string{
			"home": "at home", "work": "at work", "home+work": "at home or at work", "both": "both at home and at work",
			"home-only": "at home only", "work-only": "at work only", "all": "each place", "any": "any place",
		},
		credits:  map[string]string{"presence": "credited by presence", "use": "credited by use"},
		versions: map[string]string{"preliminary": "preliminary", "final": "final", "restated": "restated", "provisional": "provisional"},
		units: map[string]string{
			"persons": "persons", "percent": "%", "minutes": "minutes", "sessions": "sessions", "days": "days",
			"services": "services", "accounts": "accounts", "points": "percentage points",
		},
		parts: map[part]string{se: "standard error", low: "low", high: "high", n: "n", status: "status"},
		shorthand: shorthand{
			below:          "Not available: too few persons of the panel stand behind the figure (status below).",
			census:         "Confidential: too few accounts stand behind the figure (status below).",
			belowDetection: "Not told from zero: the figure's interval reaches zero (status below_detection).",
			undefined:      "Not applicable: the row has no such figure, or its base is zero or not there (status undefined).",
			caution:        "Use with caution: few persons stand behind the figure, or its precision is low (status caution). The figure is in the cell.",
		},
		items: map[string]string{
			"report": "Report", "service": "Service", "market": "Market", "panel": "Panel", "period": "Period", "location": "Location", "credit": "Credit",
			"target": "Target", "version": "Version", "status": "Status", "reason": "Reason", "pool": "Months pooled", "universe": "Universe (persons)",
			"document": "Document (SHA-256)", "software": "Software", "method": "Method", "simulated": "Simulated",
		},
		cover: "Cover", contents: "Contents", notesSheet: "Notes", definitions: "Definitions", details: "Details", services: "Services", chart: "chart",
		panel: "panel", version: "version", simulated: "Simulated: these are not measurements of real people.", calibrated: "calibrated to the census of %s",
		live: "computed live, not published", internal: "internal", toContents: "Go to the contents", toNotes: "Go to the notes",
		sheetCol: "Worksheet", titleCol: "Title", rowsCol: "Rows", columnsCol: "Columns", markCol: "Mark", textCol: "Meaning", tableCol: "Table",
		labelCol: "Label", nameCol: "Column name", unitCol: "Unit", definitionCol: "Definition", itemCol: "Item", valueCol: "Value",
		segments: "Segments", segmentCol: "Segment",
		serviceCol: "Service", serviceName: "Name", brandCol: "Brand", ownerCol: "Owner",
		oneTable: "This worksheet contains one table.", marks: "Marks in its cells, such as [x], are explained in the notes.",
		source:     "Source",
		chartAbout: "Bars and points are the figures, whiskers their intervals. What is withheld is not drawn.",
		below:      "below the figure", above: "above the figure", low: "low", high: "high", page: "Page",
		sourceDate: "Source date", allTables: "All tables",
		citeThus: "If you use these figures, please cite them as below.", documentHash: "Hash of what the figures are computed from", marksTitle: "Marks", pooled: "mean of %d months", month: "Audience of messaging services",
		limits:     "Figures of fewer than %d persons of the panel are withheld; those of fewer than %d are to be used with caution.",
		unlimited:  "No figure is withheld or flagged for the number of persons behind it.",
		visitors:   "What the page calls unique visitors: persons, each counted once however often they come.",
		confidence: "Intervals have a confidence of %g %%.",
		flags:      englishFlags(),
		csvNote:    "A text that a spreadsheet would run as a formula begins with an apostrophe that is not part of it. An empty field is null.",
	}
}

// englishFlags say what the flags of a data package's cells mean.
func englishFlags() map[string]string {
	return map[string]string{
		flagUnreliable:   "low reliability: with a value, to be used with caution; without, withheld, since too few persons stand behind it",
		flagConfidential: "confidential: fewer accounts than the census's minimum",
		flagZero:         "not told from zero",
		flagInapplicable: "not applicable: a base of zero, or nothing to compare with",
		flagProvisional:  "provisional: every figure of the table",
		flagRevised:      "revised: every figure of the table",
	}
}

// Spoken gives a table with its labels, definitions and notes in a language. The
// tables that reports make are English: in English it is the table itself.
func (l Locale) Spoken(t *rollcall.Table) *rollcall.Table {
	if l.orEnglish() == English {
		return t
	}
	w, columns := l.words(), slices.Clone(t.Columns)
	for i, c := range columns {
		columns[i].Label, columns[i].Definition = w.label(c), w.definition(c)
	}
	return &rollcall.Table{Meta: l.spoken(&t.Meta), Columns: columns, Rows: t.Rows}
}

// spoken gives a meta with what of it is sentences in a language; the rest of it is
// for machines.
func (l Locale) spoken(m *rollcall.Meta) rollcall.Meta {
	out, w := *m, l.words()
	out.Method, out.Notes, out.Exclusions = w.note(m.Method), w.allOf(m.Notes), w.allOf(m.Exclusions)
	out.Reason, out.Calibrated = l.Reason(m), slices.Clone(m.Calibrated)
	for i, c := range out.Calibrated {
		out.Calibrated[i].Source = l.told(c.Source)
	}
	if m.Universe != nil {
		u := *m.Universe
		u.Source = w.note(u.Source)
		out.Universe = &u
	}
	return out
}

// Reason is why a version was made.
func (l Locale) Reason(m *rollcall.Meta) string { return l.told(m.Reason) }

// allOf gives sentences in the words' own language, those that are known there.
func (w *words) allOf(sentences []string) []string {
	out := slices.Clone(sentences)
	for i, s := range out {
		out[i] = w.note(s)
	}
	return out
}

// Text is what is said around a table in one language, for forms that are made
// elsewhere.
type Text struct {
	Title     string   // what the table is of
	About     string   // where its figures come from
	Simulated string   // that they are of nobody, where that is so
	Notes     []string // the limits and the confidence, then the table's own; that it is simulated is not among them
	words     *words
}

// Text gives it.
func (l Locale) Text(m *rollcall.Meta) Text {
	w := l.words()
	own := *m
	own.Notes = slices.DeleteFunc(slices.Clone(m.Notes), func(note string) bool { return m.Simulated && strings.Contains(note, "is simulated") })
	return Text{Title: w.title(m), About: w.about(m), Simulated: w.simulated, Notes: w.allNotes(&own), words: w}
}

// Label is a column's.
func (t Text) Label(c rollcall.Column) string { return t.words.label(c) }

// Place is a location in words.
func (t Text) Place(location string) string { return t.words.place(location) }

// Month is a month in words.
func (t Text) Month(month string) string { return t.words.monthName(month) }

// title says what a report is of, in one line.
func (w *words) title(m *rollcall.Meta) string {
	parts := []string{string(m.Market), string(m.Service), w.period(m), w.place(m.Location)}
	if m.Credit == "use" {
		parts = append(parts, w.credits[m.Credit])
	}
	if m.Pool > 0 {
		parts = append(parts, fmt.Sprintf(w.pooled, m.Pool))
	}
	if m.Target != "" {
		parts = append(parts, m.Target)
	}
	return w.reportName(m.Report) + w.colon + joinWords(parts...)
}

// reportName is a report's, or that of the differences of two versions of it.
func (w *words) reportName(report string) string {
	if of, ok := strings.CutPrefix(report, "diff of "); ok {
		return w.reports["diff"] + " (" + w.reportName(of) + ")"
	}
	if name, ok := w.reports[report]; ok {
		return name
	}
	return report
}

// monthTitle is the title of all of a month's reports.
func (w *words) monthTitle(m *rollcall.Meta) string {
	return w.month + w.colon + joinWords(string(m.Market), w.panel+" "+string(m.Panel), w.monthName(m.Month))
}

// sheetName is a worksheet's: the report's and, where it isn't the usual one, the place.
func (w *words) sheetName(m *rollcall.Meta) string {
	name, ok := w.sheets[m.Report]
	if !ok {
		name = m.Report
	}
	if m.Location != "home+work" && m.Location != "any" && m.Location != "" {
		name += ", " + w.place(m.Location)
	}
	return plainSheet(name)
}

// plainSheet leaves out what Excel refuses in a worksheet's name.
func plainSheet(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]'`, r) || r < ' ' {
			return ' '
		}
		return r
	}, name)
	if strings.TrimSpace(name) == "" {
		return "-"
	}
	return name
}

// about says in one line where a report's figures come from.
func (w *words) about(m *rollcall.Meta) string {
	from := w.live
	if m.Version > 0 {
		from = w.edition(m.Version, m.Status)
	}
	if m.Internal {
		from += ", " + w.internal
	}
	panel := ""
	if m.Panel != "" {
		panel = w.panel + " " + string(m.Panel)
	}
	if len(m.Markets) > 0 {
		panel, from = "", w.editions(m.Markets)
	}
	return joinWords("Rollcall", panel, from, w.credits[m.Credit], w.calibratedTo(m.Calibrated))
}

// calibratedTo says to which services' own census the panel is calibrated; "": to
// none.
func (w *words) calibratedTo(all []rollcall.Calibrated) string {
	var services []string
	for _, c := range all {
		if !slices.Contains(services, string(c.Service)) {
			services = append(services, string(c.Service))
		}
	}
	if len(services) == 0 {
		return ""
	}
	return fmt.Sprintf(w.calibrated, strings.Join(services, ", "))
}

// edition is a version in words.
func (w *words) edition(version int, status string) string {
	text := fmt.Sprintf("%s %d", w.version, version)
	if s := w.versions[status]; s != "" {
		text += " (" + s + ")"
	}
	return text
}

// editions are those of several markets.
func (w *words) editions(markets []rollcall.MarketMeta) string {
	var all []string
	for _, m := range markets {
		edition := fmt.Sprintf("%s %s %s %s", m.Market, w.panel, m.Panel, w.edition(m.Version, m.Status))
		if calibrated := w.calibratedTo(m.Calibrated); calibrated != "" {
			edition += " " + calibrated
		}
		all = append(all, edition)
	}
	return joinWords(all...)
}

func joinWords(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, ", ")
}

// period writes a month as a reader says it, and days as they are.
func (w *words) period(m *rollcall.Meta) string {
	if m.From != "" || m.To != "" {
		return w.interval(m)
	}
	return w.monthName(m.Month)
}

// interval is of whole months, where it is, or of days; one day is said once.
func (w *words) interval(m *rollcall.Meta) string {
	from, err := rollcall.ParseDay(m.From)
	to, wrong := rollcall.ParseDay(m.To)
	if err == nil && wrong == nil && from == from.Month().First() && to == to.Month().Last() {
		if from.Month() == to.Month() {
			return w.monthName(from.Month().String())
		}
		return w.monthName(from.Month().String()) + " – " + w.monthName(to.Month().String())
	}
	if m.From == m.To {
		return m.From
	}
	return m.From + " – " + m.To
}

func (w *words) monthName(s string) string {
	month, err := rollcall.ParseMonth(s)
	if err != nil {
		return s
	}
	year, number, _ := month.First().Date()
	return fmt.Sprintf("%s %d", w.months[number-1], year)
}

// place is a location in words, or several of them.
func (w *words) place(location string) string {
	places := strings.Split(location, ", ")
	for i, place := range places {
		if s, ok := w.places[place]; ok {
			places[i] = s
		}
	}
	return strings.Join(places, "; ")
}

// Label is a column's heading.
func (l Locale) Label(c rollcall.Column) string { return l.words().label(c) }

func (w *words) label(c rollcall.Column) string {
	if own, ok := w.column(c); ok {
		return own[0]
	}
	if c.Label == "" {
		return c.Name
	}
	return c.Label
}

func (w *words) definition(c rollcall.Column) string {
	if own, ok := w.column(c); ok {
		return own[1]
	}
	return c.Definition
}

// column finds a column's label and definition: by its English definition where
// another table's column has the same name and means something else.
func (w *words) column(c rollcall.Column) (own [2]string, known bool) {
	if own, known = w.columns[c.Definition]; !known {
		own, known = w.columns[c.Name]
	}
	return own, known
}

// heading is a field's heading in a workbook: unlike any other of its table,
// which the units see to.
func (w *words) heading(f field) string {
	label := w.label(f.column)
	switch f.part {
	case whole:
		return label
	case value:
		return label + w.unitNote(f.column.Unit)
	}
	return label + w.unitNote(f.column.Unit) + w.colon + w.parts[f.part]
}

func (w *words) unitNote(unit string) string {
	if name, ok := w.units[unit]; ok {
		return " (" + name + ")"
	}
	return ""
}

// unitName is a unit in words; a kind of text is none.
func (w *words) unitName(unit string) string {
	if name, ok := w.units[unit]; ok {
		return name
	}
	return ""
}

// describe says what a field holds, in a sentence.
func (w *words) describe(f field) string {
	definition := w.definition(f.column)
	if f.part == whole || f.part == value {
		return definition
	}
	return w.label(f.column) + w.colon + w.parts[f.part] + "."
}

// item is the name of a member of meta.
func (w *words) item(name string) string {
	if own, ok := w.items[name]; ok {
		return own
	}
	return name
}

// allNotes are a report's notes, and in words what its meta has in numbers.
func (w *words) allNotes(m *rollcall.Meta) []string {
	var notes []string
	low, caution := m.Thresholds["low"], m.Thresholds["caution"]
	switch _, accounts := m.Thresholds["min_accounts"]; {
	case accounts || m.Thresholds == nil: // a census's own notes say it, and who may lower it
	case low == 0 && caution == 0:
		notes = append(notes, w.unlimited)
	default:
		notes = append(notes, fmt.Sprintf(w.limits, low, caution))
	}
	if m.Confidence > 0 {
		notes = append(notes, fmt.Sprintf(w.confidence, 100*m.Confidence))
	}
	for _, note := range m.Notes {
		notes = append(notes, w.note(note))
	}
	return notes
}

// note gives a report's note in the words' own language, if it is known there. In
// both, "#" is a number and "*" any text, in turn: a number has the language's
// comma, a text is given in the language in turn, or stays.
func (w *words) note(s string) string {
	if own, ok := w.versions[s]; ok {
		return own
	}
	for _, n := range w.notes {
		if parts := fill(n[0], s); parts != nil {
			return w.put(n[1], parts)
		}
	}
	return w.locale.told(s)
}

// told gives what the demonstration says in a language. What an operator wrote
// stays as it is.
func (l Locale) told(text string) string {
	if own, ok := frenchDemonstration()[text]; ok && l == French {
		return own
	}
	return text
}

// fill gives what of a text stands for a pattern's "#" and "*", after the text
// itself; nil: it is not of the pattern.
func fill(pattern, s string) []string {
	first := strings.IndexAny(pattern, "#*")
	if first < 0 {
		first = len(pattern)
	}
	if !strings.HasPrefix(s, pattern[:first]) { // as nearly always
		return nil
	}
	e := strings.NewReplacer(`#`, `(-?\d+(?:\.\d+)?)`, `\*`, `(.+?)`).Replace(regexp.QuoteMeta(pattern))
	return regexp.MustCompile(`(?s)^` + e + `$`).FindStringSubmatch(s)
}

// put puts a text's parts in their places in the other language's pattern.
func (w *words) put(pattern string, parts []string) string {
	var out strings.Builder
	for _, r := range pattern {
		switch {
		case r != '#' && r != '*' || len(parts) < 2:
			out.WriteRune(r)
			continue
		case r == '#':
			out.WriteString(strings.ReplaceAll(parts[1], ".", string(w.locale.comma())))
		default:
			out.WriteString(w.note(parts[1]))
		}
		parts = parts[1:]
	}
	return out.String()
}
