// Package openapi completes the API's description: what huma reads off the Go
// types of the routes is filled up with the rows of each report, the names that a
// parameter may have, the answers of every kind of route, the routes that are
// written by hand, and examples.
package openapi
