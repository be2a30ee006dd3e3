// Package panel turns a roster of recruited people into figures for a
// population: it reads the roster and the universe, weighs the one to the
// other by raking, and estimates totals, ratios and changes with their
// standard errors and intervals. Figures in, figures out: it knows no store,
// no clock and no service.
//
// The files in reading order:
//
//	table.go      a comma-separated file, and the faults found in it
//	roster.go     panelists.csv
//	universe.go   universe.csv, and the file of accounts a person
//	frame.go      the roster laid against the universe
//	rake.go       the weights that meet every margin
//	calibrate.go  a margin of users, known from outside, and its error
//	quality.go    what weighing has cost
//	weights.go    the roster with its weights
//	design.go     households and strata: who varies with whom
//	members.go    the panelists, and what two variables have in common
//	regression.go a variable's regression on the margins
//	estimator.go  a variable, an estimate, and what estimates need of the panelists
//	term.go       the one way from variables to estimates
//	months.go     several months in one estimator, and from one to another
//	replicate.go  weights of samples drawn from the sample
//	mean.go       means, whose estimates are skewed
//	interval.go   from an estimate to its interval
//	rank.go       the ranks that a figure may have
//	threshold.go  from an estimate to a published measure
//
// The variance is Taylor's on calibration residuals (Deville and Sarndal 1992,
// "Calibration estimators in survey sampling", JASA 87), and equals that of
// R survey's svydesign(ids = ~household, strata = ~stratum, nest = TRUE) and
// calibrate(calfun = "raking").
package panel
