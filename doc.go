// Package rollcall is the vocabulary of Rollcall, audience measurement for
// messaging services: the events that collectors see, the two kinds of fact
// that are kept of them (census cells and panel diaries), and the calendar,
// places and populations that a figure is about.
//
// One idea holds the system together: every stored quantity is an idempotent,
// commutative and associative union (register maxima, sets of minutes). No
// running sum is ever stored, so a range of the log can be read again at any
// time, in any order, without changing a byte of any report.
package rollcall
