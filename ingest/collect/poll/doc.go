// Package poll asks a server again and again who is there, and makes stays of
// how the answers differ. A stay shorter than the time between two of them is
// missed.
package poll
