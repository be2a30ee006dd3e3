// Package report answers questions about closed months: rankings, trends,
// overlaps, profiles, days. Every figure of a version is computed from its
// frozen document alone, and none is given that breaks a rule of coherence.
//
// Read report.go first (a question, its version, its view, its table), then
// meta.go and columns.go (what stands beside and above the figures), and any
// report: ranking.go, trend.go, duplication.go, combinations.go,
// incremental.go, profile.go, frequency.go, curve.go, loyalty.go, quality.go,
// consistency.go. compare.go finds the months that one is compared with, rules.go
// holds the rules, diff.go sets two versions beside each other, together.go does
// two things at once.
package report
