// Package publish takes a panel's files, freezes and closes its months, and
// finds, verifies, erases and ages out what is there. A version is immutable:
// whatever comes later takes effect only through the next one.
//
// Read version.go first (which versions there are, and what they are made of),
// then publisher.go, load.go (rosters and universes, exclusions), collect.go
// (what a month is computed from), close.go (the next version), verify.go,
// erase.go and age.go.
package publish
