// Package report closes months and answers for them: it freezes a month's
// facts, weighs the panel, estimates, checks and publishes; and it unites the
// census's cells. Every figure of a version is computed from its frozen
// document alone.
package report
