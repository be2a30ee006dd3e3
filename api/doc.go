// Package api serves reports over REST: routes, parameters, problem+json and
// the forms that a report can be had in. It knows no stage; what it asks of
// them is declared in server.go, in the root's own words, and wired by
// internal/server.
//
// Read server.go and routes.go first, then a noun: report.go, census.go,
// panel.go, publication.go, catalogue.go, target.go, log.go, health.go. form.go
// writes a table, month.go all of a month, problem.go an error; limits.go stands
// before all routes, and package access before it. market.go hides markets, and
// log.go writes down who did what.
package api
