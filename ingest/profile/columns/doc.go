// Package columns says which of the columns that a profile reads a file has, and
// what it means for the figures that it doesn't have others. It is told in plain
// values what a table takes from which columns, and sees of rows the names alone.
//
// Read use.go first (what is taken), then header.go (whose header a line is),
// row.go and absent.go (what rows don't have, and the words for it), file.go and
// passed.go (all headers of a file, and how many are remembered), second.go (a joined file), and alike.go
// (names that differ in capitals alone).
package columns
