// Package release makes what is given away: for each platform one archive of the
// static binary and what an operator needs beside it, a bill of materials, and
// the sums of all. The same commit gives the same bytes anywhere.
//
// Read release.go first, then archive.go (one archive), bill.go (what is inside
// the binary) and notices.go (under which licences).
package release
