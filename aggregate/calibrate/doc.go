// Package calibrate makes of a service's own census what a panel is calibrated
// with: so many users, for so many accounts of a month by those that a person
// has. It answers what no demographic weight can: who joins a panel may like a
// service more than others do.
//
// Read calibrate.go first (what a month's document gets), then count.go (the
// accounts of a month, and when they are not all there) and words.go (what must
// be said of it).
package calibrate
