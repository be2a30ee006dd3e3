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
//	universe.go   universe.csv
//	frame.go      the roster laid against the universe
//	rake.go       the weights that meet every margin
//	weights.go    what estimates need of the weights
//	quality.go    what weighing has cost
//	estimate.go   a variable, and an estimate with its standard error
//	term.go       the one way from variables to estimates
//	change.go     the same over the panelists of two months
//	interval.go   from an estimate to its interval
//	threshold.go  from an estimate to a published measure
//
// The variance is Taylor's on calibration residuals (Deville and Sarndal 1992,
// "Calibration estimators in survey sampling", JASA 87), and equals that of
// R survey's calibrate(calfun = "raking").
package panel
