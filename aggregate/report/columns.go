package report

import (
	"strings"

	"rollcall"
)

// Roles and units of columns.
const (
	dimension = "dimension"
	measure   = "measure"

	unitPersons  = "persons"
	unitPercent  = "percent"
	unitPoints   = "points"
	unitMinutes  = "minutes"
	unitSessions = "sessions"
	unitDays     = "days"
	unitServices = "services"
	unitIndex    = "index"
	unitWhole    = "integer"
	unitList     = "list"
	unitTruth    = "boolean"
)

// Columns gives every column that a report may have, with its unit and
// definition: the dictionary of the figures. A dimension whose unit is
// "integer" holds whole numbers, "list" lists of texts, "boolean" true or false,
// and otherwise texts;
// any may be null.
func Columns() []rollcall.Column {
	out := make([]rollcall.Column, 0, len(definitions()))
	for _, d := range definitions() {
		out = append(out, rollcall.Column(d))
	}
	return out
}

// definition is a column, written without field names.
type definition rollcall.Column

// definitions are the columns in the order that they are documented.
// reason: a table is as long as there are columns.
func definitions() []definition {
	return []definition{
		{"service", dimension, "", "Service", "The service, or the brand or owner that unites several; any unites all services of the report."},
		{"level", dimension, "", "Level", "service, any, brand or owner. Brands and owners of one service have no row of their own."},
		{"other", dimension, "", "Other service", "The service that the audience is shared with."},
		{"services", dimension, unitList, "Services", "Used exactly these services, and no other."},
		{"month", dimension, "", "Month", "Month of the market's calendar."},
		{"target", dimension, "", "Target", "The persons that the row is about."},
		{"days", dimension, "", "Days", "Number of days with credited use in the period, or of a mean of months in the month: 3, from 2 to 3 as 2-3, or 15 and more as 15+."},
		{"day", dimension, unitWhole, "Day", "Day of the period, or of a mean of months of the month, from 1."},
		{"date", dimension, "", "Date", "Date in the market's calendar; null in a mean of months, whose days have several."},
		{"margin", dimension, "", "Margin", "Population margin that the weights are raked to."},
		{"category", dimension, "", "Category", "Category of the margin."},
		{"rank", dimension, unitWhole, "Rank", "Standard competition rank (1, 2, 2, 4) by unrounded unique audience among the services whose audience is shown; a withheld service has none."},
		{"rank_low", dimension, unitWhole, "Rank, low", "The best rank that the sample is compatible with, at the level of confidence, all ranks at once."},
		{"rank_high", dimension, unitWhole, "Rank, high", "The worst rank that the sample is compatible with, at the level of confidence, all ranks at once."},
		{"rank_change", dimension, unitWhole, "Rank change", "Rank in the month compared with minus rank now: positive is a rise."},
		{"tied_with", dimension, unitList, "Tied with", "Services whose difference in unique audience is not significant."},
		{"tie_group", dimension, unitWhole, "Tie group", "Group of a leader, taken in order of rank, and the services tied with it."},
		{"significant", dimension, unitTruth, "Significant", "Whether the change is more than chance explains: its interval leaves out 0, as that of change_percent then does."},
		{"calibrated", dimension, unitTruth, "Calibrated", "Whether the weights are raked to the service's users as its own census gives them; of any, a brand or an owner, to those of each service that it unites, and null where to those of some."},
		{"unique_audience", measure, unitPersons, "Unique audience", "Persons who used the service at least once in the period at the location; each counted once."},
		{"gross", measure, unitPersons, "Gross audience", "Sum of the unique audiences of the services that the row unites; persons of several services count several times."},
		{"services_per_user", measure, unitServices, "Services per user", "Gross audience / unique audience: how many of the services that the row unites a user uses, on average."},
		{"multi_service", measure, unitPercent, "Multi-service", "Of the row's users, those who use two of its services or more."},
		{"reach", measure, unitPercent, "Active reach", "100 x unique audience / active universe of the location."},
		{"period_reach", measure, unitPercent, "Reach so far", "100 x unique audience so far / active universe of the whole period. Not the reach of the days so far."},
		{"coverage", measure, unitPercent, "Coverage", "100 x unique audience / universe."},
		{"sessions_per_person", measure, unitSessions, "Sessions per person", "Sessions (a new one after more than 30 idle minutes) per user."},
		{"minutes_per_person", measure, unitMinutes, "Time per person", "Credited minutes per user, locations united."},
		{"days_per_person", measure, unitDays, "Days per person", "Days with credited use per user."},
		{"audience_share", measure, unitPercent, "Share of audience", "100 x unique audience / sum of the unique audiences of all services. Not reach."},
		{"time_share", measure, unitPercent, "Share of time", "100 x minutes / sum of the minutes of all services."},
		{"exclusive", measure, unitPersons, "Exclusive audience", "Persons who used this service and no other."},
		{"loyalty", measure, unitPercent, "Loyalty", "100 x exclusive audience / unique audience."},
		{"change", measure, unitPersons, "Change", "Unique audience less that of the month compared with: the previous one, or as asked."},
		{"change_percent", measure, unitPercent, "Relative change", "Change in percent of the unique audience of the month compared with."},
		{"duplication", measure, unitPersons, "Duplication", "Persons who used both services."},
		{"share_of_a", measure, unitPercent, "Share of the service", "100 x duplication / unique audience of the row's service."},
		{"index", measure, unitIndex, "Index", "100: as expected. Of a pair: duplication x active universe / (product of the audiences); of a target: target reach / reach."},
		{"incremental", measure, unitPersons, "Incremental audience", "Persons that this service adds to the services above it."},
		{"composition", measure, unitPercent, "Composition", "100 x the service's persons in the target / its unique audience."},
		{"target_reach", measure, unitPercent, "Target reach", "100 x the service's persons in the target / the target's active universe."},
		{"share", measure, unitPercent, "Share", "100 x persons with this number of days / unique audience."},
		{"k_plus", measure, unitPersons, "On this many days or more", "Persons with use on this number of days or more; of a band, on its first or more."},
		{"new", measure, unitPercent, "New", "Of this month's audience in tab in both months: without use last month nor in the last 12 months in tab."},
		{"returned", measure, unitPercent, "Returned", "Of this month's audience in tab in both months: without use last month, with use in the last 12 months in tab."},
		{"retained", measure, unitPercent, "Retained", "Of this month's audience in tab in both months: with use last month."},
		{"lapsed", measure, unitPercent, "Lapsed", "Of last month's audience in tab in both months: without use this month."},
		{"daily_audience", measure, unitPersons, "Daily audience", "Mean over the calendar days that there were of the daily unique audience."},
		{"stickiness", measure, unitPercent, "Stickiness", "100 x daily audience / unique audience."},
		{"target_population", measure, unitPersons, "Target", "Population that the margin gives."},
		{"achieved", measure, unitPersons, "Achieved", "Population that the final weights give."},
		{"rule", dimension, "", "Rule", "Rule of coherence that figures of one universe obey."},
		{"checked", dimension, unitWhole, "Checked", "Number of comparisons made."},
		{"violations", dimension, unitList, "Violations", "Comparisons that break the rule, with their figures."},
		{"figure", dimension, "", "Figure", "Name of the figure."},
		{"location", dimension, "", "Location", "home, work, home+work (either, each person once), both, home-only or work-only; all is of the first three beside each other."},
		{"market", dimension, "", "Market", "The market, which has a calendar and a universe of its own."},
		{"panel", dimension, "", "Panel", "The panel whose figures stand for the market."},
		{"version", dimension, unitWhole, "Version", "The published version that the figures are of."},
		{"status", dimension, "", "Version's status", "What the version is for: preliminary, final or restated."},
		{"difference", measure, unitPoints, "Difference", "Reach less that of the market above, in percentage points. The two samples are independent."},
		{"differs", dimension, unitTruth, "Differs", "Whether the reach differs from that of the market above by more than chance explains: the difference's interval leaves out 0."},
		{"tied_markets", dimension, unitList, "Tied markets", "Markets whose reach is not told from this one's: each pair is tested by itself, at the level of confidence."},
		{"before", measure, "", "Before", "The figure in the first version."},
		{"after", measure, "", "After", "The figure in the second version."},
	}
}

// columnsOf gives the columns of a list of names. A name "x as y" takes the
// definition of x under the name y.
func columnsOf(names ...string) []rollcall.Column {
	all := map[string]rollcall.Column{}
	for _, c := range Columns() {
		all[c.Name] = c
	}
	out := make([]rollcall.Column, len(names))
	for i, name := range names {
		from, to, ok := strings.Cut(name, " as ")
		out[i] = all[from]
		if ok {
			out[i].Name = to
		}
	}
	return out
}
