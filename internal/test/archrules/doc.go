// Package archrules holds the rules that a linter does not know: who may
// import whom, how long a file or a function is, what a package may be called.
// Its test reads the module's own source; a rule that can't be shown to fail
// on a planted breach is not a rule.
//
// Read archrules.go first (how sources are read and checked), then imports.go,
// shape.go, names.go and scale.go (the rules, by what they are about),
// variables.go and links.go.
package archrules
