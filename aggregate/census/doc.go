// Package census counts the accounts that were seen at a service: it unites the
// sketches of any days and places. It knows no person.
//
// Read census.go first, which answers; then segment.go (which segments are meant),
// dimension.go (what a row is of), union.go (what is united), window.go (over
// rolling days), bound.go (of how much), cache.go and view.go (answers from what was
// read before, the same as census.go gives), and last active.go, which asks for the
// newest windows.
package census
