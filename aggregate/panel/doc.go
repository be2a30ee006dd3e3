// Package panel turns a roster of recruited people into figures for a
// population: it reads the roster and the universe, weighs the one to the
// other by raking, and estimates totals, ratios and changes with their
// standard errors and intervals. Figures in, figures out: it knows no store,
// no clock and no service.
//
// The variance is Taylor's on calibration residuals (Deville and Sarndal 1992,
// "Calibration estimators in survey sampling", JASA 87), and equals that of
// R survey's calibrate(calfun = "raking").
package panel
