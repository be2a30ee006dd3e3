// Package markets puts one service of several markets beside each other: its
// reach, audience and rank in each, and whether two markets differ beyond chance.
// Every figure is that of a market's own ranking (package report); what is new is
// the comparison of independent samples.
//
//	reporter.go    a question, and the table that answers it
//	published.go   the version that stands for each market
//	comparison.go  the rows in order, and their differences
//	notes.go       what stands above and beside the figures
package markets
