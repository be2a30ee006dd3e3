// Package api serves reports over REST: routes, parameters, problem+json and
// the forms that a report can be had in. It knows no stage; what it asks of
// them is declared here and wired by the command.
package api
