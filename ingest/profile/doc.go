// Package profile reads the tables and logs of servers that people run. A
// profile, written as YAML, says how a row is read and what sightings it
// makes; the built-in ones are in schemas/sources, and a user's own has the
// same form.
//
// Read profile.go first (the form), then value.go and instant.go (what a
// profile takes from a row), rows.go with csv.go, copy.go, json.go and
// pattern.go (files into rows), join.go (rows of a second file), agent.go (the
// platform), rules.go (who counts), stay.go and survey.go (what is remembered
// of other rows), uses.go (what is taken from which columns, of which the package
// columns says what a file doesn't have), and reader.go (rows into sightings).
package profile
