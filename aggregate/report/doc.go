// Package report answers questions about closed months: rankings, trends,
// overlaps, profiles, days. Every figure of a version is computed from its
// frozen document alone, and none is given that breaks a rule of coherence
// (package coherence).
//
// A question comes in at the top and goes down the files:
//
//	diff.go           two versions beside each other
//	report.go         a question, checked and filled in, and the list of reports
//	trend.go loyalty.go incremental.go ranking.go duplication.go
//	combinations.go profile.go curve.go frequency.go quality.go consistency.go
//	                  a report each: its rows
//	answer.go         the table that a report makes: begun, held against the
//	                  rules, and sealed
//	meta.go columns.go   what stands above and beside the figures
//	compare.go        the months that one is compared with
//	job.go            a question on its way: its version, its months, its view
//	reporter.go       what answers, and the tables that it keeps
package report
